//! A server that comes back must not be met by everybody at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use unreset::policy::Backoff;
use unreset::tcp::gate::Gate;
use unreset::tcp::options::Options;
use unreset::tcp::reconnect::Reconnect;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_sockets_come_back_at_the_pace_of_the_gate() {
    const SOCKETS: usize = 300;
    const PLACES: u32 = 10;
    let (listener, port) = listen().await;
    let gate = Arc::new(Gate::new(PLACES));
    let options = || Options {
        gate: Arc::clone(&gate),
        reconnect: Reconnect { backoff: Backoff::default(), ..Reconnect::default() },
        ..to(port)
    };
    let mut clients: Vec<Client> = (0..SOCKETS).map(|_| Client::open(options())).collect();
    let mut servers = Vec::new();
    for _ in 0..SOCKETS {
        servers.push(accept(&listener).await);
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
    // At most what the slots of a window hold, and those at its edges.
    for (first, time) in times.iter().enumerate() {
        let window = times[first..].iter().take_while(|later| **later < *time + Duration::from_millis(500)).count();
        assert!(window <= 8 * PLACES as usize, "{window} within half a second");
    }
    assert!(times[SOCKETS - 1] > Duration::from_millis(2500), "{:?}", times[SOCKETS - 1]);
}
