//! In which order the addresses of a host are tried.
//!
//! An address that has just failed may stand for a server that is down, while its neighbours serve: it goes to the end
//! for a while. Otherwise the resolver's order holds, with the families taking turns (RFC 8305, section 4), so that a
//! broken IPv6 costs one attempt and not all of them.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::race::Lesson;

/// Long enough for a call's retries to go elsewhere, short enough for a server that came back.
const SUSPECTED_FOR: Duration = Duration::from_secs(30);

/// Hosts with more addresses that fail at once than this are down as a whole.
const MOST: usize = 32;

/// The addresses of one host that failed lately.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    since: Vec<(IpAddr, Instant)>,
}

impl Suspects {
    pub fn learn(&mut self, lesson: Lesson, now: Instant) {
        match lesson {
            Lesson::Works(address) => self.clear(address),
            Lesson::Failed(address) | Lesson::Overtaken(address) => self.suspect(address, now),
        }
    }

    pub fn suspect(&mut self, address: IpAddr, now: Instant) {
        self.since.retain(|&(known, since)| known != address && now < since + SUSPECTED_FOR);
        if self.since.len() < MOST {
            self.since.push((address, now));
        }
    }

    /// It works: whatever it did before.
    pub fn clear(&mut self, address: IpAddr) {
        self.since.retain(|&(known, _)| known != address);
    }

    fn since(&self, address: IpAddr, now: Instant) -> Option<Instant> {
        let (_, since) = self.since.iter().find(|&&(known, since)| known == address && now < since + SUSPECTED_FOR)?;
        Some(*since)
    }

    /// All of `addresses`, each once, in the order in which they are to be tried.
    pub fn order(&self, addresses: &[IpAddr], now: Instant) -> Vec<IpAddr> {
        let mut good = Vec::with_capacity(addresses.len());
        let mut suspected = Vec::new();
        for &address in addresses {
            match self.since(address, now) {
                None if !good.contains(&address) => good.push(address),
                Some(since) if !suspected.contains(&(since, address)) => suspected.push((since, address)),
                _ => {}
            }
        }
        // Of those that failed, the one that did so longest ago is the likeliest to be back.
        suspected.sort_by_key(|&(since, _)| since);
        let mut ordered = in_turns(good);
        ordered.extend(suspected.into_iter().map(|(_, address)| address));
        ordered
    }
}

/// The families by turns, beginning with the first one's.
fn in_turns(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let Some(first) = addresses.first().map(IpAddr::is_ipv6) else {
        return addresses;
    };
    let count = addresses.len();
    let (one, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut ordered = Vec::with_capacity(count);
    while ordered.len() < count {
        ordered.extend(one.next());
        ordered.extend(other.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(written: &[&str]) -> Vec<IpAddr> {
        written.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn families_take_turns() {
        let none = Suspects::default();
        let order = |written: &[&str]| none.order(&addresses(written), Instant::now());
        assert_eq!(order(&["::1", "::2", "::3", "1.1.1.1"]), addresses(&["::1", "1.1.1.1", "::2", "::3"]));
        assert_eq!(order(&["1.1.1.1", "1.1.1.2", "::1"]), addresses(&["1.1.1.1", "::1", "1.1.1.2"]));
        assert_eq!(order(&["1.1.1.1", "1.1.1.1"]), addresses(&["1.1.1.1"]));
        assert_eq!(order(&[]), addresses(&[]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_lately_comes_last_for_a_while() {
        let all = addresses(&["1.1.1.1", "1.1.1.2", "::1"]);
        let mut suspects = Suspects::default();
        let failed = Instant::now();
        suspects.suspect(all[0], failed);
        let later = failed + SUSPECTED_FOR / 2;
        suspects.suspect(all[2], later);
        assert_eq!(suspects.order(&all, later), addresses(&["1.1.1.2", "1.1.1.1", "::1"]));
        assert_eq!(suspects.order(&all, failed + SUSPECTED_FOR), addresses(&["1.1.1.1", "1.1.1.2", "::1"]));
        suspects.clear(all[2]);
        assert_eq!(suspects.order(&all, failed + SUSPECTED_FOR), addresses(&["1.1.1.1", "::1", "1.1.1.2"]));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_remembered_than_the_bound() {
        let mut suspects = Suspects::default();
        for last in 0..=255 {
            suspects.suspect([1, 1, 1, last].into(), Instant::now());
            suspects.suspect([1, 1, 1, last].into(), Instant::now());
        }
        assert_eq!(suspects.since.len(), MOST);
    }
}
