//! What it proves that an exchange failed.
//!
//! Three witnesses are heard: hyper, which knows how the conversation broke; the wire, which knows how many bytes the
//! system took; and, where it matters whether a request may be sent again, the kernel, which knows whether the peer's
//! kernel ever acknowledged a byte of it ([`was_never_taken`](super::wire::Wire::was_never_taken)).

use std::io;

use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::causes::{self, Causes};

/// The fault of an exchange that brought no response. `written`: bytes of it left this process.
pub(super) fn before_answer(error: &hyper::Error, written: bool, sent_all: bool) -> Fault {
    let (phase, delivery) = match written {
        false => (Phase::Send, Delivery::NotSent),
        // Bytes came, but perhaps before the server had read the request: SSH greets whoever connects.
        true if error.is_parse() => (Phase::Receive, Delivery::Unknown),
        true if sent_all => (Phase::Wait, Delivery::Unknown),
        true => (Phase::Send, Delivery::Unknown),
    };
    let found = Causes::of(error);
    let delivery = if found.is_refused() { Delivery::NotSent } else { delivery };
    let mut fault = found.fault(phase, delivery).unwrap_or_else(|| Fault::new("UNKNOWN", phase, delivery));
    fault.syscall = fault.syscall.or(causes::syscall(&fault.code, phase).map(Into::into));
    detailed(error, fault)
}

/// The fault of a response body that broke off.
pub(super) fn in_body(error: &hyper::Error) -> Fault {
    detailed(error, Causes::of(error).in_body())
}

/// The fault of a response body over HTTP/2 whose stream was reset without an error before it had ended.
pub(super) fn reset_in_body() -> Fault {
    Fault::new("ERR_HTTP2_STREAM_ERROR", Phase::Receive, Delivery::Answered)
}

/// The connection ended in a way that a request which came too late for it explains: by FIN, perhaps with a reset of
/// what was sent after it. A reset alone says nothing: a server that has read a request can reset at once.
pub(super) fn may_have_come_too_late(error: &hyper::Error) -> bool {
    let found = Causes::of(error);
    found.upload.is_none()
        && (error.is_incomplete_message()
            || found.io.is_some_and(|io| matches!(io.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof)))
}

/// The connection broke, and not the request or the answer.
pub(super) fn is_broken_connection(error: &hyper::Error) -> bool {
    Causes::of(error).upload.is_none() && !error.is_parse() && !error.is_user()
}

fn detailed(error: &hyper::Error, mut fault: Fault) -> Fault {
    fault.detail = causes::details(error, |_| false);
    fault
}
