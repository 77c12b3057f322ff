//! The fault proxy, seen from outside: what a client and a server on real sockets notice of each fault.
//! One topic per file.

mod bytes;
mod frames;
mod http;
mod idle;
mod lifecycle;
mod listen;
mod opening;
mod passing;
mod pause;
mod refuse;
mod selection;
mod shaping;
mod stall;
mod strikes;
mod support;
mod throughput;
mod timeline;
