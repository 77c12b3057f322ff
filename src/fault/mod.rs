//! What went wrong with a network call, in terms a program can act on.
//!
//! A [`Fault`] is one thing that went wrong, already classified. Every client reports the same event under
//! another name (`ECONNRESET`, "socket hang up", `UND_ERR_SOCKET`, "terminated"); retry logic written against
//! one of them misses the others. Here they all become the same value, and everything above
//! ([`crate::policy`], [`crate::http`], the JavaScript wrappers) looks at that value only.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The family a fault belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The peer ended the connection while a call was outstanding: RST, or FIN before or inside an answer.
    Reset,
    /// Nothing listens there.
    Refused,
    /// A limit on time was reached; the phase says which part took too long.
    Timeout,
    /// The name could not be resolved.
    Dns,
    /// No route to the host or network.
    Unreachable,
    /// The TLS handshake or the certificate was rejected.
    Tls,
    /// What the peer sent is not the protocol it should speak.
    Protocol,
    /// The server asks for fewer calls (429, 503 with Retry-After).
    Throttled,
    /// The server answered that it failed.
    Server,
    /// A message or body exceeds a limit.
    TooLarge,
    /// An orderly end of a connection with no call outstanding.
    Closed,
    /// The caller ended the call.
    Aborted,
    /// The caller's own mistake: a bad URL, a bad request, a 4xx status.
    Client,
    /// Not recognised. Never retried unless it is known that nothing was sent.
    Unknown,
}

/// Where in the life of a call the fault struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Resolve,
    Connect,
    /// TLS, or the upgrade of a WebSocket.
    Handshake,
    Send,
    /// Everything is sent, no answer yet.
    Wait,
    Receive,
    /// Between calls.
    Idle,
}

/// What the peer can have seen of the request. Never guessed upward: when in doubt it is `Unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Not one byte left: any call may be repeated.
    NotSent,
    /// Bytes left and no answer came: the call may have had its effect.
    Unknown,
    /// A response began.
    Answered,
}

/// How the peer ended the connection, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Fin,
    Rst,
}

/// When the server wants to be asked again (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfter {
    /// A delay from the moment the response arrived.
    Delay(Duration),
    /// A point in wall-clock time.
    At(std::time::SystemTime),
}

/// One thing that went wrong, already classified.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The stable string a Node programmer knows: `ECONNRESET`, `ETIMEDOUT`, `HTTP_503`, ...
    pub code: Cow<'static, str>,
    pub kind: Kind,
    pub phase: Phase,
    pub delivery: Delivery,
    /// Would the same call plausibly succeed later?
    pub transient: bool,
    /// Does a connection have to be reopened?
    pub reconnect: bool,
    /// One plain sentence a person can act on.
    pub reason: Cow<'static, str>,
    pub ending: Option<Ending>,
    /// Negative, as Node reports it (`-104`).
    pub errno: Option<i32>,
    /// `connect`, `read`, `write`, `getaddrinfo`.
    pub syscall: Option<Cow<'static, str>>,
    /// The peer's IP address, or the host name where resolution failed.
    pub address: Option<String>,
    pub port: Option<u16>,
    /// The HTTP status, for a fault that is a response.
    pub status: Option<u16>,
    pub retry_after: Option<RetryAfter>,
    /// What the layer below said, word for word.
    pub detail: Option<String>,
}
