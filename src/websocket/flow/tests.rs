use proptest::prelude::*;

use super::*;

const KIB: usize = 1024;

/// Frame in KiB and pace in KiB a second, after so many proofs.
fn after(flow: &mut Flow, proofs: usize) -> (usize, Option<u64>) {
    for _ in 0..proofs {
        flow.grow(MAX_FRAME);
    }
    let Snapshot { frame, pace, .. } = flow.snapshot(MAX_FRAME);
    (frame / KIB, pace.map(|pace| pace / 1024))
}

#[test]
fn nothing_is_limited_before_something_happens() {
    let mut flow = Flow::default();
    let new = Snapshot { frame: MAX_FRAME, pace: None, window: 256 * KIB, largest: 0, oversized: None, drops: 0 };
    assert_eq!(flow.snapshot(MAX_FRAME), new);
    assert_eq!(flow.snapshot(1_000_000).frame, 1_000_000, "as large as each caller wants");
    assert_eq!(flow.grow(MAX_FRAME), None);
    assert_eq!(flow.snapshot(MAX_FRAME), new);
}

#[test]
fn a_drop_halves_the_frame_and_what_the_peer_was_seen_to_read() {
    let mut flow = Flow::default();
    let change = flow.fall(MAX_FRAME, 1024 * 1024);
    let expected = Change { why: ChangeReason::Reset, frame: (64 * KIB, 32 * KIB), pace: (None, Some(512 * 1024)) };
    assert_eq!(change, expected);
    assert_eq!(flow.snapshot(MAX_FRAME).drops, 1);
    // Slower than that, it would have been less. Faster cannot be: it was paced.
    assert_eq!(flow.fall(MAX_FRAME, 300 * 1024).pace, (Some(512 * 1024), Some(150 * 1024)));
    assert_eq!(flow.fall(MAX_FRAME, 900 * 1024).pace, (Some(150 * 1024), Some(75 * 1024)));
}

#[test]
fn a_peer_that_read_next_to_nothing_is_no_measure() {
    let mut flow = Flow::default();
    assert_eq!(flow.fall(MAX_FRAME, MEASURE - 1).pace.1, Some(1024 * 1024));
    let mut flow = Flow::default();
    assert_eq!(flow.fall(MAX_FRAME, MEASURE).pace.1, Some(128 * 1024));
}

#[test]
fn drops_have_a_floor() {
    let mut flow = Flow::default();
    let frames: Vec<usize> = (0..6).map(|_| flow.fall(MAX_FRAME, 0).frame.1 / KIB).collect();
    assert_eq!(frames, [32, 16, 8, 4, 4, 4]);
    for _ in 0..10 {
        flow.fall(MAX_FRAME, 0);
    }
    assert_eq!(flow.pace(), Some(MIN_PACE));
    let mut small = Flow::default();
    assert_eq!(small.fall(1000, 0).frame, (1000, 1000), "who wants even smaller ones has them");
}

#[test]
fn both_grow_back_in_equal_steps_and_are_free_in_the_end() {
    let mut flow = Flow::default();
    flow.fall(MAX_FRAME, 1024 * 1024);
    assert_eq!(after(&mut flow, 3), (32, Some(512)));
    assert_eq!(after(&mut flow, 1), (36, Some(576)), "four proofs, a sixteenth of 64 KiB and of 1 MiB a second");
    assert_eq!(after(&mut flow, 4), (40, Some(640)));
    assert_eq!(after(&mut flow, 4 * 6), (64, Some(1024)));
    assert_eq!(after(&mut flow, 4 * 16), (64, Some(2048)), "to twice of what it fell from");
    assert_eq!(after(&mut flow, 3), (64, Some(2048)));
    assert_eq!(after(&mut flow, 1), (64, None));
    assert_eq!(flow.grow(MAX_FRAME), None);
}

#[test]
fn growth_is_told_step_by_step() {
    let mut flow = Flow::default();
    flow.fall(MAX_FRAME, 1024 * 1024);
    let changes: Vec<_> = (0..4).filter_map(|_| flow.grow(MAX_FRAME)).collect();
    let step =
        Change { why: ChangeReason::Growth, frame: (32 * KIB, 36 * KIB), pace: (Some(512 * 1024), Some(576 * 1024)) };
    assert_eq!(changes, [step]);
}

#[test]
fn each_further_drop_doubles_what_a_step_takes_until_all_is_well() {
    let mut flow = Flow::default();
    flow.fall(MAX_FRAME, 1024 * 1024);
    flow.fall(MAX_FRAME, 1024 * 1024);
    assert_eq!(after(&mut flow, 7).0, 16);
    assert_eq!(after(&mut flow, 1).0, 20);
    after(&mut flow, 5);
    flow.fall(MAX_FRAME, 1024 * 1024);
    assert_eq!(after(&mut flow, 15).0, 10, "what was proved before does not count");
    assert_eq!(after(&mut flow, 1).0, 14);
    for _ in 0..20 {
        flow.fall(MAX_FRAME, 1024 * 1024);
    }
    assert_eq!(flow.patience, 256);
    after(&mut flow, 256 * 2000);
    assert_eq!((flow.patience, flow.pace()), (4, None));
}

#[test]
fn one_who_allows_less_does_not_limit_the_others() {
    let mut flow = Flow::default();
    flow.fall(MAX_FRAME, 1024 * 1024);
    assert_eq!(flow.frame(8 * KIB), 8 * KIB);
    for _ in 0..400 {
        flow.grow(8 * KIB);
    }
    assert_eq!((flow.frame(MAX_FRAME), flow.pace()), (32 * KIB, None));
    flow.fall(8 * KIB, 0);
    assert_eq!(flow.frame(MAX_FRAME), 4 * KIB, "what was learnt with less holds for all");
}

#[test]
fn the_window_doubles_and_a_drop_closes_it_again() {
    let mut flow = Flow::default();
    let widths: Vec<usize> = (0..8)
        .map(|_| {
            flow.widen();
            flow.window() / KIB
        })
        .collect();
    assert_eq!(widths, [512, 1024, 2048, 4096, 8192, 16_384, 16_384, 16_384]);
    flow.fall(MAX_FRAME, 0);
    assert_eq!(flow.window(), 256 * KIB);
}

#[test]
fn a_frame_is_trusted_when_one_as_large_was_taken() {
    let mut flow = Flow::default();
    assert!(!flow.trusts_frame(MAX_FRAME) && flow.trusts_frame(MIN_FRAME));
    flow.frame_taken(32 * KIB);
    assert!(!flow.trusts_frame(MAX_FRAME) && flow.trusts_frame(32 * KIB));
    flow.fall(MAX_FRAME, 0);
    assert!(flow.trusts_frame(MAX_FRAME), "they are 32 KiB now");
}

#[test]
fn what_is_too_large_is_known_by_the_smallest_and_forgotten_when_as_much_gets_through() {
    let mut flow = Flow::default();
    let known = |flow: &Flow| (flow.largest, flow.oversized);
    flow.got_through(10);
    flow.refuses(30);
    flow.refuses(20);
    flow.refuses(25);
    assert_eq!(known(&flow), (10, Some(20)));
    flow.got_through(19);
    assert_eq!(known(&flow), (19, Some(20)));
    flow.got_through(20);
    assert_eq!(known(&flow), (20, None));
    flow.refuses(15);
    assert_eq!(known(&flow), (0, Some(15)), "the limit has changed");
}

#[test]
fn deaths_are_counted_by_the_smallest_until_as_much_gets_through() {
    let mut flow = Flow::default();
    assert_eq!(flow.suspects(100), 1);
    assert_eq!(flow.suspects(90), 1, "that is another, smaller message");
    assert_eq!([flow.suspects(95), flow.suspects(90)], [2, 3]);
    flow.got_through(89);
    assert_eq!(flow.suspects(90), 4);
    flow.got_through(90);
    assert_eq!(flow.suspects(100), 1);
    flow.refuses(100);
    assert_eq!(flow.suspects(100), 1, "the next one is judged by itself");
}

#[test]
fn endpoints_are_told_apart_and_a_bounded_number_is_remembered() {
    let flows = Flows::new(2);
    flows.of("a").lock().unwrap().got_through(1);
    flows.of("b").lock().unwrap().got_through(2);
    let largest = |name: &str| flows.of(name).lock().unwrap().largest();
    assert_eq!((largest("b"), largest("a")), (2, 1));
    assert_eq!(largest("c"), 0);
    assert_eq!(largest("a"), 1);
    assert_eq!(flows.known.lock().unwrap().flows.len(), 2);
    assert_eq!(largest("b"), 0, "it had to go for c");
    assert!(Arc::ptr_eq(&Flows::shared().of("x"), &Flows::shared().of("x")));
}

proptest! {
    /// Whatever happens: frame and pace stay within their bounds, fall only by drops, and rise only by growth.
    #[test]
    fn stays_within_its_bounds(
        steps in proptest::collection::vec((0_u8..8, 1_usize..200_000, 0_u64..1 << 40), 1..300),
    ) {
        let mut flow = Flow::default();
        for (step, max_frame, drained) in steps {
            let before = flow.snapshot(max_frame);
            let free = |pace: Option<u64>| pace.unwrap_or(u64::MAX);
            match step {
                0 => {
                    let change = flow.fall(max_frame, drained);
                    prop_assert!(change.frame.1 >= (before.frame / 2).min(MIN_FRAME));
                    prop_assert!(change.frame.1 <= before.frame);
                    prop_assert!(free(change.pace.1) <= free(before.pace).max(MIN_PACE));
                    prop_assert_eq!(change.pace.1, flow.pace());
                }
                1 => flow.widen(),
                _ => if let Some(change) = flow.grow(max_frame) {
                    prop_assert_eq!(change.frame.0, before.frame);
                    prop_assert!(change.frame.1 >= before.frame && free(change.pace.1) >= free(before.pace));
                    prop_assert!(change.frame.1 > before.frame || free(change.pace.1) > free(before.pace));
                },
            }
            let now = flow.snapshot(max_frame);
            prop_assert!(now.frame >= 1 && now.frame <= max_frame);
            prop_assert!(now.frame >= max_frame.min(MIN_FRAME));
            prop_assert!(free(now.pace) >= MIN_PACE);
            prop_assert!((WINDOW.0..=WINDOW.1).contains(&now.window));
        }
    }
}
