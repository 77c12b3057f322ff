//! WebSockets: close events of every client, the errors of `ws`, and the little that the built-in one tells.
//!
//! `ws` makes errors without a code for everything that goes wrong before there is a WebSocket, so here the words are all
//! there is. They are looked at whole, and were seen in ws 8.23. The built-in WebSocket says nothing but that something
//! happened: what its event is about can only be seen by whose event it is.

use super::{Case, Rule};
use crate::fault::{Delivery, Fault, Phase};

/// `{ code, reason, wasClean }`. Ours has the fault as well.
pub struct CloseEvent;

impl Rule for CloseEvent {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let code = case.link.close_code?;
        if case.inner.is_some() {
            return None;
        }
        let fault = Fault::of_code(format!("WS_{code}"));
        Some(match case.link.reason.as_deref().filter(|reason| !reason.is_empty()) {
            Some(reason) => fault.with_detail(reason),
            None => fault,
        })
    }
}

/// ws: the server answered the upgrade with another status.
pub struct UnexpectedResponse;

impl Rule for UnexpectedResponse {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let status = bare(case)?.strip_prefix("Unexpected server response: ")?.parse().ok()?;
        if status < 400 {
            return Some(case.fault("ERR_WS_HANDSHAKE", Phase::Handshake, Delivery::NotSent));
        }
        Some(Fault::from_status(status, None).with_detail(case.message().unwrap_or_default()))
    }
}

/// ws: the other ends of a handshake, and of what was sent too early or too late.
pub struct Worded;

impl Rule for Worded {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let (code, phase, delivery) = match bare(case)? {
            "Opening handshake has timed out" => ("ETIMEDOUT", Phase::Handshake, Delivery::NotSent),
            "Maximum redirects exceeded" => ("ERR_TOO_MANY_REDIRECTS", Phase::Receive, Delivery::Answered),
            "WebSocket was closed before the connection was established" => {
                ("ERR_SOCKET_CLOSED_BEFORE_CONNECTION", Phase::Connect, Delivery::NotSent)
            }
            "Invalid Upgrade header"
            | "Invalid Sec-WebSocket-Accept header"
            | "Invalid Sec-WebSocket-Extensions header"
            | "Server indicated an extension that was not requested"
            | "Server sent a Sec-WebSocket-Extensions header but no extension was requested"
            | "Server sent a subprotocol but none was requested"
            | "Server sent an invalid subprotocol"
            | "Server sent no subprotocol"
            // undici 6, the built-in WebSocket of Node 20 and 22.
            | "Server did not set Upgrade header to \"websocket\"."
            | "Server did not set Connection header to \"upgrade\"."
            | "Incorrect hash received in Sec-WebSocket-Accept header."
            | "Received different permessage-deflate than the one set."
            | "Protocol was not set in the opening handshake." => {
                ("ERR_WS_HANDSHAKE", Phase::Handshake, Delivery::NotSent)
            }
            // undici 6 again: any of refused, reset, and answered otherwise.
            "Received network error or non-101 status code." => ("WS_1006", Phase::Handshake, Delivery::NotSent),
            "WebSocket is not open: readyState 0 (CONNECTING)"
            | "WebSocket is not open: readyState 2 (CLOSING)"
            | "WebSocket is not open: readyState 3 (CLOSED)" => {
                ("ERR_WEBSOCKET_NOT_OPEN", Phase::Send, Delivery::NotSent)
            }
            "The socket was closed while data was being compressed"
            | "The socket was closed while the blob was being read"
            | "The deflate stream was closed while data was being processed" => {
                ("ERR_WEBSOCKET_CLOSED", Phase::Send, Delivery::NotSent)
            }
            _ => return None,
        };
        Some(case.fault(code, phase, delivery))
    }
}

/// The event of a WebSocket that tells nothing.
pub struct ErrorEvent;

impl Rule for ErrorEvent {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let is_one = case.link.of_web_socket && case.link.type_.as_deref() == Some("error");
        (is_one && case.inner.is_none()).then(|| Fault::of_code("WS_1006"))
    }
}

/// The words of an error that has nothing else.
fn bare<'a>(case: &'a Case<'_>) -> Option<&'a str> {
    let link = case.link;
    let is_bare = link.code.is_none() && link.syscall.is_none() && !link.text && case.inner.is_none();
    case.message().filter(|_| is_bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    fn judge(links: Vec<Link>) -> Fault {
        classify(&Evidence { links, ..Evidence::default() })
    }

    fn worded(message: &str) -> Link {
        Link { name: Some("Error".into()), message: Some(message.into()), ..Link::default() }
    }

    fn closed(code: u16) -> Link {
        Link { type_: Some("close".into()), close_code: Some(code), ..Link::default() }
    }

    #[test]
    fn a_close_event_is_its_code() {
        for (code, kind, transient) in [
            (1000, Kind::Closed, false),
            (1001, Kind::Closed, true),
            (1006, Kind::Reset, true),
            (1009, Kind::TooLarge, false),
            (1013, Kind::Throttled, true),
            (4001, Kind::Closed, false),
        ] {
            let fault = judge(vec![closed(code)]);
            assert_eq!((fault.kind, fault.transient), (kind, transient), "{code}");
            assert_eq!(fault.code, format!("WS_{code}"));
        }
        let fault = judge(vec![Link { reason: Some("too slow".into()), ..closed(1008) }]);
        assert_eq!(fault.detail.as_deref(), Some("too slow"));
        assert_eq!(judge(vec![Link { reason: Some(String::new()), ..closed(1008) }]).detail, None);
    }

    #[test]
    fn a_close_event_with_a_fault_is_that_fault() {
        let cause = Link { parent: Some(0), code: Some("ECONNRESET".into()), ..Link::default() };
        assert_eq!(&*judge(vec![closed(1006), cause]).code, "ECONNRESET");
    }

    #[test]
    fn a_status_is_told_in_words() {
        let fault = judge(vec![worded("Unexpected server response: 503")]);
        assert_eq!((&*fault.code, fault.status, fault.transient), ("HTTP_503", Some(503), true));
        let page = judge(vec![worded("Unexpected server response: 200")]);
        assert_eq!((&*page.code, page.kind, page.phase), ("ERR_WS_HANDSHAKE", Kind::Protocol, Phase::Handshake));
        assert_eq!(judge(vec![worded("Unexpected server response: many")]).kind, Kind::Unknown);
    }

    #[test]
    fn words_count_only_whole_and_only_where_there_is_nothing_else() {
        assert_eq!(&*judge(vec![worded("Opening handshake has timed out")]).code, "ETIMEDOUT");
        assert_eq!(judge(vec![worded("Opening handshake has timed out, they said")]).kind, Kind::Unknown);
        let coded = Link { code: Some("E_OWN".into()), ..worded("Opening handshake has timed out") };
        assert_eq!(judge(vec![coded]).kind, Kind::Unknown);
        let text = Link { text: true, ..worded("Opening handshake has timed out") };
        assert_eq!(judge(vec![text]).kind, Kind::Unknown);
    }

    #[test]
    fn an_event_that_tells_nothing_is_a_lost_connection_if_it_is_a_websockets() {
        let event = Link { type_: Some("error".into()), of_web_socket: true, ..Link::default() };
        let empty = Link { parent: Some(0), name: Some("TypeError".into()), ..Link::default() };
        assert_eq!(&*judge(vec![event.clone(), empty.clone()]).code, "WS_1006");
        let other = Link { of_web_socket: false, ..event.clone() };
        assert_eq!(judge(vec![other, empty]).kind, Kind::Unknown);
        let telling = Link { parent: Some(0), code: Some("WS_ERR_INVALID_UTF8".into()), ..Link::default() };
        assert_eq!(&*judge(vec![event.clone(), telling]).code, "WS_ERR_INVALID_UTF8");
        assert_eq!(judge(vec![Link { type_: Some("open".into()), ..event }]).kind, Kind::Unknown);
    }
}
