//! Through a SOCKS proxy or not, decided for each exchange: a redirect may lead from the one to the other.
//!
//! SOCKS is a protocol of its own, which reqwest speaks; everything else is the direct transport's. Each SOCKS proxy has a
//! transport of its own, because it is a fixed part of reqwest's clients.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;

use super::direct::{DirectBody, DirectTransport};
use super::options::{TransportError, TransportOptions};
use super::proxies::{self, Proxy, ProxyRules};
use super::reqwest::{ReqwestBody, ReqwestTransport};
use super::{Exchange, Failure, IncomingBody, Reply, Transport};
use crate::fault::Fault;

/// A transport for every kind of proxy. Without a SOCKS proxy it is the direct one, and one comparison.
pub struct Routed {
    direct: DirectTransport,
    socks: Option<Box<Socks>>,
}

struct Socks {
    rules: ProxyRules,
    options: TransportOptions,
    /// In the order of the rules' proxies. Made when a URL first needs them; those of HTTP proxies never are.
    transports: Vec<OnceLock<Result<ReqwestTransport, TransportError>>>,
    closed: AtomicBool,
}

impl Routed {
    /// Opens nothing and starts no thread; needs no runtime yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        // What goes through a Unix socket goes through no proxy.
        let rules = options.proxies.as_ref().filter(|_| options.socket_path.is_none());
        let rules = rules.filter(|rules| rules.proxies().iter().any(|proxy| proxy.scheme.is_socks()));
        let socks = rules.map(|rules| {
            let transports = rules.proxies().iter().map(|_| OnceLock::new()).collect();
            let options = options.clone();
            Box::new(Socks { rules: rules.clone(), options, transports, closed: AtomicBool::new(false) })
        });
        Ok(Routed { direct: DirectTransport::new(options)?, socks })
    }
}

impl Socks {
    /// Where `transports` has the one for an exchange, if that goes through a SOCKS proxy.
    fn position_for(&self, exchange: &Exchange) -> Option<usize> {
        self.rules.position_for(&exchange.url).filter(|&position| self.proxy(position).scheme.is_socks())
    }

    fn proxy(&self, position: usize) -> &Proxy {
        &self.rules.proxies()[position]
    }

    fn transport(&self, position: usize) -> Result<&ReqwestTransport, &TransportError> {
        let made = self.transports[position]
            .get_or_init(|| ReqwestTransport::new(self.options.clone(), Some(self.proxy(position).clone())));
        let transport = made.as_ref()?;
        // One that was made while the others were being closed, or after that, is closed too.
        if self.closed.load(Ordering::SeqCst) {
            transport.close();
        }
        Ok(transport)
    }

    async fn exchange(&self, position: usize, exchange: Exchange) -> Result<Reply<RoutedBody>, Failure> {
        if let Some(fault) = proxies::misplaced_credentials(&exchange.headers) {
            return Err(Failure { fault, reused: false });
        }
        let reply = self.transport(position).map_err(TransportError::failure)?.exchange(exchange).await?;
        Ok(reply.with_body(|body| RoutedBody::Socks(Box::new(body))))
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for transport in self.transports.iter().filter_map(OnceLock::get).flatten() {
            transport.close();
        }
    }
}

impl Transport for Routed {
    type Body = RoutedBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<RoutedBody>, Failure> {
        if let Some(socks) = &self.socks
            && let Some(position) = socks.position_for(&exchange)
        {
            // Boxed: without such a proxy no exchange comes this way, and all would carry its room.
            return Box::pin(socks.exchange(position, exchange)).await;
        }
        Ok(self.direct.exchange(exchange).await?.with_body(RoutedBody::Direct))
    }

    fn close(&self) {
        self.direct.close();
        if let Some(socks) = &self.socks {
            socks.close();
        }
    }
}

impl<B> Reply<B> {
    fn with_body<C>(self, wrap: impl FnOnce(B) -> C) -> Reply<C> {
        let Reply { status, status_text, headers, body } = self;
        Reply { status, status_text, headers, body: wrap(body) }
    }
}

pub enum RoutedBody {
    Direct(DirectBody),
    /// Boxed: it is larger, and rare.
    Socks(Box<ReqwestBody>),
}

impl IncomingBody for RoutedBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        match self {
            RoutedBody::Direct(body) => body.chunk().await,
            RoutedBody::Socks(body) => body.chunk().await,
        }
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        match self {
            RoutedBody::Direct(body) => body.poll_arrived(cx),
            RoutedBody::Socks(body) => body.poll_arrived(cx),
        }
    }

    async fn append(&mut self, into: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        match self {
            RoutedBody::Direct(body) => body.append(into).await,
            RoutedBody::Socks(body) => body.append(into).await,
        }
    }

    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        match self {
            RoutedBody::Direct(body) => body.poll_append(cx, into),
            RoutedBody::Socks(body) => body.poll_append(cx, into),
        }
    }

    fn remaining(&self) -> Option<u64> {
        match self {
            RoutedBody::Direct(body) => body.remaining(),
            RoutedBody::Socks(body) => body.remaining(),
        }
    }

    fn peer(&self) -> Option<(std::net::IpAddr, u16)> {
        match self {
            RoutedBody::Direct(body) => body.peer(),
            RoutedBody::Socks(body) => body.peer(),
        }
    }
}
