//! The codes with which a WebSocket closes, and what its clients find wrong with what they receive.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "WebSocket",
    introduction: "`WS_1001` and so on are close codes: of a close event, or of a Close frame. 1005 and 1006 are never sent: \
                   they are what a client says when there was no code, or no Close frame at all. `transient` says whether a \
                   connection that closed with this code is worth opening again without being told to; it is what our \
                   `WebSocket` goes by. Codes that are not listed follow their range. The codes that begin with `WS_ERR_` \
                   are those of the `ws` package, and ours for the same. What was sent before a close may or may not have \
                   been read, so delivery is `unknown`.",
    entries: ENTRIES,
};

/// The entry of a code that has none of its own.
pub(super) fn group_of(code: u16) -> Option<&'static str> {
    match code {
        1000..=2999 => Some("WS_1XXX"),
        3000..=3999 => Some("WS_3XXX"),
        4000..=4999 => Some("WS_4XXX"),
        _ => None,
    }
}

/// The peer closed, and would again.
const CLOSED: Entry = Entry::of(Kind::Closed, Phase::Idle, Delivery::Unknown).reconnect();
/// What the client received is no WebSocket.
const MALFORMED: Entry = Entry::of(Kind::Protocol, Phase::Receive, Delivery::Unknown).reconnect();
const TOO_LARGE: Entry = MALFORMED.kind(Kind::TooLarge);
/// A message that our `WebSocket` gave up.
const GIVEN_UP: Entry = Entry::of(Kind::Reset, Phase::Send, Delivery::Unknown).transient();
const SERVER_BUG: &str = "The server, or something between, is at fault: record what it sends.";

const ENTRIES: &[Entry] = &[
    Entry::of(Kind::Closed, Phase::Idle, Delivery::Unknown)
        .code("WS_1000", "The WebSocket was closed, because it has served its purpose.")
        .causes(&["The server was done", "`close()` was called"])
        .action("Nothing is wrong. If the connection is to go on all the same, `reconnect: { codes: [1000] }`."),
    CLOSED
        .transient()
        .code("WS_1001", "The peer is going away.")
        .causes(&["The server is shutting down or is being replaced", "A browser left the page"])
        .action("Connect again, after a random wait: everybody else does so at the same moment."),
    CLOSED
        .kind(Kind::Protocol)
        .code("WS_1002", "The peer says that what it received breaks the protocol.")
        .causes(&["A client or a proxy that makes invalid frames", "Compression that one side does not know of"])
        .action("Try without `perMessageDeflate` and without proxies; the client or a proxy is at fault."),
    CLOSED
        .kind(Kind::Client)
        .code("WS_1003", "The peer does not accept data of this type.")
        .causes(&["A binary message to a server that takes only text, or the other way round"])
        .action("Send the type of message that the server documents."),
    CLOSED
        .transient()
        .code("WS_1005", "The peer closed the WebSocket without saying why.")
        .causes(&["`close()` without a code", "A server that ends sessions on some condition of its own"])
        .action("Connect again; if it happens at once each time, the log of the server knows more."),
    CLOSED
        .kind(Kind::Reset)
        .at(Phase::Wait, Delivery::Unknown)
        .transient()
        .code("WS_1006", "The connection was lost without a Close frame, or never came about.")
        .causes(&[
            "A proxy or load balancer dropped a connection that was idle for too long",
            "The server crashed or was killed",
            "The network was lost or changed",
            "A message larger than something on the way accepts",
            "The handshake was refused: a close event does not tell that from the rest",
        ])
        .action(
            "Connect again, after a random wait. The code is all that a close event has to say: look at the error event before it, or \
             use our `WebSocket`, whose close event has a `fault`.",
        ),
    CLOSED
        .kind(Kind::Protocol)
        .code("WS_1007", "The peer says that a message has content of another kind than it claims.")
        .causes(&["A text message that is not UTF-8", "Data that does not match the subprotocol"])
        .action("Correct what is sent; bytes go into binary messages."),
    CLOSED
        .kind(Kind::Client)
        .code("WS_1008", "The peer refuses what it received, as a matter of policy.")
        .causes(&["A missing or expired token", "Too many messages", "An origin that is not allowed"])
        .action("Read the reason of the close event; correct the credentials or the rate."),
    CLOSED
        .kind(Kind::TooLarge)
        .at(Phase::Send, Delivery::Unknown)
        .code("WS_1009", "A message is larger than the peer accepts.")
        .causes(&["A limit on messages, or on frames, of the server or of a gateway before it"])
        .action(
            "Send less at once. The same message meets the same end on every connection: our `WebSocket` sets it aside \
             ('oversized' event) and goes on without it.",
        ),
    CLOSED
        .kind(Kind::Protocol)
        .code("WS_1010", "The client misses an extension that the server did not agree to.")
        .causes(&["A client that insists on compression"])
        .action("Do not require the extension, or switch it on at the server."),
    CLOSED
        .kind(Kind::Server)
        .transient()
        .code("WS_1011", "The server failed.")
        .causes(&["An exception in the server's handler"])
        .action("Connect again; if a certain message does it each time, the log of the server says why."),
    CLOSED
        .kind(Kind::Server)
        .transient()
        .code("WS_1012", "The server restarts.")
        .causes(&["A deployment"])
        .action("Connect again, after a random wait."),
    CLOSED
        .kind(Kind::Throttled)
        .transient()
        .code("WS_1013", "The server has too much to do: try again later.")
        .causes(&["Too many connections"])
        .action("Connect again, later, and after a random wait."),
    CLOSED
        .kind(Kind::Server)
        .transient()
        .code("WS_1014", "A gateway got no valid answer from the server behind it.")
        .causes(&["The server behind a proxy is down or restarting"])
        .action("Connect again, after a random wait."),
    CLOSED
        .kind(Kind::Tls)
        .at(Phase::Handshake, Delivery::NotSent)
        .code("WS_1015", "The TLS handshake failed.")
        .causes(&["A certificate that is not valid for the host", "No TLS version in common"])
        .action("The code is all that is told; connect with `tls.connect`, or our `WebSocket`, for the reason."),
    CLOSED
        .kind(Kind::Protocol)
        .code("WS_1XXX", "The WebSocket was closed with a code that has no meaning (1004, 1016 to 2999).")
        .causes(&["A server that makes up codes of its own in the wrong range"])
        .action(SERVER_BUG),
    CLOSED
        .code("WS_3XXX", "The WebSocket was closed by a library or framework, with a code of its own (3000 to 3999).")
        .causes(&["3000: credentials are missing", "3003: forbidden", "3008: the server waited too long"])
        .action("Look the code up in the documentation of the server's framework. `reconnect: { codes }` if it means \"come back\"."),
    CLOSED
        .code("WS_4XXX", "The WebSocket was closed by the application, with a code of its own (4000 to 4999).")
        .causes(&["Authentication failed, a session is over, a rate was exceeded: whatever the service says it means"])
        .action("Look the code up in the documentation of the service. `reconnect: { codes }` if it means \"come back\"."),
    Entry::of(Kind::Protocol, Phase::Handshake, Delivery::NotSent)
        .code("ERR_WS_HANDSHAKE", "The answer to the upgrade is not that of a WebSocket server.")
        .causes(&[
            "The URL leads to something that answers an ordinary page (status 200), or elsewhere (a redirect)",
            "A proxy that does not pass the upgrade on",
            "A subprotocol or extension that was not offered, or none where one was",
        ])
        .action("Check the URL and the subprotocols; `detail` has the words. In nginx, pass `Upgrade` and `Connection` on."),
    MALFORMED
        .code("ERR_WS_PROTOCOL", "What the peer sent breaks the WebSocket protocol.")
        .causes(&["A broken server or proxy"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_UNEXPECTED_RSV_1", "A frame is marked as compressed, and compression was not agreed on, or not for such a frame.")
        .causes(&["A server that compresses whether or not it was agreed on", "Bytes of something else on the connection"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_UNEXPECTED_RSV_2_3", "A frame has bits set that nothing gives a meaning to.")
        .causes(&["An extension that was not agreed on", "Bytes of something else on the connection"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_INVALID_OPCODE", "A frame is of an unknown type, or a fragment is out of place.")
        .causes(&["A server that sends two messages into one another", "Bytes of something else on the connection"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_EXPECTED_FIN", "A control frame is fragmented.")
        .causes(&["A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_EXPECTED_MASK", "A frame to a server is not masked.")
        .causes(&["A broken client"])
        .action("The client, or a proxy before the server, is at fault."),
    MALFORMED
        .code("WS_ERR_UNEXPECTED_MASK", "A frame of the server is masked, as only those of clients are.")
        .causes(&["A broken server", "A proxy that returns what it was sent"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH", "A control frame is longer than 125 bytes, or a Close frame has half a code.")
        .causes(&["A broken server"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_INVALID_CLOSE_CODE", "A Close frame has a code that may not be sent.")
        .causes(&["A server that sends 1005 or 1006, or a code below 1000"])
        .action(SERVER_BUG),
    MALFORMED
        .code("WS_ERR_INVALID_UTF8", "A text message, or the reason of a close, is not UTF-8.")
        .causes(&["A server that sends bytes as text"])
        .action("The server must send bytes as binary messages."),
    TOO_LARGE
        .code("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "A message is larger than `maxPayload`.")
        .causes(&["A message that is larger than expected", "A small one that is large when it is decompressed"])
        .action("Raise `maxPayload` if such messages are wanted."),
    TOO_LARGE
        .code("WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", "A frame claims to be larger than JavaScript can count.")
        .causes(&["Bytes of something else on the connection", "A broken server"])
        .action(SERVER_BUG),
    TOO_LARGE
        .code("WS_ERR_TOO_MANY_BUFFERED_PARTS", "A message comes in more fragments than the client keeps.")
        .causes(&["A server that sends a message in very small fragments"])
        .action("Raise ws's `maxFragments` and `maxBufferedChunks` if the server is to be trusted."),
    MALFORMED
        .code("WS_ERR_*", "What the peer sent is no valid WebSocket frame.")
        .causes(&["A broken server or proxy"])
        .action(SERVER_BUG),
    GIVEN_UP
        .code("ERR_WEBSOCKET_MESSAGE_CUT", "The connection was lost with a message on its way.")
        .causes(&["The peer reset or ended the connection while the message was leaving"])
        .action(
            "The peer may have it or not. Send it again if it can tell duplicates, or let that be done for all of them: \
             `resend: 'unknown-too'`.",
        ),
    GIVEN_UP
        .kind(Kind::Timeout)
        .at(Phase::Connect, Delivery::NotSent)
        .code("ERR_WEBSOCKET_MESSAGE_EXPIRED", "A message waited for a connection for longer than `queue.age`.")
        .causes(&["The server has been away for longer than the messages are worth"])
        .action("Nothing of it was sent: send it again if it still matters, or raise `queue.age`."),
    Entry::of(Kind::TooLarge, Phase::Send, Delivery::Unknown)
        .code("ERR_WEBSOCKET_MESSAGE_OVERSIZED", "A message killed its connection by its size, and was set aside.")
        .causes(&["A limit on messages of the server, or of a gateway before it"])
        .action("Send it in smaller parts. The 'oversized' event has the message, and the size of the largest that got through."),
    Entry::of(Kind::TooLarge, Phase::Send, Delivery::NotSent)
        .transient()
        .code("ERR_WEBSOCKET_QUEUE_FULL", "A message does not fit into what a WebSocket keeps while it waits (`queue.whenFull: 'error'`).")
        .causes(&["More is sent than the peer takes, or while there is no connection"])
        .action("Nothing of it was sent: send it again after `await ws.drained()`, raise `queue.bytes`, or let the queue block."),
    Entry::of(Kind::Closed, Phase::Send, Delivery::Unknown)
        .code("ERR_WEBSOCKET_CLOSED", "The WebSocket was closed for good before the message was known to be sent.")
        .causes(&["`close()` or `terminate()` with messages still waiting", "The server closed with a code that is final"])
        .action("`delivery` says whether some of it may have left. Await `drained()` before closing."),
    Entry::of(Kind::Closed, Phase::Idle, Delivery::NotSent)
        .transient()
        .code("ERR_WEBSOCKET_NOT_OPEN", "There was no connection at that moment, and this is not kept for the next one.")
        .causes(&["`ping()` or `pong()` while connecting or reconnecting", "A session that was used after its connection was lost"])
        .action("Wait for 'open' or 'reconnect'."),
    Entry::of(Kind::Client, Phase::Send, Delivery::NotSent)
        .code("ERR_WEBSOCKET_BLOB_UNREADABLE", "A Blob that was to be sent could not be read.")
        .causes(&["The file behind it was changed or removed"])
        .action("Read the Blob before it is sent, and send the bytes."),
];

#[cfg(test)]
mod tests {
    use crate::fault::catalogue::find;

    /// The ends after which our `WebSocket` comes back by itself; [`crate::websocket::verdict`] goes by it.
    #[test]
    fn these_codes_are_worth_another_connection() {
        let transient: Vec<u16> =
            (0..=5100).filter(|code| find(&format!("WS_{code}")).is_some_and(|entry| entry.transient)).collect();
        assert_eq!(transient, [1001, 1005, 1006, 1011, 1012, 1013, 1014]);
    }

    #[test]
    fn codes_follow_their_range() {
        for (code, group) in [
            (1004, Some("WS_1XXX")),
            (1016, Some("WS_1XXX")),
            (2999, Some("WS_1XXX")),
            (3000, Some("WS_3XXX")),
            (3999, Some("WS_3XXX")),
            (4000, Some("WS_4XXX")),
            (4999, Some("WS_4XXX")),
            (999, None),
            (5000, None),
        ] {
            assert_eq!(find(&format!("WS_{code}")).map(|entry| entry.code), group, "{code}");
        }
        assert_eq!(find("WS_ERR_SOMETHING_NEW").map(|entry| entry.code), Some("WS_ERR_*"));
        assert!(find("WS_").is_none() && find("WS_x").is_none());
    }
}
