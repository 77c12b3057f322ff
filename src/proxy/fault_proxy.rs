//! The proxy as its owner sees it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared as SharedFuture};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::board::Order;
use super::lookup::lookup;
use super::plan::Action;
use super::port::Port;
use super::shared::Shared;
use super::timeline::Event;
use super::{ListenError, ListenOptions, Plan, Stats, Timeline, accepting};

/// The number of a fault, in order of [`FaultProxy::add`], from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultId(pub u32);

/// A TCP proxy that does to its connections what it is told. Dropping it ends everything it runs.
///
/// All methods but [`listen`](Self::listen) and [`close`](Self::close) return at once and may be called from any thread.
///
/// ```no_run
/// use unreset::proxy::{FaultProxy, ListenOptions, Plan, Upstream};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let upstream = Upstream { host: "localhost".to_owned(), port: 5432 };
/// let proxy = FaultProxy::listen(ListenOptions { host: "127.0.0.1".to_owned(), port: 0, upstream, seed: 7 }).await?;
/// let fault = proxy.add(Plan::from_json(r#"{ "type": "reset", "on": "response", "afterBytes": 1000, "times": 1 }"#)?);
/// // ... a client meets the proxy at `proxy.local_addr()` ...
/// assert_eq!(proxy.hits(fault), 1);
/// proxy.close().await;
/// # Ok(())
/// # }
/// ```
pub struct FaultProxy {
    shared: Arc<Shared>,
    closing: watch::Sender<bool>,
    /// Of the task that owns all others.
    serving: AbortHandle,
    ended: SharedFuture<BoxFuture<'static, ()>>,
}

impl FaultProxy {
    /// Listens, and connects each client to the upstream. Must be called inside a tokio runtime.
    pub async fn listen(options: ListenOptions) -> Result<FaultProxy, ListenError> {
        let ListenOptions { host, port, upstream, seed } = options;
        let addresses = match lookup(&host, port, ()).await {
            Ok(addresses) => addresses,
            Err(failed) => return Err(ListenError::unknown_host(host, port, failed)),
        };
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match Port::listen(address) {
                Ok(port) => return Ok(Self::start(Shared::new(port, upstream, seed))),
                Err(error) => last = error,
            }
        }
        Err(ListenError::new(host, port, last))
    }

    fn start(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        let (closing, closed) = watch::channel(false);
        let serving = tokio::spawn(accepting::serve(Arc::clone(&shared), closed));
        Self { shared, closing, serving: serving.abort_handle(), ended: serving.map(drop).boxed().shared() }
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.shared.port.address()
    }

    /// Puts a fault into force: for connections to come, and unless it is on accept, for those that are open.
    pub fn add(&self, plan: Plan) -> FaultId {
        let standing = self.shared.board.add(plan);
        if standing.plan.action == Action::Refuse {
            self.shared.port.refuse();
            standing.reserve();
            self.shared.counters.struck(Action::Refuse);
            self.shared.recorder.record(0, Event::Refuse);
        }
        FaultId(standing.number)
    }

    /// Takes a fault out of force. What it has stalled or delayed goes on; what it has ended stays ended.
    pub fn remove(&self, id: FaultId) {
        let Some(removed) = self.shared.board.remove(id.0) else { return };
        if removed.plan.action == Action::Refuse && self.shared.port.reopen_unless(|| self.shared.board.refuses()) {
            self.shared.recorder.record(0, Event::Listen);
        }
    }

    /// How often it has struck, also after it was removed. 0 for a number that was never given.
    pub fn hits(&self, id: FaultId) -> u64 {
        self.shared.board.hits(id.0)
    }

    /// Ends every open connection with RST; returns how many there were.
    pub fn reset_all(&self) -> usize {
        self.shared.board.order_all(Order::Reset)
    }

    /// Nothing is read or forwarded any more, and no upstream contacted; nothing is lost. Times go on.
    pub fn pause(&self) {
        if self.shared.set_paused(true) {
            self.shared.recorder.record(0, Event::Pause);
        }
    }

    pub fn resume(&self) {
        if self.shared.set_paused(false) {
            self.shared.recorder.record(0, Event::Resume);
        }
    }

    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.shared.is_paused())
    }

    pub fn timeline(&self) -> Timeline {
        self.shared.recorder.timeline()
    }

    /// Resolves when the last task has ended and every descriptor is closed. Any number of callers may wait.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        self.ended.clone().await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        // At once, and not when the task is dropped.
        self.shared.port.close();
        self.serving.abort();
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy").field("address", &self.local_addr()).finish_non_exhaustive()
    }
}
