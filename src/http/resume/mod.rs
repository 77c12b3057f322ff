//! Bodies that survive a break.
//!
//! A response body is where a call spends most of its time, and where a connection is most likely to break. What has
//! arrived is not lost: the rest of it is asked for with `Range` and `If-Range` (RFC 9110, sections 13.1.5 and 14), and
//! goes on in the same stream. The one thing that must never happen is that two versions are spliced into one; so it is
//! done only where [`validators`] prove that the parts are of one body, and the break stays an error otherwise.
//!
//! While nobody has seen any of the body, a call that may be repeated can also begin it anew; see
//! [`RecoveringBody::start_over`].
//!
//! The layer sits on the transport's body and below decoding: ranges count encoded bytes.

mod body;
mod content_range;
mod rest;
pub(super) mod start;
mod validators;

use ::http::HeaderMap;

use super::call::Recovery;
use super::transport::IncomingBody;

pub use body::Resumable;
pub(super) use rest::{Means, Owned};
pub use start::Start;

/// Whether a body that broke goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resume {
    /// The break is an error at once.
    Never,
    /// If a strong validator proves that the rest belongs to what has arrived.
    #[default]
    Validated,
    /// Also without such a proof, as long as nothing speaks against it: for bodies that are known not to change.
    Trusting,
}

/// A body that can tell what it took, and begin anew.
pub trait RecoveringBody: IncomingBody {
    /// The headers of the response it came with.
    fn headers(&self) -> &HeaderMap;
    /// After a fault: whether the body begins anew instead, so that everything read of it is void and is read once
    /// more. To be asked only if nobody has acted on any of it: what comes now may differ from what came before.
    fn start_over(&mut self) -> bool;
    /// What it took to get this far, if there is more to tell than the last time.
    fn news(&mut self) -> Option<Recovery>;
    /// After a fault: a hook of the caller failed, and the caller knows with what.
    fn hook_failed(&self) -> bool;
}
