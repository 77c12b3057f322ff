//! What is found in the chain of causes below an error.
//!
//! The chain is walked by type, never by text: hyper knows whether the request was ever written and how the conversation
//! broke, the system how the connection ended, rustls what it refused.

use std::error::Error;
use std::io;
use std::iter::successors;

use super::lookup::LookupFailed;
use super::proxies::socks;
use super::tls::codes;
use super::upload::UploadFailed;
use crate::fault::{Delivery, Ending, Fault, Phase};

/// How a server says that it did not act on a request (RFC 9113).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// By a GOAWAY that leaves its stream out (section 6.8).
    GoAway,
    /// By resetting its stream with REFUSED_STREAM (section 8.7).
    Stream,
    /// By asking for it over HTTP/1.1 (HTTP_1_1_REQUIRED, section 7).
    Protocol,
}

impl Refusal {
    /// Some of the request may have left, so what `not-sent` usually means does not explain it.
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::GoAway => {
                "The server ends the HTTP/2 connection and said that it did not and will not act on this request (GOAWAY): \
                 any call may be repeated on a new one, even if some of it had left."
            }
            Refusal::Stream => {
                "The server said that it did not act on this request (REFUSED_STREAM): any call may be repeated, even if \
                 some of it had left."
            }
            Refusal::Protocol => {
                "The server did not act on this request because it wants it over HTTP/1.1 (HTTP_1_1_REQUIRED): any call may \
                 be repeated that way."
            }
        }
    }
}

#[derive(Default)]
pub(super) struct Causes<'a> {
    pub hyper: Option<&'a hyper::Error>,
    pub http2: Option<&'a h2::Error>,
    pub lookup: Option<&'a LookupFailed>,
    pub tls: Option<&'a rustls::Error>,
    pub io: Option<&'a io::Error>,
    pub upload: Option<&'a UploadFailed>,
}

impl<'a> Causes<'a> {
    pub fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut found = Causes::default();
        for cause in causes(error) {
            if let Some(hyper) = cause.downcast_ref() {
                // The outermost one: hyper says "canceled" around the cause of that.
                found.hyper = found.hyper.or(Some(hyper));
            } else if let Some(io) = cause.downcast_ref::<io::Error>() {
                // The innermost one that the system or hyper made; others only carry an error from further down.
                if io.get_ref().is_none_or(|inner| below(inner).is_none()) {
                    found.io = Some(io);
                }
            } else if let Some(http2) = cause.downcast_ref() {
                found.http2 = found.http2.or(Some(http2));
            } else if let Some(tls) = cause.downcast_ref() {
                found.tls = found.tls.or(Some(tls));
            } else if let Some(lookup) = cause.downcast_ref() {
                found.lookup = Some(lookup);
            } else if let Some(upload) = cause.downcast_ref() {
                found.upload = Some(upload);
            }
        }
        found
    }

    /// `None`: none of the causes says what it was.
    pub fn fault(&self, phase: Phase, delivery: Delivery) -> Option<Fault> {
        if let Some(failed) = self.lookup {
            return Some(failed.fault(phase, delivery));
        }
        if let Some(upload) = self.upload {
            return Some(upload.fault(phase, delivery));
        }
        if let Some(tls) = self.tls {
            return Some(Fault::new(codes::code(tls), phase, delivery));
        }
        if let Some(io) = self.io {
            return Some(Fault::from_io(io, phase, delivery));
        }
        if let Some(http2) = self.http2 {
            return Some(http2_fault(http2, phase, delivery));
        }
        let hyper = self.hyper?;
        if hyper.is_timeout() {
            return Some(Fault::new("ETIMEDOUT", phase, delivery).with_reason(
                "The HTTP/2 connection was silent although the server was asked for a sign of life (PING): it is lost.",
            ));
        }
        let code = if hyper.is_incomplete_message() {
            return Some(Fault::new("ECONNRESET", phase, delivery).with_ending(Ending::Fin));
        } else if hyper.is_parse_status() {
            "HPE_INVALID_STATUS"
        } else if hyper.is_parse_too_large() {
            // Too large or too many. One thing besides: a Content-Length that is one of the last two of a `u64`.
            "HPE_HEADER_OVERFLOW"
        } else if hyper.is_parse() {
            "HPE_INVALID_CONSTANT"
        } else if hyper.is_canceled() || hyper.is_closed() {
            "ECONNRESET"
        } else {
            return None;
        };
        Some(Fault::new(code, phase, delivery))
    }

    /// The server has said that it did not and will not act on the request, however much of it had left.
    pub fn refusal(&self) -> Option<Refusal> {
        let http2 = self.http2.filter(|http2| http2.is_remote())?;
        match http2.reason() {
            Some(h2::Reason::HTTP_1_1_REQUIRED) => Some(Refusal::Protocol),
            // h2 gives a remote GOAWAY only to the streams above the last one that it names.
            _ if http2.is_go_away() => Some(Refusal::GoAway),
            Some(h2::Reason::REFUSED_STREAM) => Some(Refusal::Stream),
            _ => None,
        }
    }

    /// The fault of a response body that broke off.
    pub fn in_body(&self) -> Fault {
        let (phase, delivery) = (Phase::Receive, Delivery::Answered);
        match (self.tls, self.io) {
            (Some(tls), _) => Fault::new(codes::code(tls), phase, delivery),
            // hyper's words for a chunk that does not begin with its size.
            (None, Some(io)) if matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                Fault::new("HPE_INVALID_CHUNK_SIZE", phase, delivery)
            }
            (None, Some(io)) => Fault::from_io(io, phase, delivery).with_syscall("read"),
            (None, None) if let Some(http2) = self.http2 => http2_fault(http2, phase, delivery),
            (None, None) if self.hyper.is_some_and(hyper::Error::is_incomplete_message) => {
                Fault::new("ECONNRESET", phase, delivery).with_ending(Ending::Fin)
            }
            // "connection error" and no cause: an upload's write failed while the response was streaming.
            (None, None) => Fault::new("ECONNRESET", phase, delivery),
        }
    }
}

fn http2_fault(error: &h2::Error, phase: Phase, delivery: Delivery) -> Fault {
    if let Some(io) = error.get_io() {
        // h2's own words for a connection that ended without a GOAWAY.
        return match io.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                Fault::new("ECONNRESET", phase, delivery).with_ending(Ending::Fin)
            }
            _ => Fault::from_io(io, phase, delivery),
        };
    }
    let code = match () {
        () if error.is_go_away() && error.is_remote() => "ERR_HTTP2_GOAWAY_SESSION",
        () if error.is_go_away() => "ERR_HTTP2_SESSION_ERROR",
        () if error.is_reset() && error.is_remote() => "ERR_HTTP2_STREAM_ERROR",
        () => "ERR_HTTP2_ERROR",
    };
    Fault::new(code, phase, delivery)
}

/// The messages of all causes but those that `unwanted` picks out.
pub(super) fn details(
    error: &(dyn Error + 'static),
    unwanted: impl Fn(&(dyn Error + 'static)) -> bool,
) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for cause in causes(error).filter(|cause| !unwanted(*cause)) {
        let line = cause.to_string();
        // An I/O error repeats the words of the error it carries.
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    (!lines.is_empty()).then(|| lines.join(": "))
}

/// What the phase tells about the system call that failed.
pub(super) fn syscall(code: &str, phase: Phase) -> Option<&'static str> {
    match (code, phase) {
        ("EPIPE", _) => Some("write"),
        ("ECONNRESET", Phase::Wait) => Some("read"),
        _ => None,
    }
}

pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // No chain here is as long; a cyclic one would have no end.
    successors(Some(error), |error| below(*error)).take(32)
}

/// The next error down. `io::Error::source` skips the error that it carries and goes on below it; an error of a SOCKS
/// proxy has no source at all.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source().or_else(|| socks::carried(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_io_error_carries_is_not_skipped() {
        let carried = io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset));
        let kinds: Vec<_> =
            causes(&carried).filter_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind())).collect();
        assert_eq!(kinds, [io::ErrorKind::Other, io::ErrorKind::ConnectionReset]);
    }
}
