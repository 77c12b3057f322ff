//! Where an exchange stands before it has a connection.
//!
//! reqwest hides its connections, and hyper-util races two ways to get one: a pooled connection that becomes
//! free, and a new one. When the pool wins, the half-made connection moves to a task of its own and the request
//! may already be on the wire; a flag "we began to connect" would then lie, and a POST would be repeated on the
//! strength of it. So nothing is concluded from the past. While an exchange is polled, this module knows of it;
//! a connector that is polled inside that poll, and is not done, proves that this exchange waits for it now and
//! that not one byte has been sent. A connector on a task of its own finds no exchange and leaves no trace.

use std::cell::Cell;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower::util::{Oneshot, ServiceExt};
use tower::{Layer, Service};

use pin_project_lite::pin_project;

use crate::fault::Phase;
use crate::http::transport::watch::Standing;

tokio::task_local! {
    static EXCHANGE: Cell<Sight>;
}

/// What was seen of an exchange's own connector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// In the last poll the exchange was waiting for a connection of its own making.
    pub connecting: bool,
    /// How far that connection had come.
    pub stage: Phase,
    /// Where it leads, as far as that is known.
    pub peer: Option<SocketAddr>,
}

pin_project! {
    /// An exchange whose standing is what is seen of its connector.
    pub(super) struct InSight<'a, F> {
        #[pin]
        exchange: F,
        sight: Sight,
        standing: &'a Standing,
    }
}

impl<'a, F> InSight<'a, F> {
    pub fn new(exchange: F, standing: &'a Standing) -> Self {
        InSight { exchange, sight: Sight::new(standing.peer()), standing }
    }
}

impl<F: Future> Future for InSight<'_, F> {
    type Output = (F::Output, Sight);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.sight.poll(this.exchange, cx);
        match this.sight.connecting {
            true => this.standing.awaits_connection(this.sight.stage),
            false => this.standing.has_connection(),
        }
        this.standing.leads_to(this.sight.peer);
        polled.map(|output| (output, *this.sight))
    }
}

impl Sight {
    /// An exchange that has not been polled. `peer` is known from the start when the URL names an IP address.
    pub fn new(peer: Option<SocketAddr>) -> Self {
        Sight { connecting: false, stage: Phase::Connect, peer }
    }

    /// Polls an exchange in sight of its connector.
    pub fn poll<F: Future>(&mut self, exchange: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.connecting = false;
        let (polled, seen) = EXCHANGE.sync_scope(Cell::new(*self), || (exchange.poll(cx), EXCHANGE.with(Cell::get)));
        *self = seen;
        polled
    }
}

/// The name is about to be resolved.
pub(super) fn resolving() {
    update(|sight| sight.stage = Phase::Resolve);
}

/// The name has been resolved. With several addresses nobody tells which one is being tried, so `peer` is given
/// for a single one only.
pub(super) fn resolved(peer: Option<SocketAddr>) {
    update(|sight| {
        sight.stage = Phase::Connect;
        sight.peer = peer;
    });
}

/// The TCP connection is there and TLS begins.
pub(super) fn handshaking() {
    update(|sight| sight.stage = Phase::Handshake);
}

fn update(change: impl FnOnce(&mut Sight)) {
    // Outside of an exchange: a connection that lost its race and is finished in the background.
    let _ = EXCHANGE.try_with(|cell| {
        let mut sight = cell.get();
        change(&mut sight);
        cell.set(sight);
    });
}

/// Wraps reqwest's connector, so that it is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched;

impl<S> Layer<S> for Watched {
    type Service = WatchedConnector<S>;

    fn layer(&self, connector: S) -> WatchedConnector<S> {
        WatchedConnector { connector: Arc::new(connector) }
    }
}

/// hyper-util clones its connector three times for every request, reqwest's is a stack of boxes, and most requests
/// then find a pooled connection: the clones share it, and only one that is called makes its own.
#[derive(Debug)]
pub(super) struct WatchedConnector<S> {
    connector: Arc<S>,
}

impl<S> Clone for WatchedConnector<S> {
    fn clone(&self) -> Self {
        WatchedConnector { connector: Arc::clone(&self.connector) }
    }
}

impl<S, R> Service<R> for WatchedConnector<S>
where
    S: Service<R> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Connecting<Oneshot<S, R>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        // The clone that is called waits for its own readiness.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: R) -> Self::Future {
        // hyper-util may start over on a new connection when a pooled one closed before the request was written.
        update(|sight| sight.stage = Phase::Connect);
        Connecting { inner: Box::pin(S::clone(&self.connector).oneshot(destination)) }
    }
}

/// One connection in the making.
pub(super) struct Connecting<F> {
    inner: Pin<Box<F>>,
}

impl<F: Future> Future for Connecting<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = self.inner.as_mut().poll(cx);
        if polled.is_pending() {
            update(|sight| sight.connecting = true);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn, ready};
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn connecting<F: Future>(inner: F) -> Connecting<F> {
        Connecting { inner: Box::pin(inner) }
    }

    fn polled_once<F: Future>(sight: &mut Sight, exchange: F) -> Poll<F::Output> {
        sight.poll(pin!(exchange), &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_pending_connector_is_seen_within_its_exchange() {
        let mut sight = Sight::new(None);
        assert!(polled_once(&mut sight, connecting(pending::<()>())).is_pending());
        assert!(sight.connecting);
    }

    #[test]
    fn what_was_seen_in_an_earlier_poll_proves_nothing() {
        let mut sight = Sight::new(None);
        let mut connector = connecting(pending::<()>());
        let mut polls = 0;
        // The connector is left alone after the first poll, as when the pool wins the race.
        let mut exchange = pin!(poll_fn(|cx| {
            polls += 1;
            if polls == 1 { Pin::new(&mut connector).poll(cx) } else { Poll::Pending }
        }));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(sight.poll(exchange.as_mut(), cx).is_pending());
        assert!(sight.connecting);
        assert!(sight.poll(exchange.as_mut(), cx).is_pending());
        assert!(!sight.connecting);
    }

    #[test]
    fn a_connector_without_an_exchange_leaves_no_trace() {
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut connecting(pending::<()>())).poll(cx).is_pending());
        assert!(Pin::new(&mut connecting(ready(7))).poll(cx).is_ready());
    }

    #[test]
    fn the_stage_is_told_by_those_who_reach_it() {
        let mut sight = Sight::new(None);
        let peer: SocketAddr = ([192, 0, 2, 1], 443).into();
        let _ = polled_once(
            &mut sight,
            poll_fn(|_| {
                resolving();
                Poll::<()>::Pending
            }),
        );
        assert_eq!(sight.stage, Phase::Resolve);
        let _ = polled_once(
            &mut sight,
            poll_fn(|_| {
                resolved(Some(peer));
                handshaking();
                Poll::<()>::Pending
            }),
        );
        assert_eq!((sight.stage, sight.peer), (Phase::Handshake, Some(peer)));
    }
}
