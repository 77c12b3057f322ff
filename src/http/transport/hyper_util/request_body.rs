//! A request body as hyper reads it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::http::transport::upload::{Upload, UploadFailed};

pub(super) enum RequestBody {
    /// Few enough to be sent at once; none when they are given away.
    Bytes(Bytes),
    Upload(Upload),
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = UploadFailed;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadFailed>>> {
        match self.get_mut() {
            RequestBody::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            RequestBody::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            RequestBody::Upload(upload) => Pin::new(upload).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            RequestBody::Bytes(bytes) => bytes.is_empty(),
            RequestBody::Upload(upload) => upload.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            RequestBody::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            RequestBody::Upload(upload) => upload.size_hint(),
        }
    }
}
