//! One connection, from the moment it is made to the moment it is lost: reading, writing, greeting, beating.
//!
//! All of it is one poll function of one task. Reading and writing need the same stream (TLS is one state for both
//! directions), and whatever wakes the task, everything that is possible is done before it sleeps again.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Sleep, sleep_until};

use super::arriving::{Arrived, Arriving, Then};
use super::block::Block;
use super::core::Core;
use super::direct::Noted;
use super::ending::Known;
use super::event::{Event, Loss, Return};
use super::heartbeat::Pulse;
use super::leaving::{AT_ONCE, Leaving, Left};
use super::link::Link;
use super::options::Options;
use super::reconnect::Attempts;
use super::state::{State, Step};
use crate::fault::{Delivery, Fault, Phase};

/// What may wait for the caller to take it. Beyond it nothing is read, and the peer has to wait.
pub(super) const READ_AHEAD: usize = 512 * 1024;
/// What a greeting is read of in any case: what the caller has not taken of earlier connections must not keep it from its
/// answer. Little, for what is left of it adds to that.
const GREETING_AHEAD: usize = 4 * 1024;

/// A connection that is over.
pub(super) struct Ended {
    pub how: Out,
    /// When it was lost, if it had been up.
    pub was_up_until: Option<Duration>,
}

/// How a connection ended.
pub(super) enum Out {
    /// There may be another one.
    Lost(Box<Fault>),
    /// The caller and the peer have both said their last.
    Over,
    /// It broke when nothing more could be sent and another connection could not bring what is missing.
    Broken(Box<Fault>),
}

pub(super) struct Connection<'a> {
    core: &'a Core,
    options: &'a Options,
    attempts: &'a mut Attempts,
    link: Link,
    generation: u32,
    remote: Option<SocketAddr>,
    made_at: Duration,
    arriving: Arriving,
    /// There is something to be read of which tokio may not know yet.
    reads_first: bool,
    /// What the caller had not taken when it was made.
    untaken_before: usize,
    /// What is being handed to the system.
    leaving: Leaving,
    /// What was handed may wait in the buffer of TLS.
    must_flush: bool,
    write_side: WriteSide,
    /// The peer sends no more, and the caller knows.
    peer_ended: bool,
    pulse: Option<Pulse>,
    proved: bool,
    /// Something was sent since something was received last.
    asked: bool,
    /// It is, or was, up: what the caller wrote could leave.
    up: bool,
    timer: Pin<Box<Sleep>>,
    /// What is told when it comes up.
    again: Option<(u32, Duration)>,
}

#[derive(Debug)]
enum WriteSide {
    Open,
    /// Everything has left, and its end is leaving.
    Closing,
    Closed,
    /// Nothing can be written; what the peer said before may still be read.
    Failed(io::Error),
}

impl<'a> Connection<'a> {
    /// `again`: the attempts that it took, and since when the last one that was up is lost.
    pub fn new(
        core: &'a Core,
        options: &'a Options,
        attempts: &'a mut Attempts,
        link: Link,
        generation: u32,
        again: Option<(u32, Duration)>,
    ) -> Self {
        let made_at = core.now();
        // Asked now: of a connection that was reset the system does not tell it any more.
        let (_, remote) = link.socket().addresses();
        Connection {
            core,
            options,
            attempts,
            link,
            generation,
            remote,
            made_at,
            arriving: Arriving::default(),
            reads_first: false,
            untaken_before: core.lock().untaken,
            leaving: Leaving::default(),
            must_flush: false,
            write_side: WriteSide::Open,
            peer_ended: false,
            pulse: None,
            proved: false,
            asked: false,
            up: false,
            timer: Box::pin(sleep_until(core.at(made_at))),
            again,
        }
    }

    /// Runs it to its end. A connection that was up tells of its loss.
    pub async fn run(mut self) -> Ended {
        if self.core.state() == State::Flushing {
            self.comes_up();
        }
        let how = poll_fn(|cx| self.poll(cx)).await;
        // What it is in the middle of must be known before anything is said of it, or another connection made.
        poll_fn(|cx| {
            self.core.waker.register(cx.waker());
            if self.takes_turn() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.lose(&how);
        Ended { how, was_up_until: self.up.then(|| self.core.now()) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Out> {
        self.core.waker.register(cx.waker());
        loop {
            let now = self.core.now();
            let out = self
                .heed()
                // First, for the peer may have ended it: what is written after that is lost.
                .or_else(|| self.read(cx, now))
                .or_else(|| self.write(cx, now))
                .or_else(|| self.look_at_time(now));
            if let Some(out) = out {
                return Poll::Ready(out);
            }
            let Some(next) = self.wakes_at() else { return Poll::Pending };
            self.timer.as_mut().reset(self.core.at(next));
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// What the caller has said meanwhile.
    fn heed(&mut self) -> Option<Out> {
        let outcome = self.core.lock().greeting.outcome.take()?;
        match outcome {
            Ok(()) if self.core.state() == State::Greeting => {
                self.core.step(Step::Greeted);
                self.comes_up();
                None
            }
            Ok(()) => None,
            Err(fault) => Some(Out::Lost(fault)),
        }
    }

    fn comes_up(&mut self) {
        self.up = true;
        self.core.came_up();
        let again = self.again.map(|(attempts, lost_at)| {
            self.core.counts.reconnects.fetch_add(1, Ordering::Relaxed);
            Return { attempts, downtime: self.core.now().saturating_sub(lost_at) }
        });
        self.core.tell(Event::Up { generation: self.generation, again });
    }

    // --- Writing -------------------------------------------------------------------------------

    /// Takes the turn to write, and note of what the handle wrote. `false`: the handle writes at this moment.
    fn takes_turn(&mut self) -> bool {
        let Some(Noted { own, begun, failed, unread }) = self.core.lock().direct.take_back() else { return false };
        self.was_written(own);
        self.reads_first |= unread;
        if let Some((number, bytes, offset)) = begun {
            self.leaving.has_begun(number, bytes, offset);
        }
        if let Some(error) = failed {
            self.write_fails(error);
        }
        true
    }

    /// The handle has written so many bytes.
    fn was_written(&mut self, own: u64) {
        if own > 0 {
            self.link.wrote_directly(own);
            self.asked = true;
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, now: Duration) -> Option<Out> {
        if !self.takes_turn() {
            return None;
        }
        if std::mem::take(&mut self.reads_first) {
            // The next time tokio will have asked the system, and the task reads before it writes.
            let _ = pin!(yield_now()).poll(cx);
            return None;
        }
        let mut wrote = false;
        while matches!(self.write_side, WriteSide::Open) {
            self.take_what_leaves(now);
            if self.leaving.is_empty() {
                break;
            }
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            let count = self.leaving.slices(&mut slices);
            let empty = slices[..count].iter().all(|slice| slice.is_empty());
            let written = if empty { Poll::Ready(Ok(0)) } else { self.link.poll_write(cx, &slices[..count]) };
            match written {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) if !empty => self.write_fails(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => {
                    wrote = true;
                    self.have_left(written, now);
                }
                Poll::Ready(Err(error)) => self.write_fails(error),
            }
        }
        if wrote {
            let fates = self.core.lock().queue.take_fates();
            self.core.tell_fates(fates);
        }
        let out = self.after_writing(cx);
        match self.write_side {
            // What the peer said before it is read first: it may be why.
            WriteSide::Failed(_) => out.or_else(|| self.read(cx, now)),
            _ => out,
        }
    }

    /// Fills `leaving` with what may leave in this state, if it is empty. A beat goes between two messages.
    fn take_what_leaves(&mut self, now: Duration) {
        let may_leave = self.leaving.is_between_messages();
        if let Some(beat) = self.pulse.as_mut().and_then(|pulse| pulse.due(now, may_leave)) {
            self.leaving.beat(beat);
        }
        self.leaving.refill(&mut self.core.lock());
    }

    /// The system, or TLS, has taken so many bytes of what was leaving.
    fn have_left(&mut self, written: usize, now: Duration) {
        self.must_flush = true;
        let Left { own, message, beat } = self.leaving.advance(written);
        if let Some(pulse) = &mut self.pulse {
            if own > 0 {
                pulse.progressed(now);
            }
            if beat {
                pulse.sent(now);
            }
        }
        if let Some(number) = message {
            self.core.lock().queue.handed(number);
        }
        self.asked |= own > 0;
        self.core.counts.written.fetch_add(own, Ordering::Relaxed);
        self.link.took(own);
    }

    /// What comes when nothing is left to be written.
    fn after_writing(&mut self, cx: &mut Context<'_>) -> Option<Out> {
        if self.must_flush && matches!(self.write_side, WriteSide::Open) {
            match self.link.poll_flush(cx) {
                Poll::Pending => return None,
                Poll::Ready(Err(error)) => self.write_fails(error),
                Poll::Ready(Ok(())) => {
                    self.must_flush = false;
                    self.link.flushed();
                }
            }
        }
        if matches!(self.write_side, WriteSide::Open) && self.leaving.is_empty() {
            let mut inner = self.core.lock();
            if inner.state == State::Flushing {
                inner.state = inner.state.after(Step::Flushed);
                self.pulse = self.options.heartbeat.as_ref().map(|beat| Pulse::new(beat, self.core.now()));
            }
            if inner.state == State::Live {
                if inner.ending && inner.queue.is_empty() {
                    self.write_side = WriteSide::Closing;
                    self.pulse.iter_mut().for_each(Pulse::stop_beating);
                } else if self.link.is_plain() {
                    inner.direct.open();
                }
            }
        }
        if matches!(self.write_side, WriteSide::Closing) {
            match self.link.poll_shutdown(cx) {
                Poll::Pending => {}
                // It is the read side that will tell what happened.
                Poll::Ready(Err(error)) => self.write_fails(error),
                Poll::Ready(Ok(())) => {
                    self.write_side = WriteSide::Closed;
                    self.core.tell(Event::Finished);
                    if self.peer_ended {
                        return Some(Out::Over);
                    }
                }
            }
        }
        None
    }

    /// It is the read side that tells what happened.
    fn write_fails(&mut self, error: io::Error) {
        self.write_side = WriteSide::Failed(error);
        self.pulse.iter_mut().for_each(Pulse::stop_beating);
    }

    // --- Reading -------------------------------------------------------------------------------

    fn read(&mut self, cx: &mut Context<'_>, now: Duration) -> Option<Out> {
        if self.peer_ended {
            return self.write_fault().map(Out::Broken);
        }
        loop {
            let most = if self.up { READ_AHEAD } else { READ_AHEAD.max(self.untaken_before + GREETING_AHEAD) };
            let room = most.saturating_sub(self.core.lock().untaken);
            if room == 0 {
                if let Some(pulse) = &mut self.pulse {
                    pulse.stop_listening();
                }
                // Nobody may ever take anything: a program that only writes would wait for ever.
                return self.write_fault().map(Out::Lost);
            }
            if let Some(pulse) = &mut self.pulse {
                pulse.listen(now);
            }
            let Arrived { bytes, then } = self.arriving.read(&mut self.link, cx, room, now);
            if !bytes.is_empty() {
                self.have_come(bytes, now);
            }
            match then {
                Then::More => {}
                Then::Nothing => return None,
                Then::End => return self.ends(),
                Then::Failed(error) => {
                    let fault = self.known().by_error(&error, "read");
                    let fault = self.addressed(fault);
                    return Some(if self.is_finished() { Out::Broken(fault) } else { Out::Lost(fault) });
                }
            }
        }
    }

    fn have_come(&mut self, bytes: Block, now: Duration) {
        // What the handle has written until now may be what this answers.
        let own = self.core.lock().direct.take_own();
        self.was_written(own);
        self.core.counts.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.prove();
        let bytes = match &mut self.pulse {
            Some(pulse) => pulse.received(bytes, now),
            None => bytes,
        };
        // The answer to a beat is none to what the caller sent.
        self.asked &= bytes.is_empty();
        self.hand_on(bytes);
    }

    fn hand_on(&self, bytes: Block) {
        if !bytes.is_empty() {
            self.core.lock().untaken += bytes.len();
            self.core.tell(Event::Data { bytes });
        }
    }

    /// The peer has sent its end.
    fn ends(&mut self) -> Option<Out> {
        if self.is_finished() {
            self.hand_on_the_rest();
            self.core.tell(Event::PeerEnded);
            return Some(Out::Over);
        }
        if let Some(fault) = self.write_fault() {
            return Some(Out::Lost(fault));
        }
        if self.options.reconnect_on_end || !self.up {
            let fault = self.known().by_fin();
            return Some(Out::Lost(self.addressed(fault)));
        }
        // Nothing can be concluded from a silence that was announced: the pulse ends with it.
        self.hand_on_the_rest();
        self.peer_ended = true;
        self.core.tell(Event::PeerEnded);
        None
    }

    /// Why nothing can be written any more.
    fn write_fault(&mut self) -> Option<Box<Fault>> {
        if !matches!(self.write_side, WriteSide::Failed(_)) {
            return None;
        }
        let known = self.known();
        let WriteSide::Failed(error) = &self.write_side else { return None };
        Some(self.addressed(known.by_error(error, "write")))
    }

    /// Everything has been written, and its end: no other connection could do more.
    fn is_finished(&self) -> bool {
        matches!(self.write_side, WriteSide::Closed)
    }

    fn hand_on_the_rest(&mut self) {
        let rest = self.pulse.take().map(|pulse| Block::from(pulse.held_back().to_vec()));
        self.hand_on(rest.unwrap_or_default());
    }

    // --- Time ----------------------------------------------------------------------------------

    fn look_at_time(&mut self, now: Duration) -> Option<Out> {
        self.arriving.look_at_time(now);
        if self.greets_until().is_some_and(|until| now >= until) {
            let fault = Fault::new("ETIMEDOUT", Phase::Handshake, self.known().delivery)
                .with_reason("onConnect was not done within connectTimeout.");
            return Some(Out::Lost(self.addressed(fault)));
        }
        if self.pulse.as_ref().is_some_and(|pulse| pulse.is_dead(now)) {
            // Nobody is there to take an orderly end.
            self.link.socket().end_with_reset();
            let fault = self.known().by_silence();
            return Some(Out::Lost(self.addressed(fault)));
        }
        None
    }

    fn prove(&mut self) {
        // What comes during a greeting may be its refusal.
        if self.up && !self.proved {
            self.proved = true;
            self.attempts.proved();
        }
    }

    fn greets_until(&self) -> Option<Duration> {
        if self.up { None } else { Some(self.made_at + self.options.connect_timeout?) }
    }

    fn wakes_at(&self) -> Option<Duration> {
        let beat = self.pulse.as_ref().and_then(Pulse::next);
        [beat, self.greets_until(), self.arriving.until()].into_iter().flatten().min()
    }

    // --- The end -------------------------------------------------------------------------------

    fn lose(&mut self, out: &Out) {
        // Asked here and nowhere else: whether it had lasted matters when it is lost, and not to a timer that may be late.
        if self.core.now() >= self.made_at + self.options.min_uptime {
            self.prove();
        }
        self.hand_on_the_rest();
        let unacknowledged = self.link.unacknowledged();
        let uptime = self.core.uptime().unwrap_or_default();
        self.core.counts.up_since.store(0, Ordering::Relaxed);
        let fates = {
            let mut inner = self.core.lock();
            inner.socket = None;
            inner.greeting = Default::default();
            inner.queue.lost(self.leaving.cut());
            inner.queue.take_fates()
        };
        if let (true, Out::Lost(fault) | Out::Broken(fault)) = (self.up, out) {
            let (generation, fault) = (self.generation, (**fault).clone());
            self.core.tell(Event::Down(Box::new(Loss { generation, fault, unacknowledged, uptime })));
        }
        self.core.tell_fates(fates);
    }

    /// What is known of it now.
    fn known(&mut self) -> Known {
        let is_written_to = !self.takes_turn();
        Known {
            up: self.up,
            outstanding: is_written_to
                || !self.leaving.is_between_messages()
                || self.link.unacknowledged().is_some_and(|bytes| bytes > 0),
            asked: self.asked,
            delivery: if is_written_to || self.link.has_sent() { Delivery::Unknown } else { Delivery::NotSent },
        }
    }

    fn addressed(&self, mut fault: Fault) -> Box<Fault> {
        if let Some(remote) = self.remote {
            fault.address = Some(remote.ip().to_string());
            fault.port = Some(remote.port());
        }
        Box::new(fault)
    }
}
