//! Which address of a host a connection goes to: RFC 8305 ("Happy Eyeballs").
//!
//! The addresses are tried one after the other, the next when the one before has failed or has not answered for a quarter
//! of a second; the first that connects wins. What is learnt of the others on the way is told: who keeps it tries them
//! last the next time.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};

/// RFC 8305, section 5, "Connection Attempt Delay"; Node's `autoSelectFamilyAttemptTimeout` is the same.
const NEXT_AFTER: Duration = Duration::from_millis(250);

/// What a race teaches about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lesson {
    Works(IpAddr),
    Failed(IpAddr),
    /// Another one that began later was there first.
    Overtaken(IpAddr),
}

pub(crate) struct Won<T> {
    pub made: T,
    pub address: IpAddr,
    /// One round trip: what the handshake of TCP took.
    pub took: Duration,
}

/// The first address that connects. The error is that of the first one that failed.
pub(crate) async fn race<T, F>(
    addresses: Vec<IpAddr>,
    open: impl Fn(IpAddr) -> F,
    mut learn: impl FnMut(Lesson),
) -> Result<Won<T>, (io::Error, Option<IpAddr>)>
where
    F: Future<Output = io::Result<T>>,
{
    let mut untried = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut pending: Vec<IpAddr> = Vec::new();
    let mut first_error = None;
    loop {
        if let Some(address) = untried.next() {
            pending.push(address);
            let begun = Instant::now();
            let opening = open(address);
            trying.push(async move { (address, opening.await, begun.elapsed()) });
        }
        let next = async {
            match untried.len() {
                0 => std::future::pending().await,
                _ => sleep(NEXT_AFTER).await,
            }
        };
        let (address, outcome, took) = tokio::select! {
            biased;
            finished = trying.next() => match finished {
                Some(finished) => finished,
                // Nothing is left to be tried.
                None => return Err(first_error.unwrap_or_else(|| (io::ErrorKind::NotFound.into(), None))),
            },
            () = next => continue,
        };
        match outcome {
            Ok(made) => {
                learn(Lesson::Works(address));
                // Those that began before it have been overtaken.
                pending
                    .into_iter()
                    .take_while(|&other| other != address)
                    .for_each(|slower| learn(Lesson::Overtaken(slower)));
                return Ok(Won { made, address, took });
            }
            Err(error) => {
                pending.retain(|&other| other != address);
                learn(Lesson::Failed(address));
                first_error.get_or_insert((error, Some(address)));
            }
        }
    }
}
