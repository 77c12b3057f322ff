//! What is known of each origin: how it is addressed, and its connections.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::HeaderValue;
use rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use super::pool::Pool;
use super::reaper::Reaper;
use super::via::{self, Via};
use crate::http::transport::options::{KeepAlive, TransportOptions};
use crate::http::transport::proxies::{Proxy, ProxyRules};

/// A program may talk to a great many origins in its life. Beyond this number, those without a connection are forgotten.
const MOST_ORIGINS: usize = 1024;

pub(super) struct Origin {
    /// For TLS; `None`: plain HTTP.
    pub secure: Option<ServerName<'static>>,
    pub host: Host<String>,
    pub port: u16,
    /// Host and port as the `Host` header has them: the port only where it is not the scheme's own.
    pub authority: HeaderValue,
    pub via: Option<Via>,
    pub pool: Arc<Pool>,
}

/// The URL names no host that could be connected to.
#[derive(Debug)]
pub(super) struct NoHost;

impl Origin {
    fn of(url: &Url, proxy: Option<&Proxy>, pool: Arc<Pool>) -> Result<Self, NoHost> {
        let host = url.host().ok_or(NoHost)?.to_owned();
        let secure = if url.scheme() == "https" { Some(via::server_name(&host)?) } else { None };
        let authority = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).map_err(|_| NoHost)?;
        let port = url.port_or_known_default().ok_or(NoHost)?;
        let via = proxy.map(Via::new).transpose()?;
        Ok(Origin { secure, host, port, authority, via, pool })
    }

    /// The port that is connected to: the proxy's, if there is one.
    pub fn next_port(&self) -> u16 {
        self.via.as_ref().map_or(self.port, |via| via.proxy.port)
    }

    /// Where that is, if no name has to be resolved for it.
    pub fn next_address(&self) -> Option<SocketAddr> {
        match self.next_host() {
            Host::Ipv4(address) => Some((*address, self.next_port()).into()),
            Host::Ipv6(address) => Some((*address, self.next_port()).into()),
            Host::Domain(_) => None,
        }
    }

    pub fn next_host(&self) -> &Host<String> {
        self.via.as_ref().map_or(&self.host, |via| &via.proxy.host)
    }
}

pub(super) struct Origins {
    keep_alive: Option<KeepAlive>,
    limit: Option<NonZeroUsize>,
    /// HTTP/2 is asked for.
    http2: bool,
    proxies: Option<ProxyRules>,
    reaper: Arc<Reaper>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By `scheme://host:port`, the port only where it is not the scheme's own.
    known: HashMap<Box<str>, Arc<Origin>>,
    closed: bool,
}

impl Origins {
    pub fn new(options: &TransportOptions, reaper: Arc<Reaper>) -> Self {
        Origins {
            keep_alive: options.keep_alive,
            limit: options.connections,
            http2: options.http2,
            // What goes through a Unix socket goes through no proxy.
            proxies: options.proxies.clone().filter(|_| options.socket_path.is_none()),
            reaper,
            state: Mutex::default(),
        }
    }

    /// Allocates only for an origin that is new.
    pub fn find(&self, url: &Url) -> Result<Arc<Origin>, NoHost> {
        let name = &url[..Position::BeforePath];
        let mut state = self.lock();
        if let Some(origin) = state.known.get(name) {
            return Ok(Arc::clone(origin));
        }
        if state.known.len() >= MOST_ORIGINS {
            // One that an exchange is busy with stays, and so does its count of connections.
            state.known.retain(|_, origin| Arc::strong_count(origin) > 1 || !origin.pool.is_unused());
        }
        let negotiates = self.http2 && url.scheme() == "https";
        let pool = Pool::new(self.keep_alive, self.limit, negotiates, Arc::clone(&self.reaper));
        if state.closed {
            pool.close();
        }
        let proxy = self.proxies.as_ref().and_then(|rules| rules.proxy_for(url));
        let origin = Arc::new(Origin::of(url, proxy, pool)?);
        state.known.insert(name.into(), Arc::clone(&origin));
        Ok(origin)
    }

    pub fn pools(&self) -> Vec<Arc<Pool>> {
        self.lock().known.values().map(|origin| Arc::clone(&origin.pool)).collect()
    }

    /// Closes all connections that idle, now and in future.
    pub fn close(&self) {
        let pools: Vec<_> = {
            let mut state = self.lock();
            state.closed = true;
            state.known.values().map(|origin| Arc::clone(&origin.pool)).collect()
        };
        for pool in pools {
            pool.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change to it is one statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new(&TransportOptions::default(), Arc::default())
    }

    fn find(origins: &Origins, url: &str) -> Arc<Origin> {
        origins.find(&Url::parse(url).unwrap()).unwrap_or_else(|NoHost| panic!("{url} has a host"))
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origins = origins();
        let one = find(&origins, "http://a.test/x?y#z");
        assert!(Arc::ptr_eq(&one, &find(&origins, "HTTP://A.test:80/")));
        for other in ["https://a.test/", "http://a.test:81/", "http://b.test/"] {
            assert!(!Arc::ptr_eq(&one, &find(&origins, other)), "{other}");
        }
    }

    #[test]
    fn the_host_header_has_a_port_where_it_is_not_the_usual_one() {
        let origins = origins();
        for (url, authority, port) in [
            ("http://a.test/", "a.test", 80),
            ("https://a.test:443/", "a.test", 443),
            ("https://a.test:80/", "a.test:80", 80),
            ("http://[::1]:8080/", "[::1]:8080", 8080),
            ("http://127.1/", "127.0.0.1", 80),
        ] {
            let origin = find(&origins, url);
            assert_eq!((origin.authority.to_str().unwrap(), origin.port), (authority, port), "{url}");
            assert_eq!(origin.secure.is_some(), url.starts_with("https"));
        }
    }

    #[test]
    fn those_without_connections_are_forgotten_when_there_are_many() {
        let origins = origins();
        let held = find(&origins, "http://held.test/");
        for number in 0..2 * MOST_ORIGINS {
            find(&origins, &format!("http://{number}.test/"));
            assert!(origins.lock().known.len() <= MOST_ORIGINS);
        }
        assert!(Arc::ptr_eq(&held, &find(&origins, "http://held.test/")));
    }
}
