//! Where the connection of an exchange leads: to its server, or to the SOCKS proxy before it.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::address_in;
use crate::http::transport::proxies::{Proxy, ProxyScheme};

pub(super) struct Way<'a> {
    pub via: Option<&'a Proxy>,
    /// The server's.
    pub port: Option<u16>,
}

impl Way<'_> {
    /// The port that is connected to.
    pub fn next_port(&self) -> Option<u16> {
        self.via.map_or(self.port, |via| Some(via.port))
    }

    /// Where that is, if no name has to be resolved for it.
    pub fn next_address(&self, url: &Url) -> Option<SocketAddr> {
        match self.via {
            Some(via) => address_of(via),
            None => address_in(url),
        }
    }

    /// Why a URL cannot be reached on it at all.
    pub fn barred(&self, url: &Url) -> Option<Fault> {
        let via = self.via?;
        let reason = match (url.host()?, via.scheme) {
            // reqwest gives rustls the address in brackets, which is no name for a certificate.
            (Host::Ipv6(_), _) if url.scheme() == "https" => {
                "An https URL with an IPv6 address cannot be reached through a SOCKS proxy. Use a name for the server."
            }
            (Host::Ipv6(_), ProxyScheme::Socks4 | ProxyScheme::Socks4a) => {
                "SOCKS 4 has no room for an IPv6 address. Use a proxy that speaks SOCKS 5."
            }
            _ => return None,
        };
        let fault = Fault::new("ERR_PROXY_INVALID_CONFIG", Phase::Connect, Delivery::NotSent);
        Some(Fault { port: self.port, ..fault }.with_reason(reason))
    }
}

/// That of a proxy, if its host is one.
pub(super) fn address_of(proxy: &Proxy) -> Option<SocketAddr> {
    match proxy.host {
        Host::Ipv4(address) => Some((address, proxy.port).into()),
        Host::Ipv6(address) => Some((address, proxy.port).into()),
        Host::Domain(_) => None,
    }
}
