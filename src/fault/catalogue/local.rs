//! What this computer ran out of, or does not allow. Nothing was sent.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "This computer",
    introduction: "The call failed before it left this computer, so nothing was sent. What ran out comes back when other \
                   connections close: those are transient. What is not allowed stays so.",
    entries: ENTRIES,
};

const EXHAUSTED: Entry = Entry::of(Kind::Client, Phase::Connect, Delivery::NotSent).transient().reconnect();
const FORBIDDEN: Entry = Entry::of(Kind::Client, Phase::Connect, Delivery::NotSent);
const FEWER: &str = "Limit the calls in flight, reuse connections, and look for connections that are never closed.";

const ENTRIES: &[Entry] = &[
    EXHAUSTED
        .code("EMFILE", "This process has too many files and sockets open.")
        .causes(&[
            "More calls in flight than the limit (`ulimit -n`) allows",
            "Sockets or response bodies that are never closed",
        ])
        .action(FEWER),
    EXHAUSTED
        .code("ENFILE", "This computer has too many files and sockets open.")
        .causes(&["Another process leaks, or the system limit is low"])
        .action(FEWER),
    EXHAUSTED
        .code("ENOBUFS", "The system has no buffer space left for sockets.")
        .causes(&["Very many connections at once", "A low limit of a container"])
        .action(FEWER),
    EXHAUSTED
        .code("ENOMEM", "The system has no memory left for the operation.")
        .causes(&["The process or container is short of memory"])
        .action("Give it more memory, or make fewer calls at once."),
    EXHAUSTED
        .code("EADDRNOTAVAIL", "No local address or port is available for the connection.")
        .causes(&[
            "All local ports are taken by connections in TIME_WAIT: many short connections to one server",
            "`localAddress` is not an address of this computer",
            "IPv6 is asked for and switched off",
        ])
        .action("Use keep-alive so that connections are reused; check `localAddress`."),
    EXHAUSTED
        .code("EADDRINUSE", "The local address and port are in use.")
        .causes(&["Another process listens there", "`localPort` is fixed and still in TIME_WAIT"])
        .action("Choose another port, or leave it to the system."),
    EXHAUSTED
        .code("EAGAIN", "The system could not do it right now.")
        .causes(&["A local limit was reached for a moment"])
        .action("Retry with backoff."),
    FORBIDDEN
        .code("EACCES", "This process may not do that.")
        .causes(&[
            "A firewall or sandbox forbids the connection",
            "A port below 1024",
            "The permissions of a Unix socket",
        ])
        .action("Give the process the permission."),
    FORBIDDEN
        .code("EPERM", "This process may not do that.")
        .causes(&["A firewall or sandbox forbids the connection"])
        .action("Give the process the permission."),
    FORBIDDEN
        .code("ERR_ACCESS_DENIED", "Node's permission model forbids this.")
        .causes(&["The process runs with --permission and without --allow-net"])
        .action("Start Node with the permission."),
    FORBIDDEN
        .code("EINVAL", "The system rejects an argument of the operation.")
        .causes(&["An address that cannot be connected to", "An option that does not fit the socket"])
        .action("Check address, port and socket options."),
    FORBIDDEN
        .code("EAFNOSUPPORT", "This computer does not support the address family.")
        .causes(&["IPv6 is switched off"])
        .action("Use IPv4."),
    FORBIDDEN
        .code("EPROTONOSUPPORT", "This computer does not support the protocol.")
        .causes(&["A kernel without it"])
        .action("Use another protocol."),
    FORBIDDEN
        .code("EPROTOTYPE", "The protocol does not fit the kind of socket.")
        .causes(&["A stream socket connected to a datagram socket, or the other way round (Unix sockets)"])
        .action("Use the kind of socket that the peer listens with."),
    FORBIDDEN
        .code("EDESTADDRREQ", "The operation needs an address to send to.")
        .causes(&["A socket that was never connected"])
        .action("Connect the socket first, or name the address."),
    FORBIDDEN
        .code("EALREADY", "The socket is already being connected.")
        .causes(&["A second `connect` on a socket whose first one is under way"])
        .action("Wait for the first `connect`, or use another socket."),
    FORBIDDEN
        .code("EISCONN", "The socket is already connected.")
        .causes(&["A second `connect` on the same socket"])
        .action("Use the connection that is there, or another socket."),
    FORBIDDEN
        .code("EBADF", "The socket was already closed.")
        .causes(&["A handle used after it was closed: a bug in this process"])
        .action("Report it to whoever maintains the program."),
    FORBIDDEN
        .code("ENOTSOCK", "The handle is not a socket.")
        .causes(&["A handle that was closed and given to something else: a bug in this process"])
        .action("Report it to whoever maintains the program."),
    FORBIDDEN
        .kind(Kind::TooLarge)
        .code("EMSGSIZE", "The message is larger than the socket can send at once.")
        .causes(&["A UDP datagram above the limit"])
        .action("Send smaller messages."),
    EXHAUSTED
        .kind(Kind::Refused)
        .code("ENOENT", "The Unix socket does not exist.")
        .causes(&["The server is not running yet", "A wrong path"])
        .action(
            "Nothing was sent, so any call may be repeated. If it persists, check the path and that the server runs.",
        ),
];
