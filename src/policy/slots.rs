//! Counts of a recent span of time, in slots: to forget what is old costs nothing per thing counted.

/// The latest `N` slots. Slots are numbered by time: the one that a moment belongs to is for the owner to say.
#[derive(Debug)]
pub(super) struct Slots<T, const N: usize> {
    /// Slot `n` lives in `slots[n % N]`, for the `N` numbers up to `latest`.
    slots: [T; N],
    latest: u64,
}

impl<T: Copy + Default, const N: usize> Slots<T, N> {
    /// The slot of this number, after clearing those that time has passed over.
    pub fn at(&mut self, number: u64) -> &mut T {
        if self.latest.saturating_sub(number) >= N as u64 {
            // The clock is another one than before: a test has put fake timers in its place. Waiting for it to
            // catch up would keep the old counts for ever.
            *self = Self::default();
        }
        // Threads read the clock before they get here: a reading may be older than the last one, and then counts
        // into the slot that is open.
        if number > self.latest {
            let passed = (number - self.latest).min(N as u64);
            for step in 1..=passed {
                self.slots[((self.latest + step) % N as u64) as usize] = T::default();
            }
            self.latest = number;
        }
        &mut self.slots[(self.latest % N as u64) as usize]
    }

    /// As of the latest number asked for.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        let latest = (self.latest % N as u64) as usize;
        (0..N).map(move |age| &self.slots[(latest + N - age) % N])
    }
}

impl<T: Copy + Default, const N: usize> Default for Slots<T, N> {
    fn default() -> Self {
        Self { slots: [T::default(); N], latest: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(slots: &Slots<u32, 3>) -> Vec<u32> {
        slots.newest_first().copied().collect()
    }

    #[test]
    fn what_time_has_passed_over_is_forgotten() {
        let mut slots = Slots::<u32, 3>::default();
        for number in [7, 8, 9] {
            *slots.at(number) += number as u32;
        }
        assert_eq!(counts(&slots), [9, 8, 7]);
        slots.at(10);
        assert_eq!(counts(&slots), [0, 9, 8]);
        slots.at(12);
        assert_eq!(counts(&slots), [0, 0, 0]);
        *slots.at(12) += 1;
        slots.at(u64::MAX);
        assert_eq!(counts(&slots), [0, 0, 0]);
    }

    #[test]
    fn a_number_that_is_a_little_older_is_the_open_slot() {
        let mut slots = Slots::<u32, 3>::default();
        *slots.at(20) += 1;
        *slots.at(18) += 1;
        assert_eq!(counts(&slots), [2, 0, 0]);
    }

    #[test]
    fn numbers_that_start_anew_start_the_counts_anew() {
        let mut slots = Slots::<u32, 3>::default();
        *slots.at(20) += 5;
        *slots.at(17) += 1;
        assert_eq!(counts(&slots), [1, 0, 0]);
    }
}
