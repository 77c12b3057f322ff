//! Connections that the peer or the network ended, or that never came about.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Connections",
    introduction: "The connection broke, or could not be made. These are the faults that a second try usually heals; \
                   `delivery` says whether a second try is safe.",
    entries: ENTRIES,
};

/// The connection existed; whether the request was taken is not known.
const BROKEN: Entry = Entry::of(Kind::Reset, Phase::Wait, Delivery::Unknown).transient().reconnect();
/// No connection came about, so nothing was sent.
const NEVER_MADE: Entry = Entry::of(Kind::Unreachable, Phase::Connect, Delivery::NotSent).transient().reconnect();

const ENTRIES: &[Entry] = &[
    BROKEN
        .code("ECONNRESET", "The peer ended the connection while a call was outstanding.")
        .causes(&[
            "The server or a load balancer closed an idle keep-alive connection just as the request left",
            "The server process crashed, was restarted or was deployed anew",
            "A proxy, firewall or NAT gateway dropped a connection it had forgotten",
            "The server refused the request by closing (too many connections, a body too large, plain HTTP on a TLS port)",
        ])
        .action(
            "Repeat the call if it is idempotent or carries an Idempotency-Key. If it happens on the first request after \
             a pause, use a keep-alive timeout shorter than the server's.",
        ),
    BROKEN
        .code("EPIPE", "The request was written to a connection that the peer had already closed.")
        .at(Phase::Send, Delivery::Unknown)
        .causes(&[
            "The server closed an idle keep-alive connection before the request left",
            "The server answered early and closed while the body was still being sent",
        ])
        .action("As ECONNRESET. With a large upload, look for an early 401, 413 or 417 in the server's log."),
    BROKEN
        .code("ECONNABORTED", "The connection was aborted by this computer.")
        .causes(&[
            "Windows: the network or an antivirus program dropped the connection",
            "The connection timed out while data was being retransmitted",
        ])
        .action("As ECONNRESET."),
    BROKEN
        .code("ENETRESET", "The network dropped the connection.")
        .causes(&["The interface or the route changed while the connection was in use", "A keep-alive probe failed"])
        .action("As ECONNRESET."),
    BROKEN
        .code("ENOTCONN", "The socket was used before it was connected, or after its connection was lost.")
        .causes(&["The peer reset the connection between two operations", "A race between connect and use"])
        .action("Open a new connection; do not use the socket object again."),
    BROKEN
        .code("ESHUTDOWN", "The socket was already shut down for writing.")
        .causes(&["The request was written to a connection that is being closed"])
        .action("Open a new connection."),
    // Not transient: it may as well be a file that cannot be read.
    Entry::of(Kind::Client, Phase::Wait, Delivery::Unknown)
        .reconnect()
        .code("EIO", "The system could not read or write.")
        .causes(&["A fault of a driver, a device or a virtual network", "A damaged disk, where a file is the source of the body"])
        .action("Read the log of the system."),
    BROKEN
        .code("EINTR", "A signal interrupted the operation.")
        .kind(Kind::Client)
        .causes(&["A profiler or a debugger", "A signal handler of a native addon"])
        .action("As ECONNRESET."),
    BROKEN
        .code("ERR_STREAM_PREMATURE_CLOSE", "The connection closed before the message was complete.")
        .becomes("ECONNRESET")
        .at(Phase::Receive, Delivery::Unknown)
        .causes(&["The server closed inside a response body", "A proxy cut the response short"])
        .action("Do not use the part that arrived as if it were whole. Repeat the call if it is idempotent."),
    BROKEN
        .code("UND_ERR_SOCKET", "The peer closed the connection while a call was outstanding (undici, built-in fetch).")
        .becomes("ECONNRESET")
        .causes(&["The server closed an idle keep-alive connection just as the request left", "The server closed inside a response"])
        .action("As ECONNRESET."),
    BROKEN
        .code("ERR_HTTP2_STREAM_CANCEL", "The HTTP/2 stream was cancelled because its connection ended.")
        .becomes("ECONNRESET")
        .causes(&["The connection of the HTTP/2 session broke with streams open"])
        .action("As ECONNRESET."),
    BROKEN
        .code("ERR_HTTP2_SESSION_ERROR", "The HTTP/2 session ended with an error.")
        .becomes("ECONNRESET")
        .causes(&["The server sent GOAWAY with an error", "The connection broke"])
        .action("Open a new session, and repeat idempotent calls."),
    Entry::of(Kind::Refused, Phase::Connect, Delivery::NotSent)
        .transient()
        .reconnect()
        .code("ECONNREFUSED", "Nothing listens at this address and port.")
        .causes(&[
            "The server is not running yet, is restarting, or crashed",
            "The port or host name is wrong (in a container, localhost is the container itself)",
            "The server listens on IPv4 only and the name resolved to IPv6, or the other way round",
            "The server's queue of waiting connections is full (Windows), or a firewall rejects",
        ])
        .action("Nothing was sent, so any call may be repeated. If it persists, check host, port and that the server runs."),
    Entry::of(Kind::Refused, Phase::Connect, Delivery::NotSent)
        .transient()
        .code("ERR_BREAKER_OPEN", "The circuit breaker of this origin is open: calls to it are refused for now, without being made.")
        .causes(&[
            "Too many of the last calls to the origin failed (`retry.breaker`)",
            "The origin may be back: the breaker lets one call through after `openFor`, and this one came while its outcome was awaited",
        ])
        .action(
            "Look at the faults of the calls before it: they say what is wrong with the origin. Nothing was sent; `retryAfter` says \
             when to try again.",
        ),
    NEVER_MADE
        .code("EHOSTUNREACH", "There is no route to the host.")
        .causes(&["The host is down or has another address", "A firewall rejects", "A VPN or container network is not up"])
        .action("Nothing was sent, so any call may be repeated. If it persists, check routes and firewall."),
    NEVER_MADE
        .code("ENETUNREACH", "There is no route to the network.")
        .causes(&["This computer has no network", "The name resolved to IPv6 and there is only IPv4", "A VPN is not up"])
        .action("As EHOSTUNREACH."),
    NEVER_MADE
        .code("EHOSTDOWN", "The host is down.")
        .causes(&["The host does not answer on its local network"])
        .action("As EHOSTUNREACH."),
    NEVER_MADE
        .code("ENETDOWN", "The network interface is down.")
        .causes(&["The interface was switched off or unplugged"])
        .action("As EHOSTUNREACH."),
    NEVER_MADE
        .code("ENONET", "This computer is not on the network.")
        .causes(&["The interface has no network"])
        .action("As EHOSTUNREACH."),
    Entry::of(Kind::Closed, Phase::Idle, Delivery::NotSent)
        .transient()
        .reconnect()
        .code("ERR_SOCKET_CLOSED", "The socket was closed before it was used.")
        .causes(&["The socket object was used after 'close'", "The peer ended the connection between calls"])
        .action("Open a new connection."),
    Entry::of(Kind::Closed, Phase::Connect, Delivery::NotSent)
        .transient()
        .reconnect()
        .code("ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "The socket was closed before the connection came about.")
        .causes(&["destroy() was called while connecting"])
        .action("Open a new connection if it is still wanted."),
    Entry::of(Kind::Closed, Phase::Idle, Delivery::NotSent)
        .code("UND_ERR_CLOSED", "The client was closed before the call began.")
        .causes(&["close() was called on the fetch of `createFetch`, or on undici's dispatcher, while calls were still being made"])
        .action("Close the client after the last call, or make a new one."),
    Entry::of(Kind::Closed, Phase::Wait, Delivery::Unknown)
        .code("UND_ERR_DESTROYED", "The client was destroyed with the call outstanding, or before it began.")
        .causes(&["destroy() was called on the fetch of `createFetch`, or on undici's dispatcher", "The process is shutting down"])
        .action("Close the client instead of destroying it, or make a new one."),
    Entry::of(Kind::Closed, Phase::Send, Delivery::Unknown)
        .transient()
        .reconnect()
        .code("ERR_STREAM_DESTROYED", "The stream was used after it was destroyed.")
        .causes(&["A write after the connection was lost", "A write after destroy()"])
        .action("Listen for 'close' and stop writing; open a new connection."),
    Entry::of(Kind::Closed, Phase::Idle, Delivery::Unknown)
        .transient()
        .reconnect()
        .code("ERR_HTTP2_INVALID_SESSION", "The HTTP/2 session was already destroyed.")
        .causes(&["A request on a session whose connection has ended"])
        .action("Connect a new session."),
    Entry::of(Kind::Closed, Phase::Idle, Delivery::NotSent)
        .transient()
        .reconnect()
        .code("ERR_HTTP2_GOAWAY_SESSION", "The HTTP/2 server takes no new streams on this session.")
        .causes(&["The server sent GOAWAY: it restarts or rotates its connections"])
        .action("It names the last request that it took. Those after it it did not and will not act on, even if some of them was \
             sent: any call may be repeated on a new session."),
    Entry::of(Kind::Reset, Phase::Wait, Delivery::Unknown)
        .transient()
        .code("ERR_HTTP2_STREAM_ERROR", "The server reset the HTTP/2 stream.")
        .causes(&[
            "The server failed inside the handler",
            "A proxy lost its connection to the server behind it",
            "REFUSED_STREAM: the server has too much to do, and did not act on the request",
        ])
        .action("Repeat the call if it is idempotent, or `delivery` is `not-sent`; the connection itself is still good."),
    Entry::of(Kind::Reset, Phase::Send, Delivery::Unknown)
        .transient()
        .code("ERR_SOCKET_WRITE_CUT", "The connection of a Socket was lost with only part of a message sent.")
        .causes(&["The peer reset or ended the connection while the message was leaving"])
        .action("The rest is never sent on another connection. Write the message again if the peer can tell that it did not act on the \
             first half, or use `frame` with `resend: 'unacknowledged'`."),
    Entry::of(Kind::Timeout, Phase::Connect, Delivery::NotSent)
        .transient()
        .code("ERR_SOCKET_WRITE_EXPIRED", "A write of a Socket waited for a connection for longer than `queue.age`.")
        .causes(&["The server has been away for longer than the writes are worth"])
        .action("Nothing of it was sent: write it again if it still matters, or raise `queue.age`."),
    Entry::of(Kind::TooLarge, Phase::Send, Delivery::NotSent)
        .transient()
        .code("ERR_SOCKET_QUEUE_FULL", "A write does not fit into what a Socket keeps while it waits (`queue.whenFull: 'error'`).")
        .causes(&["More is written than the peer takes, or while there is no connection"])
        .action("Nothing of it was sent: write it again when the callbacks of earlier writes have been called, raise `queue.bytes`, or let the queue block."),
    Entry::of(Kind::Client, Phase::Handshake, Delivery::NotSent)
        .code("ERR_SOCKET_SESSION_OVER", "A session of a Socket was used after `onConnect` had returned.")
        .causes(&["Work in `onConnect` that is not awaited"])
        .action("Await everything in `onConnect`; afterwards write to the Socket itself."),
    Entry::of(Kind::Client, Phase::Handshake, Delivery::NotSent)
        .code("ERR_SOCKET_SESSION_BUSY", "A session of a Socket was asked to read while it was reading.")
        .causes(&["Two reads in `onConnect` at the same time"])
        .action("Await each read before the next one."),
];
