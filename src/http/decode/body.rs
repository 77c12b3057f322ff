//! A response body as the caller gets it.

use std::net::IpAddr;
use std::task::{Context, Poll, ready};

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use tokio::task::yield_now;

use super::chain::{Advance, Chain};
use super::{Decoding, SizeLimit, WHOLE, codings, fault};
use crate::fault::Fault;
use crate::http::call::Recovery;
use crate::http::resume::RecoveringBody;
use crate::http::transport::{IncomingBody, appended};

/// A body over its encoded bytes `B`. One that has no coding passes through.
pub struct Decoded<B> {
    pub(super) encoded: B,
    chain: Option<Box<Chain>>,
    limit: Option<Limit>,
    is_usual: bool,
    /// How it failed: a body that broke does not go on.
    failed: Option<Box<Fault>>,
}

struct Limit {
    most: u64,
    left: u64,
}

impl<B: IncomingBody> Decoded<B> {
    /// # Errors
    /// The response has more codings than are undone.
    pub fn open(
        encoded: B,
        method: &Method,
        status: StatusCode,
        headers: &HeaderMap,
        decoding: Decoding,
    ) -> Result<Self, Box<Fault>> {
        let codings = if decoding.decompress { codings::of(method, status, headers) } else { Ok(Vec::new()) };
        let codings = codings.map_err(|fault| Box::new(encoded.blamed(*fault)))?;
        // Whoever asked for a range of a compressed body gets what can be made of it.
        let partial = status == StatusCode::PARTIAL_CONTENT;
        let chain = (!codings.is_empty()).then(|| Box::new(Chain::new(&codings, partial)));
        let limit = match decoding.size {
            SizeLimit::Bytes(most) => Some(Limit { most, left: most }),
            SizeLimit::Usual | SizeLimit::None => None,
        };
        Ok(Decoded { encoded, chain, limit, is_usual: decoding.size == SizeLimit::Usual, failed: None })
    }

    /// The same over another body of the same bytes.
    pub(in crate::http) fn over<C>(self, other: impl FnOnce(B) -> C) -> Decoded<C> {
        let Decoded { encoded, chain, limit, is_usual, failed } = self;
        Decoded { encoded: other(encoded), chain, limit, is_usual, failed }
    }

    /// The most that may be collected of it by whoever asks for the whole body.
    #[must_use]
    pub fn whole_limit(&self) -> Option<u64> {
        (self.is_usual && self.chain.is_some()).then_some(WHOLE)
    }

    /// Nearly every small body is: it costs nothing that there is this layer.
    fn is_untouched(&self) -> bool {
        self.chain.is_none() && self.limit.is_none()
    }

    /// What can be told without further encoded bytes.
    fn advance(&mut self) -> Result<Advance, Box<Fault>> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        let advance = match &mut self.chain {
            Some(chain) => chain.advance(),
            None => self.check_stated().map(|()| Advance::Wants),
        };
        let advance = advance.and_then(|advance| self.counted(advance));
        self.remembered(advance)
    }

    /// Goes on with what was read of the encoded body.
    fn take(&mut self, read: Result<Option<Bytes>, Fault>) -> Result<Advance, Box<Fault>> {
        let taken = match (read, &mut self.chain) {
            (Err(fault), _) => Err(Box::new(fault)),
            (Ok(read), Some(chain)) => chain.feed(read).map(|()| Advance::Wants),
            (Ok(Some(bytes)), None) => self.counted(Advance::Piece(bytes)),
            (Ok(None), None) => Ok(Advance::End),
        };
        match self.remembered(taken)? {
            Advance::Wants => self.advance(),
            other => Ok(other),
        }
    }

    /// A body that is known to be too large is refused before it is transferred.
    fn check_stated(&self) -> Result<(), Box<Fault>> {
        match &self.limit {
            Some(limit) if self.encoded.remaining() > Some(limit.left) => Err(fault::too_large(limit.most)),
            _ => Ok(()),
        }
    }

    fn counted(&mut self, advance: Advance) -> Result<Advance, Box<Fault>> {
        if let (Advance::Piece(bytes), Some(limit)) = (&advance, &mut self.limit) {
            let left = limit.left.checked_sub(bytes.len() as u64);
            limit.left = left.ok_or_else(|| fault::too_large(limit.most))?;
        }
        Ok(advance)
    }

    fn remembered(&mut self, outcome: Result<Advance, Box<Fault>>) -> Result<Advance, Box<Fault>> {
        // What failed below knows where it came from.
        let outcome = outcome
            .map_err(|fault| if fault.address.is_some() { fault } else { Box::new(self.encoded.blamed(*fault)) });
        if let Err(fault) = &outcome {
            self.failed = Some(fault.clone());
        }
        outcome
    }
}

impl<B: IncomingBody> IncomingBody for Decoded<B> {
    /// Dropping the future loses nothing; the limit on silence is that of the encoded body.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.is_untouched() {
            return self.encoded.chunk().await;
        }
        let mut advance = self.advance();
        loop {
            match advance {
                Ok(Advance::Piece(bytes)) => return Ok(Some(bytes)),
                Ok(Advance::End) => return Ok(None),
                Ok(Advance::Wants) => {
                    let read = self.encoded.chunk().await;
                    advance = self.take(read);
                }
                Ok(Advance::Tired) => {
                    yield_now().await;
                    advance = self.advance();
                }
                Err(fault) => return Err(*fault),
            }
        }
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        if self.is_untouched() {
            return self.encoded.poll_arrived(cx);
        }
        let mut advance = self.advance();
        loop {
            match advance {
                Ok(Advance::Piece(bytes)) => return Poll::Ready(Ok(Some(bytes))),
                Ok(Advance::End) => return Poll::Ready(Ok(None)),
                Ok(Advance::Wants) => {
                    let read = ready!(self.encoded.poll_arrived(cx));
                    advance = self.take(read);
                }
                Ok(Advance::Tired) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(fault) => return Poll::Ready(Err(*fault)),
            }
        }
    }

    async fn append(&mut self, into: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        if self.is_untouched() {
            return self.encoded.append(into).await;
        }
        self.chunk().await.map(|read| read.map(|bytes| appended(&bytes, into)))
    }

    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        if self.is_untouched() {
            return self.encoded.poll_append(cx, into);
        }
        self.poll_arrived(cx).map_ok(|read| read.map(|bytes| appended(&bytes, into)))
    }

    /// How long a compressed body will be, nobody says.
    fn remaining(&self) -> Option<u64> {
        if self.chain.is_none() { self.encoded.remaining() } else { None }
    }

    fn peer(&self) -> Option<(IpAddr, u16)> {
        self.encoded.peer()
    }
}

impl<B: RecoveringBody> RecoveringBody for Decoded<B> {
    fn headers(&self) -> &HeaderMap {
        self.encoded.headers()
    }

    /// What failed here rather than below fails again.
    fn start_over(&mut self) -> bool {
        if !self.encoded.start_over() {
            return false;
        }
        self.failed = None;
        if let Some(chain) = &mut self.chain {
            **chain = chain.anew();
        }
        if let Some(limit) = &mut self.limit {
            limit.left = limit.most;
        }
        true
    }

    fn news(&mut self) -> Option<Recovery> {
        self.encoded.news()
    }

    fn hook_failed(&self) -> bool {
        self.encoded.hook_failed()
    }
}
