//! A request body on its way to the connection, and how far it has come.
//!
//! hyper reads the body on the connection's own task, a piece at a time as the socket takes them. The exchange has to
//! know two things about that. When it is all read, because only then is the server expected to answer: a slow upload
//! is not a slow server. And whom it waits for until then: the caller's source may take as long as it likes, but a
//! peer that has stopped reading would be waited for without end.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::fault::{Delivery, Fault, Phase};
use crate::http::body::{BodyStream, SourceFailed};

/// The most that hyper is given at once. It asks for more only when it has sent nearly all it was given, so this is
/// how finely progress is seen; and any link that is alive sends this much well within a limit on silence.
pub(super) const SLICE: usize = 256 * 1024;

/// What an upload waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The connection: it has not asked for more since it took the last piece, if it has taken any.
    Connection { taken: Option<Instant> },
    /// The source: the connection has asked for bytes and there are none yet.
    Source,
    /// Nothing. The body has been read to its end.
    Finished,
}

/// Shared by the body, which hyper owns, and the exchange that waits for the answer.
#[derive(Debug)]
pub(super) struct Progress {
    stage: Mutex<Stage>,
    waiting: AtomicWaker,
}

impl Progress {
    /// Wakes `cx` once the body is finished, and when it begins to wait for the connection after the source.
    pub fn stage(&self, cx: &Context<'_>) -> Stage {
        self.waiting.register(cx.waker());
        *self.lock()
    }

    pub fn has_finished(&self) -> bool {
        *self.lock() == Stage::Finished
    }

    fn enter(&self, stage: Stage) {
        let before = std::mem::replace(&mut *self.lock(), stage);
        // A piece after a piece only moves a limit that is watched already.
        if matches!((before, stage), (Stage::Source, _) | (_, Stage::Finished)) && before != stage {
            self.waiting.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an upload ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadFailed {
    #[error("the request body failed while it was read")]
    Source(#[source] SourceFailed),
    /// hyper would cut the body there, or wait for the rest, and the server would believe it.
    #[error("the request body is longer or shorter than its stated length")]
    Length,
}

impl UploadFailed {
    pub fn fault(&self, phase: Phase, delivery: Delivery) -> Fault {
        let code = match self {
            UploadFailed::Source(_) => "ERR_BODY_SOURCE_FAILED",
            UploadFailed::Length => "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
        };
        Fault::new(code, phase, delivery)
    }
}

/// Reads a stream whose stated length is 0. hyper asks such a body for nothing: what it has would be lost, and the
/// server would believe that there was nothing.
pub(super) async fn read_nothing(mut stream: BodyStream) -> Result<(), UploadFailed> {
    while let Some(piece) = stream.next().await {
        if !piece.map_err(UploadFailed::Source)?.is_empty() {
            return Err(UploadFailed::Length);
        }
    }
    Ok(())
}

pub(super) struct Upload {
    /// `None` when it has ended.
    source: Option<BodyStream>,
    /// Read from the source, not given to hyper yet.
    ready: Bytes,
    /// Bytes that hyper has not been given yet, where the length was stated.
    remaining: Option<u64>,
    progress: Arc<Progress>,
}

impl Upload {
    pub fn of_stream(stream: BodyStream, length: Option<u64>) -> (Self, Arc<Progress>) {
        Self::new(Some(stream), Bytes::new(), length)
    }

    /// Bytes that are known but take a while to send.
    pub fn of_bytes(bytes: Bytes, length: u64) -> (Self, Arc<Progress>) {
        Self::new(None, bytes, Some(length))
    }

    fn new(source: Option<BodyStream>, ready: Bytes, remaining: Option<u64>) -> (Self, Arc<Progress>) {
        // hyper does not ask for a body without bytes.
        let stage = if remaining == Some(0) { Stage::Finished } else { Stage::Connection { taken: None } };
        let progress = Arc::new(Progress { stage: Mutex::new(stage), waiting: AtomicWaker::new() });
        let upload = Upload { source, ready, remaining, progress: Arc::clone(&progress) };
        (upload, progress)
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, UploadFailed>>> {
        while let Some(stream) = &mut self.source {
            // hyper never asks again after the byte that completes the stated length. It is held back until the
            // source has ended, or more bytes than stated would go unnoticed.
            let completes = self.remaining == Some(self.ready.len() as u64);
            if !self.ready.is_empty() && (!completes || self.ready.len() > SLICE) {
                break;
            }
            match ready!(stream.as_mut().poll_next(cx)) {
                None => self.source = None,
                Some(Err(failed)) => return Poll::Ready(Some(Err(UploadFailed::Source(failed)))),
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(_)) if completes => return Poll::Ready(Some(Err(UploadFailed::Length))),
                Some(Ok(bytes)) => self.ready = bytes,
            }
        }
        let piece = self.ready.split_to(self.ready.len().min(SLICE));
        Poll::Ready(match &mut self.remaining {
            Some(remaining) => match remaining.checked_sub((piece.len() + self.ready.len()) as u64) {
                None => Some(Err(UploadFailed::Length)),
                Some(missing) if piece.is_empty() => (missing > 0).then_some(Err(UploadFailed::Length)),
                Some(_) => {
                    *remaining -= piece.len() as u64;
                    Some(Ok(piece))
                }
            },
            None => (!piece.is_empty()).then_some(Ok(piece)),
        })
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadFailed;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadFailed>>> {
        let polled = self.poll_piece(cx);
        match &polled {
            Poll::Pending => self.progress.enter(Stage::Source),
            Poll::Ready(Some(Ok(_))) if self.remaining != Some(0) => {
                self.progress.enter(Stage::Connection { taken: Some(Instant::now()) });
            }
            Poll::Ready(Some(Ok(_)) | None) => self.progress.enter(Stage::Finished),
            Poll::Ready(Some(Err(_))) => {}
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

    fn poll(upload: &mut Upload) -> Poll<Option<Result<Frame<Bytes>, UploadFailed>>> {
        Pin::new(upload).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn stage(progress: &Progress) -> Stage {
        progress.stage(&Context::from_waker(Waker::noop()))
    }

    /// The lengths of the pieces, or the failure.
    async fn lengths((mut upload, _): (Upload, Arc<Progress>)) -> Result<Vec<usize>, UploadFailed> {
        let mut lengths = Vec::new();
        while let Some(frame) = upload.frame().await {
            lengths.push(frame?.into_data().unwrap().len());
        }
        Ok(lengths)
    }

    #[tokio::test]
    async fn the_end_of_an_open_ended_body_is_its_last_frame() {
        let (mut upload, progress) = Upload::of_stream(stream_of(&["ab", "c"]), None);
        assert_eq!(upload.size_hint().exact(), None);
        while let Some(frame) = upload.frame().await {
            assert!(!progress.has_finished());
            frame.unwrap();
        }
        assert_eq!(stage(&progress), Stage::Finished);
    }

    #[tokio::test]
    async fn a_body_of_known_length_has_ended_with_its_last_byte() {
        let (mut upload, progress) = Upload::of_stream(stream_of(&["ab", "", "c", ""]), Some(3));
        upload.frame().await.unwrap().unwrap();
        assert_eq!((upload.size_hint().exact(), progress.has_finished()), (Some(1), false));
        upload.frame().await.unwrap().unwrap();
        assert!(progress.has_finished());
        assert!(Upload::of_stream(stream_of(&[]), Some(0)).1.has_finished());
    }

    #[tokio::test]
    async fn a_body_of_another_length_than_stated_fails_before_it_looks_whole() {
        for (chunks, length) in [(&["abc", "d"][..], 3), (&["ab", "cd"], 3), (&["abcd"], 3), (&["ab"], 3), (&[], 3)] {
            let (mut upload, progress) = Upload::of_stream(stream_of(chunks), Some(length));
            let mut given = 0;
            let failed = loop {
                match upload.frame().await.expect("an end in failure") {
                    Ok(frame) => given += frame.into_data().unwrap().len() as u64,
                    Err(failed) => break failed,
                }
            };
            assert!(matches!(failed, UploadFailed::Length) && given < length, "{chunks:?} gave {given}");
            assert!(!progress.has_finished());
        }
    }

    #[tokio::test]
    async fn hyper_is_given_slices() {
        let whole = Bytes::from(vec![b'x'; 2 * SLICE + 1]);
        assert_eq!(lengths(Upload::of_bytes(whole.clone(), whole.len() as u64)).await.unwrap(), [SLICE, SLICE, 1]);
        let twice = || Box::pin(stream::iter([Ok(whole.clone()), Ok(whole.clone())])) as BodyStream;
        let expected = [SLICE, SLICE, 1, SLICE, SLICE, 1];
        assert_eq!(lengths(Upload::of_stream(twice(), None)).await.unwrap(), expected);
        assert_eq!(lengths(Upload::of_stream(twice(), Some(2 * whole.len() as u64))).await.unwrap(), expected);
        assert!(lengths(Upload::of_stream(twice(), Some(whole.len() as u64))).await.is_err());
    }

    #[tokio::test]
    async fn it_is_known_whom_the_upload_waits_for() {
        let (sender, pieces) = tokio::sync::mpsc::unbounded_channel();
        let stream = stream::unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) });
        let (mut upload, progress) = Upload::of_stream(stream.boxed(), None);
        assert_eq!(stage(&progress), Stage::Connection { taken: None });
        assert!(poll(&mut upload).is_pending());
        assert_eq!(stage(&progress), Stage::Source);
        sender.send(Ok(Bytes::from_static(b"a"))).unwrap();
        assert!(poll(&mut upload).is_ready());
        assert!(matches!(stage(&progress), Stage::Connection { taken: Some(_) }));
        drop(sender);
        assert!(poll(&mut upload).is_ready());
        assert_eq!(stage(&progress), Stage::Finished);
    }
}
