//! A server that comes back must not be met by everybody at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use unreset::policy::Backoff;
use unreset::tcp::gate::Gate;
use unreset::tcp::options::Options;
use unreset::tcp::reconnect::Reconnect;

use crate::support::*;

const SOCKETS: usize = 1000;
/// In each tenth of a second: those of the process are as many, and a thousand sockets take ten seconds.
const PLACES: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sockets_come_back_at_the_pace_of_the_gate() {
    let (listener, port) = listen().await;
    let gate = Arc::new(Gate::new(PLACES));
    let options = || Options {
        gate: Arc::clone(&gate),
        reconnect: Reconnect { backoff: Backoff::default(), ..Reconnect::default() },
        ..to(port)
    };
    // Some at a time: the system lets only so many wait to be accepted.
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for _ in 0..SOCKETS / 100 {
        clients.extend((0..100).map(|_| Client::open(options())));
        for _ in 0..100 {
            servers.push(accept(&listener).await);
        }
    }
    for client in &mut clients {
        client.up().await;
    }
    servers.into_iter().for_each(reset);
    let struck = Instant::now();
    let mut times = Vec::new();
    let mut kept = Vec::new();
    for _ in 0..SOCKETS {
        kept.push(accept(&listener).await);
        times.push(struck.elapsed());
    }
    for client in &mut clients {
        assert!(client.up().await.is_some());
    }
    let spread = spread(&times);
    println!("connections in each half second: {spread:?}");
    // Five tenths of a second have so many places. Where the machine is busy, those of several come at once.
    let most = spread.iter().max().copied().unwrap_or(0);
    assert!(most <= 4 * 5 * PLACES as usize, "{spread:?}");
    assert!(times[SOCKETS - 1] > Duration::from_millis(4500), "{spread:?}");
}

/// How many there were in each half second.
fn spread(times: &[Duration]) -> Vec<usize> {
    let mut spread = Vec::new();
    for time in times {
        let half = (time.as_millis() / 500) as usize;
        spread.resize(spread.len().max(half + 1), 0);
        spread[half] += 1;
    }
    spread
}
