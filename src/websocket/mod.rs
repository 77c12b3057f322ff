//! A WebSocket that stays connected.
//!
//! As with [`crate::tcp`], one object lives over a succession of connections. What it knows besides is messages: they
//! leave whole or are in doubt, they are answered for by pongs, and they can be too large for whoever is at the other end.
//!
//! | question | file |
//! |---|---|
//! | what can be chosen, and what is asked for? | [`options`], [`request`] |
//! | how is a connection made? | `way`: socket, proxy, TLS; [`handshake`] and [`extension`]: the upgrade |
//! | how are frames made and read? | `engine`, over `tap` and `scan`, which see what it does not tell |
//! | what happens on one connection? | `connection`: what leaves is in `sending`, what comes in `receiving` |
//! | how large may a frame be, how fast may they go, and what has proved too large? | [`flow`], and of one connection [`course`] |
//! | what waits, what is on its way, and what became of it? | [`outbox`] |
//! | is the peer still there? | [`pulse`] |
//! | what is its end called? | [`ending`] |
//! | is there another connection after this end? | [`verdict`], and when: [`crate::tcp::reconnect`], [`crate::tcp::gate`] |
//! | what is the owner told? | [`event`] |
//!
//! `life` goes through all of this; [`socket`] is the handle to it. Nothing here knows of Node.

mod connection;
mod core;
pub mod course;
pub mod ending;
mod engine;
pub mod event;
pub mod extension;
pub mod flow;
pub mod handshake;
mod life;
pub mod options;
pub mod outbox;
pub mod pulse;
pub mod request;
mod scan;
pub mod socket;
mod stats;
mod tap;
pub mod verdict;
mod way;

pub use connection::weight;
pub use engine::Close;
pub use life::Task;
pub use socket::WebSocket;
pub use stats::Stats;
pub use way::BeforeTls;
