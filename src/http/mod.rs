//! HTTP calls that survive faults.
//!
//! Layers, outermost first: fetch semantics ([`call`]: redirects, the final response) -> the policy loop ([`attempts`])
//! -> the response's body: [`decode`], made plain, over [`resume`], made whole -> [`transport`]: exactly one exchange.
//! The transport sees no
//! retry, no redirect and no decompression, because the layers above must see every hop, every attempt and
//! the encoded bytes.

mod attempts;
mod bad_port;
mod redirect;
mod replay;

pub mod body;
pub mod call;
pub mod decode;
pub mod hooks;
pub mod resume;
pub mod transport;
