//! The proxy as its owner sees it.

use std::net::SocketAddr;

use super::{ListenError, ListenOptions, Plan, Stats, Timeline};

/// The number of a fault, in order of [`FaultProxy::add`], from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultId(pub u32);

/// A TCP proxy that does to its connections what it is told. Dropping it ends everything it runs.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
}

impl FaultProxy {
    /// Listens, and connects each client to the upstream. Must be called inside a tokio runtime.
    pub async fn listen(options: ListenOptions) -> Result<FaultProxy, ListenError> {
        let listener = tokio::net::TcpListener::bind((&*options.host, options.port)).await;
        match listener.and_then(|listener| listener.local_addr()) {
            Ok(address) => Ok(FaultProxy { address }),
            Err(error) => Err(ListenError::new("listen", options.host, options.port, error)),
        }
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    pub fn add(&self, _plan: Plan) -> FaultId {
        FaultId(1)
    }

    pub fn remove(&self, _id: FaultId) {}

    /// How often it has struck, also after it was removed. 0 for a number that was never given.
    pub fn hits(&self, _id: FaultId) -> u64 {
        0
    }

    /// Ends every open connection with RST; returns how many there were.
    pub fn reset_all(&self) -> usize {
        0
    }

    pub fn pause(&self) {}

    pub fn resume(&self) {}

    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    pub fn timeline(&self) -> Timeline {
        Timeline::default()
    }

    /// Resolves when the last task has ended and every descriptor is closed. Any number of callers may wait.
    pub async fn close(&self) {}
}
