//! What a proxy is told when it is made, and why it cannot listen.

use std::borrow::Cow;
use std::io;

use super::lookup::LookupFailed;
use crate::fault::errno;

/// Where a proxy listens, what stands behind it, and the seed of its draws.
#[derive(Debug, Clone)]
pub struct ListenOptions {
    /// A name or an address.
    pub host: String,
    /// 0: one that is free.
    pub port: u16,
    pub upstream: Upstream,
    /// The same seed and the same traffic give the same faults.
    pub seed: u64,
}

/// The service behind the proxy, resolved anew for each connection.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

/// Why the port cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{syscall} {code}: {source} {address}:{port}")]
pub struct ListenError {
    /// As Node knows it: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`, `EAI_AGAIN`.
    pub code: Cow<'static, str>,
    /// `listen`; `getaddrinfo` where the host has no address.
    pub syscall: &'static str,
    pub address: String,
    pub port: u16,
    pub source: io::Error,
}

impl ListenError {
    pub(super) fn new(address: String, port: u16, source: io::Error) -> Self {
        Self { code: code_of(&source), syscall: "listen", address, port, source }
    }

    pub(super) fn unknown_host(address: String, port: u16, failed: LookupFailed) -> Self {
        Self { code: failed.code.into(), syscall: "getaddrinfo", address, port, source: failed.source }
    }
}

/// The name that Node has for an error of the system.
pub(super) fn code_of(error: &io::Error) -> Cow<'static, str> {
    let number = error.raw_os_error();
    match number.and_then(errno::name_of_os_error).or_else(|| errno::name_of_io_kind(error.kind())) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(number.map_or_else(|| "UNKNOWN".to_owned(), |number| format!("E{number}"))),
    }
}
