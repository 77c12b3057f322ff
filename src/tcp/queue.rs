//! What was written and has not left yet: bounded, in order, and with an end for every write.
//!
//! The unit is a message (see [`super::frame`]): it leaves whole on one connection or counts as lost. A message that a
//! connection had only part of is not begun again on the next one, because nobody knows how much of it the peer has acted
//! on. Unless messages are kept until they are acknowledged: then all that are not are sent again, whole.
//!
//! Writes and messages are not the same where there is a frame: a message may be made of several writes and a write hold
//! several messages. A write is settled with the message that has its last byte, and is lost if any part of it was.
//! Writes are settled in the order in which they came, so a number of them says which.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::frame::Cutter;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Complete messages. One that is still being written is as large as the caller makes it.
    pub bytes: usize,
    /// How long a message may wait for a connection; `None`: for ever.
    pub age: Option<Duration>,
    pub when_full: WhenFull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The write is taken, and the caller asked to wait before the next one.
    Block,
    Refuse,
}

/// What became of a write when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    Room,
    /// It was taken. [`Fate::Room`] says when the next one should come.
    Full,
    /// It was not taken.
    Refused,
}

/// What became of writes, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Handed to the system; where messages are kept, acknowledged.
    Sent {
        writes: u32,
    },
    Unsent {
        writes: u32,
        bytes: usize,
        why: Why,
    },
    /// There is room again, for half of what the queue holds at least.
    Room,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It waited too long for a connection. Not a byte of it left.
    Expired,
    /// Its connection was lost with only part of it sent.
    Cut,
}

/// Sent writes that nobody waits for are told together, when they come to so many, ...
const TELL_WRITES: u32 = 256;
/// ... or to so many bytes.
const TELL_BYTES: usize = 512 * 1024;

#[derive(Debug)]
pub struct Queue {
    limits: Limits,
    cutter: Option<Cutter>,
    /// Messages stay until they are acknowledged.
    keeps: bool,
    messages: VecDeque<Message>,
    /// The number of the first of them.
    first: u64,
    /// The first that the connection there is, or the next one, has not been handed.
    next: u64,
    /// The first that no connection has been handed.
    never_handed: u64,
    /// Of [`messages`](Self::messages).
    bytes: usize,
    /// The message that is being written.
    beginning: Beginning,
    /// The caller waits for room.
    blocked: bool,
    /// The message that is being written was refused.
    refusing: bool,
    /// The last part of the write that comes to its end next was lost, or an earlier one.
    cut_goes_on: bool,
    fates: Vec<Fate>,
    /// Sent and not told.
    untold: Untold,
}

#[derive(Debug)]
struct Message {
    bytes: Bytes,
    /// The writes that end in it.
    writes: u32,
    /// One that begins in it, or before, ends in a later one.
    goes_on: bool,
    /// Somebody waits to be told what becomes of one of the writes.
    awaited: bool,
    since: Duration,
}

#[derive(Debug, Default)]
struct Beginning {
    bytes: BytesMut,
    writes: u32,
    awaited: bool,
    since: Duration,
}

#[derive(Debug, Default)]
struct Untold {
    writes: u32,
    bytes: usize,
    awaited: bool,
}

impl Queue {
    pub fn new(limits: Limits, cutter: Option<Cutter>, keeps: bool) -> Self {
        Queue {
            limits,
            cutter,
            keeps,
            messages: VecDeque::new(),
            first: 0,
            next: 0,
            never_handed: 0,
            bytes: 0,
            beginning: Beginning::default(),
            blocked: false,
            refusing: false,
            cut_goes_on: false,
            fates: Vec::new(),
            untold: Untold::default(),
        }
    }

    /// `awaited`: somebody waits to be told what becomes of it.
    pub fn write(&mut self, mut bytes: Bytes, awaited: bool, now: Duration) -> Accepted {
        if self.refuses(&bytes) {
            return Accepted::Refused;
        }
        if bytes.is_empty() && self.keeps && self.beginning.writes == 0 {
            return self.write_nothing(awaited);
        }
        loop {
            let end = match &mut self.cutter {
                None => Some(bytes.len()),
                Some(_) if bytes.is_empty() && self.beginning.writes == 0 => Some(0),
                Some(cutter) => cutter.end_in(&bytes),
            };
            let Some(end) = end else { break };
            let end = bytes.split_to(end);
            if bytes.is_empty() {
                self.beginning.writes += 1;
                self.beginning.awaited |= awaited;
                self.complete(end, false, now);
                return self.after_write();
            }
            self.complete(end, true, now);
        }
        if self.beginning.bytes.is_empty() {
            self.beginning.since = now;
        }
        self.beginning.bytes.extend_from_slice(&bytes);
        self.beginning.writes += 1;
        self.beginning.awaited |= awaited;
        self.after_write()
    }

    /// A message is taken whole or not at all. What follows the beginning of one that was taken belongs to it, and so does
    /// what follows one that was not: alone it would be read as the beginning of another.
    fn refuses(&mut self, bytes: &[u8]) -> bool {
        let held = self.len();
        let has_no_room = self.limits.when_full == WhenFull::Refuse
            && self.beginning.writes == 0
            && held > 0
            && held + bytes.len() > self.limits.bytes;
        if !has_no_room && !self.refusing {
            return false;
        }
        if let Some(cutter) = &mut self.cutter {
            self.refusing = !cutter.end_with(bytes, !self.refusing);
        }
        true
    }

    /// An empty write between two messages is none, or the peer's confirmations would be counted wrong. What becomes of it
    /// is what becomes of the write before it.
    fn write_nothing(&mut self, awaited: bool) -> Accepted {
        match self.messages.back_mut() {
            Some(last) => {
                last.writes += 1;
                last.awaited |= awaited;
            }
            None => {
                self.untold.writes += 1;
                self.untold.awaited |= awaited;
            }
        }
        self.after_write()
    }

    /// Nothing will leave or be acknowledged for the write that was made last: its fate is to be told now.
    pub fn settled_at_once(&self) -> bool {
        self.keeps && self.messages.is_empty() && self.untold.awaited
    }

    fn after_write(&mut self) -> Accepted {
        self.blocked = self.bytes >= self.limits.bytes;
        if self.blocked && self.limits.when_full == WhenFull::Block { Accepted::Full } else { Accepted::Room }
    }

    /// The end of the message that is being written, and perhaps all of it.
    fn complete(&mut self, end: Bytes, goes_on: bool, now: Duration) {
        let Beginning { bytes: mut begun, writes, awaited, since } = std::mem::take(&mut self.beginning);
        let (bytes, since) = if begun.is_empty() {
            (end, now)
        } else {
            begun.extend_from_slice(&end);
            (begun.freeze(), since)
        };
        self.bytes += bytes.len();
        self.messages.push_back(Message { bytes, writes, goes_on, awaited, since });
    }

    /// Nothing more will be written: what has begun is all there is of the last message.
    pub fn finish(&mut self) {
        if self.beginning.writes > 0 {
            let since = self.beginning.since;
            self.complete(Bytes::new(), false, since);
            if let Some(cutter) = &mut self.cutter {
                cutter.begin_anew();
            }
        }
    }

    /// The messages that come next, with their numbers.
    pub fn upcoming(&self) -> impl Iterator<Item = (u64, Bytes)> + '_ {
        let skipped = usize::try_from(self.next - self.first).unwrap_or(usize::MAX);
        let numbers = self.next..;
        numbers.zip(self.messages.iter().skip(skipped).map(|message| message.bytes.clone()))
    }

    /// Is there a message that the connection has not been handed?
    pub fn has_upcoming(&self) -> bool {
        self.next - self.first < self.messages.len() as u64
    }

    /// The system has taken a message, and all before it.
    pub fn handed(&mut self, number: u64) {
        self.next = self.next.max(number + 1);
        self.never_handed = self.never_handed.max(self.next);
        if !self.keeps {
            while self.first < self.next && !self.messages.is_empty() {
                self.settle_sent();
            }
        }
    }

    /// The peer has confirmed the first `count` messages that it was sent and had not confirmed. `false`: it was not sent
    /// so many.
    pub fn acknowledge(&mut self, count: u64) -> bool {
        if !self.keeps || count > self.never_handed - self.first {
            return false;
        }
        for _ in 0..count {
            self.settle_sent();
        }
        self.next = self.next.max(self.first);
        true
    }

    /// Has it been acknowledged while it waited to be sent once more?
    pub fn is_settled(&self, number: u64) -> bool {
        number < self.first
    }

    /// The connection is gone; it had part of the message of this number.
    pub fn lost(&mut self, cut: Option<u64>) {
        match cut {
            Some(number) if !self.keeps && number == self.first && !self.messages.is_empty() => {
                self.settle_unsent(Why::Cut);
                self.next = self.first;
                self.never_handed = self.first;
            }
            _ => self.next = self.first,
        }
    }

    /// Gives up what has waited too long. Only while no connection takes any.
    pub fn expire(&mut self, now: Duration) {
        let Some(age) = self.limits.age.filter(|_| !self.keeps) else { return };
        while self.messages.front().is_some_and(|message| now >= message.since + age) {
            self.settle_unsent(Why::Expired);
            self.next = self.first;
            self.never_handed = self.first;
        }
    }

    /// When the next message will have waited too long.
    pub fn expires_at(&self) -> Option<Duration> {
        let age = self.limits.age.filter(|_| !self.keeps)?;
        Some(self.messages.front()?.since + age)
    }

    /// What became of writes since this was last asked.
    pub fn take_fates(&mut self) -> Vec<Fate> {
        let Untold { writes, bytes, awaited } = self.untold;
        if awaited || writes >= TELL_WRITES || bytes >= TELL_BYTES {
            self.tell_sent();
        }
        // Not with the first byte of room: who is asked to wait is asked once for many writes.
        if self.blocked && self.bytes <= self.limits.bytes / 2 {
            self.blocked = false;
            self.tell_sent();
            self.fates.push(Fate::Room);
        }
        std::mem::take(&mut self.fates)
    }

    /// Nothing waits to be sent or acknowledged.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.beginning.writes == 0
    }

    /// Bytes that wait to be sent, or to be acknowledged where messages are kept.
    pub fn len(&self) -> usize {
        self.bytes + self.beginning.bytes.len()
    }

    /// The messages that were handed to a connection and are not acknowledged, where they are kept.
    pub fn unacknowledged(&self) -> u64 {
        if self.keeps { self.never_handed - self.first } else { 0 }
    }

    /// The messages that have been acknowledged, where they are kept.
    pub fn acknowledged(&self) -> u64 {
        if self.keeps { self.first } else { 0 }
    }

    fn settle_sent(&mut self) {
        let Some(message) = self.pop() else { return };
        let mut writes = message.writes;
        if self.cut_goes_on && writes > 0 {
            // Its first part went down with an earlier connection.
            self.push_unsent(1, 0, Why::Cut);
            writes -= 1;
            self.cut_goes_on = false;
        }
        self.untold.writes += writes;
        self.untold.bytes += message.bytes.len();
        self.untold.awaited |= message.awaited;
    }

    fn settle_unsent(&mut self, why: Why) {
        let Some(message) = self.pop() else { return };
        self.cut_goes_on = message.goes_on || (self.cut_goes_on && message.writes == 0);
        self.push_unsent(message.writes, message.bytes.len(), why);
    }

    fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.first += 1;
        self.bytes -= message.bytes.len();
        Some(message)
    }

    fn push_unsent(&mut self, writes: u32, bytes: usize, why: Why) {
        self.tell_sent();
        match self.fates.last_mut() {
            Some(Fate::Unsent { writes: more, bytes: all, why: same }) if *same == why => {
                *more += writes;
                *all += bytes;
            }
            _ => self.fates.push(Fate::Unsent { writes, bytes, why }),
        }
    }

    fn tell_sent(&mut self) {
        let Untold { writes, .. } = std::mem::take(&mut self.untold);
        if writes > 0 {
            self.fates.push(Fate::Sent { writes });
        }
    }
}

#[cfg(test)]
mod tests;
