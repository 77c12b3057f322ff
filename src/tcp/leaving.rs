//! What is on its way from the queue to the system: whole messages, and what goes between them.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

use super::core::Inner;

/// Messages that are handed to the system at once.
pub(super) const AT_ONCE: usize = 32;

#[derive(Default)]
pub(super) struct Leaving {
    items: VecDeque<Item>,
    /// The bytes of the first that have left.
    offset: usize,
}

struct Item {
    bytes: Bytes,
    kind: Kind,
}

enum Kind {
    Message(u64),
    Greeting,
    Beat,
}

/// What has left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Bytes of the caller's.
    pub own: u64,
    /// The last message that has left whole.
    pub message: Option<u64>,
    pub beat: bool,
}

impl Leaving {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Nothing has left only in part.
    pub fn is_between_messages(&self) -> bool {
        self.offset == 0
    }

    /// The message that has left only in part.
    pub fn cut(&self) -> Option<u64> {
        match self.items.front() {
            Some(Item { kind: Kind::Message(number), .. }) if self.offset > 0 => Some(*number),
            _ => None,
        }
    }

    /// Puts a beat before what is to leave. Only between messages.
    pub fn beat(&mut self, bytes: Bytes) {
        debug_assert!(self.is_between_messages());
        self.items.push_front(Item { bytes, kind: Kind::Beat });
    }

    /// `offset` bytes of this message have left without having been here.
    pub fn has_begun(&mut self, number: u64, bytes: Bytes, offset: usize) {
        debug_assert!(self.is_empty());
        self.items.push_back(Item { bytes, kind: Kind::Message(number) });
        self.offset = offset;
    }

    /// Takes what may leave, if there is nothing left of what was taken before.
    pub fn refill(&mut self, inner: &mut Inner) {
        if self.is_between_messages() {
            // Acknowledged while they waited here.
            let queue = &inner.queue;
            self.items.retain(|item| !matches!(item.kind, Kind::Message(number) if queue.is_settled(number)));
        }
        if !self.items.is_empty() {
            return;
        }
        // The last of them may have been made just before the greeting came to its end.
        if !inner.greeting.writes.is_empty() {
            let writes = inner.greeting.writes.drain(..);
            self.items.extend(writes.map(|bytes| Item { bytes, kind: Kind::Greeting }));
        } else if inner.state.sends() {
            let upcoming = inner.queue.upcoming().take(AT_ONCE);
            self.items.extend(upcoming.map(|(number, bytes)| Item { bytes, kind: Kind::Message(number) }));
        }
    }

    /// Its bytes, as far as they fit; returns how many slices they are.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; AT_ONCE]) -> usize {
        let mut offset = self.offset;
        for (slice, item) in slices.iter_mut().zip(&self.items) {
            *slice = IoSlice::new(&item.bytes[std::mem::take(&mut offset)..]);
        }
        self.items.len().min(AT_ONCE)
    }

    /// So many bytes have left.
    pub fn advance(&mut self, mut bytes: usize) -> Left {
        let mut left = Left::default();
        while let Some(first) = self.items.front() {
            let rest = first.bytes.len() - self.offset;
            let taken = rest.min(bytes);
            if !matches!(first.kind, Kind::Beat) {
                left.own += taken as u64;
            }
            bytes -= taken;
            if taken < rest {
                self.offset += taken;
                break;
            }
            self.offset = 0;
            match self.items.pop_front().map(|item| item.kind) {
                Some(Kind::Message(number)) => left.message = Some(number),
                Some(Kind::Beat) => left.beat = true,
                Some(Kind::Greeting) | None => {}
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaving(messages: &[&'static str]) -> Leaving {
        let items = messages.iter().enumerate().map(|(number, bytes)| Item {
            bytes: Bytes::from_static(bytes.as_bytes()),
            kind: Kind::Message(number as u64),
        });
        Leaving { items: items.collect(), offset: 0 }
    }

    fn text(leaving: &Leaving) -> String {
        let mut slices = [IoSlice::new(&[]); AT_ONCE];
        let count = leaving.slices(&mut slices);
        slices[..count].iter().map(|slice| std::str::from_utf8(slice).unwrap()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn parts_and_wholes_are_told_apart() {
        let mut leaving = leaving(&["abc", "", "de"]);
        assert_eq!(leaving.advance(1), Left { own: 1, message: None, beat: false });
        assert_eq!((leaving.cut(), text(&leaving)), (Some(0), "bc||de".to_owned()));
        assert_eq!(leaving.advance(2), Left { own: 2, message: Some(1), beat: false });
        assert_eq!((leaving.cut(), text(&leaving)), (None, "de".to_owned()));
        assert_eq!(leaving.advance(2), Left { own: 2, message: Some(2), beat: false });
        assert!(leaving.is_empty() && leaving.is_between_messages());
    }

    #[test]
    fn a_beat_goes_between_two_messages_and_is_nobodys() {
        let mut leaving = leaving(&["abc", "de"]);
        leaving.advance(3);
        leaving.beat(Bytes::from_static(b"ping"));
        assert_eq!(text(&leaving), "ping|de");
        assert_eq!(leaving.advance(2), Left::default());
        assert_eq!(leaving.cut(), None, "a beat is no message");
        assert_eq!(leaving.advance(3), Left { own: 1, message: None, beat: true });
    }
}
