//! Chance, as the policy is told it: passed in, so that a test can say what it was.

/// A source of uniform numbers. Jitter needs no secrecy, only that clients do not move in step.
pub trait Random {
    /// Uniform in `[0, bound)`; 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64;
}

/// The thread's `fastrand` generator, seeded differently in each thread and process.
#[derive(Debug, Clone, Copy, Default)]
pub struct FastRandom;

impl Random for FastRandom {
    fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            fastrand::u64(..bound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_below_the_bound_and_reaches_all_of_it() {
        let mut seen = [false; 3];
        for _ in 0..1_000 {
            seen[FastRandom.below(3) as usize] = true;
        }
        assert_eq!(seen, [true; 3]);
        assert_eq!(FastRandom.below(0), 0);
    }
}
