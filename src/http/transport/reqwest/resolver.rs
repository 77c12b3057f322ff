//! Names to addresses, with errors that say why not.
//!
//! `tokio::net::lookup_host` asks the same `getaddrinfo`, but the standard library turns its code into a sentence.
//! "There is no such name" and "the name server does not answer" must be told apart: the second is worth a retry.

use std::error::Error;
use std::net::SocketAddr;

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::connector;

/// The system's resolver, `getaddrinfo`, on tokio's threads for blocking calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        Box::pin(async move {
            connector::resolving();
            let addresses = lookup(host).await?;
            let only = match addresses[..] {
                [address] => Some(address),
                _ => None,
            };
            connector::resolved(only);
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A name could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("getaddrinfo for {host}")]
pub(super) struct ResolveFailed {
    pub host: String,
    /// As Node names it: `ENOTFOUND`, `EAI_AGAIN`, ...
    pub code: &'static str,
    /// What libuv gives that code (`uv.h`), where it has a number.
    pub errno: Option<i32>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

async fn lookup(host: String) -> Result<Vec<SocketAddr>, ResolveFailed> {
    let asked = host.clone();
    let looked_up = tokio::task::spawn_blocking(move || {
        let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
        getaddrinfo(Some(&asked), None, Some(hints))?
            .map(|entry| entry.map(|entry| entry.sockaddr).map_err(LookupError::from))
            .collect::<Result<Vec<_>, _>>()
    });
    match looked_up.await {
        Ok(Ok(addresses)) if addresses.is_empty() => Err(not_found(host)),
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => {
            let (code, errno) = node_code(error.kind());
            Err(ResolveFailed { host, code, errno, source: Some(Box::new(std::io::Error::from(error))) })
        }
        // The runtime is shutting down: nothing is known about the name.
        Err(error) => Err(ResolveFailed { host, code: "EAI_AGAIN", errno: Some(-3001), source: Some(error.into()) }),
    }
}

fn not_found(host: String) -> ResolveFailed {
    ResolveFailed { host, code: "ENOTFOUND", errno: Some(-3008), source: None }
}

fn node_code(kind: LookupErrorKind) -> (&'static str, Option<i32>) {
    match kind {
        // Node reports EAI_NONAME and EAI_NODATA as ENOTFOUND (`lib/internal/errors.js`, DNSException).
        LookupErrorKind::NoName | LookupErrorKind::NoData => ("ENOTFOUND", Some(-3008)),
        LookupErrorKind::Again => ("EAI_AGAIN", Some(-3001)),
        LookupErrorKind::Fail => ("EAI_FAIL", Some(-3004)),
        LookupErrorKind::Memory => ("EAI_MEMORY", Some(-3006)),
        LookupErrorKind::Family => ("EAI_FAMILY", Some(-3005)),
        LookupErrorKind::Badflags => ("EAI_BADFLAGS", Some(-3002)),
        LookupErrorKind::Service => ("EAI_SERVICE", Some(-3010)),
        LookupErrorKind::Socktype => ("EAI_SOCKTYPE", Some(-3011)),
        LookupErrorKind::System | LookupErrorKind::Unknown | LookupErrorKind::IO => ("EAI_FAIL", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_local_name_has_addresses() {
        let addresses = lookup("localhost".to_owned()).await.expect("every machine knows localhost");
        assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
    }

    #[test]
    fn missing_names_and_silent_name_servers_are_told_apart() {
        assert_eq!(node_code(LookupErrorKind::NoName).0, "ENOTFOUND");
        assert_eq!(node_code(LookupErrorKind::NoData).0, "ENOTFOUND");
        assert_eq!(node_code(LookupErrorKind::Again), ("EAI_AGAIN", Some(-3001)));
    }
}
