use std::collections::VecDeque;

use super::*;
use crate::tcp::queue::{Limits, WhenFull};
use crate::websocket::flow::{ChangeReason, MAX_FRAME};
use crate::websocket::outbox::{Kind, Outbox, Resend};

const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;
const SECOND: Duration = Duration::from_secs(1);

/// A connection as its owner drives it, to a peer that reads everything and answers when it is told to.
struct Line {
    course: Course,
    outbox: Outbox,
    now: Duration,
    hears: bool,
    pings: VecDeque<u64>,
    count: u64,
    /// The payloads of the frames that have left.
    frames: Vec<usize>,
}

impl Line {
    fn to(flow: &Arc<Mutex<Flow>>) -> Self {
        Line::with_frames_of(MAX_FRAME, flow)
    }

    fn with_frames_of(max_frame: usize, flow: &Arc<Mutex<Flow>>) -> Self {
        let limits = Limits { bytes: usize::MAX, age: None, when_full: WhenFull::Block };
        Line {
            course: Course::new(Arc::clone(flow), max_frame, Duration::ZERO),
            outbox: Outbox::new(limits, Resend::Unsent),
            now: Duration::ZERO,
            hears: true,
            pings: VecDeque::new(),
            count: 0,
            frames: Vec::new(),
        }
    }

    fn queue(&mut self, size: usize) {
        let message = Message { kind: Kind::Binary, payload: vec![0; size].into(), compress: false, awaited: false };
        self.outbox.send(message, self.now);
    }

    /// Sends what may leave; returns until when it waits, if anything does.
    fn pump(&mut self) -> Option<Duration> {
        while self.outbox.rest().is_some() {
            let most = match self.course.allow(self.hears, self.now) {
                Allowance::Frame(most) => most,
                Allowance::Wait { until } => {
                    assert!(until > self.now, "or it would never stop asking");
                    return Some(until);
                }
            };
            let frame = self.outbox.frame(most).unwrap();
            self.frames.push(frame.payload.len());
            self.course.sent(&frame, self.now);
            if self.course.wants_proof() {
                self.ping();
            }
        }
        None
    }

    fn ping(&mut self) {
        self.course.asked(self.count, self.now);
        self.pings.push_back(self.count);
        self.count += 1;
    }

    /// The pong to the oldest ping.
    fn answer(&mut self) -> Option<Proof> {
        let ping = self.pings.pop_front()?;
        Some(self.course.proved(ping, self.now))
    }

    /// Sends all, with a peer that answers at once, as often as it takes.
    fn exchange(&mut self, sizes: &[usize]) {
        for &size in sizes {
            self.queue(size);
        }
        while let Some(until) = self.pump() {
            if self.answer().is_none() {
                self.now = until;
            }
        }
        while self.answer().is_some() {}
    }

    fn prove_all(&mut self) {
        self.ping();
        while self.answer().is_some() {}
    }

    fn sent(&mut self) -> usize {
        std::mem::take(&mut self.frames).iter().sum()
    }

    fn lose(&mut self, death: Death) -> Judgement {
        self.course.lost(death, self.now)
    }

    fn oversized(&mut self, death: Death) -> Option<(u64, usize, usize)> {
        let Oversized { number, message, largest } = self.lose(death).oversized?;
        Some((number, message.payload.len(), largest))
    }
}

fn endpoint() -> Arc<Mutex<Flow>> {
    Arc::default()
}

/// One that has taken messages of 1 MiB.
fn known_endpoint() -> Arc<Mutex<Flow>> {
    let flow = endpoint();
    Line::to(&flow).exchange(&[MIB]);
    flow
}

#[test]
fn small_messages_leave_at_once_and_unasked() {
    let mut line = Line::to(&endpoint());
    for _ in 0..1000 {
        line.queue(60);
    }
    assert_eq!(line.pump(), None);
    assert_eq!((line.frames.len(), line.pings.len()), (1000, 0));
}

#[test]
fn the_first_full_frame_is_waited_for_and_then_no_other() {
    let mut line = Line::to(&endpoint());
    line.queue(200 * KIB);
    assert_eq!(line.pump(), Some(ANSWERS_WITHIN));
    assert_eq!((line.sent(), line.pings.len()), (64 * KIB, 1));
    line.answer();
    assert_eq!(line.pump(), None);
    assert_eq!(line.frames, [64 * KIB, 64 * KIB, 8 * KIB]);
}

#[test]
fn nothing_leaves_after_the_largest_message_ever_until_it_is_proved() {
    let flow = known_endpoint();
    let mut line = Line::to(&flow);
    line.queue(MIB);
    line.queue(10);
    assert_eq!(line.pump(), None, "that much has got through before");
    line.queue(MIB + 1);
    line.queue(10);
    while line.pump().is_some() && line.outbox.rest() != Some(10) {
        line.answer();
    }
    assert_eq!((line.outbox.rest(), line.pings.is_empty()), (Some(10), false));
    assert_eq!(lock(&flow).largest(), MIB);
    while line.answer().is_some() {}
    assert_eq!(lock(&flow).largest(), MIB + 1);
    assert_eq!(line.pump(), None);
}

#[test]
fn what_may_be_on_its_way_doubles_with_each_proof() {
    let mut line = Line::to(&endpoint());
    line.exchange(&[64 * KIB]);
    line.frames.clear();
    for _ in 0..100 {
        line.queue(64 * KIB);
    }
    line.pump();
    assert_eq!(line.sent(), 256 * KIB);
    while line.answer().is_some() {}
    line.pump();
    assert!(line.sent() >= 512 * KIB);
    assert!(line.course.snapshot().window >= 512 * KIB);
}

#[test]
fn proofs_are_asked_for_more_rarely_as_more_is_proved() {
    let mut line = Line::to(&endpoint());
    let mut asked = |megabytes: usize| {
        let before = line.count;
        line.exchange(&vec![64 * KIB; megabytes * 16]);
        line.count - before
    };
    assert_eq!(asked(1), 16, "every 64 KiB");
    asked(14);
    assert!(asked(16) <= 20, "about every MiB");
}

#[test]
fn a_proof_says_what_got_through() {
    let mut line = Line::to(&endpoint());
    for size in [10, 30, 20] {
        line.queue(size);
    }
    line.pump();
    line.ping();
    line.queue(40);
    line.pump();
    let proof = line.answer().unwrap();
    assert_eq!(proof, Proof { message: Some(2), change: None });
    assert_eq!(line.course.snapshot().largest, 30);
    assert_eq!(line.course.proved(99, line.now), Proof::default(), "it never asked that");
}

#[test]
fn a_proof_from_inside_a_message_does_not_prove_the_message() {
    let mut line = Line::to(&endpoint());
    line.queue(100 * KIB);
    line.pump();
    assert_eq!(line.answer(), Some(Proof::default()));
    assert_eq!(line.course.snapshot().largest, 0);
    line.pump();
    assert_eq!(line.answer(), Some(Proof { message: Some(0), change: None }));
    assert_eq!(line.course.snapshot().largest, 100 * KIB);
}

#[test]
fn a_later_pong_proves_what_the_earlier_ones_would_have() {
    let mut line = Line::to(&endpoint());
    line.queue(50);
    line.pump();
    line.ping();
    line.queue(20);
    line.pump();
    line.ping();
    assert_eq!(line.course.proved(1, line.now).message, Some(1));
    assert_eq!(line.course.snapshot().largest, 50);
    assert_eq!(line.course.proved(0, line.now), Proof::default());
}

#[test]
fn a_reset_follows_large_sends_when_they_are_recent_and_not_proved() {
    let died = |size: usize, proves: bool, later: Duration, death: Death| {
        let mut line = Line::to(&known_endpoint());
        line.queue(size);
        line.pump();
        if proves {
            line.prove_all();
        }
        line.now += later;
        line.lose(death).change.is_some()
    };
    assert!(died(LARGE, false, Duration::ZERO, Death::Abrupt));
    assert!(died(LARGE, false, FOLLOWS, Death::Abrupt));
    assert!(!died(LARGE, false, FOLLOWS + Duration::from_nanos(1), Death::Abrupt), "that is idleness");
    assert!(!died(LARGE - 1, false, Duration::ZERO, Death::Abrupt), "that is not large");
    assert!(!died(LARGE, true, Duration::ZERO, Death::Abrupt), "the peer had read it");
    assert!(!died(LARGE, false, Duration::ZERO, Death::Other), "that has a reason of its own");
    assert!(!died(LARGE, false, Duration::ZERO, Death::TooBig), "fragments do not help");
}

#[test]
fn many_small_messages_are_large_together() {
    let mut line = Line::to(&known_endpoint());
    for _ in 0..1024 {
        line.queue(64);
    }
    line.pump();
    let judgement = line.lose(Death::Abrupt);
    assert_eq!((judgement.oversized, judgement.after_large), (None, Some(64)));
    assert_eq!(judgement.change.unwrap().frame, (64 * KIB, 32 * KIB));
}

#[test]
fn the_pace_falls_to_half_of_what_was_read_in_the_last_second() {
    let mut line = Line::to(&known_endpoint());
    // Two seconds at 640 KiB a second, then it dies.
    for _ in 0..20 {
        line.exchange(&[64 * KIB]);
        line.prove_all();
        line.now += SECOND / 10;
    }
    line.queue(64 * KIB);
    line.pump();
    let change = line.lose(Death::Abrupt).change.unwrap();
    assert_eq!(change.why, ChangeReason::Reset);
    assert_eq!(change.pace, (None, Some(320 * 1024)));
    assert!(line.course.read.len() <= 12);
}

#[test]
fn a_pace_is_kept_to_over_large_and_small() {
    let flow = known_endpoint();
    lock(&flow).fall(MAX_FRAME, MIB as u64);
    assert_eq!(lock(&flow).pace(), Some(512 * 1024));
    for size in [100, 10_000, 32 * KIB] {
        let mut line = Line::to(&flow);
        line.now = SECOND;
        for _ in 0..(4 * MIB / size) {
            line.queue(size);
        }
        // No proofs, so no growth.
        lock(&flow).answers = Answers::No;
        while line.now < SECOND * 3 {
            line.now = line.pump().expect("there is more");
        }
        let sent = line.sent();
        assert!((MIB - 32 * KIB..=MIB + 64 * KIB).contains(&sent), "{sent} in frames of {size}");
    }
}

#[test]
fn a_1009_means_the_largest_message_that_is_not_proved() {
    let mut line = Line::to(&endpoint());
    line.exchange(&[50, 40]);
    line.prove_all();
    for size in [30, 70, 60, 70, 10] {
        line.queue(size);
    }
    line.pump();
    assert_eq!(line.oversized(Death::TooBig), Some((3, 70, 50)), "the first of equals");
    assert_eq!(line.course.snapshot().oversized, Some(70));
}

#[test]
fn a_1009_in_the_middle_of_a_message_means_that_one() {
    let mut line = Line::to(&known_endpoint());
    lock(&line.course.flow).fall(MAX_FRAME, 0);
    line.queue(3 * MIB);
    assert!(line.pump().is_some());
    assert_eq!(line.oversized(Death::TooBig), Some((0, 3 * MIB, MIB)));
}

#[test]
fn a_1009_for_nothing_of_ours_names_nothing() {
    let mut line = Line::to(&endpoint());
    assert_eq!(line.lose(Death::TooBig), Judgement::default());
    let mut line = Line::to(&endpoint());
    line.exchange(&[70]);
    line.prove_all();
    assert_eq!(line.lose(Death::TooBig), Judgement::default(), "it got through");
}

#[test]
fn a_limit_that_was_lowered_is_learnt() {
    let flow = known_endpoint();
    let mut line = Line::to(&flow);
    line.queue(MIB / 2);
    line.pump();
    assert_eq!(line.oversized(Death::TooBig), Some((0, MIB / 2, 0)));
}

#[test]
fn a_reset_after_the_largest_message_ever_sets_it_aside() {
    let flow = known_endpoint();
    let mut line = Line::to(&flow);
    line.queue(100);
    line.queue(3 * MIB / 2);
    line.queue(7);
    while line.outbox.rest() != Some(7) {
        line.pump();
        if line.outbox.rest() != Some(7) {
            line.answer();
        }
    }
    let judgement = line.lose(Death::Abrupt);
    assert_eq!(judgement.after_large, Some(3 * MIB / 2));
    assert!(judgement.change.is_some());
    let oversized = judgement.oversized.unwrap();
    assert_eq!((oversized.number, oversized.message.payload.len(), oversized.largest), (1, 3 * MIB / 2, MIB));
}

#[test]
fn a_reset_after_a_message_of_a_size_that_got_through_sets_nothing_aside() {
    let mut line = Line::to(&known_endpoint());
    for _ in 0..4 {
        line.queue(MIB);
    }
    line.pump();
    let judgement = line.lose(Death::Abrupt);
    assert_eq!((judgement.oversized, judgement.after_large), (None, Some(MIB)));
}

#[test]
fn a_reset_in_the_middle_of_a_message_sets_it_aside_the_second_time() {
    let flow = known_endpoint();
    let die = |size: usize| {
        let mut line = Line::to(&flow);
        line.queue(size);
        while line.pump().is_some() && line.course.sent < MIB as u64 {
            if line.answer().is_none() {
                line.now += SECOND;
            }
        }
        assert!(line.course.current.is_some());
        line.oversized(Death::Abrupt)
    };
    assert_eq!(die(8 * MIB), None);
    assert_eq!(die(4 * MIB), None, "another one, and smaller");
    assert_eq!(die(4 * MIB), Some((0, 4 * MIB, MIB)));
    assert_eq!(die(4 * MIB), None, "each is judged by itself");
}

/// A peer that resets at the sight of a frame larger than 10 KiB.
#[test]
fn the_frame_is_to_blame_until_it_is_known_not_to_be() {
    let flow = endpoint();
    for smaller in [32, 16, 8] {
        let mut line = Line::to(&flow);
        line.queue(MIB);
        line.pump();
        assert_eq!(line.frames.len(), 1, "it is not told more than that before it answers");
        let Judgement { oversized, change, .. } = line.lose(Death::Abrupt);
        assert_eq!((oversized, change.map(|change| change.frame.1)), (None, Some(smaller * KIB)));
    }
    let mut line = Line::to(&flow);
    line.queue(MIB);
    while let Some(until) = line.pump() {
        if line.answer().is_none() {
            line.now = until;
        }
    }
    while line.answer().is_some() {}
    assert_eq!(lock(&flow).largest(), MIB);
}

/// A peer that resets whatever the size of frames, and under a caller who sends the same message again and again.
#[test]
fn no_message_is_sent_for_ever() {
    for known in [0, 100 * KIB] {
        let flow = endpoint();
        Line::to(&flow).exchange(&[known]);
        let mut deaths = 0;
        loop {
            let mut line = Line::to(&flow);
            line.queue(50 * KIB);
            line.pump();
            deaths += 1;
            if line.lose(Death::Abrupt).oversized.is_some() {
                break;
            }
        }
        assert!(deaths <= 4 + 4, "{deaths}");
    }
}

#[test]
fn a_peer_that_answers_no_ping_is_waited_for_once() {
    let flow = endpoint();
    let mut line = Line::to(&flow);
    line.queue(MIB);
    line.queue(MIB);
    line.now = line.pump().expect("it is waited for");
    while let Some(until) = line.pump() {
        line.now = until;
    }
    assert_eq!(line.now, ANSWERS_WITHIN, "once");
    let mut next = Line::to(&flow);
    next.queue(9 * MIB);
    assert_eq!(next.pump(), None);
    assert_eq!(next.course.all_acknowledged(next.now), Proof { message: Some(0), change: None });
    assert_eq!(lock(&flow).largest(), 9 * MIB);
}

#[test]
fn who_does_not_hear_does_not_wait_for_an_answer() {
    let flow = endpoint();
    let mut line = Line::to(&flow);
    line.hears = false;
    line.queue(MIB);
    line.queue(2 * MIB);
    assert_eq!(line.pump(), None);
    assert_eq!(lock(&flow).answers, Answers::Unknown, "nothing is concluded from it");
    line.hears = true;
    line.queue(MIB);
    assert!(line.pump().is_some());
}

#[test]
fn acknowledgements_prove_nothing_of_a_peer_that_answers() {
    let flow = known_endpoint();
    let mut line = Line::to(&flow);
    line.queue(MIB / 2);
    line.pump();
    assert_eq!(line.course.all_acknowledged(line.now), Proof::default());
    assert_eq!(line.course.proven, 0);
    line.prove_all();
    assert_eq!(line.course.proven, MIB as u64 / 2);
}

#[test]
fn messages_grow_the_frame_back() {
    let flow = known_endpoint();
    lock(&flow).fall(MAX_FRAME, MIB as u64);
    let mut line = Line::to(&flow);
    line.exchange(&[MIB; 16]);
    let snapshot = line.course.snapshot();
    assert!(snapshot.frame > 32 * KIB && snapshot.drops == 1, "{snapshot:?}");
}

#[test]
fn a_bounded_number_of_messages_and_pings_is_remembered() {
    let mut line = Line::to(&endpoint());
    for size in (0..100).rev() {
        line.queue(size);
        line.queue(size);
        line.queue(size);
        line.pump();
        line.ping();
    }
    assert_eq!(line.course.suspects.len(), MOST_SUSPECTS);
    assert_eq!(line.course.asked.len(), MOST_ASKED);
    assert_eq!(line.course.proved(line.count - 1, line.now).message, Some(299));
    assert_eq!(line.course.snapshot().largest, 99, "also what the forgotten pings would have proved");
    assert!(line.course.suspects.is_empty());
}

/// A peer that reads at once and resets whoever sends it more than so much in a second, and a caller who sends again what
/// was not proved. How often it resets, and how long it takes.
fn deaths_by_rate(limit: usize, sizes: &[usize]) -> (u32, Duration) {
    let flow = endpoint();
    let (mut next, mut deaths, mut now) = (0, 0, Duration::ZERO);
    'connections: while next < sizes.len() {
        let mut line = Line::to(&flow);
        line.now = now;
        let first = next;
        for &size in &sizes[first..] {
            line.queue(size);
        }
        let mut lately = VecDeque::new();
        while line.outbox.rest().is_some() || !line.pings.is_empty() {
            while let Some(proof) = line.answer() {
                next = proof.message.map_or(next, |number| first + number as usize + 1);
            }
            if line.outbox.rest().is_none() {
                break;
            }
            let most = match line.course.allow(true, line.now) {
                Allowance::Frame(most) => most,
                Allowance::Wait { until } => {
                    line.now = until;
                    continue;
                }
            };
            let frame = line.outbox.frame(most).unwrap();
            line.course.sent(&frame, line.now);
            lately.push_back((line.now, frame.payload.len()));
            while lately.front().is_some_and(|(at, _)| *at + SECOND <= line.now) {
                lately.pop_front();
            }
            if lately.iter().map(|(_, size)| size).sum::<usize>() > limit {
                assert_eq!(line.lose(Death::Abrupt).oversized, None, "it is the rate");
                deaths += 1;
                // The backoff.
                now = line.now + SECOND;
                continue 'connections;
            }
            if line.course.wants_proof() {
                line.ping();
            }
        }
        line.prove_all();
        next = sizes.len();
        now = line.now;
    }
    (deaths, now)
}

#[test]
fn a_limit_on_bytes_in_a_second_is_found_in_a_few_resets() {
    for (limit, sizes) in [(MIB, vec![64 * KIB; 320]), (MIB, vec![MIB / 2; 40]), (4 * MIB, vec![4 * KIB; 20_000])] {
        let (deaths, took) = deaths_by_rate(limit, &sizes);
        let least = Duration::from_secs((sizes.iter().sum::<usize>() / limit) as u64);
        assert!(deaths <= 5, "{deaths} resets for {} messages", sizes.len());
        assert!(took < least * 4 + SECOND * 10, "{took:?}, and {least:?} at the limit");
    }
}

/// It has a second chance at the pace that the first reset left.
#[test]
fn a_large_message_gets_through_a_limit_on_bytes_in_a_second() {
    let (deaths, _) = deaths_by_rate(MIB, &[8 * MIB]);
    assert_eq!(deaths, 1);
}
