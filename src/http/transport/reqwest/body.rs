//! A response body as it arrives.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use super::evidence::Evidence;
use super::reuse::{Answered, Ends};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::IncomingBody;

/// The body of one response. Dropping it before its end closes the connection.
pub struct ReqwestBody {
    response: reqwest::Response,
    /// The longest silence.
    stall: Option<Duration>,
    ends: Option<Ends>,
    answered: Arc<Answered>,
}

impl ReqwestBody {
    pub(super) fn new(
        response: reqwest::Response,
        stall: Option<Duration>,
        ends: Option<Ends>,
        answered: Arc<Answered>,
    ) -> Self {
        ReqwestBody { response, stall, ends, answered }
    }

    fn stalled(&self) -> Fault {
        let mut fault = Fault::new("ETIMEDOUT", Phase::Receive, Delivery::Answered)
            .with_reason("The response body fell silent for longer than the time limit for its parts.");
        self.locate(&mut fault);
        fault
    }

    fn broken(&self, error: &reqwest::Error) -> Fault {
        let mut fault = Evidence::of(error).in_body();
        self.locate(&mut fault);
        fault
    }

    fn locate(&self, fault: &mut Fault) {
        if let Some(ends) = self.ends {
            self.answered.forget(ends);
            fault.address = Some(ends.remote.ip().to_string());
            fault.port = Some(ends.remote.port());
        }
    }
}

impl IncomingBody for ReqwestBody {
    /// Dropping the future loses nothing; the time limit then starts anew with the next one.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        let mut timer = pin!(None);
        // The timer is made only for a chunk that is not there yet.
        poll_fn(|cx| {
            if let Poll::Ready(arrived) = self.poll_arrived(cx) {
                return Poll::Ready(arrived);
            }
            let Some(deadline) = self.stall.and_then(|stall| Instant::now().checked_add(stall)) else {
                return Poll::Pending;
            };
            if timer.is_none() {
                timer.set(Some(sleep_until(deadline)));
            }
            let Some(timer) = timer.as_mut().as_pin_mut() else { unreachable!("it was just set") };
            ready!(timer.poll(cx));
            Poll::Ready(Err(self.stalled()))
        })
        .await
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        // reqwest keeps a body's state in the response, none of it in this future.
        let arrived = ready!(pin!(self.response.chunk()).poll(cx));
        Poll::Ready(arrived.map_err(|error| self.broken(&error)))
    }

    fn remaining(&self) -> Option<u64> {
        self.response.content_length()
    }

    fn peer(&self) -> Option<(IpAddr, u16)> {
        self.ends.map(|ends| (ends.remote.ip(), ends.remote.port()))
    }
}
