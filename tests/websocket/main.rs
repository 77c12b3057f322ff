//! The WebSocket that stays connected, against a server that says byte by byte what it wants. One topic per file.

mod deflate;
mod endings;
mod handshake;
mod heartbeat;
mod large;
mod life;
mod protocol;
mod queue;
mod support;
mod tls;
