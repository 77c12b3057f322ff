//! Limits on time. Every one of them is `ETIMEDOUT`; the phase says which part took too long.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Timeouts",
    introduction: "Every limit on time is `ETIMEDOUT`, whichever client noticed it; `phase` says which part took too long. \
                   The other names below are those that the clients use.",
    entries: ENTRIES,
};

const NO_ANSWER: Entry = Entry::of(Kind::Timeout, Phase::Wait, Delivery::Unknown).transient().reconnect();
const NO_CONNECTION: Entry = NO_ANSWER.at(Phase::Connect, Delivery::NotSent).becomes("ETIMEDOUT");

const ENTRIES: &[Entry] = &[
    NO_ANSWER
        .code("ETIMEDOUT", "A limit on time was reached before the peer answered.")
        .causes(&[
            "Phase connect: the host is down, or a firewall drops packets silently",
            "Phase wait: the server is overloaded or works longer than the limit allows",
            "Phase receive: the response stalled, in the server or on the way",
            "The event loop of this process was blocked, so that the answer was not read in time",
        ])
        .action(
            "In phase connect nothing was sent and any call may be repeated. Otherwise the server may still be working: \
             repeat idempotent calls only, with backoff, or raise the limit.",
        ),
    NO_CONNECTION
        .code("UND_ERR_CONNECT_TIMEOUT", "No connection came about within undici's connect timeout.")
        .causes(&["The host is down or a firewall drops packets silently", "DNS or the TLS handshake was slow"])
        .action("Nothing was sent, so any call may be repeated. Check the address, or raise `connect.timeout`."),
    NO_ANSWER
        .code("UND_ERR_HEADERS_TIMEOUT", "The response head did not arrive within undici's headers timeout.")
        .becomes("ETIMEDOUT")
        .causes(&["The server is overloaded or works longer than the limit allows"])
        .action("Repeat idempotent calls, or raise `headersTimeout`."),
    NO_ANSWER
        .code("UND_ERR_BODY_TIMEOUT", "The response body stalled for longer than undici's body timeout.")
        .becomes("ETIMEDOUT")
        .at(Phase::Receive, Delivery::Answered)
        .causes(&["The server stopped sending", "The connection died without a sign"])
        .action("Repeat idempotent calls, resume with Range, or raise `bodyTimeout`."),
    NO_CONNECTION
        .code("ERR_SOCKET_CONNECTION_TIMEOUT", "No address of the host answered within the limit for connecting.")
        .causes(&["IPv6 is advertised and does not work", "The host is down"])
        .action("Nothing was sent, so any call may be repeated. Raise `autoSelectFamilyAttemptTimeout` on slow networks."),
    NO_CONNECTION
        .code("ESOCKETTIMEDOUT", "The connection made no progress within the limit (the request package).")
        .at(Phase::Wait, Delivery::Unknown)
        .causes(&["The server is overloaded or works longer than the limit allows"])
        .action("As ETIMEDOUT."),
    NO_CONNECTION
        .code("ERR_TLS_HANDSHAKE_TIMEOUT", "The TLS handshake was not complete within the limit.")
        .at(Phase::Handshake, Delivery::NotSent)
        .causes(&["The server is overloaded", "The port does not speak TLS and waits for a line of text"])
        .action("Nothing was sent, so any call may be repeated. Check that the port speaks TLS."),
    NO_ANSWER
        .code("ERR_HTTP_REQUEST_TIMEOUT", "The request was not complete within the server's limit.")
        .becomes("ETIMEDOUT")
        .at(Phase::Send, Delivery::Unknown)
        .causes(&["The client sends too slowly", "A connection opened and then left unused"])
        .action("Send faster, or raise `server.requestTimeout`."),
];
