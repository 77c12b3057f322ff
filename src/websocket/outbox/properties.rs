//! Whatever is sent, taken, acknowledged and lost, in whatever order: each message has one end, and the true one. What
//! is true is known here from a record of every byte that the link took.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Send {
        size: usize,
        awaited: bool,
    },
    /// A frame is taken; what stands before it are control frames.
    Frame {
        most: usize,
        before: u64,
        header: u64,
        placed: bool,
    },
    /// The link takes this share of what it has not.
    Hand(f64),
    Acknowledge(f64),
    Prove(f64),
    Lose {
        set_aside: f64,
    },
    Wait(Duration),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let share = || prop_oneof![Just(0.0), Just(1.0), 0.0_f64..1.0];
    let step = prop_oneof![
        4 => (0_usize..40, any::<bool>()).prop_map(|(size, awaited)| Step::Send { size, awaited }),
        6 => (1_usize..30, prop_oneof![Just(0_u64), 1_u64..20], 2_u64..15, prop::bool::weighted(0.95))
            .prop_map(|(most, before, header, placed)| Step::Frame { most, before, header, placed }),
        6 => share().prop_map(Step::Hand),
        2 => share().prop_map(Step::Acknowledge),
        1 => share().prop_map(Step::Prove),
        1 => share().prop_map(|set_aside| Step::Lose { set_aside }),
        1 => (0_u64..900).prop_map(|ms| Step::Wait(Duration::from_millis(ms))),
    ];
    prop::collection::vec(step, 1..120)
}

/// What really happened.
#[derive(Default)]
struct Truth {
    messages: Vec<Sent>,
    fates: HashMap<u64, Vec<Fate>>,
    set_aside: Vec<u64>,
    /// This connection's.
    frames: Vec<Placed>,
    at: u64,
    handed: u64,
    acknowledged: u64,
    is_known: bool,
}

struct Sent {
    size: usize,
    awaited: bool,
    /// Some of it may have left, on a connection that is lost.
    left_before: bool,
    /// All of it was handed to the link, on some connection.
    whole: bool,
    /// All of it was confirmed.
    confirmed: bool,
}

struct Placed {
    number: u64,
    payload: usize,
    last: bool,
    from: u64,
    header: u64,
    /// The outbox was told.
    placed: bool,
}

impl Placed {
    fn to(&self) -> u64 {
        self.from + self.header + self.payload as u64
    }
}

impl Truth {
    fn unhanded(&self) -> usize {
        let parts = self.frames.iter().map(|frame| {
            let left = self.handed.saturating_sub(frame.from + frame.header) as usize;
            frame.payload - left.min(frame.payload)
        });
        parts.sum()
    }

    /// On this connection, some of them. A frame that has no place is the last one.
    fn may_have_left(&self) -> Vec<u64> {
        let may = |frame: &&Placed| if frame.placed { frame.from < self.handed } else { self.at == self.handed };
        self.frames.iter().filter(may).map(|frame| frame.number).collect()
    }

    fn take(&mut self, outbox: &mut Outbox) {
        for fate in outbox.take_fates() {
            self.fates.entry(fate.number).or_default().push(fate);
        }
    }
}

proptest! {
    #[test]
    fn each_message_has_one_end_and_the_true_one(
        steps in steps(),
        unknown_too in any::<bool>(),
        refuses in any::<bool>(),
    ) {
        let limits = Limits {
            bytes: 200,
            age: Some(Duration::from_secs(1)),
            when_full: if refuses { WhenFull::Refuse } else { WhenFull::Block },
        };
        let resend = if unknown_too { Resend::UnknownToo } else { Resend::Unsent };
        let mut outbox = Outbox::new(limits, resend);
        let mut truth = Truth::default();
        let mut now = Duration::ZERO;
        for step in steps {
            match step {
                Step::Send { size, awaited } => {
                    let message =
                        Message { kind: Kind::Binary, payload: vec![7; size].into(), compress: false, awaited };
                    if outbox.send(message, now) != Accepted::Refused {
                        let sent = Sent { size, awaited, left_before: false, whole: false, confirmed: false };
                        truth.messages.push(sent);
                    }
                }
                Step::Frame { most, before, header, placed } => {
                    // Frames get their places in order.
                    if truth.frames.iter().any(|frame| !frame.placed) {
                        continue;
                    }
                    let Some(frame) = outbox.frame(most) else { continue };
                    let sent = &truth.messages[frame.number as usize];
                    prop_assert!(!truth.set_aside.contains(&frame.number), "it was set aside");
                    prop_assert!(!sent.confirmed, "it has been confirmed");
                    prop_assert!(unknown_too || !sent.left_before, "it may have arrived");
                    // In order, and whole: it goes on where the frame before it ended.
                    match truth.frames.last() {
                        Some(last) if !last.last => prop_assert_eq!((frame.number, frame.first), (last.number, false)),
                        Some(last) => prop_assert!(frame.number > last.number && frame.first),
                        None => prop_assert!(frame.first),
                    }
                    prop_assert!(frame.payload.len() <= most);
                    let from = truth.at + before;
                    let payload = frame.payload.len();
                    let own = Placed { number: frame.number, payload, last: frame.last, from, header, placed };
                    if placed {
                        outbox.encoded(from, own.to());
                        truth.at = own.to();
                    }
                    truth.frames.push(own);
                    let whole: usize =
                        truth.frames.iter().filter(|own| own.number == frame.number).map(|own| own.payload).sum();
                    prop_assert!(!frame.last || whole == frame.message.payload.len());
                }
                Step::Hand(share) => {
                    truth.handed += ((truth.at - truth.handed) as f64 * share) as u64;
                    outbox.handed(truth.handed);
                    for frame in truth.frames.iter().filter(|frame| frame.placed && frame.last) {
                        truth.messages[frame.number as usize].whole |= frame.to() <= truth.handed;
                    }
                }
                Step::Acknowledge(share) => {
                    truth.acknowledged += ((truth.handed - truth.acknowledged) as f64 * share) as u64;
                    truth.is_known = true;
                    outbox.acknowledged(truth.acknowledged);
                    for frame in truth.frames.iter().filter(|frame| frame.placed && frame.last) {
                        truth.messages[frame.number as usize].confirmed |= frame.to() <= truth.acknowledged;
                    }
                }
                Step::Prove(share) => {
                    let whole = truth.frames.iter().filter(|frame| frame.last && frame.placed);
                    let whole: Vec<u64> = whole.filter(|frame| frame.to() <= truth.handed).map(|f| f.number).collect();
                    let count = (whole.len() as f64 * share) as usize;
                    for number in &whole[..count] {
                        truth.messages[*number as usize].confirmed = true;
                    }
                    if let Some(last) = whole[..count].last() {
                        outbox.proved(*last);
                    }
                }
                Step::Lose { set_aside } => {
                    let begun = truth.may_have_left();
                    let index = (begun.len() as f64 * set_aside) as usize;
                    let set_aside = begun.get(index).copied();
                    let loss = outbox.lost(set_aside);
                    truth.set_aside.extend(set_aside);
                    for number in begun {
                        truth.messages[number as usize].left_before = true;
                    }
                    let handed: u64 = truth.frames.iter().filter(|frame| frame.placed)
                        .filter(|frame| frame.to() <= truth.handed).map(|frame| frame.payload as u64).sum();
                    let acknowledged: u64 = truth.frames.iter().filter(|frame| frame.placed)
                        .filter(|frame| frame.to() <= truth.acknowledged).map(|frame| frame.payload as u64).sum();
                    // Whole frames count; where headers are between, an acknowledged part of one does not.
                    prop_assert_eq!(loss.unacknowledged.is_some(), truth.is_known);
                    if let Some(told) = loss.unacknowledged {
                        prop_assert!(told <= handed && told >= (handed - acknowledged).saturating_sub(30));
                    }
                    (truth.at, truth.handed, truth.acknowledged, truth.is_known) = (0, 0, 0, false);
                    truth.frames.clear();
                }
                Step::Wait(time) => {
                    now += time;
                    if truth.frames.is_empty() {
                        outbox.expire(now);
                        prop_assert!(outbox.expires_at().is_none_or(|at| at > now));
                    }
                }
            }
            truth.take(&mut outbox);
            // Exact: what waits, and of the frames on their way what has not left.
            let given_up = |number: u64| truth.fates.get(&number).is_some_and(|fates| fates[0].word != Word::Written);
            let begun: usize = truth.frames.iter().map(|frame| frame.payload).sum();
            let first_waiting = truth.messages.iter().enumerate().filter(|(number, sent)| {
                let number = *number as u64;
                let settled = if unknown_too { sent.confirmed } else { sent.whole };
                !given_up(number) && !truth.set_aside.contains(&number) && !settled
            });
            let all: usize = first_waiting.map(|(_, sent)| sent.size).sum();
            let settled_here: usize = truth.frames.iter().filter(|frame| {
                let sent = &truth.messages[frame.number as usize];
                if unknown_too { sent.confirmed } else { sent.whole }
            }).map(|frame| frame.payload).sum();
            prop_assert_eq!(outbox.buffered_amount(), all + settled_here - begun + truth.unhanded());
        }
        for number in truth.may_have_left() {
            truth.messages[number as usize].left_before = true;
        }
        outbox.end();
        truth.take(&mut outbox);
        prop_assert!(outbox.is_empty() && outbox.buffered_amount() == 0 && outbox.rest().is_none());
        for (number, sent) in truth.messages.iter().enumerate() {
            let fates = truth.fates.get(&(number as u64)).map_or(&[][..], Vec::as_slice);
            match fates {
                [] => prop_assert!(!sent.awaited && sent.whole, "{} was lost without a word", number),
                [fate] => {
                    prop_assert_eq!((fate.awaited, fate.bytes), (sent.awaited, sent.size));
                    prop_assert_eq!(fate.why.is_none(), fate.word == Word::Written);
                    match fate.word {
                        Word::Written => prop_assert!(sent.whole && sent.awaited),
                        Word::Unsent => prop_assert!(!sent.left_before && !sent.whole),
                        Word::Unknown => prop_assert!(sent.left_before && !sent.whole),
                    }
                }
                more => prop_assert!(false, "{} has {} ends", number, more.len()),
            }
        }
    }
}
