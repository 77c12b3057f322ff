//! What went wrong with a network call, in terms a program can act on.
//!
//! A [`Fault`] is one thing that went wrong, already classified. Every client reports the same event under
//! another name (`ECONNRESET`, "socket hang up", `UND_ERR_SOCKET`, "terminated"); retry logic written against
//! one of them misses the others. Here they all become the same value, and everything above
//! ([`crate::policy`], [`crate::http`], the JavaScript wrappers) looks at that value only.
//!
//! - [`catalogue`] holds what is known about every code. Constructors, `explain` and `docs/faults.md` read it.
//! - [`errno`] names the numbers of the operating systems, [`resolver`] the answers of theirs for names.
//! - [`classify()`] judges [`evidence`] about anything that was thrown, by the rules in [`shapes`].
//!
//! ```
//! use unreset::fault::{Delivery, Ending, Fault, Kind, Phase};
//!
//! let fault = Fault::new("ECONNRESET", Phase::Wait, Delivery::Unknown).with_ending(Ending::Rst);
//! assert_eq!(fault.kind, Kind::Reset);
//! assert!(fault.transient && fault.reconnect);
//! ```

pub mod catalogue;
pub mod errno;
pub mod evidence;
pub mod resolver;
pub mod shapes;

mod classify;
mod construct;
mod retry_after;
mod vocabulary;
mod wire;

use std::borrow::Cow;

pub use classify::{classify, classify_json};
pub use retry_after::RetryAfter;
pub use vocabulary::{Delivery, Ending, Kind, Phase};

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
