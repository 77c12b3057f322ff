//! Accepts clients, and owns the task of each until it has ended.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::board::Order;
use super::connection;
use super::shared::Shared;

/// Serves until `closing` turns true. Resolves when the last connection has ended; dropped, it ends them all.
pub(super) async fn serve(shared: Arc<Shared>, mut closing: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            (client, address) = shared.port.accept() => {
                shared.counters.accepted();
                let control = shared.board.admit();
                connections.spawn(connection::serve(Arc::clone(&shared), control, client, address));
            }
            // A connection that panicked has cleared up behind itself, and is no reason to stop for the others.
            Some(_) = connections.join_next() => {}
            // An error: whoever could close it is gone.
            _ = closing.wait_for(|closing| *closing) => break,
        }
    }
    shared.port.close();
    shared.board.order_all(Order::Close);
    while connections.join_next().await.is_some() {}
}
