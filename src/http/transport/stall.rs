//! The limit on silence inside a response body.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::IncomingBody;
use crate::fault::{Delivery, Fault, Phase};

/// What `poll` brings of `body`, or the fault of one that was silent for `stall`, as `located` completes it. Dropping the
/// future loses nothing; the limit then starts anew with the next one.
pub(super) async fn within<B: IncomingBody, T>(
    body: &mut B,
    stall: Option<Duration>,
    located: fn(&B, Fault) -> Fault,
    mut poll: impl FnMut(&mut B, &mut Context<'_>) -> Poll<Result<T, Fault>>,
) -> Result<T, Fault> {
    let mut timer = pin!(None);
    // The timer is made only for a chunk that is not there yet.
    poll_fn(|cx| {
        if let Poll::Ready(arrived) = poll(body, cx) {
            return Poll::Ready(arrived);
        }
        let Some(deadline) = stall.and_then(|stall| Instant::now().checked_add(stall)) else {
            return Poll::Pending;
        };
        if timer.is_none() {
            timer.set(Some(sleep_until(deadline)));
        }
        let Some(timer) = timer.as_mut().as_pin_mut() else { unreachable!("it was just set") };
        ready!(timer.poll(cx));
        Poll::Ready(Err(located(body, stalled())))
    })
    .await
}

fn stalled() -> Fault {
    Fault::new("ETIMEDOUT", Phase::Receive, Delivery::Answered)
        .with_reason("The response body fell silent for longer than the time limit for its parts.")
}
