//! The statuses of gRPC.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "gRPC",
    introduction: "The statuses of the gRPC specification, by name. Several are made by the client's library as well as by \
                   servers, and nothing tells the two apart: those have delivery `unknown`.",
    entries: ENTRIES,
};

const REFUSED: Entry = Entry::of(Kind::Client, Phase::Receive, Delivery::Answered);
const FAILED: Entry = Entry::of(Kind::Server, Phase::Wait, Delivery::Unknown);
const FIX: &str = "Correct the call: repeated as it is, it fails again.";
const IDEMPOTENT: &str = "Repeat calls that are idempotent, with backoff.";

const ENTRIES: &[Entry] = &[
    Entry::of(Kind::Aborted, Phase::Wait, Delivery::Unknown)
        .becomes("ABORT_ERR")
        .code("GRPC_CANCELLED", "The call was cancelled.")
        .causes(&["The program cancelled it", "The server's own deadline, or a proxy, cancelled it"])
        .action("Nothing, if the program wanted it."),
    FAILED
        .code("GRPC_UNKNOWN", "The server failed in a way that it does not name.")
        .causes(&["An exception in the server's code"])
        .action("Read the server's log."),
    REFUSED
        .code("GRPC_INVALID_ARGUMENT", "The server refused the arguments.")
        .causes(&["A mistake in the call"])
        .action(FIX),
    Entry::of(Kind::Timeout, Phase::Wait, Delivery::Unknown)
        .transient()
        .reconnect()
        .becomes("ETIMEDOUT")
        .code("GRPC_DEADLINE_EXCEEDED", "The deadline of the call passed before there was an answer.")
        .causes(&["The server is overloaded, or the deadline is short", "The connection was being made for too long"])
        .action("The server may still be working: repeat idempotent calls only, or raise the deadline."),
    REFUSED
        .code("GRPC_NOT_FOUND", "The server does not have what was asked for.")
        .causes(&["It is not there, or not yet"])
        .action(FIX),
    REFUSED
        .code("GRPC_ALREADY_EXISTS", "What was to be made is there already.")
        .causes(&["An earlier call made it, perhaps one whose answer was lost"])
        .action("Look whether it is the same; then it is done."),
    REFUSED.code("GRPC_PERMISSION_DENIED", "The caller may not do that.").causes(&["Missing rights"]).action(FIX),
    FAILED
        .kind(Kind::Throttled)
        .transient()
        .code("GRPC_RESOURCE_EXHAUSTED", "Something is used up: a quota, memory, or the size that a message may have.")
        .causes(&["A quota of the caller's", "The server sheds load", "A message above the limit of the library"])
        .action("Wait, and send less. A message that is too large stays so."),
    REFUSED
        .code("GRPC_FAILED_PRECONDITION", "The state of the system does not allow the call.")
        .causes(&["Something has to be done first"])
        .action(FIX),
    Entry::of(Kind::Server, Phase::Receive, Delivery::Answered)
        .transient()
        .code("GRPC_ABORTED", "The server gave the operation up, because another one was in the way.")
        .causes(&["Two transactions at once"])
        .action("Repeat the whole sequence, from what was read."),
    REFUSED
        .code("GRPC_OUT_OF_RANGE", "The call went past the end of what there is.")
        .causes(&["A mistake in the call"])
        .action(FIX),
    REFUSED
        .code("GRPC_UNIMPLEMENTED", "The server does not have this method.")
        .causes(&["Versions that do not fit", "The address leads to another service"])
        .action(FIX),
    FAILED
        .code("GRPC_INTERNAL", "The server, or a part of the way, broke a rule of its own.")
        .causes(&["A bug", "A proxy that does not speak HTTP/2 rightly"])
        .action("Read the server's log."),
    FAILED
        .transient()
        .reconnect()
        .code("GRPC_UNAVAILABLE", "The service is not there at present.")
        .causes(&[
            "The connection was refused, reset or lost",
            "The server is restarted",
            "A proxy has no server behind it",
        ])
        .action(IDEMPOTENT),
    FAILED
        .code("GRPC_DATA_LOSS", "Data was lost or is corrupt.")
        .causes(&["A damaged store"])
        .action("Read the server's log."),
    REFUSED
        .code("GRPC_UNAUTHENTICATED", "The server does not know who calls.")
        .causes(&["A missing or expired token"])
        .action(FIX),
];
