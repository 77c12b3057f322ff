//! One HTTP/2 connection, shared by the exchanges of its origin.
//!
//! It serves many exchanges at a time, so none of them can be the one that polls it: it is a task of its own, which ends
//! with the last who holds it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::connection::{SendFailed, Stream};
use super::outgoing::Outgoing;
use super::pool::Permit;

/// A connection that says nothing while it is waited for is asked (PING) after this time, and given up if it does not
/// answer within as long: the same 30 s after which TCP would begin to ask.
const PING_AFTER: Duration = Duration::from_secs(15);

/// How much of a body is taken that nobody reads: at a round trip of 100 ms enough for 20 MiB a second.
const STREAM_WINDOW: u32 = 2 << 20;

/// The same for all bodies together. Those that nobody reads use it up, and then no other one comes through either: it is
/// to have room for more of them than a server allows streams.
const CONNECTION_WINDOW: u32 = 1 << 30;

pub(super) struct Shared {
    sender: http2::SendRequest<Outgoing>,
    task: AbortHandle,
    pub peer: Option<SocketAddr>,
    pub rtt: Duration,
    load: Mutex<Load>,
    _permit: Permit,
}

struct Load {
    exchanges: usize,
    idle_since: Instant,
    /// It has answered a request.
    answered: bool,
}

/// One exchange's hold on it.
pub(super) struct Use {
    shared: Arc<Shared>,
}

impl Shared {
    pub async fn new(stream: Stream, rtt: Duration, mut permit: Permit) -> hyper::Result<Arc<Self>> {
        let peer = stream.wire().peer();
        stream.wire().notes().defer_failed_writes();
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_AFTER)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(TokioIo::new(stream))
            .await?;
        // Or it would unsettle, when it ends, what others have found out meanwhile.
        permit.has_asked();
        // What it ends with is told to its exchanges.
        let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        let load = Mutex::new(Load { exchanges: 0, idle_since: Instant::now(), answered: false });
        Ok(Arc::new(Shared { sender, task, peer, rtt, load, _permit: permit }))
    }

    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Since when nobody uses it; `None` while somebody does.
    pub fn idle_since(&self) -> Option<Instant> {
        let load = self.lock();
        (load.exchanges == 0).then_some(load.idle_since)
    }

    pub fn hold(self: &Arc<Self>) -> Use {
        self.lock().exchanges += 1;
        Use { shared: Arc::clone(self) }
    }

    fn lock(&self) -> MutexGuard<'_, Load> {
        // Each change is one statement.
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Use {
    pub fn connection(&self) -> &Shared {
        &self.shared
    }

    pub fn answered(&self) -> bool {
        self.shared.lock().answered
    }

    pub async fn send(&mut self, request: Request<Outgoing>) -> Result<Response<Incoming>, SendFailed> {
        // The sender queues without a bound of its own; what bounds it is the number of exchanges.
        let answered = self.shared.sender.clone().try_send_request(request).await;
        match answered {
            Ok(response) => {
                self.shared.lock().answered = true;
                Ok(response)
            }
            Err(failed) => Err(failed.into()),
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut load = self.shared.lock();
        load.exchanges -= 1;
        load.idle_since = Instant::now();
    }
}
