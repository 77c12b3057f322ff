//! Sending a request body more than once.
//!
//! Bytes and sources that reopen replay by themselves. A stream can be read once only; clients that retry with
//! what is left of it send a truncated or an empty body, and the server believes it. So what an attempt reads
//! from such a stream is kept, up to [`KEPT_AT_MOST`], and the next attempt sends it again before it goes on
//! with the stream. Past that bound the call is committed to its attempt.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};

use super::body::{BodySource, BodyStream, RequestBody, SourceFailed};
use super::transport::ExchangeBody;

/// How much of a stream is kept: enough for what APIs take, little beside a process' memory.
const KEPT_AT_MOST: usize = 1 << 20;

/// The body of one call, given out once for each attempt.
pub(super) enum Replay {
    Empty,
    Bytes(Bytes),
    Reopening { source: Arc<dyn BodySource>, readings: Arc<Readings> },
    Once { tape: Arc<Mutex<Tape>>, length: Option<u64> },
}

impl Replay {
    /// `keep`: the call may be repeated after its body was read, so the body is worth remembering.
    pub fn new(body: RequestBody, keep: bool) -> Self {
        match body {
            RequestBody::Empty => Replay::Empty,
            RequestBody::Bytes(bytes) => Replay::Bytes(bytes),
            RequestBody::Source(source) if source.reopens() => Replay::Reopening { source, readings: Arc::default() },
            RequestBody::Source(source) => {
                let length = source.length();
                Replay::Once { tape: Arc::new(Mutex::new(Tape::new(source, keep))), length }
            }
        }
    }

    /// The body for one attempt. An earlier attempt that still reads the same stream loses it.
    pub fn open(&self) -> ExchangeBody {
        match self {
            Replay::Empty => ExchangeBody::Empty,
            Replay::Bytes(bytes) => ExchangeBody::Bytes(bytes.clone()),
            Replay::Reopening { source, readings } => {
                let (number, readings) = (readings.begin(), Arc::clone(readings));
                let stream = source.open().inspect_err(move |_| readings.fail(number));
                ExchangeBody::Stream { stream: Box::pin(stream), length: source.length() }
            }
            Replay::Once { tape, length } => {
                let reading = lock(tape).begin();
                let stream = Reading { tape: Arc::clone(tape), number: reading, next: 0 };
                ExchangeBody::Stream { stream: Box::pin(stream), length: *length }
            }
        }
    }

    /// Whether the next attempt would send the same bytes from the beginning.
    pub fn replays(&self) -> bool {
        match self {
            Replay::Empty | Replay::Bytes(_) | Replay::Reopening { .. } => true,
            Replay::Once { tape, .. } => lock(tape).is_whole(),
        }
    }

    /// Lets go of a body that is not worth its memory any more, now that the call is answered. Returns whether the
    /// request can still be sent as it was.
    pub fn keep_if_small(&mut self) -> bool {
        let small = match self {
            Replay::Empty => true,
            Replay::Bytes(bytes) => bytes.len() <= KEPT_AT_MOST,
            Replay::Reopening { .. } | Replay::Once { .. } => false,
        };
        if !small {
            *self = Replay::Empty;
        }
        small
    }

    /// Whether a redirect that keeps the body may send it once more. The Fetch standard allows it for bodies that
    /// have a source, not for streams, whatever happens to be left of them (HTTP-redirect fetch, step 11).
    pub fn follows_redirects(&self) -> bool {
        !matches!(self, Replay::Once { .. })
    }

    /// The caller's source failed while the latest attempt was reading it.
    pub fn source_failed(&self) -> bool {
        match self {
            Replay::Empty | Replay::Bytes(_) => false,
            Replay::Reopening { readings, .. } => readings.has_latest_failed(),
            Replay::Once { tape, .. } => lock(tape).failed,
        }
    }
}

/// The readings of a source that reopens, numbered from 1. An attempt that was given up may go on reading for a
/// while, and fail when its stream is closed under it: that says nothing about the attempt after it.
#[derive(Default)]
pub(super) struct Readings {
    opened: AtomicU64,
    /// The highest number that failed, 0 for none.
    failed: AtomicU64,
}

impl Readings {
    fn begin(&self) -> u64 {
        self.opened.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn fail(&self, number: u64) {
        self.failed.fetch_max(number, Ordering::Release);
    }

    fn has_latest_failed(&self) -> bool {
        let failed = self.failed.load(Ordering::Acquire);
        failed != 0 && failed == self.opened.load(Ordering::Relaxed)
    }
}

/// A stream that can be read once, and what has been read of it.
pub(super) struct Tape {
    source: Arc<dyn BodySource>,
    /// `None` until the first attempt asks for bytes.
    live: Option<BodyStream>,
    kept: Vec<Bytes>,
    kept_bytes: usize,
    /// Whether to keep what is read; given up when it becomes too much.
    keep: bool,
    /// Bytes were handed out that are not kept.
    incomplete: bool,
    failed: bool,
    /// The number of the attempt that may read.
    reading: u64,
    /// Of that attempt, while it waits for the live stream.
    waiting: Option<Waker>,
}

impl Tape {
    fn new(source: Arc<dyn BodySource>, keep: bool) -> Self {
        Tape {
            source,
            live: None,
            kept: Vec::new(),
            kept_bytes: 0,
            keep,
            incomplete: false,
            failed: false,
            reading: 0,
            waiting: None,
        }
    }

    fn is_whole(&self) -> bool {
        !self.incomplete && !self.failed
    }

    fn begin(&mut self) -> u64 {
        self.reading += 1;
        // The attempt before may wait for bytes on a connection that nobody else watches any more: without this
        // call it would wait, and hold that connection, for ever.
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        self.reading
    }

    fn poll_live(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceFailed>>> {
        let live = self.live.get_or_insert_with(|| self.source.open());
        let polled = live.as_mut().poll_next(cx);
        match &polled {
            Poll::Pending => self.waiting = Some(cx.waker().clone()),
            Poll::Ready(Some(Ok(bytes))) => self.remember(bytes),
            Poll::Ready(Some(Err(SourceFailed))) => self.failed = true,
            Poll::Ready(None) => {}
        }
        polled
    }

    fn remember(&mut self, bytes: &Bytes) {
        self.kept_bytes = self.kept_bytes.saturating_add(bytes.len());
        if self.keep && self.kept_bytes <= KEPT_AT_MOST {
            self.kept.push(bytes.clone());
        } else if !bytes.is_empty() {
            self.keep = false;
            self.incomplete = true;
            // What was kept is of no use without the rest.
            self.kept = Vec::new();
        }
    }
}

/// One attempt's reading: first what is kept, then the live stream.
struct Reading {
    tape: Arc<Mutex<Tape>>,
    number: u64,
    /// The index of the next kept piece.
    next: usize,
}

impl Stream for Reading {
    type Item = Result<Bytes, SourceFailed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut tape = lock(&this.tape);
        if tape.reading != this.number {
            // A newer attempt reads. Failing, and not ending, keeps the old request from looking complete.
            return Poll::Ready(Some(Err(SourceFailed)));
        }
        let piece = match tape.kept.get(this.next) {
            Some(kept) => Some(Ok(kept.clone())),
            None => ready!(tape.poll_live(cx)),
        };
        this.next += 1;
        Poll::Ready(piece)
    }
}

/// Held only while one piece is taken, never across an await. A panic in the caller's stream leaves the tape
/// readable.
fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::{StreamExt, stream};

    use super::*;

    /// Yields `chunks`, then fails or stays silent as told.
    struct Source {
        chunks: Vec<Result<Bytes, SourceFailed>>,
        reopens: bool,
        opened: AtomicUsize,
        endless: bool,
    }

    impl Source {
        fn of(chunks: &[usize]) -> Self {
            let chunks = chunks.iter().map(|length| Ok(Bytes::from(vec![b'x'; *length]))).collect();
            Source { chunks, reopens: false, opened: AtomicUsize::new(0), endless: false }
        }
    }

    impl BodySource for Source {
        fn open(&self) -> BodyStream {
            self.opened.fetch_add(1, Ordering::Relaxed);
            let chunks = stream::iter(self.chunks.clone());
            if self.endless { Box::pin(chunks.chain(stream::pending())) } else { Box::pin(chunks) }
        }

        fn reopens(&self) -> bool {
            self.reopens
        }

        fn length(&self) -> Option<u64> {
            None
        }
    }

    fn replay(source: Source, keep: bool) -> Replay {
        Replay::new(RequestBody::Source(Arc::new(source)), keep)
    }

    fn stream_of(replay: &Replay) -> BodyStream {
        match replay.open() {
            ExchangeBody::Stream { stream, .. } => stream,
            _ => panic!("a source is sent as a stream"),
        }
    }

    async fn lengths(stream: &mut BodyStream, pieces: usize) -> Vec<usize> {
        stream.take(pieces).map(|piece| piece.unwrap().len()).collect().await
    }

    #[tokio::test]
    async fn what_was_read_is_sent_again_and_the_stream_goes_on() {
        let replay = replay(Source::of(&[1, 2, 3]), true);
        assert_eq!(lengths(&mut stream_of(&replay), 2).await, [1, 2]);
        assert!(replay.replays());
        assert_eq!(lengths(&mut stream_of(&replay), 9).await, [1, 2, 3]);
        assert_eq!(lengths(&mut stream_of(&replay), 9).await, [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_stream_past_the_bound_is_spent() {
        let replay = replay(Source::of(&[KEPT_AT_MOST, 1]), true);
        let mut first = stream_of(&replay);
        assert_eq!(lengths(&mut first, 1).await, [KEPT_AT_MOST]);
        assert!(replay.replays());
        assert_eq!(lengths(&mut first, 1).await, [1]);
        assert!(!replay.replays());
    }

    #[tokio::test]
    async fn a_call_that_is_not_repeated_keeps_nothing_but_an_unread_stream() {
        let replay = replay(Source::of(&[5]), false);
        let mut first = stream_of(&replay);
        assert!(replay.replays());
        assert_eq!(lengths(&mut first, 1).await, [5]);
        assert!(!replay.replays());
    }

    #[tokio::test]
    async fn an_earlier_attempt_loses_the_stream_and_is_woken_to_see_it() {
        let replay = replay(Source { endless: true, ..Source::of(&[1]) }, true);
        let mut first = stream_of(&replay);
        assert_eq!(lengths(&mut first, 1).await, [1]);
        let waiting = tokio::spawn(async move { first.next().await });
        tokio::task::yield_now().await;
        let mut second = stream_of(&replay);
        assert!(matches!(waiting.await.unwrap(), Some(Err(SourceFailed))));
        assert_eq!(lengths(&mut second, 1).await, [1]);
        assert!(!replay.source_failed(), "the source is well");
    }

    #[tokio::test]
    async fn a_failed_source_is_told_apart_and_not_replayed() {
        let mut source = Source::of(&[1]);
        source.chunks.push(Err(SourceFailed));
        let replay = replay(source, true);
        let mut first = stream_of(&replay);
        while let Some(Ok(_)) = first.next().await {}
        assert!(replay.source_failed() && !replay.replays());
    }

    #[tokio::test]
    async fn a_reading_that_was_given_up_does_not_fail_the_one_after_it() {
        let mut source = Source { reopens: true, ..Source::of(&[1]) };
        source.chunks.push(Err(SourceFailed));
        let replay = replay(source, false);
        assert!(!replay.source_failed(), "it has not been read");
        let mut given_up = stream_of(&replay);
        let mut current = stream_of(&replay);
        while let Some(Ok(_)) = given_up.next().await {}
        assert!(!replay.source_failed());
        while let Some(Ok(_)) = current.next().await {}
        assert!(replay.source_failed());
    }

    #[tokio::test]
    async fn a_source_that_reopens_is_opened_for_each_attempt() {
        let source = Arc::new(Source { reopens: true, ..Source::of(&[KEPT_AT_MOST, 2]) });
        let replay = Replay::new(RequestBody::Source(source.clone()), false);
        assert_eq!(lengths(&mut stream_of(&replay), 9).await, [KEPT_AT_MOST, 2]);
        assert_eq!(lengths(&mut stream_of(&replay), 9).await, [KEPT_AT_MOST, 2]);
        assert_eq!(source.opened.load(Ordering::Relaxed), 2);
        assert!(replay.replays() && replay.follows_redirects());
    }
}
