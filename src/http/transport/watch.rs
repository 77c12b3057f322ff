//! One exchange and the limits on its parts.
//!
//! All limits share one timer. It is set to the first limit that matters and looked at again when it rings:
//! moving a timer for every change of phase would cost more than the rare early ring. An exchange that finds a
//! pooled connection sets it once.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::upload::{Progress, Stage};
use super::{Failure, Limits};
use crate::fault::{Delivery, Fault, Phase};

/// Where an exchange stands, told by whoever makes it to whoever watches its limits.
#[derive(Debug)]
pub(super) struct Standing {
    /// One of [`RESOLVING`] and its like.
    step: AtomicU8,
    peer: Mutex<Option<SocketAddr>>,
}

/// It has a connection: something may have been sent.
const CONNECTED: u8 = 0;
const RESOLVING: u8 = 1;
const CONNECTING: u8 = 2;
const SHAKING_HANDS: u8 = 3;
const QUEUED: u8 = 4;

impl Standing {
    /// `peer` is known from the start when the URL names an IP address.
    pub fn new(peer: Option<SocketAddr>) -> Self {
        Standing { step: AtomicU8::new(CONNECTED), peer: Mutex::new(peer) }
    }

    /// It waits for a connection of its own making, which has come this far; not one byte has been sent.
    pub fn awaits_connection(&self, phase: Phase) {
        let step = match phase {
            Phase::Resolve => RESOLVING,
            Phase::Handshake => SHAKING_HANDS,
            _ => CONNECTING,
        };
        self.step.store(step, Ordering::Relaxed);
    }

    /// It waits until there are fewer connections to its origin.
    pub fn awaits_turn(&self) {
        self.step.store(QUEUED, Ordering::Relaxed);
    }

    fn is_queued(&self) -> bool {
        self.step.load(Ordering::Relaxed) == QUEUED
    }

    pub fn has_connection(&self) {
        self.step.store(CONNECTED, Ordering::Relaxed);
    }

    /// How far its connection has come, `None` once it has one.
    pub fn phase(&self) -> Option<Phase> {
        match self.step.load(Ordering::Relaxed) {
            CONNECTED => None,
            RESOLVING => Some(Phase::Resolve),
            SHAKING_HANDS => Some(Phase::Handshake),
            _ => Some(Phase::Connect),
        }
    }

    pub fn leads_to(&self, peer: Option<SocketAddr>) {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner) = peer;
    }

    pub fn peer(&self) -> Option<SocketAddr> {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimedOut {
    pub phase: Phase,
    pub delivery: Delivery,
    pub reason: &'static str,
    pub peer: Option<SocketAddr>,
}

pin_project! {
    /// Yields what the exchange came to, or the limit that ended it.
    pub(super) struct Watch<'a, F> {
        #[pin]
        exchange: F,
        #[pin]
        timer: Option<Sleep>,
        standing: &'a Standing,
        upload: Option<&'a Progress>,
        connect: Option<Duration>,
        connect_by: Option<Instant>,
        end_by: Option<Instant>,
        headers: Option<Duration>,
        headers_by: Option<Instant>,
        sending_from: Option<Instant>,
    }
}

impl<'a, F: Future> Watch<'a, F> {
    /// `upload` is `None` for a body that is sent at once.
    pub fn new(exchange: F, limits: &Limits, standing: &'a Standing, upload: Option<&'a Progress>) -> Self {
        let now = Instant::now();
        Watch {
            exchange,
            timer: None,
            standing,
            upload,
            connect: limits.connect,
            connect_by: None,
            end_by: limits.attempt.and_then(|limit| now.checked_add(limit)),
            headers: limits.headers,
            headers_by: None,
            sending_from: None,
        }
    }
}

impl<F: Future> Future for Watch<'_, F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(output) = this.exchange.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let upload = this.upload.map_or(Stage::Finished, |upload| upload.stage(cx));
        let connecting = this.standing.phase();
        let phase = match (connecting, upload) {
            (Some(phase), _) => phase,
            (None, Stage::Connection { .. } | Stage::Source) => Phase::Send,
            (None, Stage::Finished) => Phase::Wait,
        };
        loop {
            let limit = match phase {
                Phase::Wait => {
                    // The server's time runs from when everything is sent.
                    if let (None, Some(headers)) = (*this.headers_by, *this.headers) {
                        *this.headers_by = Instant::now().checked_add(headers);
                    }
                    *this.headers_by
                }
                // A peer that takes nothing is waited for no longer than one that says nothing. TCP itself would wait
                // on: Linux sends no keepalive probes while data is unacknowledged, and a peer that is alive but has
                // closed its window answers the probes for that. The pace of the source is the caller's affair.
                Phase::Send => match (upload, *this.headers) {
                    (Stage::Connection { taken }, Some(headers)) => {
                        let sending_from = *this.sending_from.get_or_insert_with(Instant::now);
                        taken.unwrap_or(sending_from).checked_add(headers)
                    }
                    _ => None,
                },
                // How long others keep their connections does not count.
                _ if this.standing.is_queued() => None,
                _ => {
                    if let (None, Some(connect)) = (*this.connect_by, *this.connect) {
                        *this.connect_by = Instant::now().checked_add(connect);
                    }
                    *this.connect_by
                }
            };
            let Some(deadline) = [limit, *this.end_by].into_iter().flatten().min() else {
                return Poll::Pending;
            };
            match this.timer.as_mut().as_pin_mut() {
                None => this.timer.set(Some(sleep_until(deadline))),
                Some(timer) if timer.deadline() > deadline || timer.is_elapsed() => timer.reset(deadline),
                Some(_) => {}
            }
            let Some(timer) = this.timer.as_mut().as_pin_mut() else { unreachable!("it was just set") };
            ready!(timer.poll(cx));
            // It may have been set for a limit that no longer counts.
            if Instant::now() >= deadline {
                let reason = reason(phase, limit == Some(deadline));
                // Only a connection in the making proves that nothing was sent.
                let delivery = if connecting.is_some() { Delivery::NotSent } else { Delivery::Unknown };
                let peer = this.standing.peer();
                return Poll::Ready(Err(TimedOut { phase, delivery, reason, peer }));
            }
        }
    }
}

impl TimedOut {
    /// `port`: that of the URL.
    pub fn failure(self, port: Option<u16>) -> Failure {
        let mut fault = Fault::new("ETIMEDOUT", self.phase, self.delivery).with_reason(self.reason);
        fault.address = self.peer.map(|peer| peer.ip().to_string());
        fault.port = port;
        Failure { fault, reused: false }
    }
}

fn reason(phase: Phase, own_limit: bool) -> &'static str {
    match phase {
        _ if !own_limit => "The attempt reached its time limit before an answer began.",
        Phase::Send => "The server took no more of the request body within the time limit for headers.",
        Phase::Wait => "The server did not begin its answer within the time limit for headers.",
        Phase::Resolve => "The host name was not resolved within the time limit for connecting.",
        Phase::Handshake => "The TLS handshake did not finish within the time limit for connecting.",
        _ => "No connection was made within the time limit for connecting.",
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NONE: Limits = Limits { connect: None, headers: None, body: None, attempt: None };

    async fn outcome(limits: Limits) -> (Result<(), TimedOut>, Duration) {
        let begun = Instant::now();
        let outcome = pin!(Watch::new(pending::<()>(), &limits, &Standing::new(None), None)).await;
        (outcome, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_for_headers_ends_a_wait_of_unknown_delivery() {
        let (ended, after) = outcome(Limits { headers: Some(SECOND), connect: Some(SECOND / 2), ..NONE }).await;
        let timed_out = ended.unwrap_err();
        assert_eq!((timed_out.phase, timed_out.delivery), (Phase::Wait, Delivery::Unknown));
        assert!(after >= SECOND && after < SECOND * 2, "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_of_the_attempt_counts_from_its_beginning() {
        let (ended, after) = outcome(Limits { headers: Some(SECOND * 9), attempt: Some(SECOND), ..NONE }).await;
        assert!(ended.unwrap_err().reason.contains("attempt"));
        assert!(after >= SECOND && after < SECOND * 2, "{after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_limits_nothing_ends_it() {
        let limits = NONE;
        let standing = Standing::new(None);
        let watch = Watch::new(pending::<()>(), &limits, &standing, None);
        assert!(tokio::time::timeout(SECOND * 86_400, watch).await.is_err());
    }
}
