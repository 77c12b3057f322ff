//! TLS, in two chapters: certificates that were not accepted, and handshakes that failed.

pub(super) mod certificate;
pub(super) mod handshake;
