use super::*;

const SECOND: Duration = Duration::from_secs(1);
const LIMITS: Limits = Limits { bytes: 100, age: Some(SECOND), when_full: WhenFull::Block };

fn message(payload: &'static str) -> Message {
    Message { kind: Kind::Text, payload: Bytes::from_static(payload.as_bytes()), compress: false, awaited: true }
}

fn outbox(resend: Resend, messages: &[&'static str]) -> Outbox {
    let mut outbox = Outbox::new(LIMITS, resend);
    for payload in messages {
        assert_eq!(outbox.send(message(payload), Duration::ZERO), Accepted::Room);
    }
    outbox
}

/// Takes a frame and puts it where the last one ended, with a header of six bytes.
fn put(outbox: &mut Outbox, most: usize, at: &mut u64) -> Option<Frame> {
    let frame = outbox.frame(most)?;
    let to = *at + 6 + frame.payload.len() as u64;
    outbox.encoded(*at, to);
    *at = to;
    Some(frame)
}

fn put_all(outbox: &mut Outbox, most: usize) -> Vec<String> {
    let mut at = 0;
    std::iter::from_fn(|| put(outbox, most, &mut at)).map(|frame| text(&frame.payload)).collect()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn words(outbox: &mut Outbox) -> Vec<(u64, Word, Option<Why>)> {
    outbox.take_fates().iter().map(|fate| (fate.number, fate.word, fate.why)).collect()
}

fn written(number: u64) -> (u64, Word, Option<Why>) {
    (number, Word::Written, None)
}

#[test]
fn a_message_leaves_in_frames_of_the_size_that_is_asked_for() {
    let mut outbox = outbox(Resend::Unsent, &["abcdefg", "", "h"]);
    assert_eq!(outbox.rest(), Some(7));
    let mut frames = Vec::new();
    while let Some(frame) = outbox.frame(3) {
        assert_eq!(text(&frame.message.payload), ["abcdefg", "", "h"][frame.number as usize]);
        frames.push((frame.number, text(&frame.payload), frame.first, frame.last));
    }
    let frame = |number, payload: &str, first, last| (number, payload.to_owned(), first, last);
    assert_eq!(
        frames,
        [
            frame(0, "abc", true, false),
            frame(0, "def", false, false),
            frame(0, "g", false, true),
            frame(1, "", true, true),
            frame(2, "h", true, true)
        ]
    );
    assert_eq!(outbox.rest(), None);
}

#[test]
fn a_message_is_written_with_its_last_byte() {
    let mut outbox = outbox(Resend::Unsent, &["abcdef", "g"]);
    put_all(&mut outbox, 3);
    assert_eq!(outbox.buffered_amount(), 7);
    outbox.handed(6);
    assert_eq!(outbox.buffered_amount(), 7, "that was the header");
    outbox.handed(8);
    assert_eq!(outbox.buffered_amount(), 5);
    outbox.handed(17);
    assert_eq!((words(&mut outbox), outbox.buffered_amount()), (vec![], 2));
    outbox.handed(18);
    assert_eq!((words(&mut outbox), outbox.buffered_amount()), (vec![written(0)], 1));
    outbox.handed(25);
    assert_eq!((words(&mut outbox), outbox.buffered_amount()), (vec![written(1)], 0));
    assert!(outbox.is_empty());
}

#[test]
fn a_compressed_frame_counts_whole_until_it_has_left() {
    let mut outbox = outbox(Resend::Unsent, &["aaaaaaaaaaaaaaaaaaaa"]);
    outbox.frame(100);
    outbox.encoded(0, 10);
    outbox.handed(9);
    assert_eq!(outbox.buffered_amount(), 20);
    outbox.handed(10);
    assert_eq!(outbox.buffered_amount(), 0);
}

#[test]
fn who_is_not_waited_for_is_told_only_what_is_lost() {
    let mut outbox = Outbox::new(LIMITS, Resend::Unsent);
    for payload in ["a", "b"] {
        outbox.send(Message { awaited: false, ..message(payload) }, Duration::ZERO);
    }
    put_all(&mut outbox, 9);
    outbox.handed(8);
    assert_eq!(outbox.take_fates(), []);
    outbox.lost(None);
    let lost = Fate { number: 1, awaited: false, bytes: 1, word: Word::Unknown, why: Some(Why::Cut) };
    assert_eq!(outbox.take_fates(), [lost]);
}

#[test]
fn what_had_left_in_part_is_unknown_and_what_had_not_leaves_again() {
    let mut outbox = outbox(Resend::Unsent, &["abc", "def", "ghi"]);
    put_all(&mut outbox, 2);
    assert_eq!(outbox.leaving.len(), 6);
    outbox.handed(15);
    outbox.handed(16);
    assert_eq!(words(&mut outbox), [written(0)]);
    assert_eq!(outbox.lost(None), Loss { unacknowledged: None, again: 0 });
    assert_eq!(words(&mut outbox), [(1, Word::Unknown, Some(Why::Cut))], "one byte of its header had left");
    assert_eq!(outbox.buffered_amount(), 3);
    assert_eq!(put_all(&mut outbox, 100), ["ghi"]);
}

#[test]
fn a_message_at_whose_first_byte_it_broke_off_is_unsent() {
    let mut outbox = outbox(Resend::Unsent, &["abc", "def"]);
    put_all(&mut outbox, 100);
    outbox.handed(9);
    outbox.lost(None);
    assert_eq!(words(&mut outbox), [written(0)]);
    assert_eq!(put_all(&mut outbox, 100), ["def"]);
}

#[test]
fn a_frame_that_nobody_placed_may_have_left_if_all_before_it_has() {
    let lost_after = |handed| {
        let mut outbox = outbox(Resend::Unsent, &["abc", "def", "ghi"]);
        put(&mut outbox, 100, &mut 0);
        outbox.frame(100);
        outbox.handed(handed);
        outbox.lost(None);
        (words(&mut outbox), put_all(&mut outbox, 100))
    };
    let cut = |number| (number, Word::Unknown, Some(Why::Cut));
    assert_eq!(lost_after(2), (vec![cut(0)], vec!["def".to_owned(), "ghi".to_owned()]));
    assert_eq!(lost_after(9), (vec![written(0), cut(1)], vec!["ghi".to_owned()]));
}

#[test]
fn what_is_not_acknowledged_is_sent_again_whole_and_told_once() {
    let mut outbox = outbox(Resend::UnknownToo, &["abc", "def", "ghi"]);
    put_all(&mut outbox, 100);
    outbox.handed(20);
    assert_eq!(words(&mut outbox), [written(0), written(1)]);
    outbox.acknowledged(17);
    assert_eq!(outbox.lost(None), Loss { unacknowledged: Some(3), again: 2 }, "the third has begun");
    assert_eq!((words(&mut outbox), outbox.buffered_amount()), (vec![], 6));
    assert_eq!(put_all(&mut outbox, 100), ["def", "ghi"]);
    outbox.handed(18);
    assert_eq!(words(&mut outbox), [written(2)]);
    assert!(!outbox.is_empty());
    outbox.acknowledged(18);
    assert!(outbox.is_empty());
}

#[test]
fn a_pong_proves_as_much_as_an_acknowledgement() {
    let mut outbox = outbox(Resend::UnknownToo, &["abc", "def"]);
    put_all(&mut outbox, 100);
    outbox.handed(18);
    outbox.proved(0);
    outbox.lost(None);
    assert_eq!(put_all(&mut outbox, 100), ["def"]);
    outbox.proved(1);
    outbox.lost(None);
    assert_eq!(put_all(&mut outbox, 100), ["def"], "this time it had not left, so it cannot have been proved");
}

#[test]
fn a_message_that_is_set_aside_is_not_sent_again() {
    let mut again = outbox(Resend::UnknownToo, &["abc", "def", "ghi", "jkl"]);
    put_all(&mut again, 100);
    again.handed(20);
    assert_eq!(again.lost(Some(2)), Loss { unacknowledged: None, again: 2 });
    assert_eq!(words(&mut again), [written(0), written(1), (2, Word::Unknown, Some(Why::Oversized))]);
    assert_eq!(put_all(&mut again, 100), ["abc", "def", "jkl"]);

    let mut written_before = outbox(Resend::UnknownToo, &["abc", "def"]);
    put_all(&mut written_before, 100);
    written_before.handed(18);
    words(&mut written_before);
    written_before.lost(Some(0));
    assert_eq!(words(&mut written_before), [], "its word has been given");
    assert_eq!(put_all(&mut written_before, 100), ["def"]);

    let mut once = outbox(Resend::Unsent, &["abc", "def"]);
    put_all(&mut once, 100);
    once.handed(5);
    once.lost(Some(0));
    assert_eq!(words(&mut once), [(0, Word::Unknown, Some(Why::Oversized))]);
    assert_eq!(put_all(&mut once, 100), ["def"]);
}

#[test]
fn a_queue_that_is_full_asks_to_wait_or_refuses() {
    let mut blocking = Outbox::new(Limits { bytes: 4, ..LIMITS }, Resend::Unsent);
    assert_eq!(blocking.send(message("abc"), Duration::ZERO), Accepted::Room);
    assert_eq!(blocking.send(message("de"), Duration::ZERO), Accepted::Full);
    assert!(!blocking.take_room());
    put_all(&mut blocking, 100);
    blocking.handed(9);
    assert!(blocking.take_room(), "half of it");
    assert!(!blocking.take_room(), "once");

    let mut refusing = Outbox::new(Limits { bytes: 4, when_full: WhenFull::Refuse, ..LIMITS }, Resend::Unsent);
    assert_eq!(refusing.send(message("abcdefgh"), Duration::ZERO), Accepted::Room, "or it could never leave");
    assert_eq!(refusing.send(message("i"), Duration::ZERO), Accepted::Refused);
    assert_eq!(put_all(&mut refusing, 100), ["abcdefgh"]);
    refusing.handed(14);
    assert_eq!(refusing.send(message("i"), Duration::ZERO), Accepted::Room);
    assert_eq!(refusing.frame(9).unwrap().number, 1, "what was refused has no number");
}

#[test]
fn what_waits_too_long_is_given_up_unless_it_may_have_arrived() {
    let mut outbox = outbox(Resend::UnknownToo, &["abc", "def"]);
    put_all(&mut outbox, 100);
    outbox.handed(1);
    outbox.lost(None);
    outbox.send(message("ghi"), SECOND / 2);
    assert_eq!(outbox.expires_at(), Some(SECOND));
    outbox.expire(SECOND - Duration::from_nanos(1));
    assert_eq!(words(&mut outbox), []);
    outbox.expire(SECOND);
    assert_eq!(words(&mut outbox), [(1, Word::Unsent, Some(Why::Expired))]);
    assert_eq!((outbox.expires_at(), outbox.buffered_amount()), (Some(SECOND * 3 / 2), 6));
    outbox.expire(SECOND * 9);
    assert_eq!(words(&mut outbox), [(2, Word::Unsent, Some(Why::Expired))]);
    assert_eq!(outbox.expires_at(), None);
    assert_eq!(put_all(&mut outbox, 100), ["abc"]);
}

#[test]
fn without_an_age_messages_wait_for_ever() {
    let mut outbox = Outbox::new(Limits { age: None, ..LIMITS }, Resend::Unsent);
    outbox.send(message("abc"), Duration::ZERO);
    outbox.expire(Duration::MAX);
    assert_eq!((outbox.expires_at(), outbox.rest()), (None, Some(3)));
}

#[test]
fn in_the_end_everything_has_its_word() {
    let mut unsent = outbox(Resend::Unsent, &["abc", "def", "ghi"]);
    put_all(&mut unsent, 100);
    unsent.handed(12);
    unsent.end();
    let expected = [written(0), (1, Word::Unknown, Some(Why::Cut)), (2, Word::Unsent, Some(Why::Over))];
    assert_eq!(words(&mut unsent), expected);
    assert_eq!((unsent.buffered_amount(), unsent.is_empty()), (0, true));

    let mut unknown = outbox(Resend::UnknownToo, &["abc", "def", "ghi"]);
    put_all(&mut unknown, 100);
    unknown.handed(12);
    unknown.end();
    let expected = [written(0), (1, Word::Unknown, Some(Why::Over)), (2, Word::Unsent, Some(Why::Over))];
    assert_eq!(words(&mut unknown), expected);
}
