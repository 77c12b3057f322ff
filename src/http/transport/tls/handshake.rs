//! What a handshake failed of.

use std::io;

use super::codes;
use crate::fault::{Delivery, Ending, Fault, Phase};

/// Of which nothing was sent.
pub(crate) fn handshake_failed(error: &io::Error) -> Fault {
    let (phase, delivery) = (Phase::Handshake, Delivery::NotSent);
    let fault = match verdict(error) {
        Some(tls) => Fault::new(codes::code(tls), phase, delivery),
        // rustls' own words for a connection that ended within the handshake.
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            Fault::new("ECONNRESET", phase, delivery).with_ending(Ending::Fin)
        }
        None => Fault::from_io(error, phase, delivery),
    };
    fault.with_detail(error.to_string())
}

/// What TLS has against the peer, if that is what it failed of, and not the connection.
pub(crate) fn verdict(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
