//! When to ping, and when to conclude that nobody is there.
//!
//! A fixed timeout is either too short for a satellite or too long for a data centre. This one follows the round trips of
//! the connection itself, as TCP's retransmission timer does (Jacobson and Karels, RFC 6298). Whatever comes from the
//! peer is a sign of life, not only the pong; a peer that is busy sending us a large message need not answer
//! in the middle of it. And while its system still takes what we sent before the ping, it cannot have seen the ping.

use std::collections::VecDeque;
use std::time::Duration;

use crate::policy::Random;

/// What a ping has before any round trip is known.
pub const INITIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Not less, however fast the network: an event loop over there may collect garbage, or be in the middle of something.
pub const MIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Not more, however slow.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(60);
/// Of a peer that lives and answers no ping, so many are remembered.
const MOST_OUTSTANDING: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Between two pings.
    pub interval: Duration,
    /// How long after a ping something must have come, at most; the round trips that are seen say how much less that is.
    pub timeout: Option<Duration>,
}

impl Default for Heartbeat {
    /// Less than the half minute after which the impatient among proxies and NATs drop an idle connection.
    fn default() -> Self {
        Heartbeat { interval: Duration::from_secs(25), timeout: None }
    }
}

/// The pings of one connection, those that [`super::course`] wants included.
#[derive(Debug)]
pub struct Pulse {
    heartbeat: Option<Heartbeat>,
    /// Makes our payloads our own, so that a pong to a ping of the caller's is not taken for one to ours.
    nonce: u64,
    pings: u64,
    /// Oldest first.
    outstanding: VecDeque<Ping>,
    next: Duration,
    /// When a sign of life must have come, if one is waited for.
    until: Option<Duration>,
    /// Nothing is read at present, so nothing can be concluded from silence.
    deaf: bool,
    trips: Option<RoundTrips>,
}

#[derive(Debug, Clone, Copy)]
struct Ping {
    number: u64,
    at: Duration,
}

/// RFC 6298, section 2.
#[derive(Debug, Clone, Copy)]
struct RoundTrips {
    smoothed: Duration,
    variation: Duration,
}

impl Pulse {
    /// `heartbeat`: `None`: only pings that somebody asks for, and no conclusions from silence.
    pub fn new(heartbeat: Option<Heartbeat>, now: Duration, random: &mut dyn Random) -> Self {
        Pulse {
            heartbeat,
            nonce: random.below(u64::MAX),
            pings: 0,
            outstanding: VecDeque::new(),
            next: heartbeat.map_or(Duration::MAX, |heartbeat| now.saturating_add(heartbeat.interval)),
            until: None,
            deaf: false,
            trips: None,
        }
    }

    /// Is it time for a ping?
    pub fn is_due(&self, now: Duration) -> bool {
        self.heartbeat.is_some() && now >= self.next
    }

    /// A ping to be sent now: its number, and its payload.
    pub fn ping(&mut self, now: Duration) -> (u64, [u8; 8]) {
        let number = self.pings;
        self.pings += 1;
        if self.outstanding.len() == MOST_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back(Ping { number, at: now });
        if let Some(heartbeat) = self.heartbeat {
            self.next = now.saturating_add(heartbeat.interval);
            // The time of the one before it goes on.
            self.until.get_or_insert(now.saturating_add(self.patience(heartbeat)));
        }
        (number, self.payload(number))
    }

    /// A pong came. The number of the ping that it answers, and the round trip, if that was one of these.
    pub fn pong(&mut self, payload: &[u8], now: Duration) -> Option<(u64, Duration)> {
        let index = self.outstanding.iter().position(|ping| self.payload(ping.number) == payload)?;
        let Ping { number, at } = self.outstanding[index];
        // A peer may answer only the latest of several pings (RFC 6455, section 5.5.3).
        self.outstanding.drain(..=index);
        let trip = now.saturating_sub(at);
        self.trips = Some(RoundTrips::after(self.trips, trip));
        Some((number, trip))
    }

    /// Bytes came, whatever they are.
    pub fn received(&mut self) {
        self.until = None;
    }

    /// The peer's TCP acknowledged more than before: what was sent ahead of the ping is still on its way.
    pub fn drained(&mut self, now: Duration) {
        self.begin_anew(now);
    }

    /// Reading stopped, because the caller does not take what has come.
    pub fn stop_listening(&mut self) {
        self.deaf = true;
    }

    pub fn listen(&mut self, now: Duration) {
        if std::mem::replace(&mut self.deaf, false) {
            self.begin_anew(now);
        }
    }

    /// Does somebody read what comes?
    pub fn hears(&self) -> bool {
        !self.deaf
    }

    pub fn is_dead(&self, now: Duration) -> bool {
        !self.deaf && self.until.is_some_and(|until| now >= until)
    }

    /// How long a ping would have at present; `None`: there is no heartbeat.
    pub fn timeout(&self) -> Option<Duration> {
        self.heartbeat.map(|heartbeat| self.patience(heartbeat))
    }

    /// The smoothed round trip, once there is one.
    pub fn round_trip(&self) -> Option<Duration> {
        self.trips.map(|trips| trips.smoothed)
    }

    /// When to look again.
    pub fn next(&self) -> Option<Duration> {
        let beat = self.heartbeat.map(|_| self.next);
        let silence = self.until.filter(|_| !self.deaf);
        [beat, silence].into_iter().flatten().min()
    }

    fn begin_anew(&mut self, now: Duration) {
        if let (Some(heartbeat), Some(_)) = (self.heartbeat, self.until) {
            self.until = Some(now.saturating_add(self.patience(heartbeat)));
        }
    }

    fn patience(&self, heartbeat: Heartbeat) -> Duration {
        let seen = |trips: RoundTrips| trips.timeout().clamp(MIN_TIMEOUT, MAX_TIMEOUT);
        let adapted = self.trips.map_or(INITIAL_TIMEOUT, seen);
        heartbeat.timeout.map_or(adapted, |most| adapted.min(most))
    }

    fn payload(&self, number: u64) -> [u8; 8] {
        (self.nonce ^ number).to_be_bytes()
    }
}

impl RoundTrips {
    fn after(before: Option<RoundTrips>, trip: Duration) -> Self {
        let Some(RoundTrips { smoothed, variation }) = before else {
            return RoundTrips { smoothed: trip, variation: trip / 2 };
        };
        RoundTrips { smoothed: (smoothed * 7 + trip) / 8, variation: (variation * 3 + smoothed.abs_diff(trip)) / 4 }
    }

    fn timeout(self) -> Duration {
        self.smoothed + self.variation * 4
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HEARTBEAT: Heartbeat = Heartbeat { interval: Duration::from_secs(25), timeout: None };

    struct Fixed(u64);

    impl Random for Fixed {
        fn below(&mut self, _: u64) -> u64 {
            self.0
        }
    }

    fn pulse() -> Pulse {
        Pulse::new(Some(HEARTBEAT), Duration::ZERO, &mut Fixed(0))
    }

    /// A round trip that began at `at`.
    fn trip(pulse: &mut Pulse, at: Duration, trip: Duration) {
        let (_, payload) = pulse.ping(at);
        pulse.received();
        pulse.pong(&payload, at + trip).expect("it is ours");
    }

    #[test]
    fn pings_at_its_interval() {
        let mut pulse = pulse();
        assert_eq!(pulse.next(), Some(SECOND * 25));
        assert!(!pulse.is_due(SECOND * 25 - Duration::from_nanos(1)) && pulse.is_due(SECOND * 25));
        pulse.ping(SECOND * 30);
        assert!(!pulse.is_due(SECOND * 54) && pulse.is_due(SECOND * 55));
        assert_eq!(pulse.next(), Some(SECOND * 40), "the answer must come before");
        pulse.received();
        assert_eq!(pulse.next(), Some(SECOND * 55));
    }

    #[test]
    fn any_sign_of_life_will_do() {
        let mut pulse = pulse();
        pulse.ping(SECOND);
        assert!(!pulse.is_dead(SECOND * 11 - Duration::from_nanos(1)) && pulse.is_dead(SECOND * 11));
        pulse.ping(SECOND * 5);
        assert!(pulse.is_dead(SECOND * 11), "asking again is no excuse");
        pulse.received();
        assert!(!pulse.is_dead(SECOND * 999));
    }

    #[test]
    fn the_time_of_a_ping_does_not_run_while_the_peer_takes_what_went_before_it() {
        let mut pulse = pulse();
        pulse.drained(Duration::ZERO);
        assert_eq!(pulse.next(), Some(SECOND * 25), "nothing is asked yet");
        pulse.ping(SECOND);
        pulse.drained(SECOND * 10);
        assert!(!pulse.is_dead(SECOND * 19) && pulse.is_dead(SECOND * 20));
    }

    #[test]
    fn who_does_not_listen_concludes_nothing() {
        let mut pulse = pulse();
        pulse.ping(SECOND);
        pulse.stop_listening();
        assert!(!pulse.hears() && !pulse.is_dead(SECOND * 99));
        assert_eq!(pulse.next(), Some(SECOND * 26), "it still keeps the connection from idling");
        pulse.listen(SECOND * 99);
        assert!(!pulse.is_dead(SECOND * 108) && pulse.is_dead(SECOND * 109));
        pulse.listen(SECOND * 105);
        assert!(pulse.is_dead(SECOND * 109), "it has been listening");
    }

    #[test]
    fn patience_follows_the_round_trips() {
        let mut pulse = pulse();
        assert_eq!((pulse.timeout(), pulse.round_trip()), (Some(INITIAL_TIMEOUT), None));
        trip(&mut pulse, SECOND, SECOND * 4);
        assert_eq!(pulse.timeout(), Some(SECOND * 12), "4 s, and four times half of them");
        trip(&mut pulse, SECOND * 9, SECOND * 4);
        assert_eq!(pulse.timeout(), Some(SECOND * 10), "4 s, and four times 1.5 s");
        trip(&mut pulse, SECOND * 19, SECOND * 12);
        assert_eq!(pulse.round_trip(), Some(SECOND * 5), "an eighth of the way from 4 to 12");
        assert_eq!(pulse.timeout(), Some(Duration::from_millis(5000 + 4 * 3125)), "(3 * 1.5 + 8) / 4 is 3.125");
    }

    #[test]
    fn patience_has_bounds_and_can_be_fixed() {
        let mut swift = pulse();
        trip(&mut swift, SECOND, Duration::from_millis(1));
        assert_eq!(swift.timeout(), Some(MIN_TIMEOUT));
        let mut slow = pulse();
        trip(&mut slow, SECOND, SECOND * 30);
        assert_eq!(slow.timeout(), Some(MAX_TIMEOUT));
        let narrow = Heartbeat { timeout: Some(SECOND), ..HEARTBEAT };
        let mut narrow = Pulse::new(Some(narrow), Duration::ZERO, &mut Fixed(0));
        trip(&mut narrow, SECOND, SECOND * 30);
        assert_eq!(narrow.timeout(), Some(SECOND));
        let wide = Heartbeat { timeout: Some(SECOND * 30), ..HEARTBEAT };
        let mut wide = Pulse::new(Some(wide), Duration::ZERO, &mut Fixed(0));
        assert_eq!(wide.timeout(), Some(INITIAL_TIMEOUT), "it is a bound, and not what is waited");
        trip(&mut wide, SECOND, Duration::from_millis(1));
        assert_eq!(wide.timeout(), Some(MIN_TIMEOUT));
    }

    #[test]
    fn only_answers_to_its_own_pings_are_taken() {
        let mut pulse = Pulse::new(Some(HEARTBEAT), Duration::ZERO, &mut Fixed(0x1234_5678_9abc_def0));
        let (first, _) = pulse.ping(SECOND);
        let (second, payload) = pulse.ping(SECOND * 2);
        assert_eq!((first, second), (0, 1));
        assert_eq!(payload, [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf1]);
        assert_eq!(pulse.pong(b"", SECOND * 3), None);
        assert_eq!(pulse.pong(&payload[..7], SECOND * 3), None);
        assert_eq!(pulse.pong(&payload, SECOND * 3), Some((1, SECOND)));
        assert_eq!(pulse.pong(&payload, SECOND * 3), None, "once");
        assert!(pulse.outstanding.is_empty(), "the first need not be answered any more");
    }

    #[test]
    fn without_a_heartbeat_nothing_is_due_and_nobody_dead() {
        let mut pulse = Pulse::new(None, Duration::ZERO, &mut Fixed(7));
        assert!(!pulse.is_due(Duration::MAX));
        let (number, payload) = pulse.ping(SECOND);
        assert!(!pulse.is_dead(Duration::MAX));
        assert_eq!((pulse.next(), pulse.timeout()), (None, None));
        assert_eq!(pulse.pong(&payload, SECOND * 2), Some((number, SECOND)), "but pings are answered");
    }

    #[test]
    fn a_peer_that_answers_nothing_and_lives_costs_no_memory() {
        let mut pulse = pulse();
        for second in 0..100 {
            pulse.ping(SECOND * second);
            pulse.received();
        }
        assert_eq!(pulse.outstanding.len(), MOST_OUTSTANDING);
    }

    proptest! {
        /// Driven as its owner drives it: whoever answers each ping in less than the floor lives for ever, and whoever
        /// falls silent is found out within an interval and the longest patience.
        #[test]
        fn the_quick_live_and_the_silent_are_found(
            trips in proptest::collection::vec(1_u64..4_999, 1..60),
        ) {
            let mut pulse = pulse();
            let mut now = Duration::ZERO;
            for trip in trips {
                now = pulse.next().unwrap();
                prop_assert!(pulse.is_due(now) && !pulse.is_dead(now));
                let (number, payload) = pulse.ping(now);
                now += Duration::from_millis(trip);
                prop_assert!(!pulse.is_dead(now));
                pulse.received();
                prop_assert_eq!(pulse.pong(&payload, now).map(|(number, _)| number), Some(number));
                let timeout = pulse.timeout().unwrap();
                prop_assert!((MIN_TIMEOUT..=MAX_TIMEOUT).contains(&timeout));
            }
            let silent_since = now;
            while !pulse.is_dead(now) {
                now = pulse.next().unwrap();
                if pulse.is_due(now) {
                    pulse.ping(now);
                }
            }
            prop_assert!(now - silent_since <= HEARTBEAT.interval + MAX_TIMEOUT);
        }
    }
}
