//! A TCP proxy that makes real network faults on demand.
//!
//! Resilience that was never struck is a hope. A mocked error shows that code handles the mock; what a program meets
//! is an RST after 1000 bytes, a connection that dies while it is idle, an answer that is lost after the order was
//! placed. This proxy stands between a client and a real service and does exactly that, at the byte it was told, as
//! often as it was told, and under the same seed again.

mod accepting;
mod board;
mod connection;
mod fault_proxy;
mod http;
mod listen;
mod lookup;
mod plan;
mod port;
mod shared;
mod stats;
mod timeline;
mod websocket;

pub use fault_proxy::{FaultId, FaultProxy};
pub use listen::{ListenError, ListenOptions, Upstream};
pub use plan::{Plan, PlanError};
pub use stats::{Bytes, Connections, Stats};
pub use timeline::{Entry, Timeline};
