//! Codes whose meaning depends on where they strike.

use crate::fault::Phase;

/// The meaning of a code in one phase, where it can be told more exactly than in general.
pub fn meaning_in_phase(code: &str, phase: Phase) -> Option<&'static str> {
    Some(match (code, phase) {
        ("ECONNRESET", Phase::Connect) => "The peer reset the connection while it was being made.",
        ("ECONNRESET", Phase::Handshake) => "The peer ended the connection during the TLS handshake.",
        ("ECONNRESET", Phase::Send) => "The peer ended the connection while the request was being sent.",
        ("ECONNRESET", Phase::Wait) => "The peer ended the connection before it answered.",
        ("ECONNRESET", Phase::Receive) => "The peer ended the connection in the middle of its answer.",
        ("ECONNRESET", Phase::Idle) => "The peer ended the connection between two calls.",
        ("ETIMEDOUT", Phase::Resolve) => "The name did not resolve within the limit.",
        ("ETIMEDOUT", Phase::Connect) => "No connection came about within the limit.",
        ("ETIMEDOUT", Phase::Handshake) => "The TLS handshake was not complete within the limit.",
        ("ETIMEDOUT", Phase::Send) => "The request could not be sent within the limit.",
        ("ETIMEDOUT", Phase::Receive) => "The answer stalled for longer than the limit.",
        _ => return None,
    })
}
