//! What comes on a connection.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use super::super::core::Stage;
use super::super::course::Proof;
use super::super::engine::{Broken, Close, Incoming};
use super::super::event::{Closure, Event};
use super::super::flow::Change;
use super::super::tap::Stopped;
use super::{Connection, LAST_WORDS, READ_AHEAD, Side, Stop, weight};

/// So many messages are told together at most.
const AT_ONCE: usize = 256;
/// That of a Close frame, in bytes (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

impl Connection<'_> {
    pub(super) fn read(&mut self, cx: &mut Context<'_>, now: Duration, more: &mut bool) -> Option<Stop> {
        let room = {
            let inner = self.core.lock();
            // What the caller's `onConnect` waits for it has not paused.
            if inner.paused && self.up { 0 } else { READ_AHEAD.saturating_sub(inner.untaken) }
        };
        let mut taken = 0;
        let stop = self.read_into(room, &mut taken, cx, now, more);
        if taken > 0 {
            self.core.lock().untaken += taken;
        }
        stop
    }

    /// Reads until what came weighs as much as there is room for.
    fn read_into(
        &mut self,
        room: usize,
        taken: &mut usize,
        cx: &mut Context<'_>,
        now: Duration,
        more: &mut bool,
    ) -> Option<Stop> {
        for _ in 0..AT_ONCE {
            if matches!(self.side, Side::Ending { .. }) {
                return None;
            }
            if *taken >= room || self.tap.lock().owes_answers() {
                self.pulse.stop_listening();
                return self.fails_to_write();
            }
            self.pulse.listen(now);
            let incoming = self.engine.poll_next(cx);
            self.note_what_came(now);
            match incoming {
                Poll::Pending => return self.fails_to_write(),
                Poll::Ready(Ok(incoming)) => *taken += self.take(cx, incoming, now),
                Poll::Ready(Err(broken)) => return self.breaks(cx, broken, now),
            }
        }
        *more = true;
        None
    }

    fn note_what_came(&mut self, now: Duration) {
        let read = self.tap.lock().read;
        if read > self.read {
            self.core.counts.read.fetch_add(read - self.read, Ordering::Relaxed);
            self.read = read;
            self.came_at = now;
            self.pulse.received();
        }
    }

    /// Tells what came, or does what it asks for. Returns the weight of what the caller has to deal with.
    fn take(&mut self, cx: &mut Context<'_>, incoming: Incoming, now: Duration) -> usize {
        let (bytes, event) = match incoming {
            Incoming::Message { kind, payload } => {
                // Only what its program says: a pong may be the answer to a ping that left before the question.
                self.asked = false;
                self.core.counts.messages_read.fetch_add(1, Ordering::Relaxed);
                (payload.len(), Event::Message { kind, payload })
            }
            Incoming::Ping(payload) => (payload.len(), Event::Ping(payload)),
            Incoming::Pong(payload) => match self.pulse.pong(&payload, now) {
                Some((number, _)) => {
                    self.has_proved(number, now);
                    return 0;
                }
                None => (payload.len(), Event::Pong(payload)),
            },
            Incoming::Close(close) => {
                self.is_closed(cx, close, now);
                return 0;
            }
        };
        self.events.push(event);
        weight(bytes)
    }

    fn has_proved(&mut self, ping: u64, now: Duration) {
        let proof = self.course.proved(ping, now);
        self.proves(proof);
    }

    /// What got through is not in doubt any more, and what waited for that may leave.
    pub(super) fn proves(&mut self, proof: Proof) {
        self.waits_until = None;
        self.again = true;
        let mut inner = self.core.lock();
        if let Some(number) = proof.message {
            inner.outbox.proved(number);
        }
        inner.round_trip = self.pulse.round_trip();
        drop(inner);
        self.adapted(proof.change);
    }

    pub(super) fn adapted(&mut self, change: Option<Change>) {
        self.core.lock().flow = Some(self.course.snapshot());
        self.events.extend(change.map(Event::Adapted));
    }

    /// The peer's Close frame has come. It is answered, unless it is the answer.
    fn is_closed(&mut self, cx: &mut Context<'_>, close: Option<Close>, now: Duration) {
        self.core.lock().stage = Stage::Closing;
        if self.has_said_close() {
            let (code, reason) = close.map_or((1005, String::new()), |Close { code, reason }| (code, reason));
            return self.ends(Stop::Caller(Closure { code, reason, was_clean: true }), now);
        }
        if self.write_failed.is_none() {
            // Not its reason, which was not said to itself. That it cannot be answered does not change what it said.
            let echo = close.as_ref().map(|close| Close { code: close.code, reason: String::new() });
            let _ = self.engine.close(cx, echo.as_ref());
        }
        self.ends(Stop::Close(close), now);
    }

    fn has_said_close(&self) -> bool {
        matches!(self.side, Side::Closing { said: true, .. })
    }

    /// All is said.
    fn ends(&mut self, stop: Stop, now: Duration) {
        self.side = Side::Ending { stop: Some(stop), until: now + LAST_WORDS, shut: false };
    }

    /// Nothing can be read any more, or must not be.
    pub(super) fn breaks(&mut self, cx: &mut Context<'_>, broken: Broken, now: Duration) -> Option<Stop> {
        let Broken::Rule { code, name, what } = broken else { return Some(self.how_it_stopped()) };
        if self.write_failed.is_none() && !self.has_said_close() {
            let reason = if what.len() <= MAX_REASON { what.clone() } else { String::new() };
            // Whether it can be told does not change what it is.
            let _ = self.engine.close(cx, Some(&Close { code, reason }));
        }
        self.ends(Stop::Rule { name, what }, now);
        None
    }

    /// Nothing more comes, and nothing can leave.
    fn fails_to_write(&mut self) -> Option<Stop> {
        self.write_failed.take().map(|error| Stop::Failed { error, syscall: "write" })
    }

    fn how_it_stopped(&mut self) -> Stop {
        let stopped = self.tap.lock().stopped.take();
        match (stopped, self.write_failed.take()) {
            (Some(Stopped::Failed(error)), _) => Stop::Failed { error, syscall: "read" },
            // A reset that a writer has met is not told to a reader as well.
            (_, Some(error)) => Stop::Failed { error, syscall: "write" },
            _ => Stop::Fin,
        }
    }
}
