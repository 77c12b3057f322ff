//! Has this connection answered before?
//!
//! A connection that dies before its first answer was refused by a server in trouble; one that has answered
//! before and dies now was most likely closed while it idled, and the call deserves another connection at once.
//! reqwest does not say which it was, but it tells the two ends of the socket, with an answer and with an error.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Connections remembered. A newcomer may take the place of another one; that one's end is then treated as a
/// fresh connection's would be (with backoff), which is never wrong, only slower.
const SLOTS: usize = 4096;

/// The connections that have answered. Fixed memory, no lock: it is written once per answer.
#[derive(Debug)]
pub(super) struct Answered {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// Both ends of a connection.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct Ends {
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

impl Answered {
    pub fn new() -> Self {
        Answered { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    pub fn remember(&self, ends: Ends) {
        let (slot, mark) = self.place(ends);
        // Most answers come over a connection that is known already: a read leaves the cache line shared.
        if slot.load(Ordering::Relaxed) != mark {
            slot.store(mark, Ordering::Relaxed);
        }
    }

    /// Whether the connection had answered. It is over: its addresses may soon belong to another one.
    pub fn forget(&self, ends: Ends) -> bool {
        let (slot, mark) = self.place(ends);
        slot.compare_exchange(mark, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn place(&self, ends: Ends) -> (&AtomicU64, u64) {
        // Odd, because 0 marks an empty slot.
        let mark = self.hasher.hash_one(ends) | 1;
        // The upper bits choose the slot, so that two connections in one slot rarely share the rest too.
        (&self.slots[(mark >> 32) as usize % SLOTS], mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(port: u16) -> Ends {
        Ends { local: ([127, 0, 0, 1], port).into(), remote: ([127, 0, 0, 1], 80).into() }
    }

    #[test]
    fn a_connection_is_known_from_its_first_answer_to_its_end() {
        let answered = Answered::new();
        assert!(!answered.forget(ends(40_000)));
        answered.remember(ends(40_000));
        answered.remember(ends(40_000));
        assert!(!answered.forget(ends(40_001)));
        assert!(answered.forget(ends(40_000)));
        assert!(!answered.forget(ends(40_000)), "the addresses may be another connection's now");
    }

    #[test]
    fn the_same_local_address_to_another_server_is_another_connection() {
        let answered = Answered::new();
        answered.remember(ends(40_000));
        assert!(!answered.forget(Ends { remote: ([127, 0, 0, 1], 81).into(), ..ends(40_000) }));
    }
}
