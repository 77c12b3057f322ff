//! A response body as it arrives.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use super::evidence::Evidence;
use super::reuse::{Answered, Ends};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::IncomingBody;

/// The body of one response. Dropping it before its end closes the connection.
pub struct HyperUtilBody {
    incoming: Incoming,
    /// The longest silence.
    stall: Option<Duration>,
    ends: Option<Ends>,
    answered: Arc<Answered>,
}

impl HyperUtilBody {
    pub(super) fn new(
        incoming: Incoming,
        stall: Option<Duration>,
        ends: Option<Ends>,
        answered: Arc<Answered>,
    ) -> Self {
        HyperUtilBody { incoming, stall, ends, answered }
    }

    fn stalled(&self) -> Fault {
        let mut fault = Fault::new("ETIMEDOUT", Phase::Receive, Delivery::Answered)
            .with_reason("The response body fell silent for longer than the time limit for its parts.");
        self.locate(&mut fault);
        fault
    }

    fn broken(&self, error: &hyper::Error) -> Fault {
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

impl IncomingBody for HyperUtilBody {
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
        loop {
            match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                None => return Poll::Ready(Ok(None)),
                Some(Err(error)) => return Poll::Ready(Err(self.broken(&error))),
                // Trailers are no part of the body.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }
}
