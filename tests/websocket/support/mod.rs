//! A WebSocket whose events a test can wait for, and a server made of frames.

mod client;
mod peer;

use std::future::Future;
use std::time::Duration;

pub use client::{Client, to};
pub use peer::{Peer, accept_of, frame, listen};

/// What hangs must fail the test. Nothing here takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fails the test if it takes too long.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

/// A client and its first connection, which is up.
pub async fn connected(
    change: impl FnOnce(&mut unreset::websocket::options::Options),
) -> (Client, Peer, tokio::net::TcpListener) {
    let (listener, url) = listen().await;
    let mut options = to(&url);
    change(&mut options);
    let mut client = Client::open(options);
    let peer = Peer::meet(&listener).await;
    client.up().await;
    (client, peer, listener)
}
