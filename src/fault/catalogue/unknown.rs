//! What is not recognised, and what is our own mistake.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Everything else",
    introduction: "Nothing is assumed about an error that is not known here: it is not transient, and the request may have \
                   arrived.",
    entries: &[UNKNOWN, INTERNAL],
};

pub const UNKNOWN: Entry = Entry::of(Kind::Unknown, Phase::Wait, Delivery::Unknown)
    .code("UNKNOWN", "The error is not one that is known here; nothing is assumed about it.")
    .causes(&["An error of the program itself, such as a TypeError in a callback", "A client that is not known here"])
    .action("Look at `detail` and at the original error.");

const INTERNAL: Entry = Entry::of(Kind::Unknown, Phase::Send, Delivery::Unknown)
    .code("ERR_UNRESET_INTERNAL", "unreset itself failed.")
    .causes(&["A bug in unreset"])
    .action("Report it with the `detail`.");
