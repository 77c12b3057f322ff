//! Request bodies, and how often each can be sent.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;

/// The caller's body stream failed or was closed. What it failed with stays on the caller's side of the boundary.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the request body failed while it was read")]
pub struct SourceFailed;

/// One reading of a body, in pieces.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, SourceFailed>> + Send>>;

/// A body that is produced while it is sent.
pub trait BodySource: Send + Sync + 'static {
    /// Starts one reading. Called once, unless [`BodySource::reopens`]: then once for each attempt that sends it.
    fn open(&self) -> BodyStream;
    /// Whether `open` may be called again and yields the same bytes from the beginning.
    fn reopens(&self) -> bool;
    /// The exact number of bytes, if it is known before reading (sent as `Content-Length`).
    fn length(&self) -> Option<u64>;
}

/// A request body as the caller gave it.
#[derive(Clone, Default)]
pub enum RequestBody {
    #[default]
    Empty,
    /// Known bytes: replays exactly.
    Bytes(Bytes),
    /// Produced while sent. See `replay` for what of it is kept.
    Source(Arc<dyn BodySource>),
}
