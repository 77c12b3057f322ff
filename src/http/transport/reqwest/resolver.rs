//! reqwest's resolver, so that an exchange sees when its name is being resolved.

use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::connector;
use super::way::address_of;
use crate::http::transport::lookup::Lookup;
use crate::http::transport::proxies::{Proxy, ProxyScheme};

#[derive(Clone)]
pub(super) struct Resolver {
    pub lookup: Arc<dyn Lookup>,
    pub via: Option<Proxy>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        // For `socks5://` reqwest asks for the addresses of an address too.
        if let Some(address) = literal(name.as_str()) {
            let addresses: Addrs = Box::new(std::iter::once(SocketAddr::new(address, 0)));
            return Box::pin(ready(Ok(addresses)));
        }
        let Resolver { lookup, via } = self.clone();
        Box::pin(async move {
            connector::resolving();
            // reqwest puts the port of the URL in the place of a 0.
            let mut addresses: Vec<SocketAddr> =
                lookup.lookup(name.as_str()).await?.iter().map(|&ip| SocketAddr::new(ip, 0)).collect();
            // reqwest gives the proxy the first address of a server.
            if via.as_ref().is_some_and(|via| via.scheme == ProxyScheme::Socks4) {
                addresses.sort_by_key(SocketAddr::is_ipv6);
            }
            let only = match addresses[..] {
                [address] => Some(address),
                _ => None,
            };
            connector::resolved(match &via {
                // The server's: what is connected to is the proxy.
                Some(via) if !is_named(via, name.as_str()) => address_of(via),
                _ => only,
            });
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// IPv6 as a URL has it.
fn literal(name: &str) -> Option<IpAddr> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    bare.parse().ok()
}

fn is_named(proxy: &Proxy, name: &str) -> bool {
    matches!(&proxy.host, Host::Domain(domain) if domain == name)
}
