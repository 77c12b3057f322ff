//! Names to addresses, with the code that Node has for a name that cannot be resolved.

use std::io;
use std::net::{IpAddr, SocketAddr};

use dns_lookup::{AddrInfoHints, LookupError, SockType, getaddrinfo};

use crate::fault::resolver::node_code;

/// Why a name has no addresses.
#[derive(Debug)]
pub(super) struct LookupFailed {
    /// `ENOTFOUND`, `EAI_AGAIN`, ...
    pub(super) code: &'static str,
    pub(super) source: io::Error,
}

/// The addresses of a name, or the one that `host` is. `held` is let go when the system has answered, which is later
/// than the caller may have given up: a thread that asks cannot be stopped.
pub(super) async fn lookup(host: &str, port: u16, held: impl Send + 'static) -> Result<Vec<SocketAddr>, LookupFailed> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let _held = held;
        ask(&host)
    });
    let mut addresses = asked.await.map_err(io::Error::from).map_err(unknown)??;
    for address in &mut addresses {
        address.set_port(port);
    }
    Ok(addresses)
}

/// Blocks until the system answers, which may take half a minute.
fn ask(host: &str) -> Result<Vec<SocketAddr>, LookupFailed> {
    // Without it each address would come once for each type of socket.
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(host), None, Some(hints)).map_err(failed)?;
    found.map(|entry| entry.map(|entry| entry.sockaddr).map_err(unknown)).collect()
}

fn failed(error: LookupError) -> LookupFailed {
    LookupFailed { code: node_code(error.kind()).0, source: error.into() }
}

/// The lookup itself broke off: nothing is known about the name.
fn unknown(source: io::Error) -> LookupFailed {
    LookupFailed { code: "EAI_AGAIN", source }
}
