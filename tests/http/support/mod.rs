//! What the topics share: servers that misbehave on purpose, and calls with sensible defaults for tests.

mod calls;
mod server;

pub use calls::*;
pub use server::*;
