//! A request body that is produced while it is sent, and how far it has come.
//!
//! hyper reads the body on the connection's own task. The exchange has to know when it is all read, because only
//! then is the server expected to answer: a slow upload is not a slow server.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};

use crate::http::body::{BodyStream, SourceFailed};

/// Shared by the body, which hyper owns, and the exchange that waits for the answer.
#[derive(Debug, Default)]
pub(super) struct Progress {
    finished: AtomicBool,
    waiting: AtomicWaker,
}

impl Progress {
    /// Whether the body has been read to its end. Wakes `cx` once that happens.
    pub fn is_finished(&self, cx: &Context<'_>) -> bool {
        self.waiting.register(cx.waker());
        self.has_finished()
    }

    pub fn has_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    fn finish(&self) {
        self.finished.store(true, Ordering::Release);
        self.waiting.wake();
    }
}

pub(super) struct Upload {
    /// reqwest wants bodies that are `Sync`. The lock makes the stream so; it is never taken, because whoever
    /// polls has the body to itself.
    stream: Mutex<BodyStream>,
    /// Bytes still to come, where the length was stated.
    remaining: Option<u64>,
    progress: Arc<Progress>,
}

impl Upload {
    pub fn new(stream: BodyStream, length: Option<u64>) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress::default());
        if length == Some(0) {
            progress.finish();
        }
        (Upload { stream: Mutex::new(stream), remaining: length, progress: Arc::clone(&progress) }, progress)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = SourceFailed;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, SourceFailed>>> {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        let polled = stream.as_mut().poll_next(cx);
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => {
                if let Some(remaining) = &mut self.remaining {
                    *remaining = remaining.saturating_sub(bytes.len() as u64);
                    // hyper stops reading at the stated length and never asks for the end.
                    if *remaining == 0 {
                        self.progress.finish();
                    }
                }
            }
            Poll::Ready(None) => self.progress.finish(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled.map_ok(Frame::data)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::*;

    fn stream_of(chunks: &[&'static str]) -> BodyStream {
        Box::pin(stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn the_end_of_an_open_ended_body_is_its_last_frame() {
        let (mut upload, progress) = Upload::new(stream_of(&["ab", "c"]), None);
        assert_eq!(upload.size_hint().exact(), None);
        while let Some(frame) = upload.frame().await {
            assert!(!progress.has_finished());
            frame.unwrap();
        }
        assert!(progress.is_finished(&Context::from_waker(Waker::noop())));
    }

    #[tokio::test]
    async fn a_body_of_known_length_has_ended_with_its_last_byte() {
        let (mut upload, progress) = Upload::new(stream_of(&["ab", "c"]), Some(3));
        upload.frame().await.unwrap().unwrap();
        assert_eq!((upload.size_hint().exact(), progress.has_finished()), (Some(1), false));
        upload.frame().await.unwrap().unwrap();
        assert!(progress.has_finished());
    }
}
