//! Names to addresses, with errors that say why not.
//!
//! `tokio::net::lookup_host` asks the same `getaddrinfo`, but the standard library turns its code into a sentence.
//! "There is no such name" and "the name server does not answer" must be told apart: the second is worth a retry.

mod in_flight;
mod order;

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use dns_lookup::{AddrInfoHints, LookupError, SockType, getaddrinfo};

pub use self::order::{InOrder, ResultOrder};

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
    /// Where there is more to tell than the code does.
    pub reason: Option<Cow<'static, str>>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl LookupFailed {
    pub fn new(host: &str, code: impl Into<Cow<'static, str>>) -> Self {
        LookupFailed {
            host: host.into(),
            code: code.into(),
            errno: None,
            syscall: "getaddrinfo".into(),
            reason: None,
            source: None,
        }
    }

    /// What it failed with, for the fault's `detail`.
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        LookupFailed { source: Some(Arc::new(source)), ..self }
    }

    pub(crate) fn fault(&self, phase: Phase, delivery: Delivery) -> Fault {
        let mut fault =
            Fault::new(self.code.clone(), phase, delivery).with_syscall(self.syscall.clone()).with_address(&*self.host);
        fault.errno = self.errno;
        fault.detail = Some(match &self.source {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        });
        match &self.reason {
            Some(reason) => fault.with_reason(reason.clone()),
            None => fault,
        }
    }

    /// The lookup itself broke off: nothing is known about the name.
    pub fn broken_off(host: &str) -> Self {
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
            let source = std::io::Error::from(error);
            Err(LookupFailed { errno, ..LookupFailed::new(host, code) }.with_source(source))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_becomes_a_fault_that_tells_all_of_it() {
        let mut failed = LookupFailed::new("a.test", "E_MINE").with_source(std::io::Error::other("no instance"));
        failed.syscall = "lookup".into();
        failed.reason = Some("Nothing is registered.".into());
        let fault = failed.fault(Phase::Resolve, Delivery::NotSent);
        assert_eq!((&*fault.code, &*fault.reason), ("E_MINE", "Nothing is registered."));
        assert_eq!(fault.address.as_deref(), Some("a.test"));
        assert_eq!(fault.detail.as_deref(), Some("lookup for a.test: no instance"));
        let known = LookupFailed::not_found("a.test").fault(Phase::Resolve, Delivery::NotSent);
        assert_eq!((known.errno, known.transient), (Some(-3008), true));
        assert_eq!(known.reason, Fault::of_code("ENOTFOUND").reason);
    }

    #[test]
    fn a_local_name_has_addresses() {
        let addresses = ask(&"localhost".into()).expect("every machine knows localhost");
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }
}
