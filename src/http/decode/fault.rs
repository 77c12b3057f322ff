//! What can be wrong with a body that arrived.

use super::Corrupt;
use crate::fault::{Delivery, Fault, Phase};

/// The bytes are not what their coding makes.
pub(super) fn corrupt(Corrupt(detail): Corrupt) -> Box<Fault> {
    Box::new(received("Z_DATA_ERROR").with_detail(detail))
}

/// The body ended properly, what is packed in it did not.
pub(super) fn truncated() -> Box<Fault> {
    Box::new(received("Z_BUF_ERROR"))
}

pub(super) fn too_many(count: usize, most: usize) -> Box<Fault> {
    let reason = format!("The response was encoded {count} times over; at most {most} are undone.");
    Box::new(received("ERR_TOO_MANY_CONTENT_ENCODINGS").with_reason(reason))
}

/// The body has more than `most` bytes.
#[must_use]
pub fn too_large(most: u64) -> Box<Fault> {
    let reason = format!("The response body is larger than {most} bytes; `maxResponseSize` sets this limit.");
    Box::new(received("ERR_RESPONSE_TOO_LARGE").with_reason(reason))
}

fn received(code: &'static str) -> Fault {
    Fault::new(code, Phase::Receive, Delivery::Answered)
}
