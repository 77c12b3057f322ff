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
