//! Has this connection answered before?
//!
//! A connection that dies before its first answer was refused by a server in trouble; one that has answered
//! before and dies now was most likely closed while it idled, and the call deserves another connection at once.
//! reqwest does not say which it was, but it tells the two ends of the socket, with an answer and with an error.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::header::CONNECTION;
use ::http::{HeaderMap, Version};

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

    fn remember(&self, ends: Ends) {
        let (slot, mark) = self.place(ends);
        // Most answers come over a connection that is known already: a read leaves the cache line shared.
        if slot.load(Ordering::Relaxed) != mark {
            slot.store(mark, Ordering::Relaxed);
        }
    }

    /// Notes an answer. A connection that closes with it is not remembered: nothing else reports its end, and its
    /// addresses may soon be another connection's.
    pub fn note(&self, ends: Ends, version: Version, headers: &HeaderMap) {
        if stays_open(version, headers) {
            self.remember(ends);
        } else {
            self.forget(ends);
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

/// RFC 9112, section 9.3. No connection is HTTP/1.0 and pooled without saying so.
fn stays_open(version: Version, headers: &HeaderMap) -> bool {
    let says = |option: &str| {
        let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(option))
    };
    if version == Version::HTTP_10 { says("keep-alive") } else { !says("close") }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

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
    fn a_connection_that_closes_with_its_answer_is_not_remembered() {
        let known = |version, connection: &[&'static str]| {
            let headers = connection.iter().map(|value| (CONNECTION, HeaderValue::from_static(value))).collect();
            let answered = Answered::new();
            answered.remember(ends(40_000));
            answered.note(ends(40_000), version, &headers);
            answered.forget(ends(40_000))
        };
        assert!(known(Version::HTTP_11, &[]) && known(Version::HTTP_11, &["keep-alive, x-close"]));
        assert!(!known(Version::HTTP_11, &["Close"]) && !known(Version::HTTP_11, &["upgrade", "x, close"]));
        assert!(known(Version::HTTP_10, &["Keep-Alive"]) && !known(Version::HTTP_10, &[]));
    }

    #[test]
    fn the_same_local_address_to_another_server_is_another_connection() {
        let answered = Answered::new();
        answered.remember(ends(40_000));
        assert!(!answered.forget(Ends { remote: ([127, 0, 0, 1], 81).into(), ..ends(40_000) }));
    }
}
