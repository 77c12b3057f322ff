//! A TCP or TLS connection that stays connected.
//!
//! A TCP connection cannot be revived: what is lost is lost, and what comes next is another one. So a [`Socket`] is an
//! object over a succession of connections, each a *generation*, and most of what is here is about what happens between
//! two of them: what may be sent again and what must not, when to come back, and what the caller has to be told.
//!
//! | question | file |
//! |---|---|
//! | what can be chosen? | [`options`] |
//! | where does it stand? | [`state`]: the one table of transitions |
//! | how is a connection made? | `dial`, over `opener` |
//! | what happens on one? | `connection`, over `link`, `stream` (TLS or not) and `wire` (the system's socket) |
//! | in what does it come? | `arriving`, in memory that goes round: [`block`] |
//! | what becomes of a write? | [`queue`], and on its way out `leaving` or, if it is small, `direct`; what must not be cut in half: [`frame`] |
//! | what had left and was not acknowledged? | `marks` |
//! | is the peer still there? | [`heartbeat`] |
//! | is there another attempt, and when? | [`reconnect`]; with all others to that host: [`gate`] |
//! | what is the end of a connection called? | `ending` |
//! | what is the owner told? | [`event`] |
//!
//! [`socket`] holds the task that goes through all of this and the handle to it. Nothing here knows of Node.

mod arriving;
pub mod block;
mod connection;
mod core;
pub(crate) mod dial;
mod direct;
mod ending;
pub mod event;
pub mod frame;
pub mod gate;
pub mod heartbeat;
mod leaving;
pub(crate) mod link;
pub(crate) mod marks;
pub(crate) mod opener;
pub mod options;
mod pattern;
pub mod queue;
pub mod reconnect;
pub mod socket;
pub mod state;
mod stats;
pub(crate) mod stream;
pub(crate) mod wire;

pub use socket::{Socket, Task};
pub use stats::Stats;
