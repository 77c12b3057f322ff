//! A question that is asked again and again, and whether somebody is there to answer it.
//!
//! A peer that lost its power sends no FIN. TCP notices when it has something to send and nobody acknowledges it, after
//! a quarter of an hour; keepalive after a minute, but only that the peer's kernel lives. Whether the program behind it
//! does is known only by its answer. All of it happens on the network threads: an event loop that is busy neither
//! misses a beat nor is it taken for a dead peer.
//!
//! A beat goes between two messages, so one that falls due while a message is leaving has to wait. A peer that vanished takes
//! nothing, and the beat would wait for ever: so the silence counts from when the beat was due, and whatever the peer's
//! system takes of the message meanwhile is a sign of life.

use std::time::Duration;

use bytes::Bytes;

use super::pattern::Pattern;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub interval: Duration,
    /// How long after a beat something must have come.
    pub timeout: Duration,
    pub send: Bytes,
    /// The answer, which the caller does not get to see. Empty: whatever comes is a sign of life, and the caller's.
    pub expect: Bytes,
}

/// The beats of one connection.
#[derive(Debug)]
pub struct Pulse {
    interval: Duration,
    timeout: Duration,
    send: Bytes,
    answer: Option<Pattern>,
    /// Answers that are still to come.
    unanswered: u32,
    beat: Beat,
    /// A beat was sent, and nothing has come since.
    asked: bool,
    /// When a sign of life must have come, if one is waited for.
    until: Option<Duration>,
    /// Nothing is read at present, so nothing can be concluded from silence.
    deaf: bool,
}

/// Where the next beat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    At(Duration),
    /// Behind a message that has left only in part.
    Due,
    /// On its way to the system.
    Leaving,
    /// Nothing is written any more.
    Over,
}

impl Pulse {
    pub fn new(heartbeat: &Heartbeat, now: Duration) -> Self {
        Pulse {
            interval: heartbeat.interval,
            timeout: heartbeat.timeout,
            send: heartbeat.send.clone(),
            answer: Pattern::new(&heartbeat.expect),
            unanswered: 0,
            beat: Beat::At(now + heartbeat.interval),
            asked: false,
            until: None,
            deaf: false,
        }
    }

    /// The beat to be sent, if it is time and it `may_leave`: no message has left only in part.
    pub fn due(&mut self, now: Duration, may_leave: bool) -> Option<Bytes> {
        match self.beat {
            Beat::At(at) if now >= at => {
                self.until.get_or_insert(now + self.timeout);
                self.beat = Beat::Due;
            }
            Beat::Due => {}
            Beat::At(_) | Beat::Leaving | Beat::Over => return None,
        }
        if !may_leave {
            return None;
        }
        self.beat = Beat::Leaving;
        Some(self.send.clone())
    }

    /// The system has taken a beat.
    pub fn sent(&mut self, now: Duration) {
        self.beat = Beat::At(now + self.interval);
        self.unanswered = self.unanswered.saturating_add(u32::from(self.answer.is_some()));
        // The time of the one before it goes on.
        if !self.asked {
            self.until = Some(now + self.timeout);
        }
        self.asked = true;
    }

    /// The system has taken some of a message. It can do so for long only if the peer's does.
    pub fn progressed(&mut self, now: Duration) {
        if self.beat == Beat::Due {
            self.until = Some(now + self.timeout);
        }
    }

    /// Nothing can be written any more: what was asked may still be answered.
    pub fn stop_beating(&mut self) {
        self.beat = Beat::Over;
        self.until = self.until.filter(|_| self.asked);
    }

    /// Something came. Returns it without the answers in it.
    pub fn received<B: AsRef<[u8]> + From<Vec<u8>>>(&mut self, bytes: B, now: Duration) -> B {
        self.asked = false;
        self.until = matches!(self.beat, Beat::Due | Beat::Leaving).then(|| now + self.timeout);
        let Some(answer) = &mut self.answer else { return bytes };
        if self.unanswered == 0 {
            return bytes;
        }
        let mut kept = Vec::with_capacity(bytes.as_ref().len() + answer.begun().len());
        let mut rest = bytes.as_ref().iter();
        for &byte in rest.by_ref() {
            let begun = answer.begun().len();
            if answer.ends_with(byte) {
                self.unanswered -= 1;
                if self.unanswered == 0 {
                    break;
                }
                continue;
            }
            // What had begun as the answer and goes on as something else was none.
            let released = begun + 1 - answer.begun().len();
            kept.extend_from_slice(&answer.bytes()[..released.min(begun)]);
            if released > begun {
                kept.push(byte);
            }
        }
        kept.extend(rest);
        kept.into()
    }

    /// What was held back as the beginning of an answer, when nothing more will come.
    pub fn held_back(&self) -> &[u8] {
        self.answer.as_ref().map_or(&[], Pattern::begun)
    }

    /// Reading stopped, because the caller does not take what has come.
    pub fn stop_listening(&mut self) {
        self.deaf = true;
    }

    pub fn listen(&mut self, now: Duration) {
        if std::mem::replace(&mut self.deaf, false) && self.until.is_some() {
            self.until = Some(now + self.timeout);
        }
    }

    pub fn is_dead(&self, now: Duration) -> bool {
        !self.deaf && self.until.is_some_and(|until| now >= until)
    }

    /// When to look again.
    pub fn next(&self) -> Option<Duration> {
        let beat = if let Beat::At(at) = self.beat { Some(at) } else { None };
        let silence = self.until.filter(|_| !self.deaf);
        [beat, silence].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pulse(expect: &'static [u8]) -> Pulse {
        let heartbeat = Heartbeat {
            interval: SECOND,
            timeout: SECOND / 2,
            send: Bytes::from_static(b"ping"),
            expect: Bytes::from_static(expect),
        };
        Pulse::new(&heartbeat, Duration::ZERO)
    }

    fn asked(expect: &'static [u8], times: u32) -> Pulse {
        let mut pulse = pulse(expect);
        for _ in 0..times {
            pulse.sent(SECOND);
        }
        pulse
    }

    #[test]
    fn beats_at_its_interval_and_once_at_a_time() {
        let mut pulse = pulse(b"");
        assert_eq!(pulse.next(), Some(SECOND));
        assert_eq!(pulse.due(SECOND - Duration::from_millis(1), true), None);
        assert_eq!(pulse.due(SECOND, true).as_deref(), Some(&b"ping"[..]));
        assert_eq!(pulse.due(SECOND * 9, true), None, "the one before has not left");
        assert_eq!(pulse.next(), Some(SECOND + SECOND / 2), "it is only waited for that it leaves");
        pulse.sent(SECOND * 9);
        assert_eq!(pulse.next(), Some(SECOND * 9 + SECOND / 2));
        pulse.received(vec![1], SECOND * 9);
        assert_eq!(pulse.next(), Some(SECOND * 10));
    }

    #[test]
    fn silence_is_death_when_it_lasts_and_somebody_listens() {
        let mut pulse = asked(b"", 1);
        assert!(!pulse.is_dead(SECOND) && pulse.is_dead(SECOND + SECOND / 2));
        pulse.stop_listening();
        assert!(!pulse.is_dead(SECOND * 99));
        pulse.listen(SECOND * 99);
        assert!(!pulse.is_dead(SECOND * 99) && pulse.is_dead(SECOND * 99 + SECOND / 2));
        pulse.received(Vec::new(), SECOND * 99);
        assert!(!pulse.is_dead(SECOND * 999), "it was answered");
    }

    #[test]
    fn a_beat_behind_a_message_waits_and_a_peer_that_takes_nothing_is_dead() {
        let mut pulse = pulse(b"");
        assert_eq!(pulse.due(SECOND, false), None);
        // Not a time that has passed already: whoever sleeps until then would not sleep at all.
        assert_eq!(pulse.next(), Some(SECOND + SECOND / 2));
        pulse.progressed(SECOND * 2);
        assert!(!pulse.is_dead(SECOND * 2) && pulse.is_dead(SECOND * 2 + SECOND / 2));
        assert_eq!(pulse.due(SECOND * 3, true).as_deref(), Some(&b"ping"[..]));
        pulse.sent(SECOND * 3);
        assert_eq!(pulse.next(), Some(SECOND * 3 + SECOND / 2), "its answer has its whole time");
        pulse.progressed(SECOND * 9);
        assert!(pulse.is_dead(SECOND * 9), "what leaves after a beat does not answer it");
    }

    #[test]
    fn a_beat_that_is_not_answered_is_not_excused_by_the_next_one() {
        let mut pulse = Pulse { timeout: SECOND * 3, ..pulse(b"") };
        for second in 1..4 {
            assert!(pulse.due(SECOND * second, true).is_some() && !pulse.is_dead(SECOND * second));
            pulse.sent(SECOND * second);
        }
        assert!(pulse.is_dead(SECOND * 4));
    }

    #[test]
    fn when_nothing_is_written_any_more_only_an_answer_is_waited_for() {
        let mut unasked = pulse(b"");
        unasked.due(SECOND, false);
        unasked.stop_beating();
        assert_eq!((unasked.next(), unasked.due(SECOND * 9, true)), (None, None));
        let mut asked = asked(b"", 1);
        asked.stop_beating();
        assert_eq!(asked.next(), Some(SECOND + SECOND / 2));
        asked.received(vec![1], SECOND);
        assert_eq!(asked.next(), None);
    }

    #[test]
    fn answers_are_not_handed_on_and_everything_else_is() {
        let mut pulse = asked(b"+PONG\r\n", 1);
        assert_eq!(pulse.received(b"+OK\r\n+PO".to_vec(), SECOND), b"+OK\r\n");
        assert_eq!(pulse.held_back(), b"+PO");
        assert_eq!(
            pulse.received(b"NG\r\n+PONG\r\n".to_vec(), SECOND),
            b"+PONG\r\n",
            "one was asked for, one is taken"
        );
        assert_eq!(pulse.received(b"+PONG\r\n".to_vec(), SECOND), b"+PONG\r\n");
    }

    #[test]
    fn what_only_began_like_an_answer_is_handed_on_whole() {
        let mut pulse = asked(b"aab", 1);
        assert_eq!(pulse.received(b"a".to_vec(), SECOND), b"");
        assert_eq!(pulse.received(b"aa".to_vec(), SECOND), b"a");
        assert_eq!(pulse.received(b"c".to_vec(), SECOND), b"aac");
        assert_eq!(pulse.received(b"xaabaab".to_vec(), SECOND), b"xaab");
    }

    proptest! {
        /// Whatever the pieces: the stream without its first so many answers.
        #[test]
        fn takes_out_just_the_answers(
            pieces in proptest::collection::vec(proptest::collection::vec(0_u8..3, 0..8), 0..12),
            times in 0_u32..4,
        ) {
            const EXPECT: &[u8] = &[1, 1, 0];
            let mut pulse = asked(EXPECT, times);
            let mut kept = Vec::new();
            for piece in &pieces {
                kept.extend(pulse.received(piece.clone(), SECOND));
            }
            kept.extend_from_slice(pulse.held_back());

            let stream = pieces.concat();
            let (mut expected, mut at, mut left) = (Vec::new(), 0, times);
            while at < stream.len() {
                if left > 0 && stream[at..].starts_with(EXPECT) {
                    at += EXPECT.len();
                    left -= 1;
                } else {
                    expected.push(stream[at]);
                    at += 1;
                }
            }
            prop_assert_eq!(kept, expected);
        }
    }
}
