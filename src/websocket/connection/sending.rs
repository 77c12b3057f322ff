//! What leaves on a connection: the caller's messages, in frames, and what goes between them.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::super::core::{Control, Wish};
use super::super::course::Allowance;
use super::super::engine::Broken;
use super::{Connection, Side, Stop};

/// So many frames are encoded before others have a turn.
const AT_ONCE: usize = 1024;

impl Connection<'_> {
    pub(super) fn write(&mut self, cx: &mut Context<'_>, now: Duration, more: &mut bool) -> Option<Stop> {
        let mut frames = 0;
        if self.can_send()
            && let Err(broken) = self.encode_controls(cx, now)
        {
            return self.breaks(cx, broken, now);
        }
        while self.write_failed.is_none() && !matches!(self.side, Side::Ending { .. }) {
            let full = self.hand_over(cx) && self.tap.lock().is_full();
            if full || self.write_failed.is_some() {
                break;
            }
            if frames >= AT_ONCE {
                *more = true;
                break;
            }
            match self.encode(cx, now) {
                Ok(0) => break,
                Ok(encoded) => frames += encoded,
                Err(broken) => return self.breaks(cx, broken, now),
            }
        }
        None
    }

    /// Hands over what is encoded. Whether something is left.
    pub(super) fn hand_over(&mut self, cx: &mut Context<'_>) -> bool {
        let mut tapped = self.tap.lock();
        let polled = tapped.poll_hand_over(cx);
        let handed = tapped.handed();
        drop(tapped);
        if handed > self.handed {
            self.core.counts.written.fetch_add(handed - self.handed, Ordering::Relaxed);
            self.handed = handed;
            self.core.lock().outbox.handed(handed);
        }
        if let Poll::Ready(Err(error)) = polled {
            // What the peer said before it is read first: it may be why.
            self.write_failed = Some(error);
            return false;
        }
        polled.is_pending()
    }

    /// No Close frame has been sent, and nothing is known to stand in the way.
    pub(super) fn can_send(&self) -> bool {
        self.write_failed.is_none() && matches!(self.side, Side::Open | Side::Closing { said: false, .. })
    }

    /// Encodes what may leave, until there is enough of it; returns how many frames.
    fn encode(&mut self, cx: &mut Context<'_>, now: Duration) -> Result<usize, Broken> {
        if !self.can_send() {
            return Ok(0);
        }
        let mut frames = self.encode_greeting(cx)?;
        self.waits_until = None;
        if !self.up {
            return Ok(frames);
        }
        let mut place = None;
        while frames < AT_ONCE && !self.tap.lock().is_full() {
            let mut inner = self.core.lock();
            if let Some((from, to)) = place.take() {
                inner.outbox.encoded(from, to);
            }
            if inner.outbox.rest().is_none() {
                let wish = inner.end.clone();
                drop(inner);
                return self.encode_close(cx, wish).map(|close| frames + close);
            }
            let most = match self.course.allow(self.pulse.hears(), now) {
                Allowance::Frame(most) => most,
                Allowance::Wait { until } => {
                    self.waits_until = Some(until);
                    break;
                }
            };
            let Some(frame) = inner.outbox.frame(most) else { break };
            drop(inner);
            self.course.sent(&frame, now);
            self.last_send = Some((frame.message.payload.len(), now));
            self.asked = true;
            if frame.last {
                self.core.counts.messages_written.fetch_add(1, Ordering::Relaxed);
            }
            place = Some(self.engine.send(
                cx,
                frame.message.kind,
                frame.message.compress,
                frame.payload,
                frame.first,
                frame.last,
            )?);
            frames += 1;
            if self.course.wants_proof() {
                self.ping(cx, now)?;
            }
        }
        if let Some((from, to)) = place {
            self.core.lock().outbox.encoded(from, to);
        }
        Ok(frames)
    }

    /// What goes between messages, and between the frames of one. For a heartbeat there is always room: it leaves at
    /// intervals.
    fn encode_controls(&mut self, cx: &mut Context<'_>, now: Duration) -> Result<(), Broken> {
        if self.pulse.is_due(now) {
            self.tap.lock().shrink();
            self.ping(cx, now)?;
        }
        while !self.tap.lock().is_full() {
            let Some(control) = self.core.lock().controls.pop_front() else { break };
            match control {
                Control::Ping(payload) => self.engine.ping(cx, payload)?,
                Control::Pong(payload) => self.engine.pong(cx, payload)?,
            };
        }
        Ok(())
    }

    fn ping(&mut self, cx: &mut Context<'_>, now: Duration) -> Result<(), Broken> {
        let (number, payload) = self.pulse.ping(now);
        self.course.asked(number, now);
        self.engine.ping(cx, Bytes::copy_from_slice(&payload))?;
        Ok(())
    }

    /// What the caller's `onConnect` sends. The last of it may have been sent just before that came to its end.
    fn encode_greeting(&mut self, cx: &mut Context<'_>) -> Result<usize, Broken> {
        let mut frames = 0;
        while !self.tap.lock().is_full() {
            let Some((kind, payload)) = self.core.lock().greeting.sends.pop_front() else { break };
            self.asked = true;
            let mut rest = payload;
            let mut first = true;
            loop {
                let piece = rest.split_to(rest.len().min(self.options.max_frame));
                let last = rest.is_empty();
                self.engine.send(cx, kind, true, piece, std::mem::take(&mut first), last)?;
                frames += 1;
                if last {
                    break;
                }
            }
        }
        Ok(frames)
    }

    /// The caller's Close frame, behind all its messages.
    fn encode_close(&mut self, cx: &mut Context<'_>, wish: Option<Wish>) -> Result<usize, Broken> {
        let (Some(Wish::Close(close)), Side::Closing { said, .. }) = (wish, &mut self.side) else { return Ok(0) };
        *said = true;
        self.engine.close(cx, close.as_ref())?;
        Ok(1)
    }
}
