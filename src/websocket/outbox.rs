//! Messages that wait, messages on their way, and an end for each of them.
//!
//! The unit is the message: it leaves whole on one connection or it is in doubt. What is kept, given up or sent again after
//! a loss depends on how much of it had left, and that is counted in bytes of the connection, not guessed: every frame is
//! noted with the place it takes among them, and only a message of which the system took not one byte is `unsent`.
//!
//! Messages are numbered from 0 in the order in which they were accepted. They leave in that order, and those that are
//! sent again keep their place.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

pub use crate::tcp::queue::{Accepted, Limits, WhenFull};

use crate::tcp::marks::Marks;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Binary,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    pub payload: Bytes,
    /// May be compressed, if that was agreed on.
    pub compress: bool,
    /// Somebody waits to be told what becomes of it.
    pub awaited: bool,
}

/// What is sent again after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// Messages of which not one byte left.
    Unsent,
    /// Also those that may have arrived: all that neither the peer's TCP has acknowledged nor a pong has proved, whole.
    UnknownToo,
}

/// A message, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The number of the message, ...
    pub number: u64,
    /// ... and all of it.
    pub message: Message,
    pub payload: Bytes,
    pub first: bool,
    pub last: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The system has taken the whole message, on one connection.
    Written,
    /// Not one byte of it left.
    Unsent,
    /// Some of it left, or all, and then the connection was lost.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It waited too long for a connection.
    Expired,
    /// Its connection was lost with part of it sent.
    Cut,
    /// It was set aside, because the peer does not take messages as large.
    Oversized,
    /// There will be no further connection.
    Over,
}

/// What became of a message. Each that is awaited, and each that is not written, has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    pub number: u64,
    pub awaited: bool,
    /// Of payload.
    pub bytes: usize,
    pub word: Word,
    /// `None` if it was written.
    pub why: Option<Why>,
}

/// What a loss left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loss {
    /// Bytes of payload that the system took on this connection and the peer's did not acknowledge; `None`: this system
    /// does not say.
    pub unacknowledged: Option<u64>,
    /// Messages that will be sent again although they may have arrived.
    pub again: u64,
}

#[derive(Debug)]
pub struct Outbox {
    limits: Limits,
    resend: Resend,
    /// Those that are not settled, by number. First those of which some may have left, then those of which nothing has.
    messages: VecDeque<Entry>,
    /// How many were accepted, ever.
    accepted: u64,
    /// The index of the one whose frames come next, and the bytes of it that frames have taken.
    next: usize,
    taken: usize,
    /// Frames that were taken and that the link has not taken whole, in order.
    leaving: VecDeque<Leaving>,
    /// Bytes of the connection that the link has taken.
    handed: u64,
    /// Bytes of payload: of all messages here, ...
    held: usize,
    /// ... of those that no frame has taken, ...
    waiting: usize,
    /// ... of the frames in `leaving`, ...
    on_the_way: usize,
    /// ... and of the frames that the link has taken whole, on this connection.
    left: u64,
    marks: Marks,
    /// Bytes of the connection; `None`: nobody has said.
    acknowledged: Option<u64>,
    /// The caller waits for room.
    blocked: bool,
    fates: Vec<Fate>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    message: Message,
    since: Duration,
    /// Some of it may have left, on this connection or an earlier one.
    has_left: bool,
    /// Its owner has been told that it was written.
    is_told: bool,
    /// Where it ends among the bytes of this connection, if all of it was handed to the link.
    end: Option<u64>,
}

#[derive(Debug)]
struct Leaving {
    number: u64,
    payload: usize,
    last: bool,
    /// From where to where among the bytes of the connection, once that is known.
    place: Option<(u64, u64)>,
}

impl Outbox {
    pub fn new(limits: Limits, resend: Resend) -> Self {
        Outbox {
            limits,
            resend,
            messages: VecDeque::new(),
            accepted: 0,
            next: 0,
            taken: 0,
            leaving: VecDeque::new(),
            handed: 0,
            held: 0,
            waiting: 0,
            on_the_way: 0,
            left: 0,
            marks: Marks::default(),
            acknowledged: None,
            blocked: false,
            fates: Vec::new(),
        }
    }

    /// A message that is refused has no number. A queue that is empty refuses none, however large.
    pub fn send(&mut self, message: Message, now: Duration) -> Accepted {
        let size = message.payload.len();
        let fits = self.held == 0 || self.held + size <= self.limits.bytes;
        if self.limits.when_full == WhenFull::Refuse && !fits {
            return Accepted::Refused;
        }
        let number = self.accepted;
        self.accepted += 1;
        self.held += size;
        self.waiting += size;
        self.messages.push_back(Entry { number, message, since: now, has_left: false, is_told: false, end: None });
        self.blocked |= self.held >= self.limits.bytes;
        if self.blocked && self.limits.when_full == WhenFull::Block { Accepted::Full } else { Accepted::Room }
    }

    /// The bytes of payload of the next message that no frame has taken yet; `None`: nothing waits.
    pub fn rest(&self) -> Option<usize> {
        Some(self.messages.get(self.next)?.message.payload.len() - self.taken)
    }

    /// The next frame, with so many bytes of payload at most, but one at least. Until [`encoded`](Self::encoded) says where
    /// it is, it counts as having left if all before it have.
    pub fn frame(&mut self, most: usize) -> Option<Frame> {
        let entry = self.messages.get(self.next)?;
        let whole = &entry.message.payload;
        let from = self.taken;
        let to = whole.len().min(from + most.max(1));
        let last = to == whole.len();
        let frame = Frame {
            number: entry.number,
            message: entry.message.clone(),
            payload: whole.slice(from..to),
            first: from == 0,
            last,
        };
        self.leaving.push_back(Leaving { number: entry.number, payload: to - from, last, place: None });
        self.waiting -= to - from;
        self.on_the_way += to - from;
        (self.next, self.taken) = if last { (self.next + 1, 0) } else { (self.next, to) };
        Some(frame)
    }

    /// The first of the frames that were taken and have no place yet stands at these bytes of the connection, as handed
    /// to the link (under TLS, before it).
    pub fn encoded(&mut self, from: u64, to: u64) {
        if let Some(frame) = self.leaving.iter_mut().rev().take_while(|frame| frame.place.is_none()).last() {
            frame.place = Some((from, to));
        }
    }

    /// The link has taken the first so many bytes of the connection.
    pub fn handed(&mut self, bytes: u64) {
        self.handed = self.handed.max(bytes);
        while let Some(&Leaving { number, payload, last, place: Some((from, to)) }) = self.leaving.front() {
            if from >= self.handed {
                break;
            }
            self.mark_left(number);
            if to > self.handed {
                break;
            }
            self.leaving.pop_front();
            self.on_the_way -= payload;
            self.left += payload as u64;
            self.marks.note(to, self.left);
            if last {
                self.written(number, to);
            }
        }
    }

    /// The peer's TCP has acknowledged the first so many bytes of the connection.
    pub fn acknowledged(&mut self, bytes: u64) {
        self.acknowledged = self.acknowledged.max(Some(bytes));
        while self.messages.front().is_some_and(|entry| entry.end.is_some_and(|end| end <= bytes)) {
            self.pop();
        }
    }

    /// This message, and all before it, got through: [`super::course::Proof`].
    pub fn proved(&mut self, number: u64) {
        while self.messages.front().is_some_and(|entry| entry.number <= number && entry.end.is_some()) {
            self.pop();
        }
    }

    /// The connection is gone. Call [`handed`](Self::handed) with its last count before. The next one counts from 0.
    ///
    /// `set_aside`: this message is not sent again, whatever became of it: [`super::course::Judgement`].
    pub fn lost(&mut self, set_aside: Option<u64>) -> Loss {
        // Of frames whose place nobody knows: only if everything before them has left, because bytes leave in order.
        while let Some(frame) = self.leaving.pop_front() {
            if frame.place.is_some() {
                self.leaving.clear();
                break;
            }
            self.mark_left(frame.number);
        }
        let unacknowledged = self.acknowledged.map(|bytes| self.marks.unacknowledged(bytes));
        if let Some(index) = set_aside.and_then(|number| self.index_of(number)) {
            self.give_up(index, Why::Oversized);
        }
        if self.resend == Resend::Unsent {
            while self.messages.front().is_some_and(|entry| entry.has_left) {
                self.give_up(0, Why::Cut);
            }
        }
        let again = self.never_left();
        for entry in self.messages.range_mut(..again) {
            entry.end = None;
        }
        (self.next, self.taken) = (0, 0);
        (self.waiting, self.on_the_way) = (self.held, 0);
        (self.handed, self.left, self.marks, self.acknowledged) = (0, 0, Marks::default(), None);
        Loss { unacknowledged, again: again as u64 }
    }

    /// Gives up what has waited too long and of which nothing has left. Only while there is no connection.
    pub fn expire(&mut self, now: Duration) {
        let index = self.never_left();
        while let Some(age) = self.limits.age
            && self.messages.get(index).is_some_and(|entry| now >= entry.since.saturating_add(age))
        {
            self.waiting -= self.messages[index].message.payload.len();
            self.give_up(index, Why::Expired);
        }
    }

    /// When the next message will have waited too long.
    pub fn expires_at(&self) -> Option<Duration> {
        Some(self.messages.get(self.never_left())?.since.saturating_add(self.limits.age?))
    }

    /// There will be no further connection: what is left gets its word.
    pub fn end(&mut self) {
        self.lost(None);
        while !self.messages.is_empty() {
            self.give_up(0, Why::Over);
        }
        self.waiting = 0;
    }

    /// What became of messages since this was last asked.
    pub fn take_fates(&mut self) -> Vec<Fate> {
        std::mem::take(&mut self.fates)
    }

    /// There is room again, for half of what the queue holds at least. Told once for the [`Accepted::Full`] before it.
    pub fn take_room(&mut self) -> bool {
        let room = self.blocked && self.held <= self.limits.bytes / 2;
        self.blocked &= !room;
        room
    }

    /// The bytes of payload that the link has not taken. Exact, but for a frame that was compressed: that one counts whole
    /// until it has left whole.
    pub fn buffered_amount(&self) -> usize {
        let in_part = self.leaving.front().map_or(0, |frame| frame.has_left(self.handed));
        self.waiting + self.on_the_way - in_part
    }

    /// Nothing waits to be sent, or to be acknowledged where that is waited for.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The message of this number, all of it, was handed to the link, which ends there.
    fn written(&mut self, number: u64, end: u64) {
        let Some(index) = self.index_of(number) else { return };
        let entry = &mut self.messages[index];
        entry.end = Some(end);
        if !std::mem::replace(&mut entry.is_told, true) && entry.message.awaited {
            self.fates.push(Fate {
                number,
                awaited: true,
                bytes: entry.message.payload.len(),
                word: Word::Written,
                why: None,
            });
        }
        if self.resend == Resend::Unsent {
            self.pop();
        }
    }

    /// Removes a message, and says so unless its owner has been told something else.
    fn give_up(&mut self, index: usize, why: Why) {
        let Some(Entry { number, message, has_left, is_told, .. }) = self.messages.remove(index) else { return };
        self.held -= message.payload.len();
        if !is_told {
            let word = if has_left { Word::Unknown } else { Word::Unsent };
            let Message { awaited, payload, .. } = message;
            self.fates.push(Fate { number, awaited, bytes: payload.len(), word, why: Some(why) });
        }
    }

    fn pop(&mut self) {
        if let Some(entry) = self.messages.pop_front() {
            self.held -= entry.message.payload.len();
            self.next -= 1;
        }
    }

    fn mark_left(&mut self, number: u64) {
        if let Some(index) = self.index_of(number) {
            self.messages[index].has_left = true;
        }
    }

    fn index_of(&self, number: u64) -> Option<usize> {
        // Most often it is the first.
        if self.messages.front().is_some_and(|entry| entry.number == number) {
            return Some(0);
        }
        self.messages.binary_search_by_key(&number, |entry| entry.number).ok()
    }

    /// The index of the first message of which nothing has left, ever.
    fn never_left(&self) -> usize {
        self.messages.partition_point(|entry| entry.has_left)
    }
}

impl Leaving {
    /// Bytes of its payload that are among the first `handed` of the connection.
    fn has_left(&self, handed: u64) -> usize {
        let Some((from, to)) = self.place else { return 0 };
        // RFC 6455, section 5.2: with the mask.
        const LONGEST_HEADER: u64 = 14;
        let header = (to - from).checked_sub(self.payload as u64).filter(|header| *header <= LONGEST_HEADER);
        let payload = header.map_or(0, |header| handed.saturating_sub(from + header));
        usize::try_from(payload).unwrap_or(usize::MAX).min(self.payload)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
