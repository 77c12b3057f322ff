use super::*;
use crate::tcp::frame::Frame;

const NOW: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);
const LIMITS: Limits = Limits { bytes: 10, age: Some(SECOND), when_full: WhenFull::Block };

fn plain() -> Queue {
    Queue::new(LIMITS, None, false)
}

fn lines(keeps: bool) -> Queue {
    Queue::new(LIMITS, Cutter::new(&Frame::Delimiter(b"\n".as_slice().into())), keeps)
}

fn write(queue: &mut Queue, bytes: &'static str) -> Accepted {
    queue.write(Bytes::from_static(bytes.as_bytes()), true, NOW)
}

fn upcoming(queue: &Queue) -> Vec<(u64, String)> {
    queue.upcoming().map(|(number, bytes)| (number, String::from_utf8(bytes.to_vec()).unwrap())).collect()
}

fn sent(writes: u32) -> Fate {
    Fate::Sent { writes }
}

fn cut(writes: u32, bytes: usize) -> Fate {
    Fate::Unsent { writes, bytes, why: Why::Cut }
}

#[test]
fn without_a_frame_each_write_is_a_message() {
    let mut queue = plain();
    assert_eq!([write(&mut queue, "ab"), write(&mut queue, ""), write(&mut queue, "c")], [Accepted::Room; 3]);
    assert_eq!(upcoming(&queue), [(0, "ab".into()), (1, String::new()), (2, "c".into())]);
    queue.handed(1);
    assert_eq!(queue.take_fates(), [sent(2)]);
    assert_eq!(upcoming(&queue), [(2, "c".into())]);
}

#[test]
fn a_frame_makes_messages_of_parts_of_writes() {
    let mut queue = lines(false);
    for part in ["a", "b\nc\nd", "e"] {
        write(&mut queue, part);
    }
    assert_eq!(upcoming(&queue), [(0, "ab\n".into()), (1, "c\n".into())]);
    assert!(!queue.is_empty());
    queue.handed(1);
    assert_eq!(queue.take_fates(), [sent(1)], "the second write ends in a message that has not been sent");
    queue.finish();
    assert_eq!(upcoming(&queue), [(2, "de".into())]);
    queue.handed(2);
    assert_eq!(queue.take_fates(), [sent(2)]);
    assert!(queue.is_empty());
}

#[test]
fn a_message_that_a_connection_had_part_of_is_lost_and_the_next_one_is_not() {
    let mut queue = plain();
    for part in ["ab", "cd", "ef"] {
        write(&mut queue, part);
    }
    queue.handed(0);
    queue.lost(Some(1));
    assert_eq!(queue.take_fates(), [sent(1), cut(1, 2)]);
    assert_eq!(upcoming(&queue), [(2, "ef".into())]);
    queue.lost(None);
    assert_eq!(upcoming(&queue), [(2, "ef".into())], "nothing of it had left");
}

#[test]
fn a_write_is_lost_if_any_part_of_it_is() {
    let mut queue = lines(false);
    for part in ["a\nb", "c\n", "d\n"] {
        write(&mut queue, part);
    }
    queue.lost(Some(0));
    assert_eq!(queue.take_fates(), [cut(0, 2)]);
    queue.handed(1);
    assert_eq!(queue.take_fates(), [cut(1, 0), sent(1)], "the first write lost `a`");
    queue.handed(2);
    assert_eq!(queue.take_fates(), [sent(1)]);
}

#[test]
fn what_is_kept_is_sent_again_whole_until_it_is_acknowledged() {
    let mut queue = lines(true);
    for part in ["a\n", "b\n", "c\n"] {
        write(&mut queue, part);
    }
    queue.handed(1);
    assert!(queue.take_fates().is_empty());
    assert_eq!((queue.unacknowledged(), queue.acknowledged()), (2, 0));
    queue.lost(Some(2));
    assert!(!queue.acknowledge(3), "two were sent");
    assert!(queue.acknowledge(1));
    assert_eq!(queue.take_fates(), [sent(1)]);
    assert_eq!(upcoming(&queue), [(1, "b\n".into()), (2, "c\n".into())]);
    assert!(queue.is_settled(0) && !queue.is_settled(1));
    queue.handed(2);
    assert!(queue.acknowledge(2) && queue.is_empty());
    assert_eq!(queue.acknowledged(), 3);
}

#[test]
fn only_what_is_kept_can_be_acknowledged() {
    let mut queue = plain();
    write(&mut queue, "a");
    assert!(!queue.acknowledge(1));
}

#[test]
fn blocks_when_it_is_full_and_says_when_there_is_room() {
    let mut queue = plain();
    assert_eq!(write(&mut queue, "123456789"), Accepted::Room);
    assert_eq!(write(&mut queue, "0"), Accepted::Full);
    assert!(queue.take_fates().is_empty());
    queue.handed(0);
    assert_eq!(queue.take_fates(), [sent(1), Fate::Room]);
    assert!(queue.take_fates().is_empty(), "it is said once");
    for part in ["1234", "56", "7890"] {
        write(&mut queue, part);
    }
    queue.handed(2);
    assert_eq!(queue.take_fates(), [sent(2)], "four are gone, and a half is asked for");
}

#[test]
fn a_message_that_is_being_written_blocks_nobody_however_long_it_is() {
    let mut queue = lines(false);
    assert_eq!(write(&mut queue, "a line that is longer than what the queue holds"), Accepted::Room);
    assert_eq!(write(&mut queue, "\n"), Accepted::Full);
}

#[test]
fn refuses_what_does_not_fit_if_it_is_told_to() {
    let mut queue = Queue::new(Limits { when_full: WhenFull::Refuse, ..LIMITS }, None, false);
    assert_eq!(write(&mut queue, "longer than its bound"), Accepted::Room, "it is alone");
    assert_eq!(write(&mut queue, "x"), Accepted::Refused);
    queue.handed(0);
    assert_eq!(write(&mut queue, "x"), Accepted::Room);
    assert_eq!(upcoming(&queue), [(1, "x".into())]);
}

#[test]
fn a_message_is_refused_whole_or_taken_whole() {
    let frame = Frame::Length { bytes: 1, little_endian: false, includes_itself: false };
    let limits = Limits { when_full: WhenFull::Refuse, ..LIMITS };
    let mut queue = Queue::new(limits, Cutter::new(&frame), false);
    assert_eq!(write(&mut queue, "\x08abcd"), Accepted::Room);
    assert_eq!(write(&mut queue, "efgh"), Accepted::Room, "begun, and goes on");
    for part in ["\x02\x09\x03", "\x01a", "\x01b\x01"] {
        assert_eq!(write(&mut queue, part), Accepted::Refused, "{part:?}: no room, or the rest of what was refused");
    }
    queue.handed(0);
    assert_eq!(write(&mut queue, "z"), Accepted::Refused, "the end of it, now that there is room");
    assert_eq!(write(&mut queue, "\x01y"), Accepted::Room);
    assert_eq!(upcoming(&queue), [(1, "\x01y".into())]);
    assert_eq!(queue.take_fates(), [sent(2)]);
}

#[test]
fn an_empty_write_does_not_wait_for_the_next_message() {
    let mut queue = lines(false);
    write(&mut queue, "");
    assert_eq!(upcoming(&queue), [(0, String::new())]);
    queue.handed(0);
    assert_eq!(queue.take_fates(), [sent(1)]);

    let mut queue = lines(true);
    write(&mut queue, "");
    assert_eq!(queue.take_fates(), [sent(1)]);
    for part in ["a\n", "", "b", "", "\n"] {
        write(&mut queue, part);
    }
    assert_eq!(upcoming(&queue), [(0, "a\n".into()), (1, "b\n".into())], "nothing else is to be confirmed");
    queue.handed(1);
    assert!(queue.acknowledge(1));
    assert_eq!(queue.take_fates(), [sent(2)]);
    assert!(queue.acknowledge(1) && queue.is_empty());
    assert_eq!(queue.take_fates(), [sent(3)]);
}

#[test]
fn what_waits_too_long_is_given_up() {
    let mut queue = plain();
    write(&mut queue, "ab");
    queue.write(Bytes::from_static(b"c"), true, SECOND / 2);
    assert_eq!(queue.expires_at(), Some(SECOND));
    queue.expire(SECOND);
    assert_eq!(queue.take_fates(), [Fate::Unsent { writes: 1, bytes: 2, why: Why::Expired }]);
    assert_eq!(queue.expires_at(), Some(SECOND + SECOND / 2));
    assert_eq!(upcoming(&queue), [(1, "c".into())]);
}

#[test]
fn what_is_kept_does_not_grow_old() {
    let mut queue = lines(true);
    write(&mut queue, "a\n");
    queue.expire(SECOND * 99);
    assert_eq!((queue.expires_at(), queue.len()), (None, 2));
}

#[test]
fn sent_writes_that_nobody_waits_for_are_told_together() {
    let mut queue = Queue::new(Limits { bytes: 1 << 20, ..LIMITS }, None, false);
    for number in 0..u64::from(TELL_WRITES) {
        assert!(queue.take_fates().is_empty());
        queue.write(Bytes::from_static(b"a"), false, NOW);
        queue.handed(number);
    }
    assert_eq!(queue.take_fates(), [sent(TELL_WRITES)]);
    queue.write(Bytes::from(vec![0; TELL_BYTES]), false, NOW);
    queue.handed(TELL_WRITES.into());
    assert_eq!(queue.take_fates(), [sent(1)]);
}
