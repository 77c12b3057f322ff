//! The places of a pool: who may have a connection open, and who waits until he may.
//!
//! A permit is one of the connections that there may be. It belongs to a connection, or to an exchange that is about to open
//! one, and goes to the next who waits when it is dropped, whatever ended its holder.

use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use super::{Pool, Protocol};
use crate::http::transport::direct::connection::Connection;

/// The place of one open connection among those that there may be.
pub struct Permit {
    pub(super) pool: Weak<Pool>,
    /// It is counted, because there is a limit.
    pub(super) counted: bool,
    /// Its connection is the one that finds out which protocol the origin speaks.
    pub(super) asks: bool,
}

/// What an exchange that waits is told.
pub enum News {
    Freed(Box<Connection>),
    Permit(Permit),
    /// It is known now which protocol the origin speaks, or that it cannot be reached.
    Settled,
}

impl Permit {
    /// Its connection has been made, and whoever made it tells the others.
    pub fn has_asked(&mut self) {
        self.asks = false;
    }

    /// Leaves the place to the next who waits.
    fn pass_on(pool: &Arc<Pool>) {
        let mut state = pool.lock();
        let mut permit = Permit { pool: Arc::downgrade(pool), counted: true, asks: false };
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(News::Permit(permit)) {
                Ok(()) => return,
                Err(News::Permit(refused)) => permit = refused,
                Err(_) => unreachable!("it was a permit"),
            }
        }
        state.open -= 1;
        // It is given up, not passed on once more.
        permit.counted = false;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.counted && !self.asks {
            return;
        }
        let Some(pool) = self.pool.upgrade() else {
            return;
        };
        if self.asks {
            // No connection was made: the next one asks.
            pool.settle(Protocol::Unknown);
        }
        if self.counted {
            Permit::pass_on(&pool);
        }
    }
}

/// A place in the queue of a pool. What it is given while nobody waits there any more goes back.
pub struct Waiting {
    pool: Arc<Pool>,
    receiver: oneshot::Receiver<News>,
    /// It has left the queue.
    told: bool,
}

impl Waiting {
    pub fn new(pool: Arc<Pool>, receiver: oneshot::Receiver<News>) -> Self {
        Waiting { pool, receiver, told: false }
    }

    /// `None`: the pool was closed.
    pub async fn news(&mut self) -> Option<News> {
        let news = (&mut self.receiver).await.ok();
        self.told = true;
        news
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        self.receiver.close();
        if let Ok(News::Freed(connection)) = self.receiver.try_recv() {
            self.pool.give_back(connection);
        }
        self.pool.lock().waiting.retain(|waiting| !waiting.is_closed());
    }
}
