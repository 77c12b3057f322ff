//! The sends of one connection, judged: what may leave now, what has got through, and what killed it.
//!
//! That the system took a message, and even that the peer's system acknowledged it, says nothing of the program behind it:
//! that one may be about to refuse it. A WebSocket has something better. A peer handles frames in order, so the pong to a
//! ping that left after a message (or between its frames) proves that everything before the ping was read and not
//! refused. So pings are sent in the wake of large sends, and what they prove is what counts.
//!
//! The order of calls for one connection: [`Course::allow`] before a frame is taken from the outbox, [`Course::sent`]
//! with each frame that was; then, if [`Course::wants_proof`], a ping of [`super::pulse`], and [`Course::asked`] with its
//! number; [`Course::proved`] with the number of each pong; at the end [`Course::lost`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::flow::{Change, Flow, Snapshot};
use super::outbox::Frame;

#[derive(Debug)]
pub struct Course { max: usize, flow: Arc<Mutex<Flow>> }

/// What may leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// A frame with so many bytes of payload at most.
    Frame(usize),
    /// Nothing before something is proved, or this time has come: ask again then.
    Wait { until: Duration },
}

/// How a connection ended, as far as its sends are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// The peer closed with 1009.
    TooBig,
    /// RST, or FIN without a close frame.
    Abrupt,
    /// Everything else: another close code, silence, the caller's own doing.
    Other,
}

/// What a pong proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The last message that got through, and all before it: for [`super::outbox::Outbox::proved`].
    pub message: Option<u64>,
    pub change: Option<Change>,
}

/// What the end of a connection came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The message that is not to be sent again: for [`super::outbox::Outbox::lost`].
    pub oversized: Option<Oversized>,
    pub change: Option<Change>,
    /// The size of the large message that was going on, or that left last and was not proved to have got through, if the
    /// end followed it: for the reason of the fault.
    pub after_large: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversized {
    pub number: u64,
    pub message: super::outbox::Message,
    /// The largest that is known to have got through, 0: none.
    pub largest: usize,
}

impl Course {
    /// `max_frame`: the caller's `maxFrame`.
    pub fn new(flow: Arc<Mutex<Flow>>, max_frame: usize, now: Duration) -> Self {
        let _ = now;
        Course { max: max_frame, flow }
    }

    /// May a frame leave, of a message with `rest` bytes of payload still to go?
    pub fn allow(&mut self, rest: usize, now: Duration) -> Allowance {
        let _ = (rest, now);
        Allowance::Frame(self.max)
    }

    /// A frame was handed to the engine.
    pub fn sent(&mut self, frame: &Frame, now: Duration) {
        let _ = (frame, now);
    }

    /// The peer's TCP has acknowledged everything that was sent so far: the second best proof, used only with peers that
    /// answer no ping.
    pub fn all_acknowledged(&mut self, now: Duration) {
        let _ = now;
    }

    /// Should a ping follow what was sent? Never while one is outstanding.
    pub fn wants_proof(&self) -> bool {
        false
    }

    /// A ping with this number leaves after everything that was sent so far. Also for those of the heartbeat.
    pub fn asked(&mut self, ping: u64, now: Duration) {
        let _ = (ping, now);
    }

    /// The pong to it came.
    pub fn proved(&mut self, ping: u64, now: Duration) -> Proof {
        let _ = (ping, now);
        Proof { message: None, change: None }
    }

    pub fn lost(&mut self, death: Death, now: Duration) -> Judgement {
        let _ = (death, now);
        Judgement { oversized: None, change: None, after_large: None }
    }

    pub fn snapshot(&self) -> Snapshot {
        self.flow.lock().unwrap().snapshot(self.max)
    }
}
