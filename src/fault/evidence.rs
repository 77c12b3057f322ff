//! What was observed about a thing that was thrown: plain data, collected where the thing lives.
//!
//! Errors are JavaScript objects that may lie, throw or loop when they are touched. JavaScript therefore only
//! reads them, under guard, into this form (`lib/fault/evidence.js`), and everything that judges is here.

use serde::{Deserialize, Serialize};

use super::{Delivery, Phase};

/// More than this is not read: a chain of that length is a loop or an attack.
pub const MAX_LINKS: usize = 32;

/// Everything known about one thing that was thrown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    /// The thing itself first, then what it names as its causes, breadth first. A link stands after its parent.
    pub links: Vec<Link>,
    /// Where it struck, if the caller knows better than the error shows.
    pub phase: Option<Phase>,
    /// What the peer can have seen, if the caller knows better than the error shows.
    pub delivery: Option<Delivery>,
    /// The caller's signal is aborted.
    pub signal_aborted: bool,
}

/// One error, response or other value of the chain. Absent is what it does not have, or not in this type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Link {
    /// The link that names this one as its cause. `None` for the first.
    pub parent: Option<usize>,
    /// It is the reason of the caller's aborted signal.
    pub signal_reason: bool,
    /// It is a string and not an object; `message` holds it.
    pub text: bool,

    pub name: Option<String>,
    pub message: Option<String>,
    /// `error.code`, where it is a string.
    pub code: Option<String>,
    /// Negative, as Node reports it.
    pub errno: Option<i32>,
    pub syscall: Option<String>,
    pub address: Option<String>,
    pub port: Option<u16>,
    pub hostname: Option<String>,

    /// node-fetch: `system`, `aborted`, `max-size`, ...
    #[serde(rename = "type")]
    pub type_: Option<String>,
    /// got: the limit that was reached.
    pub event: Option<String>,
    /// got: how far the request came.
    pub timings: Option<Timings>,
    pub is_axios_error: bool,
    /// axios: the request that an error carries got a response.
    pub request_answered: bool,
    /// superagent: the limit that was reached, in milliseconds.
    pub timeout: Option<f64>,
    /// `_tls_wrap` describes the connection it was making, which no other error of Node does this way.
    pub tls_connect: bool,
    /// undici: the socket as it was at that moment.
    pub socket: Option<Socket>,
    /// The name of its class, where that is not its `name`: node-redis calls all its errors `Error`.
    pub class: Option<String>,
    /// `error.code`, where it is a number: MongoDB, gRPC.
    pub number: Option<i32>,
    /// PostgreSQL: `ERROR`, `FATAL`, ...; its `code` is an SQLSTATE then.
    pub severity: Option<String>,
    /// MySQL and MariaDB: the error is an answer of the server.
    pub sql_state: Option<String>,
    /// MongoDB: what the server or the driver notes about an error.
    pub labels: Vec<String>,
    /// gRPC: `details` and `metadata` stand beside the number.
    pub is_grpc: bool,
    /// AWS SDK for JavaScript 3.
    pub aws: Option<Aws>,

    /// `code` of a WebSocket's close event.
    pub close_code: Option<u16>,
    /// It is an event, and a WebSocket's.
    pub of_web_socket: bool,

    /// The value is itself a response.
    pub is_response: bool,
    /// Its own status, or that of a response it is.
    pub status: Option<u16>,
    /// The `Retry-After` header that goes with the status.
    pub retry_after_header: Option<String>,
    /// The response that an error carries.
    pub response: Option<Response>,

    /// The fields of a fault that is already classified.
    pub kind: Option<String>,
    pub phase: Option<String>,
    pub delivery: Option<String>,
    pub transient: Option<bool>,
    pub reconnect: Option<bool>,
    pub reason: Option<String>,
    pub ending: Option<String>,
    /// Milliseconds.
    pub retry_after: Option<f64>,
    pub detail: Option<String>,
}

/// A response that an error carries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Response {
    pub status: Option<u16>,
    pub retry_after_header: Option<String>,
    /// Its body was read to the end (axios sets `data` only then).
    pub has_data: bool,
}

/// Which steps of a request were reached (got's `timings`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Timings {
    pub lookup: bool,
    pub connect: bool,
    pub upload: bool,
    pub response: bool,
}

/// What the AWS SDK notes about an exception of a service (`$metadata`, `$retryable`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Aws {
    /// Absent: there was no response.
    pub status: Option<u16>,
    pub retryable: bool,
    pub throttling: bool,
}

/// What undici notes about the socket of a `SocketError`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Socket {
    pub local_address: Option<String>,
    pub remote_address: Option<String>,
    pub remote_port: Option<u16>,
    pub bytes_written: Option<f64>,
    pub bytes_read: Option<f64>,
}
