//! The native core of `unreset`: network calls that survive `ECONNRESET` and its relatives.
//!
//! Read in this order: [`fault`] says what went wrong, [`policy`] says what to do about it, [`http`] is the
//! client that obeys both, [`tcp`] the connection that does, and [`node`] carries all of it across the Node-API boundary. `policy` depends on `fault`
//! and on nothing else of these, `fault` on none; nothing depends on `node`. Beside them stand [`proxy`], which makes
//! real faults for tests and takes the names of errors from `fault`, and `milliseconds`, which converts the times that
//! cross the boundary and depends on nothing.

pub mod fault;
pub mod http;
pub(crate) mod milliseconds;
pub mod node;
pub mod policy;
pub mod proxy;
pub mod tcp;
pub mod websocket;
