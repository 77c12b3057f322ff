//! Names to addresses, with errors that say why not.
//!
//! `tokio::net::lookup_host` asks the same `getaddrinfo`, but the standard library turns its code into a sentence.
//! "There is no such name" and "the name server does not answer" must be told apart: the second is worth a retry.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use dns_lookup::{AddrInfoHints, LookupError, SockType, getaddrinfo};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::connector;
use super::lookups::Lookups;
use crate::fault::resolver::node_code;

/// The system's resolver, `getaddrinfo`, on tokio's threads for blocking calls. Clones share the lookups in flight.
#[derive(Debug, Clone)]
pub(super) struct SystemResolver {
    lookups: Arc<Lookups>,
}

impl SystemResolver {
    pub fn new() -> Self {
        SystemResolver { lookups: Arc::new(Lookups::new(ask)) }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            connector::resolving();
            let addresses = lookups.addresses(name.as_str()).await?;
            let only = match addresses[..] {
                [address] => Some(address),
                _ => None,
            };
            connector::resolved(only);
            Ok(Box::new(Vec::from(&*addresses).into_iter()) as Addrs)
        })
    }
}

/// What a lookup came to, for all who waited for it.
pub(super) type Addresses = Result<Arc<[SocketAddr]>, ResolveFailed>;

/// A name could not be resolved.
#[derive(Debug, Clone, thiserror::Error)]
#[error("getaddrinfo for {host}")]
pub(super) struct ResolveFailed {
    pub host: Arc<str>,
    /// As Node names it: `ENOTFOUND`, `EAI_AGAIN`, ...
    pub code: &'static str,
    /// What libuv gives that code (`uv.h`), where it has a number.
    pub errno: Option<i32>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ResolveFailed {
    /// The lookup itself broke off: nothing is known about the name.
    pub fn unknown(host: Arc<str>) -> Self {
        ResolveFailed { host, code: "EAI_AGAIN", errno: Some(-3001), source: None }
    }
}

/// Blocks until the system answers, which may take half a minute.
fn ask(host: &Arc<str>) -> Addresses {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let addresses = getaddrinfo(Some(host), None, Some(hints)).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.sockaddr).map_err(LookupError::from)).collect::<Result<Vec<_>, _>>()
    });
    match addresses {
        Ok(addresses) if addresses.is_empty() => Err(not_found(Arc::clone(host))),
        Ok(addresses) => Ok(addresses.into()),
        Err(error) => {
            let (code, errno) = node_code(error.kind());
            let source = Arc::new(std::io::Error::from(error));
            Err(ResolveFailed { host: Arc::clone(host), code, errno, source: Some(source) })
        }
    }
}

fn not_found(host: Arc<str>) -> ResolveFailed {
    ResolveFailed { host, code: "ENOTFOUND", errno: Some(-3008), source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_name_has_addresses() {
        let addresses = ask(&"localhost".into()).expect("every machine knows localhost");
        assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
    }
}
