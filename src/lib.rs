//! The native core of `unreset`: network calls that survive `ECONNRESET` and its relatives.
//!
//! Read in this order: [`fault`] says what went wrong, [`policy`] says what to do about it, [`http`] is the
//! client that obeys both, and [`node`] carries all of it across the Node-API boundary. `fault` and `policy`
//! depend on nothing else here; nothing depends on `node`.

pub mod fault;
pub mod http;
pub mod node;
pub mod policy;
