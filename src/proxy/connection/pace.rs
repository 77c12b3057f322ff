//! How fast one direction may go: bytes per second, and bytes per write.

use std::time::Duration;

use tokio::time::Instant;

/// The limits of all plans at work in a direction: of several, the tighter.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Limits {
    /// Bytes per second.
    pub(super) rate: Option<f64>,
    pub(super) slice: Option<Slice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// The most bytes per write.
    pub(super) size: usize,
    /// Between two writes.
    pub(super) gap: Duration,
}

impl Limits {
    pub(super) fn limit_rate(&mut self, rate: f64) {
        self.rate = Some(self.rate.map_or(rate, |other| other.min(rate)));
    }

    pub(super) fn limit_slice(&mut self, size: usize, gap: Duration) {
        let tighter = |other: Slice| Slice { size: other.size.min(size), gap: other.gap.max(gap) };
        self.slice = Some(self.slice.map_or(Slice { size, gap }, tighter));
    }
}

/// Keeps a direction within its limits. A bucket that starts empty: the first byte waits for its time, too.
#[derive(Debug, Default)]
pub(super) struct Pace {
    bucket: Option<Bucket>,
    last_write: Option<Instant>,
}

#[derive(Debug)]
struct Bucket {
    bytes: f64,
    at: Instant,
}

/// What a bucket holds at most, as time: a timer that fires late must not cost throughput, and a pause in the traffic
/// must not be made up by a burst.
const BURST: Duration = Duration::from_millis(20);

/// What may be written now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    Bytes(usize),
    From(Instant),
}

impl Pace {
    /// `pending` bytes want to be written.
    pub(super) fn allowance(&mut self, limits: Limits, pending: usize, now: Instant) -> Allowance {
        let mut allowed = pending;
        match limits.slice {
            None => {}
            Some(slice) => {
                let next = self.last_write.map(|last| last + slice.gap);
                if let Some(next) = next.filter(|&next| next > now) {
                    return Allowance::From(next);
                }
                allowed = allowed.min(slice.size);
            }
        }
        match limits.rate {
            None => self.bucket = None,
            Some(rate) => {
                let burst = (rate * BURST.as_secs_f64()).max(1.0);
                let bucket = self.bucket.get_or_insert(Bucket { bytes: 0.0, at: now });
                let filled = bucket.bytes + rate * now.duration_since(bucket.at).as_secs_f64();
                *bucket = Bucket { bytes: filled.min(burst), at: now };
                // Whole buckets rather than single bytes as they trickle in.
                let wanted = (allowed as f64).min(burst).floor();
                // Rounding in the last digit must not make it wait for a time that has come.
                if bucket.bytes + 1e-6 < wanted {
                    let wait = Duration::from_secs_f64((wanted - bucket.bytes) / rate);
                    return Allowance::From(now + wait.max(Duration::from_micros(1)));
                }
                allowed = wanted as usize;
            }
        }
        Allowance::Bytes(allowed)
    }

    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        if let Some(bucket) = &mut self.bucket {
            bucket.bytes = (bucket.bytes - bytes as f64).max(0.0);
        }
        self.last_write = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long `total` bytes take, told by a clock that is moved to each time that is asked for.
    fn time_for(limits: Limits, total: usize) -> (Duration, usize) {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let (mut now, mut left, mut writes) = (start, total, 0);
        while left > 0 {
            match pace.allowance(limits, left, now) {
                Allowance::From(time) => {
                    assert!(time > now, "it would never end");
                    now = time;
                }
                Allowance::Bytes(bytes) => {
                    assert!(bytes > 0 && bytes <= left);
                    pace.wrote(bytes, now);
                    left -= bytes;
                    writes += 1;
                }
            }
        }
        (now - start, writes)
    }

    #[test]
    fn without_limits_everything_goes_at_once() {
        assert_eq!(time_for(Limits::default(), 1 << 30), (Duration::ZERO, 1));
    }

    #[test]
    fn a_rate_is_kept_at_any_scale() {
        for (rate, total, seconds) in
            [(1.0, 3, 3.0), (1000.0, 500, 0.5), (1e6, 2_000_000, 2.0), (1e9, 500_000_000, 0.5)]
        {
            let limits = Limits { rate: Some(rate), slice: None };
            let took = time_for(limits, total).0.as_secs_f64();
            assert!((took - seconds).abs() < 0.03, "{total} bytes at {rate}/s took {took} s");
        }
    }

    #[test]
    fn slices_are_of_the_size_and_apart() {
        let mut limits = Limits::default();
        limits.limit_slice(10, Duration::from_millis(5));
        assert_eq!(time_for(limits, 95), (Duration::from_millis(45), 10));
        limits.limit_slice(20, Duration::from_millis(10));
        assert_eq!(time_for(limits, 95), (Duration::from_millis(90), 10));
    }

    #[test]
    fn of_two_rates_the_lower_counts() {
        let mut limits = Limits::default();
        limits.limit_rate(100.0);
        limits.limit_rate(50.0);
        limits.limit_rate(200.0);
        assert_eq!(limits.rate, Some(50.0));
    }

    #[test]
    fn a_pause_is_not_made_up_by_a_burst() {
        let limits = Limits { rate: Some(1000.0), slice: None };
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.allowance(limits, 1, start);
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.allowance(limits, 100_000, later), Allowance::Bytes(20));
    }
}
