//! Names to addresses, with errors that say why not.
//!
//! `tokio::net::lookup_host` asks the same `getaddrinfo`, but the standard library turns its code into a sentence.
//! "There is no such name" and "the name server does not answer" must be told apart: the second is worth a retry.

mod in_flight;

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use dns_lookup::{AddrInfoHints, LookupError, SockType, getaddrinfo};

use self::in_flight::Lookups;
use crate::fault::resolver::node_code;
use crate::fault::{Delivery, Fault, Phase};

/// What a lookup came to, for all who waited for it. Never empty.
pub type Addresses = Result<Arc<[IpAddr]>, LookupFailed>;

pub type LookupFuture<'a> = Pin<Box<dyn Future<Output = Addresses> + Send + 'a>>;

/// Where the addresses of a host come from.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `host`, in the order in which they are to be tried. Dropping the future gives it up.
    fn lookup<'a>(&'a self, host: &'a str) -> LookupFuture<'a>;
}

/// A name could not be resolved.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{syscall} for {host}")]
pub struct LookupFailed {
    pub host: Arc<str>,
    /// As Node names it: `ENOTFOUND`, `EAI_AGAIN`, ...
    pub code: Cow<'static, str>,
    /// What libuv gives that code (`uv.h`), where it has a number.
    pub errno: Option<i32>,
    /// `getaddrinfo`, or what the caller's own lookup says.
    pub syscall: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl LookupFailed {
    pub fn new(host: &str, code: impl Into<Cow<'static, str>>) -> Self {
        LookupFailed { host: host.into(), code: code.into(), errno: None, syscall: "getaddrinfo".into(), source: None }
    }

    pub(super) fn fault(&self, phase: Phase, delivery: Delivery) -> Fault {
        let mut fault =
            Fault::new(self.code.clone(), phase, delivery).with_syscall(self.syscall.clone()).with_address(&*self.host);
        fault.errno = self.errno;
        fault
    }

    /// The lookup itself broke off: nothing is known about the name.
    fn broken_off(host: &str) -> Self {
        LookupFailed { errno: Some(-3001), ..LookupFailed::new(host, "EAI_AGAIN") }
    }

    fn not_found(host: &str) -> Self {
        LookupFailed { errno: Some(-3008), ..LookupFailed::new(host, "ENOTFOUND") }
    }
}

/// The system's resolver, `getaddrinfo`, on tokio's threads for blocking calls. Clones share the lookups in flight.
#[derive(Debug, Clone)]
pub struct SystemLookup {
    lookups: Arc<Lookups>,
}

impl SystemLookup {
    #[allow(clippy::new_without_default)] // It is not a value but a thing, of which a process wants few.
    pub fn new() -> Self {
        SystemLookup { lookups: Arc::new(Lookups::new(ask)) }
    }
}

impl Lookup for SystemLookup {
    fn lookup<'a>(&'a self, host: &'a str) -> LookupFuture<'a> {
        Box::pin(self.lookups.addresses(host))
    }
}

/// Blocks until the system answers, which may take half a minute.
fn ask(host: &Arc<str>) -> Addresses {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let addresses = getaddrinfo(Some(host), None, Some(hints)).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.sockaddr.ip()).map_err(LookupError::from))
            .collect::<Result<Vec<_>, _>>()
    });
    match addresses {
        Ok(addresses) if addresses.is_empty() => Err(LookupFailed::not_found(host)),
        Ok(addresses) => Ok(addresses.into()),
        Err(error) => {
            let (code, errno) = node_code(error.kind());
            let source = Arc::new(std::io::Error::from(error));
            Err(LookupFailed { errno, source: Some(source), ..LookupFailed::new(host, code) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_name_has_addresses() {
        let addresses = ask(&"localhost".into()).expect("every machine knows localhost");
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
