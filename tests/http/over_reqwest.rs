//! The promises of the seam, kept by the other transport too: the same topics, over reqwest without a proxy.
//!
//! Not those about a transport's own connections: what reqwest hides, it cannot promise.
// That these files are compiled twice is the point.
#![allow(clippy::duplicate_mod)]

#[path = "body.rs"]
mod body;
#[path = "reset.rs"]
mod reset;
#[path = "retry.rs"]
mod retry;
#[path = "timeouts.rs"]
mod timeouts;

/// As for all topics, but for the client.
mod support {
    use unreset::http::call::Client;
    use unreset::http::transport::options::TransportOptions;
    use unreset::http::transport::reqwest::ReqwestTransport;

    pub use crate::support::*;

    pub fn client() -> Client<ReqwestTransport> {
        Client::new(ReqwestTransport::new(TransportOptions::default(), None).unwrap())
    }
}
