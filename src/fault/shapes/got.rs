//! got. Its errors tell the event that was waited for, how far the request came, and carry the response that
//! had begun.

use super::{Case, Rule};
use crate::fault::evidence::{Link, Timings};
use crate::fault::{Delivery, Fault, Phase};

/// A limit on time. `event` names the limit. Those on the whole request and on the socket's silence hold in every
/// phase: there the timings tell the place.
pub struct Timeout;

impl Rule for Timeout {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if case.name() != Some("TimeoutError") {
            return None;
        }
        let (phase, delivery) = match case.link.event.as_deref()? {
            "lookup" => (Phase::Resolve, Delivery::NotSent),
            "connect" => (Phase::Connect, Delivery::NotSent),
            "secureConnect" => (Phase::Handshake, Delivery::NotSent),
            "send" => (Phase::Send, Delivery::Unknown),
            "response" => (Phase::Wait, Delivery::Unknown),
            "read" => (Phase::Receive, Delivery::Answered),
            _ if has_response(case.link) => (Phase::Receive, Delivery::Answered),
            _ => case.link.timings.map_or((Phase::Wait, Delivery::Unknown), reached),
        };
        Some(case.fault("ETIMEDOUT", phase, delivery))
    }
}

/// Where a request stands that has no response yet.
fn reached(timings: Timings) -> (Phase, Delivery) {
    match timings {
        Timings { response: true, .. } => (Phase::Receive, Delivery::Answered),
        Timings { upload: true, .. } => (Phase::Wait, Delivery::Unknown),
        Timings { connect: true, .. } => (Phase::Send, Delivery::Unknown),
        // got listens to this socket, and heard of no connection.
        Timings { lookup: true, .. } => (Phase::Connect, Delivery::NotSent),
        // An address needs no lookup. Nor does got listen to the socket of an HTTP/2 session: the request may have
        // left long ago.
        _ => (Phase::Connect, Delivery::Unknown),
    }
}

/// The response broke off: a `ReadError`, or the error of the socket with the response noted in the timings.
pub struct BrokenBody;

impl Rule for BrokenBody {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let answered = case.link.timings.is_some_and(|timings| timings.response);
        match case.name()? {
            "ReadError" if has_response(case.link) => Some(match case.code() {
                // got 16 counts the bytes: fewer than announced is what a connection that ended early leaves.
                Some("ERR_HTTP_CONTENT_LENGTH_MISMATCH") => {
                    case.fault("ECONNRESET", Phase::Receive, Delivery::Answered)
                }
                Some("ECONNRESET") => case.broken_body("ECONNRESET"),
                _ => case.broken_body("ERR_READING_RESPONSE_STREAM"),
            }),
            "RequestError" if answered && case.inner.is_some() => Some(case.broken_body("ECONNRESET")),
            _ => None,
        }
    }
}

fn has_response(link: &Link) -> bool {
    link.response.as_ref().is_some_and(|response| response.status.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Evidence, Response};
    use crate::fault::{Kind, classify};

    fn judge(link: Link) -> Fault {
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    fn timeout(event: &str) -> Link {
        let name = Some("TimeoutError".into());
        Link { name, code: Some("ETIMEDOUT".into()), event: Some(event.into()), ..Link::default() }
    }

    fn begun() -> Option<Response> {
        Some(Response { status: Some(200), ..Response::default() })
    }

    #[test]
    fn the_event_says_the_phase() {
        for (event, phase, delivery) in [
            ("lookup", Phase::Resolve, Delivery::NotSent),
            ("connect", Phase::Connect, Delivery::NotSent),
            ("secureConnect", Phase::Handshake, Delivery::NotSent),
            ("send", Phase::Send, Delivery::Unknown),
            ("response", Phase::Wait, Delivery::Unknown),
            ("read", Phase::Receive, Delivery::Answered),
            ("socket", Phase::Wait, Delivery::Unknown),
            ("request", Phase::Wait, Delivery::Unknown),
        ] {
            let fault = judge(timeout(event));
            assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", phase, delivery), "{event}");
        }
    }

    #[test]
    fn a_request_whose_connection_was_not_noted_may_have_been_sent() {
        // As got leaves the timings over HTTP/2: of the connection nothing, of the request what it came to.
        let over_http2 = Timings::default();
        for event in ["request", "socket"] {
            let fault = judge(Link { timings: Some(over_http2), ..timeout(event) });
            assert_eq!((fault.phase, fault.delivery), (Phase::Connect, Delivery::Unknown), "{event}");
            let sent = Timings { upload: true, ..over_http2 };
            let fault = judge(Link { timings: Some(sent), ..timeout(event) });
            assert_eq!((fault.phase, fault.delivery), (Phase::Wait, Delivery::Unknown), "{event}");
        }
    }

    #[test]
    fn a_limit_that_holds_in_every_phase_is_placed_by_what_was_reached() {
        let place = |timings| {
            let place = |event| {
                let fault = judge(Link { timings: Some(timings), ..timeout(event) });
                (fault.phase, fault.delivery)
            };
            assert_eq!(place("socket"), place("request"), "{timings:?}");
            place("request")
        };
        let none = Timings::default();
        let looked_up = Timings { lookup: true, ..none };
        assert_eq!(place(looked_up), (Phase::Connect, Delivery::NotSent));
        let connected = Timings { connect: true, ..looked_up };
        assert_eq!(place(connected), (Phase::Send, Delivery::Unknown));
        assert_eq!(place(Timings { upload: true, ..connected }), (Phase::Wait, Delivery::Unknown));
        let fault = judge(Link { response: begun(), timings: Some(none), ..timeout("request") });
        assert_eq!((fault.phase, fault.delivery), (Phase::Receive, Delivery::Answered));
    }

    #[test]
    fn the_error_of_the_socket_is_placed_by_what_was_reached() {
        let cause =
            Link { parent: Some(0), code: Some("ECONNRESET".into()), syscall: Some("read".into()), ..Link::default() };
        let place = |response| {
            let timings = Some(Timings { lookup: true, connect: true, upload: true, response });
            let error = Link { name: Some("RequestError".into()), timings, ..Link::default() };
            let links = vec![error, cause.clone()];
            let fault = classify(&Evidence { links, ..Evidence::default() });
            (fault.phase, fault.delivery)
        };
        assert_eq!(place(false), (Phase::Wait, Delivery::Unknown));
        assert_eq!(place(true), (Phase::Receive, Delivery::Answered));
    }

    #[test]
    fn a_read_error_is_a_broken_body() {
        let read_error = Link { name: Some("ReadError".into()), response: begun(), ..Link::default() };
        let fault = judge(Link { code: Some("ECONNRESET".into()), ..read_error.clone() });
        assert_eq!((fault.kind, fault.phase, fault.delivery), (Kind::Reset, Phase::Receive, Delivery::Answered));
        let fault = judge(Link { code: Some("ERR_HTTP_CONTENT_LENGTH_MISMATCH".into()), ..read_error.clone() });
        assert_eq!((&*fault.code, fault.kind), ("ECONNRESET", Kind::Reset));
        let fault = judge(Link { code: Some("ERR_READING_RESPONSE_STREAM".into()), ..read_error });
        assert_eq!((fault.kind, fault.transient), (Kind::Protocol, false));
    }
}
