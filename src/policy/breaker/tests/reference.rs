//! The rules as they are written in the documentation, with everything remembered: slow, and held against the breaker.

use proptest::prelude::*;

use super::*;

/// An attempt that was admitted.
#[derive(Clone, Copy)]
struct Begun {
    admission: Admission,
    at: Duration,
    /// How many times the state had changed by then.
    era: usize,
    over: bool,
}

#[derive(Default)]
struct Reference {
    /// When the state changed, to what; closed before the first one.
    changes: Vec<(Duration, BreakerState)>,
    begun: Vec<Begun>,
    /// When an attempt of which era ended, and whether it failed.
    ended: Vec<(Duration, usize, bool)>,
}

impl Reference {
    fn state(&self) -> BreakerState {
        self.changes.last().map_or(BreakerState::Closed, |(_, state)| *state)
    }

    fn change(&mut self, now: Duration, state: BreakerState) {
        self.changes.push((now, state));
    }

    /// How long the next attempt is refused for.
    fn ask(&mut self, now: Duration, options: &BreakerOptions) -> Option<Duration> {
        let since = self.changes.last().map_or(Duration::ZERO, |(since, _)| *since);
        if self.state() == BreakerState::Open && now >= since + options.open_for {
            self.change(now, BreakerState::HalfOpen);
        }
        match self.state() {
            BreakerState::Closed => None,
            BreakerState::Open => Some(since + options.open_for - now),
            BreakerState::HalfOpen => {
                let era = self.changes.len();
                let answered = self.ended.iter().filter(|(_, of, _)| *of == era).count();
                let ends: Vec<Duration> = self
                    .begun
                    .iter()
                    .filter(|begun| begun.era == era && !begun.over)
                    .map(|begun| begun.at + options.open_for)
                    .filter(|end| *end > now)
                    .collect();
                let full = answered + ends.len() >= options.probes as usize;
                if full { ends.iter().min().map(|end| *end - now) } else { None }
            }
        }
    }

    fn end(&mut self, index: usize, outcome: Outcome, now: Duration, options: &BreakerOptions) {
        let era = self.changes.len();
        let begun = &mut self.begun[index];
        begun.over = true;
        if begun.era != era || outcome == Neither {
            return;
        }
        self.ended.push((now, era, outcome == Failed));
        let of_era = || self.ended.iter().filter(|(_, of, _)| *of == era);
        match (self.state(), outcome) {
            (BreakerState::Closed, Failed) => {
                let slot = |moment: Duration| moment.as_nanos() / (options.window.as_nanos() / 10);
                let recent = || of_era().filter(|(moment, ..)| slot(*moment) + 10 > slot(now));
                let (all, failed) = (recent().count(), recent().filter(|(.., failed)| *failed).count());
                if all >= options.min_calls as usize && failed as f64 / all as f64 >= options.failure_rate {
                    self.change(now, BreakerState::Open);
                }
            }
            (BreakerState::HalfOpen, Failed) => self.change(now, BreakerState::Open),
            (BreakerState::HalfOpen, _) if of_era().count() >= options.probes as usize => {
                self.change(now, BreakerState::Closed);
            }
            _ => {}
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Pass(u64),
    Begin,
    /// Of the attempts under way, the one at this share of them.
    End(u8, Outcome),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let outcome = prop_oneof![3 => Just(Answered), 5 => Just(Failed), 1 => Just(Neither)];
    let event = prop_oneof![
        2 => (0_u64..300).prop_map(Event::Pass),
        1 => (0_u64..3_000).prop_map(Event::Pass),
        6 => Just(Event::Begin),
        5 => (any::<u8>(), outcome).prop_map(|(which, outcome)| Event::End(which, outcome)),
    ];
    proptest::collection::vec(event, 1..300)
}

fn options() -> impl Strategy<Value = BreakerOptions> {
    (100_u64..3_000, 1_u32..8, 1_u32..=10, 50_u64..2_000, 1_u32..4).prop_map(
        |(window, min_calls, tenths, open_for, probes)| BreakerOptions {
            window: at(window),
            min_calls,
            failure_rate: f64::from(tenths) / 10.0,
            open_for: at(open_for),
            probes,
        },
    )
}

proptest! {
    #[test]
    fn does_what_the_rules_say(options in options(), events in events()) {
        let mut breaker = Breaker::new(&options);
        let mut reference = Reference::default();
        let mut now = Duration::ZERO;
        for event in events {
            match event {
                Event::Pass(milliseconds) => now += at(milliseconds),
                Event::Begin => {
                    let expected = reference.ask(now, &options);
                    match (breaker.admit(now, &options), expected) {
                        (Ok(admission), None) => {
                            let era = reference.changes.len();
                            reference.begun.push(Begun { admission, at: now, era, over: false });
                        }
                        (Err(Refused { retry_in }), Some(expected)) => prop_assert_eq!(retry_in, expected),
                        (got, expected) => prop_assert!(false, "{:?}, but it should be {:?}", got, expected),
                    }
                }
                Event::End(which, outcome) => {
                    let open: Vec<usize> =
                        (0..reference.begun.len()).filter(|index| !reference.begun[*index].over).collect();
                    if let Some(index) = open.get(usize::from(which) * open.len() / 256) {
                        reference.end(*index, outcome, now, &options);
                        breaker.report(reference.begun[*index].admission, outcome, now, &options);
                    }
                }
            }
            prop_assert_eq!(breaker.state(), reference.state());
        }
    }

    /// Whatever the clock did before.
    #[test]
    fn never_stays_open_for_good(
        options in options(),
        readings in proptest::collection::vec(0_u64..100_000, 1..60),
    ) {
        let mut breaker = Breaker::new(&options);
        let mut now = Duration::ZERO;
        for reading in readings {
            now = at(reading);
            if let Ok(admission) = breaker.admit(now, &options) {
                breaker.report(admission, Failed, now, &options);
            }
        }
        let retry_in = breaker.admit(now, &options).err().map_or(Duration::ZERO, |refused| refused.retry_in);
        prop_assert!(retry_in <= options.open_for);
        prop_assert!(breaker.admit(now + options.open_for, &options).is_ok());
    }
}
