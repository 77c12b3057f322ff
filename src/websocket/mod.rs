//! The parts of a WebSocket that only think: no clock, no chance, no socket of their own.
//!
//! | question | file |
//! |---|---|
//! | how large may a frame be, how fast may they go, and what has proved too large? | [`flow`], and of one connection [`course`] |
//! | what waits, what is on its way, and what became of it? | [`outbox`] |
//! | is there another connection after this end? | [`verdict`] |
//! | is the peer still there? | [`pulse`] |

pub mod course;
pub mod flow;
pub mod outbox;
pub mod pulse;
pub mod verdict;
