//! undici, and the built-in fetch, which is undici inside Node.

use super::{Case, Rule};
use crate::fault::evidence::Socket;
use crate::fault::{Delivery, Ending, Fault, Phase};

/// "terminated": the `TypeError` of fetch for a body that broke off. Nothing but this message tells it from a
/// request that failed.
pub struct Terminated;

impl Rule for Terminated {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let terminated = case.name() == Some("TypeError") && case.message() == Some("terminated");
        (terminated && case.inner.is_some()).then(|| case.broken_body("ECONNRESET"))
    }
}

/// `UND_ERR_SOCKET`: the connection was closed with a request on it.
pub struct ClosedSocket;

impl Rule for ClosedSocket {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if case.code() != Some("UND_ERR_SOCKET") {
            return None;
        }
        let Some(socket) = &case.link.socket else {
            return Some(case.fault("UND_ERR_SOCKET", Phase::Wait, Delivery::Unknown));
        };
        // The count includes what still waits to be written: at zero the request had not been given to the socket.
        let untouched = socket.bytes_written == Some(0.0);
        let delivery = if untouched { Delivery::NotSent } else { Delivery::Unknown };
        let mut fault = case.fault("UND_ERR_SOCKET", Phase::Wait, delivery);
        fault.ending = Some(ending(socket));
        fault.address = socket.remote_address.clone();
        fault.port = socket.remote_port;
        Some(fault)
    }
}

/// libuv reports a RST that arrives together with data as an end of the stream. A socket that was reset has no
/// peer any more, one that was closed by FIN still has; undici noted the peer at that moment.
fn ending(socket: &Socket) -> Ending {
    match (&socket.local_address, &socket.remote_address) {
        (Some(_), None) => Ending::Rst,
        _ => Ending::Fin,
    }
}

/// What the fetch standard calls a network error: an `Error` without a code inside "fetch failed".
pub struct NetworkError;

impl Rule for NetworkError {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if case.name() != Some("TypeError") || case.message() != Some("fetch failed") || case.inner.is_some() {
            return None;
        }
        let cause = case.children.first().filter(|cause| cause.code.is_none())?;
        let (code, phase, delivery) = match cause.message.as_deref()? {
            "redirect count exceeded" => ("ERR_TOO_MANY_REDIRECTS", Phase::Receive, Delivery::Answered),
            "unexpected redirect" => ("ERR_UNEXPECTED_REDIRECT", Phase::Receive, Delivery::Answered),
            "bad port" => ("ERR_BAD_PORT", Phase::Send, Delivery::NotSent),
            "unknown scheme" => ("ERR_UNSUPPORTED_PROTOCOL", Phase::Send, Delivery::NotSent),
            _ => return None,
        };
        Some(Fault::new(code, phase, delivery).with_detail(cause.message.clone().unwrap_or_default()))
    }
}

/// `HTTPParserError` without a code: undici 7.30 and 8.12 lose it.
pub struct UnparsedAnswer;

impl Rule for UnparsedAnswer {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let lost = case.name() == Some("HTTPParserError") && case.code().is_none();
        lost.then(|| case.fault("HPE_UNKNOWN", Phase::Receive, Delivery::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    fn judge(links: Vec<Link>) -> Fault {
        classify(&Evidence { links, ..Evidence::default() })
    }

    fn type_error(message: &str) -> Link {
        Link { name: Some("TypeError".into()), message: Some(message.into()), ..Link::default() }
    }

    fn closed(socket: Socket) -> Link {
        Link { code: Some("UND_ERR_SOCKET".into()), socket: Some(socket), ..Link::default() }
    }

    fn socket() -> Socket {
        Socket {
            local_address: Some("127.0.0.1".into()),
            remote_address: Some("127.0.0.2".into()),
            remote_port: Some(80),
            bytes_written: Some(180.0),
            bytes_read: Some(0.0),
        }
    }

    #[test]
    fn a_closed_socket_is_a_reset_by_fin() {
        let fault = judge(vec![closed(socket())]);
        assert_eq!((&*fault.code, fault.kind, fault.ending), ("ECONNRESET", Kind::Reset, Some(Ending::Fin)));
        assert_eq!(
            (fault.delivery, fault.address.as_deref(), fault.port),
            (Delivery::Unknown, Some("127.0.0.2"), Some(80))
        );
    }

    #[test]
    fn a_closed_socket_without_a_peer_was_reset() {
        let fault = judge(vec![closed(Socket { remote_address: None, remote_port: None, ..socket() })]);
        assert_eq!(fault.ending, Some(Ending::Rst));
    }

    #[test]
    fn a_socket_that_was_given_nothing_sent_nothing() {
        let fault = judge(vec![closed(Socket { bytes_written: Some(0.0), ..socket() })]);
        assert_eq!(fault.delivery, Delivery::NotSent);
        let fault = judge(vec![closed(Socket { bytes_written: None, ..socket() })]);
        assert_eq!(fault.delivery, Delivery::Unknown);
    }

    #[test]
    fn terminated_is_a_broken_body() {
        let cause = Link { parent: Some(0), ..closed(socket()) };
        let fault = judge(vec![type_error("terminated"), cause.clone()]);
        assert_eq!((fault.phase, fault.delivery), (Phase::Receive, Delivery::Answered));
        let fault = judge(vec![type_error("fetch failed"), cause]);
        assert_eq!((fault.phase, fault.delivery), (Phase::Wait, Delivery::Unknown));
        assert_eq!(judge(vec![type_error("terminated")]).kind, Kind::Unknown);
    }

    #[test]
    fn network_errors_without_a_code_are_told_by_their_fixed_words() {
        let cause = Link { parent: Some(0), message: Some("redirect count exceeded".into()), ..Link::default() };
        assert_eq!(&*judge(vec![type_error("fetch failed"), cause.clone()]).code, "ERR_TOO_MANY_REDIRECTS");
        assert_eq!(judge(vec![type_error("something else"), cause]).kind, Kind::Unknown);
    }

    #[test]
    fn a_parser_error_keeps_its_code_if_it_has_one() {
        let lost = Link { name: Some("HTTPParserError".into()), ..Link::default() };
        let whole = Link { code: Some("HPE_INVALID_STATUS".into()), ..lost.clone() };
        assert_eq!((&*judge(vec![lost.clone()]).code, judge(vec![lost]).kind), ("HPE_UNKNOWN", Kind::Protocol));
        assert_eq!(&*judge(vec![whole]).code, "HPE_INVALID_STATUS");
    }
}
