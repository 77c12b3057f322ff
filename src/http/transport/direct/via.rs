//! The proxy on the way to an origin.

use std::net::IpAddr;

use ::http::HeaderMap;
use rustls::pki_types::ServerName;
use url::Host;

use super::origins::NoHost;
use crate::http::transport::proxies::{Proxy, ProxyScheme};

pub(super) struct Via {
    pub proxy: Proxy,
    /// For TLS with the proxy itself.
    pub secure: Option<ServerName<'static>>,
}

impl Via {
    pub fn new(proxy: &Proxy) -> Result<Self, NoHost> {
        let secure = match proxy.scheme {
            ProxyScheme::Http => None,
            ProxyScheme::Https => Some(server_name(&proxy.host)?),
            // What goes through one of those goes over another transport.
            ProxyScheme::Socks4 | ProxyScheme::Socks4a | ProxyScheme::Socks5 | ProxyScheme::Socks5h => {
                return Err(NoHost);
            }
        };
        Ok(Via { proxy: proxy.clone(), secure })
    }

    /// What the proxy is told with a request that it reads itself. In a tunnel it sees none: it was told when that was
    /// opened.
    pub fn tell(&self, headers: &mut HeaderMap) {
        for name in self.proxy.headers().keys() {
            // What the caller says of the request itself comes first.
            if !headers.contains_key(name) {
                headers.extend(self.proxy.headers().get_all(name).iter().map(|value| (name.clone(), value.clone())));
            }
        }
    }
}

pub(super) fn server_name(host: &Host<String>) -> Result<ServerName<'static>, NoHost> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| NoHost),
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(*address))),
    }
}
