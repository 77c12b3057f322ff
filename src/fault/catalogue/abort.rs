//! The caller ended the call. Never transient.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Aborts",
    introduction: "The caller ended the call: with an AbortController, by destroying the request, or by a rule of its own. \
                   Never transient, whatever the reason was: who wants the answer still asks again.",
    entries: ENTRIES,
};

const ABORTED: Entry = Entry::of(Kind::Aborted, Phase::Wait, Delivery::Unknown);
const INTENDED: &str = "Nothing, if that was intended.";

const ENTRIES: &[Entry] = &[
    ABORTED
        .code("ABORT_ERR", "The caller aborted the call.")
        .causes(&["`controller.abort()` was called", "The user left the page or the request that this call served"])
        .action(INTENDED),
    ABORTED
        .code("UND_ERR_ABORTED", "The caller aborted the call (undici).")
        .becomes("ABORT_ERR")
        .causes(&["The signal of the call was aborted"])
        .action(INTENDED),
    ABORTED
        .code("UND_ERR_ABORT", "The caller aborted the call (undici).")
        .becomes("ABORT_ERR")
        .causes(&["The signal of the call was aborted"])
        .action(INTENDED),
    ABORTED
        .code("ERR_CANCELED", "The caller aborted the call (axios).")
        .becomes("ABORT_ERR")
        .causes(&["The signal or cancel token of the call was used"])
        .action(INTENDED),
    ABORTED
        .code("ERR_ABORTED", "The caller aborted the call (got).")
        .becomes("ABORT_ERR")
        .causes(&["The signal of the call was aborted"])
        .action(INTENDED),
    ABORTED
        .code("ECANCELED", "The operation was cancelled.")
        .becomes("ABORT_ERR")
        .causes(&["The socket was closed from this side with an operation outstanding"])
        .action(INTENDED),
];
