//! The sends of one connection, judged: what may leave now, what has got through, and what killed it.
//!
//! That the system took a message, and even that the peer's system acknowledged it, says nothing of the program behind it:
//! that one may be about to refuse it. A WebSocket has something better. A peer handles frames in order, so the pong to a
//! ping that left after a message (or between its frames) proves that everything before the ping was read and not
//! refused. So pings are sent in the wake of large sends, and what they prove is what counts.
//!
//! From that follows what *a reset follows large sends* means here: the connection ended by RST, or by FIN without a Close
//! frame, not more than [`FOLLOWS`] after something was sent; and what had left and was not proved to have been read
//! comes to [`LARGE`] bytes of payload at least, or is part of a message that does.
//!
//! And what makes a message *oversized*:
//!
//! - The peer closed with 1009. It is the largest of those that are not proved, the first of equals.
//! - It is the largest of those that are not proved when such a reset came, [`LARGE`] at least, and the frame is not to
//!   blame: the peer is known to take frames of the size that there was, or they cannot become smaller. Then it takes
//!   - one death, if it is larger than anything that got through before, and all of it had left. (Nothing is sent after
//!     such a message before it is proved, so nothing else can be meant.)
//!   - two, if only a part of it had left. That can as well be a limit on bytes in a second, so it has another chance at
//!     the pace that the first death left.
//!   - four, if one as large got through before. The limit may have been lowered; most often the peer has other troubles.
//!
//!   All of them count only as long as none as large gets through between them.
//!
//! The order of calls for one connection: [`Course::allow`] before a frame is taken from the outbox, [`Course::sent`]
//! with each frame that was; then, if [`Course::wants_proof`], a ping of [`super::pulse`], and [`Course::asked`] with its
//! number; [`Course::proved`] with the number of each pong; at the end [`Course::lost`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::flow::{Answers, Change, Flow, LARGE, Snapshot};
use super::outbox::{Frame, Message};

/// An end later than this after the last send has another cause.
pub const FOLLOWS: Duration = Duration::from_secs(5);
/// How long a peer of whom no answer is known is waited for before the next large send.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// Over which the pace of a peer is measured.
const MEASURED: Duration = Duration::from_secs(1);
/// How finely.
const GRAIN: Duration = Duration::from_millis(10);
/// What leaves at once when sends are paced: timers are no finer than a millisecond, and small messages many.
const BURST: Duration = Duration::from_millis(50);
/// Deaths that it takes: see above.
const DEATHS_IN_THE_MIDDLE: u32 = 2;
const DEATHS_OF_NO_RECORD: u32 = 4;
/// Bytes after which a proof is asked for, at first and at most.
const PROVEN_EVERY: (u64, u64) = (64 * 1024, 1024 * 1024);
/// Messages that are remembered until they are proved: the largest.
const MOST_SUSPECTS: usize = 16;
/// Pings that are remembered until they are answered: the latest.
const MOST_ASKED: usize = 32;

#[derive(Debug)]
pub struct Course {
    flow: Arc<Mutex<Flow>>,
    max_frame: usize,
    /// Bytes of payload.
    sent: u64,
    /// Of these, those that are proved to have been read.
    proven: u64,
    last_sent: Duration,
    /// Nothing leaves before so many are proved.
    hold: u64,
    /// The message of which only a part has left.
    current: Option<u64>,
    /// The last that has left whole.
    last_whole: Option<u64>,
    /// Since the last ping.
    largest: Largest,
    /// Messages that are not proved, large ones first, of equals the first one and the last one; see [`suspect`].
    suspects: VecDeque<(u64, Message)>,
    asked: VecDeque<Asked>,
    /// What was proved in the last second, and just before: when, and how much in all.
    read: VecDeque<(Duration, u64)>,
    /// When the next frame may leave, if sends are paced.
    paced: Duration,
}

/// A ping.
#[derive(Debug, Clone, Copy)]
struct Asked {
    number: u64,
    at: Duration,
    /// Left before it.
    sent: u64,
    last_whole: Option<u64>,
    /// Between the one before and this one.
    largest: Largest,
    /// Bytes that were not proved when it left.
    unproven: u64,
}

/// In bytes of payload.
#[derive(Debug, Clone, Copy, Default)]
struct Largest {
    frame: usize,
    /// Of those that have left whole.
    message: usize,
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proof {
    /// The last message that got through, and all before it: for [`super::outbox::Outbox::proved`].
    pub message: Option<u64>,
    pub change: Option<Change>,
}

/// What the end of a connection came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// The message that is not to be sent again: its number is for [`super::outbox::Outbox::lost`].
    pub oversized: Option<Oversized>,
    pub change: Option<Change>,
    /// If the end followed large sends, or was said to be for a large one: the size of the largest message that is not
    /// proved to have got through.
    pub after_large: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oversized {
    pub number: u64,
    pub message: Message,
    /// The largest that is known to have got through, 0: none.
    pub largest: usize,
}

impl Course {
    /// `max_frame`: the caller's `maxFrame`.
    pub fn new(flow: Arc<Mutex<Flow>>, max_frame: usize, now: Duration) -> Self {
        Course {
            flow,
            max_frame: max_frame.max(1),
            sent: 0,
            proven: 0,
            last_sent: now,
            hold: 0,
            current: None,
            last_whole: None,
            largest: Largest::default(),
            suspects: VecDeque::new(),
            asked: VecDeque::new(),
            read: VecDeque::new(),
            paced: now,
        }
    }

    /// May a frame leave? `hears`: somebody reads what comes. A caller who takes nothing before he has sent everything
    /// would wait for pongs that lie unread, for ever.
    pub fn allow(&mut self, hears: bool, now: Duration) -> Allowance {
        let mut flow = lock(&self.flow);
        let frame = flow.frame(self.max_frame);
        if flow.pace().is_some() && self.paced > now {
            return Allowance::Wait { until: self.paced };
        }
        let waits = self.proven < self.hold || self.sent - self.proven >= flow.window() as u64;
        if !waits || !hears || flow.answers == Answers::No {
            return Allowance::Frame(frame);
        }
        // Before it was asked, it cannot have answered.
        let patience = self.asked.front().map_or(now, |asked| asked.at) + ANSWERS_WITHIN;
        if flow.answers == Answers::Unknown && now >= patience {
            flow.answers = Answers::No;
            return Allowance::Frame(frame);
        }
        Allowance::Wait { until: patience.max(now + ANSWERS_WITHIN / 2) }
    }

    /// A frame was handed to the engine.
    pub fn sent(&mut self, frame: &Frame, now: Duration) {
        let payload = frame.payload.len();
        self.sent += payload as u64;
        self.last_sent = now;
        self.largest.frame = self.largest.frame.max(payload);
        if frame.first {
            suspect(&mut self.suspects, frame);
        }
        let flow = lock(&self.flow);
        if let Some(pace) = flow.pace() {
            let takes = Duration::from_nanos((payload as u64).saturating_mul(1_000_000_000) / pace);
            self.paced = self.paced.max(now.saturating_sub(BURST)) + takes;
        }
        if payload >= flow.frame(self.max_frame) && !flow.trusts_frame(self.max_frame) {
            self.hold = self.sent;
        }
        self.current = (!frame.last).then_some(frame.number);
        if frame.last {
            let size = frame.message.payload.len();
            self.last_whole = Some(frame.number);
            self.largest.message = self.largest.message.max(size);
            if size > flow.largest().max(LARGE) {
                self.hold = self.sent;
            }
        }
    }

    /// The peer's TCP has acknowledged everything that was sent so far: the second best proof, used only with peers that
    /// answer no ping.
    pub fn all_acknowledged(&mut self, now: Duration) -> Proof {
        if lock(&self.flow).answers != Answers::No {
            return Proof::default();
        }
        self.asked(u64::MAX, now);
        self.answered(self.asked.len() - 1, now)
    }

    /// Should a ping follow what was sent?
    pub fn wants_proof(&self) -> bool {
        let asked = self.asked.back().map_or(self.proven, |asked| asked.sent);
        if asked < self.hold {
            return true;
        }
        let most = (lock(&self.flow).window() as u64 / 2).min(PROVEN_EVERY.1);
        self.sent - asked >= (self.proven / 8).clamp(PROVEN_EVERY.0, most)
    }

    /// A ping with this number leaves after everything that was sent so far. Also for those of the heartbeat.
    pub fn asked(&mut self, ping: u64, now: Duration) {
        self.asked.push_back(Asked {
            number: ping,
            at: now,
            sent: self.sent,
            last_whole: self.last_whole,
            largest: std::mem::take(&mut self.largest),
            unproven: self.sent - self.proven,
        });
        if self.asked.len() > MOST_ASKED
            && let Some(forgotten) = self.asked.pop_front()
            && let Some(next) = self.asked.front_mut()
        {
            next.largest = next.largest.or(forgotten.largest);
        }
    }

    /// The pong to it came.
    pub fn proved(&mut self, ping: u64, now: Duration) -> Proof {
        let Some(index) = self.asked.iter().position(|asked| asked.number == ping) else { return Proof::default() };
        lock(&self.flow).answers = Answers::Yes;
        self.answered(index, now)
    }

    pub fn lost(&mut self, death: Death, now: Duration) -> Judgement {
        let largest = self.suspects.front().map(|(_, message)| message.payload.len());
        let is_large = self.sent - self.proven >= LARGE as u64 || largest >= Some(LARGE);
        let follows = is_large && now <= self.last_sent + FOLLOWS;
        match death {
            Death::TooBig => {
                let oversized = self.set_aside();
                Judgement { after_large: largest, oversized, change: None }
            }
            Death::Abrupt if follows => {
                let oversized = if self.is_of_its_size(largest.unwrap_or(0)) { self.set_aside() } else { None };
                let drained = self.drained(now);
                let change = lock(&self.flow).fall(self.max_frame, drained);
                Judgement { after_large: largest, oversized, change: Some(change) }
            }
            Death::Abrupt | Death::Other => Judgement::default(),
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        lock(&self.flow).snapshot(self.max_frame)
    }

    /// Everything was read that left before the ping with this index.
    fn answered(&mut self, index: usize, now: Duration) -> Proof {
        let asked = self.asked[index];
        let largest = self.asked.drain(..=index).fold(Largest::default(), |all, asked| all.or(asked.largest));
        let mut flow = lock(&self.flow);
        flow.got_through(largest.message);
        flow.frame_taken(largest.frame);
        if asked.unproven >= flow.window() as u64 / 2 {
            flow.widen();
        }
        let is_large = asked.sent - self.proven >= LARGE as u64;
        let change = if is_large { flow.grow(self.max_frame) } else { None };
        drop(flow);
        self.proven = asked.sent;
        self.suspects.retain(|(number, _)| asked.last_whole.is_none_or(|last| *number > last));
        self.note_read(now);
        Proof { message: asked.last_whole, change }
    }

    fn note_read(&mut self, now: Duration) {
        match self.read.back_mut() {
            Some((at, proven)) if now < *at + GRAIN => *proven = self.proven,
            _ => self.read.push_back((now, self.proven)),
        }
        self.forget_before(now);
    }

    /// Bytes that were proved in the last second.
    fn drained(&mut self, now: Duration) -> u64 {
        self.forget_before(now);
        let before = self.read.front().filter(|(at, _)| *at + MEASURED < now).map_or(0, |(_, proven)| *proven);
        self.proven - before
    }

    /// Leaves one proof that is older than the second that is measured.
    fn forget_before(&mut self, now: Duration) {
        while self.read.get(1).is_some_and(|(at, _)| *at + MEASURED < now) {
            self.read.pop_front();
        }
    }

    /// Did the connection die of the size of its largest message?
    fn is_of_its_size(&self, size: usize) -> bool {
        let mut flow = lock(&self.flow);
        if size < LARGE || !flow.trusts_frame(self.max_frame) {
            return false;
        }
        let is_whole = self.current != self.suspects.front().map(|(number, _)| *number);
        let takes = match (size > flow.largest(), is_whole) {
            (true, true) => 1,
            (true, false) => DEATHS_IN_THE_MIDDLE,
            (false, _) => DEATHS_OF_NO_RECORD,
        };
        flow.suspects(size) >= takes
    }

    fn set_aside(&mut self) -> Option<Oversized> {
        let (number, message) = self.suspects.pop_front()?;
        let mut flow = lock(&self.flow);
        flow.refuses(message.payload.len());
        Some(Oversized { number, message, largest: flow.largest() })
    }
}

impl Largest {
    fn or(self, other: Largest) -> Largest {
        Largest { frame: self.frame.max(other.frame), message: self.message.max(other.message) }
    }
}

/// Remembers a message that may prove too large. A smaller one before a larger one never will, as long as that one is not
/// proved; nor will one between two as large as itself.
fn suspect(suspects: &mut VecDeque<(u64, Message)>, frame: &Frame) {
    let size = frame.message.payload.len();
    let size_of = |index: usize| suspects.get(index).map(|(_, message)| message.payload.len());
    let mut kept = suspects.len();
    while kept > 0 && size_of(kept - 1) < Some(size) {
        kept -= 1;
    }
    if kept > 1 && size_of(kept - 2) == Some(size) {
        kept -= 1;
    }
    suspects.truncate(kept);
    if kept < MOST_SUSPECTS {
        suspects.push_back((frame.number, frame.message.clone()));
    }
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
