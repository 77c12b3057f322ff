//! How much of what the caller wrote the peer's kernel has not acknowledged.
//!
//! The system counts the bytes of the connection, and those are not the caller's: TLS adds its own, heartbeats are ours. So
//! both counts are noted side by side as data leaves. Between two notes they grow alike, or it is not known how; then
//! the caller's bytes count as acknowledged with the later note only. So the result may be too high and never too low.

use std::collections::VecDeque;

/// More notes are thinned out.
const MOST: usize = 512;

#[derive(Debug, Default)]
pub struct Marks {
    /// Oldest first. Both numbers never fall.
    notes: VecDeque<Mark>,
    /// What is acknowledged beyond doubt.
    acknowledged: Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Mark {
    wire: u64,
    own: u64,
}

impl Marks {
    /// `own` bytes of the caller's have left in the first `wire` of the connection.
    pub fn note(&mut self, wire: u64, own: u64) {
        let mark = Mark { wire, own };
        let last = self.notes.back().copied().unwrap_or(self.acknowledged);
        if last == mark {
            return;
        }
        // A stretch that goes on as it began is one.
        let before = self.notes.len().checked_sub(2).map_or(self.acknowledged, |index| self.notes[index]);
        if !self.notes.is_empty() && before.grows_alike(last) && last.grows_alike(mark) {
            self.notes.pop_back();
        }
        self.notes.push_back(mark);
        if self.notes.len() > MOST {
            let mut odd = false;
            self.notes.retain(|kept| {
                odd = !odd;
                odd || *kept == mark
            });
        }
    }

    /// The caller's bytes of which it is noted that they have left.
    pub fn own(&self) -> u64 {
        self.notes.back().map_or(self.acknowledged.own, |last| last.own)
    }

    /// Those of them that are not acknowledged, when the system says that `acknowledged` of the connection's are.
    pub fn unacknowledged(&mut self, acknowledged: u64) -> u64 {
        let left = self.own();
        while let Some(next) = self.notes.front().filter(|next| next.wire <= acknowledged) {
            self.acknowledged = *next;
            self.notes.pop_front();
        }
        let mut known = self.acknowledged.own;
        if let Some(next) = self.notes.front()
            && self.acknowledged.grows_alike(*next)
        {
            known += acknowledged.saturating_sub(self.acknowledged.wire);
        }
        left - known.min(left)
    }
}

impl Mark {
    fn grows_alike(self, later: Mark) -> bool {
        later.wire - self.wire == later.own - self.own
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_tls_it_is_exact_to_the_byte_and_takes_one_note() {
        let mut marks = Marks::default();
        for sent in 1..=1000 {
            marks.note(sent * 10, sent * 10);
        }
        assert_eq!(marks.notes.len(), 1);
        assert_eq!(marks.unacknowledged(0), 10_000);
        assert_eq!(marks.unacknowledged(1234), 8766);
        assert_eq!(marks.unacknowledged(10_000), 0);
        marks.note(10_010, 10_010);
        assert_eq!(marks.unacknowledged(10_003), 7);
    }

    #[test]
    fn within_a_stretch_of_tls_nothing_counts_before_its_end() {
        let mut marks = Marks::default();
        marks.note(500, 0);
        marks.note(622, 100);
        marks.note(744, 200);
        assert_eq!(marks.unacknowledged(621), 200);
        assert_eq!(marks.unacknowledged(622), 100);
        assert_eq!(marks.unacknowledged(744), 0);
    }

    #[test]
    fn a_heartbeat_between_is_nobodys() {
        let mut marks = Marks::default();
        marks.note(10, 10);
        marks.note(14, 10);
        marks.note(24, 20);
        assert_eq!(marks.unacknowledged(12), 10);
        assert_eq!(marks.unacknowledged(19), 5);
    }

    proptest! {
        #[test]
        fn never_less_than_the_truth(
            steps in proptest::collection::vec((0_u64..50, 0_u64..30), 1..1500),
            acked in 0.0_f64..1.0,
        ) {
            let (mut marks, mut wire, mut own) = (Marks::default(), 0, 0);
            let mut truth = vec![(0, 0)];
            for (bytes, overhead) in steps {
                own += bytes;
                wire += bytes + overhead;
                marks.note(wire, own);
                truth.push((wire, own));
            }
            let acknowledged = (wire as f64 * acked) as u64;
            let surely = truth.iter().rev().find(|(wire, _)| *wire <= acknowledged).map_or(0, |(_, own)| *own);
            let told = marks.unacknowledged(acknowledged);
            prop_assert!(told <= own);
            // At most what has left since the last note that is wholly acknowledged, and never less than what is
            // beyond the acknowledged bytes of the connection.
            prop_assert!(told + surely + (acknowledged - truth.iter().rev().find(|(wire, _)| *wire <= acknowledged).map_or(0, |(wire, _)| *wire)) >= own);
            prop_assert!(marks.notes.len() <= MOST + 1);
            prop_assert_eq!(marks.unacknowledged(wire), 0);
        }
    }
}
