//! The Node-API boundary: the only folder that knows napi, and but for one file of [`crate::proxy`] (`unacknowledged`)
//! the only one with `unsafe`.
//!
//! What it is built on, and why (each cost was measured before it was avoided):
//!
//! - One [`engine::Engine`] per JavaScript environment (main thread, each worker, each Jest realm), made by the
//!   JavaScript half. Nothing of an environment is kept in a Rust `static`: a loaded addon is shared by all
//!   environments of a process, and one of them may end while the others go on.
//! - A call crosses twice: once to start, once with its answer. Answers gather in a queue; the event loop is
//!   woken when the queue turns non-empty and then takes all of them at once ([`dispatcher`]).
//! - Numbers travel in one typed array, headers as one string, and a body that has already arrived travels with
//!   its headers ([`completion`]). Promises, errors and responses are made in JavaScript, where that is cheap.
//! - Seventy allocations a call are taken from the thread's own free blocks ([`memory`]).
//! - Tokio's runtime starts at the first call, never at import ([`runtime`]).

mod call;
pub mod classify;
pub mod client;
mod completion;
mod dispatcher;
mod download;
pub mod engine;
pub mod file_lock;
mod hooks;
mod lookup;
mod memory;
mod options;
pub mod policy;
mod pool;
mod presence;
pub mod proxies;
pub mod proxy;
mod request;
mod runtime;
pub mod socket;
mod tls;
mod upload;
pub mod websocket;

use napi_derive::napi;

/// The version of this addon: the JavaScript half refuses one that is not its own.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
