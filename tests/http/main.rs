//! The HTTP client against real sockets that really reset, close, stall, refuse and break off.
//! One topic per file; one binary, because each links the whole client.

mod body;
mod breaker;
mod connections;
mod decode;
mod http2;
mod long_bodies;
mod over_reqwest;
mod proxy;
mod redirect;
mod reset;
mod resume;
mod retry;
mod socks;
mod support;
mod timeouts;
mod tls;
