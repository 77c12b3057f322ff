//! What it proves that an exchange failed.
//!
//! Three witnesses are heard: hyper, which knows how the conversation broke; the wire, which knows how many bytes the
//! system took; and, where it matters whether a request may be sent again, the kernel, which knows whether the peer's
//! kernel ever acknowledged a byte of it ([`was_never_taken`](super::wire::Wire::was_never_taken)).

use std::io;

use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::causes::{self, Causes, Refusal};

/// The fault of an exchange that brought no response. `written`: bytes of it left this process.
pub(crate) fn before_answer(error: &hyper::Error, written: bool, sent_all: bool) -> Fault {
    let (phase, delivery) = match written {
        false => (Phase::Send, Delivery::NotSent),
        // Bytes came, but perhaps before the server had read the request: SSH greets whoever connects.
        true if error.is_parse() => (Phase::Receive, Delivery::Unknown),
        true if sent_all => (Phase::Wait, Delivery::Unknown),
        true => (Phase::Send, Delivery::Unknown),
    };
    let found = Causes::of(error);
    let refusal = found.refusal();
    let delivery = if refusal.is_some() { Delivery::NotSent } else { delivery };
    let mut fault = found.fault(phase, delivery).unwrap_or_else(|| Fault::new("UNKNOWN", phase, delivery));
    if let Some(refusal) = refusal {
        fault = fault.with_reason(refusal.reason());
    }
    fault.syscall = fault.syscall.or(causes::syscall(&fault.code, phase).map(Into::into));
    detailed(error, fault)
}

/// The fault of a response body that broke off. `missing`: it had announced more bytes than have come.
pub(super) fn in_body(error: &hyper::Error, missing: bool) -> Fault {
    let found = Causes::of(error);
    let fault = match found.http2 {
        // h2's way to say that the stream has not brought what was announced.
        Some(http2) if missing && http2.is_library() && http2.reason() == Some(h2::Reason::PROTOCOL_ERROR) => {
            cut_short()
        }
        _ => found.in_body(),
    };
    detailed(error, fault)
}

/// As [`in_body`], of one that was read without hyper.
pub(super) fn in_bare_body(error: &io::Error) -> Fault {
    let mut fault = Causes::of(error).in_body();
    fault.detail = causes::details(error, |_| false);
    fault
}

/// The fault of a response over HTTP/2 that does not have the length that it announced.
pub(super) fn cut_short() -> Fault {
    Fault::new("ERR_HTTP2_STREAM_ERROR", Phase::Receive, Delivery::Answered)
        .with_reason("The HTTP/2 stream has ended, and the response does not have the length that it announced.")
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
    let found = Causes::of(error);
    let in_order = found.http2.is_some_and(|http2| !http2.is_io());
    found.upload.is_none() && !in_order && !error.is_parse() && !error.is_user()
}

/// The connection is still good: the server has ended one stream of it.
pub(super) fn is_reset_stream(error: &hyper::Error) -> bool {
    Causes::of(error).http2.is_some_and(|http2| http2.is_remote() && http2.is_reset())
}

/// The connection takes no further streams.
pub(super) fn is_going_away(error: &hyper::Error) -> bool {
    Causes::of(error).http2.is_some_and(h2::Error::is_go_away)
}

/// The server speaks HTTP/2 but not for this.
pub(super) fn wants_http1(error: &hyper::Error) -> bool {
    Causes::of(error).refusal() == Some(Refusal::Protocol)
}

fn detailed(error: &hyper::Error, mut fault: Fault) -> Fault {
    fault.detail = causes::details(error, |_| false);
    fault
}
