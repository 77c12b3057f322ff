//! The proxy on the way to an origin.

use std::net::IpAddr;

use ::http::HeaderMap;
use ::http::header::PROXY_AUTHORIZATION;
use rustls::pki_types::ServerName;
use url::Host;

use super::origins::NoHost;
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::proxies::Proxy;

pub(super) struct Via {
    pub proxy: Proxy,
    /// For TLS with the proxy itself.
    pub secure: Option<ServerName<'static>>,
}

impl Via {
    pub fn new(proxy: &Proxy) -> Result<Self, NoHost> {
        let secure = if proxy.secure { Some(server_name(&proxy.host)?) } else { None };
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

/// A fault of a request that has credentials for a proxy: in a tunnel it would be the server that reads the password.
pub(super) fn misplaced_credentials(headers: &HeaderMap) -> Option<Fault> {
    headers.contains_key(PROXY_AUTHORIZATION).then(|| {
        Fault::new("ERR_PROXY_INVALID_CONFIG", Phase::Send, Delivery::NotSent).with_reason(
            "The request has a Proxy-Authorization header. Credentials for a proxy belong into the proxy option, where no \
             server can read them.",
        )
    })
}

pub(super) fn unreachable(mut fault: Fault) -> Fault {
    fault.reason = format!("The proxy could not be reached. {}", fault.reason).into();
    fault
}

pub(super) fn server_name(host: &Host<String>) -> Result<ServerName<'static>, NoHost> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| NoHost),
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(*address))),
    }
}
