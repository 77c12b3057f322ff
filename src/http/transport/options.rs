//! What a transport is made with. Fixed for its life.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use super::lookup::{Lookup, SystemLookup};
use super::proxies::ProxyRules;
use super::tls::TlsOptions;
use crate::fault::{Delivery, Fault, Phase};

#[derive(Clone)]
pub struct TransportOptions {
    /// The connect limit that most calls have. It is divided among a host's addresses, so that a dead one leaves
    /// time for the next; a call may set a shorter or a longer one, the longer one without that division.
    pub connect_timeout: Duration,
    /// How long connections are kept for further exchanges. `None`: each serves one exchange.
    pub keep_alive: Option<KeepAlive>,
    /// The most connections to one origin at a time; further exchanges wait for one. `None`: no limit.
    pub connections: Option<NonZeroUsize>,
    /// Offer HTTP/2 to servers that are spoken to over TLS (ALPN).
    pub http2: bool,
    /// Where the addresses of hosts come from.
    pub lookup: Arc<dyn Lookup>,
    /// Which exchanges go through a proxy.
    pub proxies: Option<ProxyRules>,
    /// All exchanges go through this Unix socket, whatever host their URL names.
    pub socket_path: Option<PathBuf>,
    pub tls: TlsOptions,
}

/// How long an idle connection may be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlive {
    /// Without a hint of the server's. The default is 4 s, undici's: Node servers close theirs after 5 s
    /// (`server.keepAliveTimeout`), and a request that leaves in that moment is lost.
    pub timeout: Duration,
    /// The longest time that a server's `Keep-Alive: timeout=N` may ask for.
    pub max_timeout: Duration,
    /// Without a hint, for an exchange that must not be repeated. The default is 1 s: half of 2 s, the shortest idle limit
    /// of a server in wide use (gunicorn).
    pub guarded_timeout: Duration,
}

impl Default for KeepAlive {
    fn default() -> Self {
        KeepAlive {
            timeout: Duration::from_secs(4),
            max_timeout: Duration::from_secs(600),
            guarded_timeout: Duration::from_secs(1),
        }
    }
}

impl Default for TransportOptions {
    fn default() -> Self {
        TransportOptions {
            connect_timeout: Duration::from_secs(10),
            keep_alive: Some(KeepAlive::default()),
            connections: None,
            http2: true,
            lookup: Arc::new(SystemLookup::new()),
            proxies: None,
            socket_path: None,
            tls: TlsOptions::default(),
        }
    }
}

impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("keep_alive", &self.keep_alive)
            .field("connections", &self.connections)
            .field("http2", &self.http2)
            .field("proxies", &self.proxies)
            .field("socket_path", &self.socket_path)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// A transport cannot be made of its options.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("TLS cannot be configured")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

impl TransportError {
    /// That of an exchange that finds no transport.
    pub(super) fn failure(&self) -> Failure {
        let fault = Fault::new("ERR_UNRESET_INTERNAL", Phase::Connect, Delivery::NotSent).with_detail(self.to_string());
        Failure { fault, reused: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_cannot_be_made_is_our_fault_and_has_sent_nothing() {
        let error = TransportError::Tls(rustls::Error::General("no provider".into()));
        let Failure { fault, reused } = error.failure();
        assert_eq!((&*fault.code, fault.delivery, reused), ("ERR_UNRESET_INTERNAL", Delivery::NotSent, false));
        assert_eq!(fault.detail.as_deref(), Some("TLS cannot be configured"));
    }
}
