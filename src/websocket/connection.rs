//! One connection, from the upgrade to its end: messages in, messages out, greeting, heartbeat, Close frames.
//!
//! All of it is one poll function of one task. Whatever wakes the task, everything that is possible is done before it sleeps
//! again, and what the owner is to be told is told at once, as one batch.

mod receiving;
mod sending;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep_until};

use super::core::{Core, Stage, Wish};
use super::course::{self, Course, Judgement};
use super::ending::{Ended, How, Known, Stop};
use super::engine::Engine;
use super::event::{Closure, Event, Loss, Oversized, Return, Traffic};
use super::flow::Flows;
use super::options::Options;
use super::pulse::Pulse;
use super::tap::Tap;
use super::way::Made;
use crate::fault::{Delivery, Fault, Phase};
use crate::policy::Random;

/// The weight of messages that may wait for the caller to deal with them. Beyond it nothing is read, and the peer has to
/// wait.
pub(super) const READ_AHEAD: usize = 512 * 1024;
/// What a message weighs besides its bytes: that much is kept of it while it waits.
const MESSAGE_WEIGHT: usize = 64;
/// After the Close frames the server ends the connection (RFC 6455, section 7.1.1). Who does not is not waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The weight of a message of so many bytes.
pub fn weight(bytes: usize) -> usize {
    bytes + MESSAGE_WEIGHT
}

pub(super) struct Connection<'a> {
    core: &'a Core,
    options: &'a Options,
    engine: Engine,
    tap: Tap,
    course: Course,
    pulse: Pulse,
    generation: u32,
    remote: Option<SocketAddr>,
    made_at: Duration,
    /// What is told when it comes up.
    returns: Option<(u32, Duration)>,
    /// It is, or was, up: the caller's messages could leave.
    up: bool,
    side: Side,
    /// Nothing can be written; what the peer said before may still be read.
    write_failed: Option<io::Error>,
    /// When the next frame may leave.
    waits_until: Option<Duration>,
    /// Something was learnt that may let the next frame leave.
    again: bool,
    read: u64,
    handed: u64,
    came_at: Duration,
    last_send: Option<(usize, Duration)>,
    /// A message was sent since the last one came.
    asked: bool,
    /// Bytes of the connection that the peer's system had acknowledged when that was last asked.
    acknowledged: u64,
    timer: Pin<Box<Sleep>>,
    events: Vec<Event>,
}

/// How far its end has come.
enum Side {
    Open,
    /// The caller wants its end: messages leave, then a Close frame, and the peer's must have come until then.
    Closing {
        until: Duration,
        said: bool,
    },
    /// All is said. What has been encoded leaves, then the end of the stream, and the peer's is waited for.
    Ending {
        stop: Option<Stop>,
        until: Duration,
        shut: bool,
    },
}

/// A connection that is over.
pub(super) struct Over {
    pub ended: Ended,
    /// A message was set aside.
    pub set_aside: bool,
    /// When it was lost, if it had been up.
    pub was_up_until: Option<Duration>,
    pub lasted: bool,
}

impl<'a> Connection<'a> {
    /// `again`: the attempts that it took, and since when the last one that was up is lost.
    pub fn new(
        core: &'a Core,
        options: &'a Options,
        random: &mut dyn Random,
        made: Made,
        generation: u32,
        again: Option<(u32, Duration)>,
    ) -> Result<Self, Box<Fault>> {
        let now = core.now();
        // Asked now: of a connection that was reset the system does not tell it any more.
        let (_, remote) = made.link.socket().addresses();
        let flow = match options.adapts {
            true => options.flows.of(&made.request.endpoint()),
            // What it learns goes with it.
            false => Flows::new(1).of(""),
        };
        let course = Course::new(flow, options.max_frame, now);
        core.lock().flow = Some(course.snapshot());
        let tap = Tap::new(made.link, made.upgraded.rest);
        let engine = Engine::new(tap.clone(), made.upgraded.agreed.as_ref(), options.max_payload);
        let engine = engine.map_err(|broken| Box::new(broken.unusable()))?;
        Ok(Connection {
            core,
            options,
            engine,
            tap,
            course,
            pulse: Pulse::new(options.heartbeat, now, random),
            generation,
            remote,
            made_at: now,
            returns: again,
            up: false,
            side: Side::Open,
            write_failed: None,
            waits_until: None,
            again: false,
            read: 0,
            handed: 0,
            came_at: now,
            last_send: None,
            asked: false,
            timer: Box::pin(sleep_until(core.at(now))),
            acknowledged: 0,
            events: Vec::new(),
        })
    }

    /// Runs it to its end. A connection that was up tells of its loss.
    pub async fn run(mut self) -> Over {
        if self.core.lock().stage == Stage::Open {
            self.comes_up();
        }
        let stop = poll_fn(|cx| self.poll(cx)).await;
        self.lose(stop)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        self.core.waker.register(cx.waker());
        loop {
            let now = self.core.now();
            let mut more = false;
            let out = self
                .heed(now)
                .or_else(|| self.write(cx, now, &mut more))
                .or_else(|| self.read(cx, now, &mut more))
                .or_else(|| self.finish(cx, now))
                .or_else(|| self.look_at_time(now));
            if out.is_none() && !self.tap.lock().is_empty() && self.write_failed.is_none() {
                // Answers to what was read.
                self.hand_over(cx);
            }
            self.core.lock().take_news(&mut self.events);
            self.core.tell_all(&mut self.events);
            if let Some(stop) = out {
                return Poll::Ready(stop);
            }
            if std::mem::take(&mut self.again) {
                continue;
            }
            if more {
                // Others have a turn.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let next = self.core.at(self.wakes_at(now));
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    // --- The caller ----------------------------------------------------------------------------

    /// What the caller has said meanwhile.
    fn heed(&mut self, now: Duration) -> Option<Stop> {
        let (outcome, wish) = {
            let mut inner = self.core.lock();
            (inner.greeting.outcome.take(), inner.end.clone())
        };
        match wish {
            Some(Wish::Terminate) => {
                self.tap.lock().link.socket().end_with_reset();
                return Some(Stop::Caller(Closure::abnormal()));
            }
            // Before the greeting is over there is nothing to be said goodbye to.
            Some(Wish::Close(_)) if !self.up => return Some(Stop::Caller(Closure::abnormal())),
            Some(Wish::Close(_)) if matches!(self.side, Side::Open) => {
                self.side = Side::Closing { until: now + self.options.close_timeout, said: false };
                self.core.lock().stage = Stage::Closing;
            }
            _ => {}
        }
        match outcome? {
            Ok(()) if !self.up => {
                self.core.lock().stage = Stage::Open;
                self.comes_up();
                None
            }
            Ok(()) => None,
            Err(fault) => Some(Stop::Greeting(fault)),
        }
    }

    fn comes_up(&mut self) {
        self.up = true;
        self.core.came_up();
        let again = self.returns.map(|(attempts, lost_at)| {
            self.core.counts.reconnects.fetch_add(1, Ordering::Relaxed);
            Return { attempts, downtime: self.core.now().saturating_sub(lost_at) }
        });
        self.events.push(Event::Up { generation: self.generation, again });
    }

    // --- The end -------------------------------------------------------------------------------

    /// What comes after the last frame.
    fn finish(&mut self, cx: &mut Context<'_>, now: Duration) -> Option<Stop> {
        let Side::Ending { stop, until, shut } = &mut self.side else { return None };
        let mut tapped = self.tap.lock();
        let mut over = now >= *until || self.write_failed.is_some();
        if !over && !*shut {
            match tapped.poll_hand_over(cx) {
                Poll::Ready(Ok(())) => match tapped.link.poll_shutdown(cx) {
                    Poll::Ready(shutdown) => {
                        *shut = true;
                        over = shutdown.is_err();
                    }
                    Poll::Pending => {}
                },
                Poll::Ready(Err(_)) => over = true,
                Poll::Pending => {}
            }
        }
        // What is not read makes the end a reset, which could overtake our last words.
        if !over && tapped.stopped.is_none() {
            over = tapped.poll_drain(cx).is_ready();
        } else if *shut {
            over = true;
        }
        if over { stop.take() } else { None }
    }

    fn look_at_time(&mut self, now: Duration) -> Option<Stop> {
        if self.greets_until().is_some_and(|until| now >= until) {
            let late = Fault::new("ETIMEDOUT", Phase::Handshake, Delivery::Unknown);
            return Some(Stop::Greeting(Box::new(late.with_reason("onConnect was not done within handshakeTimeout."))));
        }
        if let Side::Closing { until, .. } = self.side
            && now >= until
        {
            self.tap.lock().link.socket().end_with_reset();
            return Some(Stop::Caller(Closure::abnormal()));
        }
        // Taken, or else it would be time again and again while the connection takes nothing.
        if self.waits_until.take_if(|until| now >= *until).is_some() {
            self.again = true;
            if self.unacknowledged() == Some(0) {
                let proof = self.course.all_acknowledged(now);
                self.proves(proof);
            }
        }
        if !self.pulse.is_dead(now) || matches!(self.side, Side::Ending { .. }) {
            return None;
        }
        if self.has_drained() {
            self.pulse.drained(now);
            return None;
        }
        // Nobody is there to take an orderly end.
        self.tap.lock().link.socket().end_with_reset();
        Some(Stop::Silence)
    }

    /// The peer's system has acknowledged something since this was last asked.
    fn has_drained(&mut self) -> bool {
        let Some(unacknowledged) = self.unacknowledged() else { return false };
        let acknowledged = self.handed - unacknowledged.min(self.handed);
        let drained = acknowledged > self.acknowledged;
        self.acknowledged = acknowledged;
        drained && unacknowledged > 0
    }

    fn unacknowledged(&mut self) -> Option<u64> {
        self.tap.lock().link.unacknowledged()
    }

    fn greets_until(&self) -> Option<Duration> {
        if self.up { None } else { Some(self.made_at + self.options.handshake_timeout?) }
    }

    fn wakes_at(&self, now: Duration) -> Duration {
        /// When nothing is to be waited for.
        const LATER: Duration = Duration::from_secs(86_400);
        let ends = match self.side {
            Side::Open => None,
            Side::Closing { until, .. } | Side::Ending { until, .. } => Some(until),
        };
        // Who has said its last sends no pings.
        let beats = if self.can_send() { self.pulse.next() } else { None };
        let known = [beats, self.greets_until(), ends, self.waits_until].into_iter().flatten().min();
        known.unwrap_or(now + LATER)
    }

    fn lose(mut self, stop: Stop) -> Over {
        let now = self.core.now();
        let (handed, unacknowledged) = {
            let mut tapped = self.tap.lock();
            (tapped.handed(), tapped.link.unacknowledged())
        };
        let Judgement { oversized, change, after_large } = self.course.lost(stop.death(), now);
        self.adapted(change);
        let mut ended = self.known(now, unacknowledged, after_large).ended(stop);
        let uptime = self.core.uptime().unwrap_or_default();
        self.core.counts.up_since.store(0, Ordering::Relaxed);
        let traffic = self.traffic(now);
        let loss = {
            let mut inner = self.core.lock();
            inner.socket = None;
            inner.greeting = Default::default();
            inner.controls.clear();
            inner.outbox.handed(handed);
            if let Some(unacknowledged) = unacknowledged {
                inner.outbox.acknowledged(handed - unacknowledged.min(handed));
            }
            inner.outbox.lost(oversized.as_ref().map(|oversized| oversized.number))
        };
        if let Some(remote) = self.remote {
            ended.fault.address = Some(remote.ip().to_string());
            ended.fault.port = Some(remote.port());
        }
        // What the caller has ended is no loss.
        if self.up && ended.how != How::Asked {
            self.events.push(Event::Down(Box::new(Loss {
                closure: ended.closure.clone(),
                fault: (*ended.fault).clone(),
                unacknowledged: loss.unacknowledged,
                uptime,
                traffic,
            })));
        }
        let set_aside = oversized.is_some();
        self.core.lock().take_news(&mut self.events);
        if let Some(course::Oversized { number, message, largest }) = oversized {
            let fault = (*ended.fault).clone();
            self.events.push(Event::Oversized(Box::new(Oversized { number, message, largest, fault })));
        }
        self.core.tell_all(&mut self.events);
        let lasted = now >= self.made_at + self.options.min_uptime;
        Over { ended, set_aside, was_up_until: self.up.then_some(now), lasted }
    }

    fn known(&self, now: Duration, unacknowledged: Option<u64>, after_large: Option<usize>) -> Known {
        Known {
            up: self.up,
            outstanding: self.core.lock().outbox.buffered_amount() > 0 || unacknowledged.is_some_and(|bytes| bytes > 0),
            asked: self.asked,
            within_frame: self.tap.lock().is_within_frame(),
            traffic: self.traffic(now),
            after_large,
        }
    }

    fn traffic(&self, now: Duration) -> Traffic {
        Traffic {
            read: self.read,
            written: self.handed,
            idle: now.saturating_sub(self.came_at),
            last_send: self.last_send.map(|(bytes, at)| (bytes, now.saturating_sub(at))),
        }
    }
}
