//! Direct or through a proxy, decided for each exchange: a redirect may lead from the one to the other.

use std::sync::OnceLock;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::hyper_util::{HyperUtilBody, HyperUtilTransport};
use super::options::{TransportError, TransportOptions};
use super::proxies::{Proxy, ProxyRules};
use super::{Exchange, Failure, IncomingBody, Reply, Transport};
use crate::fault::{Delivery, Fault, Phase};

/// A transport that hands each exchange to `direct`, or to the transport of the proxy that the rules name. Without rules
/// that is one comparison.
pub struct Routed<D> {
    direct: D,
    proxied: Option<Box<Proxied>>,
}

struct Proxied {
    rules: ProxyRules,
    options: TransportOptions,
    /// In the order of the rules' proxies. Made when a URL first needs them.
    transports: Vec<OnceLock<Result<HyperUtilTransport, TransportError>>>,
}

impl<D> Routed<D> {
    /// `options` are those of `direct`. What goes through a Unix socket goes through no proxy.
    pub fn new(direct: D, rules: Option<ProxyRules>, options: &TransportOptions) -> Self {
        let rules = rules.filter(|_| options.socket_path.is_none());
        let proxied = rules.map(|rules| {
            let transports = rules.proxies().iter().map(|_| OnceLock::new()).collect();
            Box::new(Proxied { rules, options: options.clone(), transports })
        });
        Routed { direct, proxied }
    }
}

impl Proxied {
    fn transport(&self, position: usize) -> Result<&HyperUtilTransport, Failure> {
        let made = self.transports[position].get_or_init(|| {
            let proxy: Proxy = self.rules.proxies()[position].clone();
            HyperUtilTransport::through(proxy, self.options.clone())
        });
        made.as_ref().map_err(|error| {
            let fault = Fault::new("ERR_UNRESET_INTERNAL", Phase::Connect, Delivery::NotSent);
            Failure { fault: fault.with_detail(error.to_string()), reused: false }
        })
    }
}

impl<D: Transport> Transport for Routed<D> {
    type Body = RoutedBody<D::Body>;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<Self::Body>, Failure> {
        if let Some(proxied) = &self.proxied
            && let Some(position) = proxied.rules.position_for(&exchange.url)
        {
            let transport = proxied.transport(position)?;
            // Boxed: without a proxy no exchange comes this way, and all would carry its room.
            let reply = Box::pin(transport.exchange(exchange)).await?;
            return Ok(reply.with_body(RoutedBody::Proxied));
        }
        let reply = self.direct.exchange(exchange).await?;
        Ok(reply.with_body(RoutedBody::Direct))
    }
}

impl<B> Reply<B> {
    fn with_body<C>(self, wrap: impl FnOnce(B) -> C) -> Reply<C> {
        let Reply { status, status_text, headers, body } = self;
        Reply { status, status_text, headers, body: wrap(body) }
    }
}

pub enum RoutedBody<B> {
    Direct(B),
    Proxied(HyperUtilBody),
}

impl<B: IncomingBody> IncomingBody for RoutedBody<B> {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        match self {
            RoutedBody::Direct(body) => body.chunk().await,
            RoutedBody::Proxied(body) => body.chunk().await,
        }
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        match self {
            RoutedBody::Direct(body) => body.poll_arrived(cx),
            RoutedBody::Proxied(body) => body.poll_arrived(cx),
        }
    }

    fn remaining(&self) -> Option<u64> {
        match self {
            RoutedBody::Direct(body) => body.remaining(),
            RoutedBody::Proxied(body) => body.remaining(),
        }
    }
}
