//! Writes that leave on the thread of whoever makes them.
//!
//! Who sends a question and waits for the answer waits for two threads to wake up, if the task has to be woken to write. That
//! takes longer than the write. So while the task has nothing to write it leaves the *turn* to the handle: a small write then
//! goes to the system at once. Only who has the turn writes, so everything leaves in order; and the system is not
//! called under a lock, so neither waits for the other: a task that wants the turn while the handle has it is woken.
//!
//! What the handle has written the task takes note of when it takes the turn back, before it concludes anything.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::core::{Core, Inner};
use super::state::State;
use super::wire::Shared;

/// More than this is the task's to write, in bytes: it is not worth the time of the caller's thread, and the queue's bound
/// with its backpressure is meant for it.
const AT_MOST: usize = 8 * 1024;
/// Messages at once.
const MESSAGES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Direct {
    turn: Turn,
    noted: Noted,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Task,
    /// Nobody writes. The handle may.
    Open,
    Handle {
        /// The task waits for it.
        wanted: bool,
    },
}

/// What the handle has done since the task has taken note.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Bytes of the caller's that have left.
    pub own: u64,
    /// A message that has not left whole, and how much of it has.
    pub begun: Option<(u64, Bytes, usize)>,
    pub failed: Option<io::Error>,
    /// It has not written because there is something to be read first: perhaps the end of the peer, and what is written after
    /// that is lost.
    pub unread: bool,
}

/// What the handle is about to write.
pub(super) struct Upcoming {
    socket: Shared,
    messages: Vec<(u64, Bytes)>,
    bytes: usize,
}

impl Direct {
    /// For the task. `None`: the handle has the turn, and wakes the task when it has not any more.
    pub fn take_back(&mut self) -> Option<Noted> {
        if let Turn::Handle { wanted } = &mut self.turn {
            *wanted = true;
            return None;
        }
        self.turn = Turn::Task;
        Some(std::mem::take(&mut self.noted))
    }

    /// For the task, whoever has the turn: the bytes of the caller's that have left since note was taken of any.
    pub fn take_own(&mut self) -> u64 {
        std::mem::take(&mut self.noted.own)
    }

    /// The task has nothing to write.
    pub fn open(&mut self) {
        self.turn = Turn::Open;
    }
}

impl Inner {
    /// Takes the turn for the handle, if it may have it, with what is to be written.
    pub fn takes_turn(&mut self) -> Option<Upcoming> {
        if self.direct.turn != Turn::Open || self.state != State::Live || self.ending {
            return None;
        }
        let messages: Vec<_> = self.queue.upcoming().take(MESSAGES).collect();
        let bytes = messages.iter().map(|(_, bytes)| bytes.len()).sum();
        if bytes == 0 || bytes > AT_MOST {
            return None;
        }
        let socket = self.socket.as_ref()?.get()?;
        self.direct.turn = Turn::Handle { wanted: false };
        Some(Upcoming { socket, messages, bytes })
    }

    /// Notes what became of it.
    fn has_written(&mut self, upcoming: Upcoming, written: io::Result<usize>) {
        let (mut left, failed) = match written {
            Ok(written) => (written, None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (0, None),
            Err(error) => (0, Some(error)),
        };
        let noted = &mut self.direct.noted;
        noted.own += left as u64;
        noted.failed = failed;
        for (number, bytes) in upcoming.messages {
            if left < bytes.len() {
                noted.begun = (left > 0).then_some((number, bytes, left));
                break;
            }
            left -= bytes.len();
            self.queue.handed(number);
        }
    }

    /// Gives the turn back. Whether the task must be woken, because there is more to do.
    fn gives_turn_back(&mut self) -> bool {
        let wanted = self.direct.turn == Turn::Handle { wanted: true };
        let wakes = wanted || self.direct.noted.failed.is_some() || self.queue.has_upcoming();
        self.direct.turn = if wakes { Turn::Task } else { Turn::Open };
        wakes
    }
}

impl Core {
    /// Writes what the handle has the turn for.
    pub fn write_directly(&self, upcoming: Upcoming) {
        let mut slices = [IoSlice::new(&[]); MESSAGES];
        for (slice, (_, bytes)) in slices.iter_mut().zip(&upcoming.messages) {
            *slice = IoSlice::new(bytes);
        }
        let is_quiet = upcoming.socket.is_quiet();
        let written = if is_quiet {
            upcoming.socket.try_write(&slices[..upcoming.messages.len()], upcoming.bytes)
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        };
        if let Ok(written) = &written {
            self.counts.written.fetch_add(*written as u64, Ordering::Relaxed);
        }
        let mut inner = self.lock();
        inner.has_written(upcoming, written);
        inner.direct.noted.unread = !is_quiet;
        let fates = inner.queue.take_fates();
        if !fates.is_empty() {
            // Before the turn is given back: what the task tells of later writes must not come first.
            drop(inner);
            self.tell_fates(fates);
            inner = self.lock();
        }
        let wakes = inner.gives_turn_back();
        drop(inner);
        if wakes {
            self.waker.wake();
        }
    }
}
