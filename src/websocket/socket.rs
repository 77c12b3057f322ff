//! The handle to a WebSocket. Every method returns at once and may be called from any thread.

use std::sync::Arc;
use std::sync::MutexGuard;

use bytes::Bytes;

use super::connection::READ_AHEAD;
use super::core::{Control, Core, Inner, Stage, Wish};
use super::engine::Close;
use super::event::Owner;
use super::flow::{Flows, Snapshot};
use super::life::Task;
use super::options::Options;
use super::outbox::{Accepted, Kind, Message, Outbox};
use super::request::Request;
use super::stats::Stats;
use super::way::{BeforeTls, Way};
use crate::fault::Fault;
use crate::policy::Random;

/// Pings and pongs that may wait to leave. A peer that answers each can ask for no more.
const MOST_CONTROLS: usize = 64;

#[derive(Clone)]
pub struct WebSocket {
    core: Arc<Core>,
    options: Arc<Options>,
}

impl WebSocket {
    /// Opens nothing before the task runs.
    pub fn new(
        options: Options,
        owner: Box<dyn Owner>,
        before_tls: BeforeTls,
        random: Box<dyn Random + Send>,
    ) -> (WebSocket, Task) {
        let core = Arc::new(Core::new(Outbox::new(options.queue, options.resend), owner));
        let options = Arc::new(options);
        let way = Way::new(Arc::clone(&options), before_tls);
        let task = Task::new(Arc::clone(&core), Arc::clone(&options), way, random);
        (WebSocket { core, options }, task)
    }

    /// Queues messages, up to the first that is refused. Returns what became of the last, and how many were taken.
    /// `None`: nothing is taken any more.
    pub fn send(&self, messages: impl IntoIterator<Item = Message>) -> (usize, Option<Accepted>) {
        let now = self.core.now();
        let (mut taken, mut last) = (0, Some(Accepted::Room));
        {
            let mut inner = self.core.lock();
            for message in messages {
                if inner.end.is_some() || inner.stage == Stage::Over {
                    last = None;
                    break;
                }
                last = Some(inner.outbox.send(message, now));
                if last == Some(Accepted::Refused) {
                    break;
                }
                taken += 1;
            }
        }
        self.core.waker.wake();
        (taken, last)
    }

    /// `false`: there is no connection that it could be sent on, or as many wait already as may.
    pub fn ping(&self, payload: Bytes) -> bool {
        self.control(Control::Ping(payload))
    }

    /// As [`ping`](Self::ping).
    pub fn pong(&self, payload: Bytes) -> bool {
        self.control(Control::Pong(payload))
    }

    fn control(&self, control: Control) -> bool {
        self.change(|inner| {
            let sends = inner.stage == Stage::Open && inner.controls.len() < MOST_CONTROLS;
            if sends {
                inner.controls.push_back(control);
            }
            sends
        })
    }

    /// Nothing more will be sent. What was leaves first.
    pub fn close(&self, close: Option<Close>) {
        self.change(|inner| {
            inner.end.get_or_insert(Wish::Close(close));
        });
    }

    /// The connection there is ends with an RST.
    pub fn terminate(&self) {
        self.change(|inner| inner.end = Some(Wish::Terminate));
    }

    /// Nothing is read while it is paused.
    pub fn set_paused(&self, on: bool) {
        self.change(|inner| inner.paused = on);
    }

    /// The caller has dealt with so much of what was told: see [`super::weight`].
    pub fn taken(&self, weight: usize) {
        // Not with the first byte of room: who stopped reading begins again with much.
        const RESUMED_AT: usize = READ_AHEAD / 2;
        let resumes = {
            let mut inner = self.core.lock();
            let before = inner.untaken;
            inner.untaken = before.saturating_sub(weight);
            before > RESUMED_AT && inner.untaken <= RESUMED_AT
        };
        if resumes {
            self.core.waker.wake();
        }
    }

    /// A message of the greeting's. `false`: there is no greeting on a connection of this number.
    pub fn greet(&self, generation: u32, kind: Kind, payload: Bytes) -> bool {
        self.is_greeting(generation, |inner| inner.greeting.sends.push_back((kind, payload)))
    }

    /// The greeting on a connection has come to its end. One that is gone is not told.
    pub fn greeted(&self, generation: u32, outcome: Result<(), Box<Fault>>) {
        self.is_greeting(generation, |inner| inner.greeting.outcome = Some(outcome));
    }

    fn is_greeting(&self, generation: u32, change: impl FnOnce(&mut Inner)) -> bool {
        let current = self.core.generation() == generation;
        self.change(|inner| {
            let current = current && inner.stage == Stage::Greeting;
            if current {
                change(inner);
            }
            current
        })
    }

    /// The answer to [`super::event::Event::Provide`].
    pub fn provided(&self, attempt: u32, request: Result<Request, Box<Fault>>) {
        self.change(|inner| inner.provided = Some((attempt, request)));
    }

    /// The answer to [`super::event::Event::ShouldReconnect`]; `None`: as is usual.
    pub fn decide(&self, id: u32, reconnects: Option<bool>) {
        self.change(|inner| inner.decided = Some((id, reconnects)));
    }

    /// Bytes of messages that the system has not taken.
    pub fn buffered_amount(&self) -> usize {
        self.core.lock().outbox.buffered_amount()
    }

    /// `true`: not more than so many bytes are buffered. Otherwise [`super::event::Event::Drained`] says when it is so.
    pub fn notify_drained(&self, at_most: usize) -> bool {
        let mut inner = self.core.lock();
        let drained = inner.outbox.buffered_amount() <= at_most;
        inner.drained_at = (!drained).then_some(at_most);
        drained
    }

    /// What is known of large sends to where it is connected, or was last; of static requests before that, too.
    pub fn flow(&self) -> Option<Snapshot> {
        let known = self.core.lock().flow;
        known.or_else(|| {
            let endpoint = self.options.request.as_ref()?.endpoint();
            let flow = if self.options.adapts { self.options.flows.of(&endpoint) } else { Flows::new(1).of("") };
            let flow = flow.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Some(flow.snapshot(self.options.max_frame))
        })
    }

    pub fn stats(&self) -> Stats {
        Stats::of(&self.core)
    }

    fn change<T>(&self, change: impl FnOnce(&mut MutexGuard<'_, Inner>) -> T) -> T {
        let changed = change(&mut self.core.lock());
        self.core.waker.wake();
        changed
    }
}
