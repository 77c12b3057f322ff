//! Follows the frames of a WebSocket, without touching them: where each begins and where it ends.
//!
//! A fault between two messages says nothing about one that lost the second half of a message, and a proxy that counts
//! bytes cannot tell them apart: the mask of a client is random, and compression makes lengths that no test author can
//! foresee. Headers are looked at (RFC 6455, section 5.2); payloads are counted.

use std::collections::VecDeque;

/// The two bytes that every header has, and the longest length. The mask key is counted with the payload.
const LONGEST_HEADER: usize = 10;

/// The frames of one direction.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of the stream looked at.
    offset: u64,
    /// What has come of a header that is not complete.
    header: [u8; LONGEST_HEADER],
    length: usize,
    /// Bytes of the last frame that have not come.
    rest: u64,
    /// How many have begun.
    seen: u64,
    /// Where those lie that are not through: the first one begins here, ...
    start: u64,
    /// ... each ends where the next one begins.
    ends: VecDeque<u64>,
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Of its direction, from 1. Control frames count.
    pub(super) number: u64,
    pub(super) kind: FrameKind,
    /// The last of its message.
    pub(super) fin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FrameKind {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
    /// What no standard gives a meaning to.
    Reserved,
}

impl Frames {
    /// The first one begins here.
    pub(super) fn from(offset: u64) -> Self {
        Frames {
            offset,
            header: [0; LONGEST_HEADER],
            length: 0,
            rest: 0,
            seen: 0,
            start: offset,
            ends: VecDeque::new(),
        }
    }

    /// Looks at bytes that have arrived; each must be shown once.
    pub(super) fn read(&mut self, mut bytes: &[u8], mut notice: impl FnMut(Frame)) {
        while let Some(&first) = bytes.first() {
            let used = match self.rest {
                0 => {
                    self.header[self.length] = first;
                    self.length += 1;
                    1
                }
                rest => usize::try_from(rest).map_or(bytes.len(), |rest| rest.min(bytes.len())),
            };
            bytes = &bytes[used..];
            self.offset += used as u64;
            if self.rest > 0 {
                self.rest -= used as u64;
            } else if let Some(rest) = bytes_after(&self.header[..self.length]) {
                (self.length, self.rest) = (0, rest);
                self.seen += 1;
                self.ends.push_back(self.offset.saturating_add(rest));
                let first = self.header[0];
                notice(Frame { number: self.seen, kind: FrameKind::of(first & 0x0f), fin: first & 0x80 != 0 });
            }
        }
    }

    /// Where a header begins that is not complete.
    pub(super) fn incomplete_header(&self) -> Option<u64> {
        (self.length > 0).then(|| self.offset - self.length as u64)
    }

    /// From where to where a frame lies. `None`: it has not begun, or is through.
    pub(super) fn place(&self, number: u64) -> Option<(u64, u64)> {
        let first = self.seen - self.ends.len() as u64 + 1;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(self.start, |before| self.ends[before]);
        Some((start, end))
    }

    /// Forgets the frames of which everything has been forwarded.
    pub(super) fn forwarded(&mut self, offset: u64) {
        while let Some(&end) = self.ends.front().filter(|end| **end <= offset) {
            self.ends.pop_front();
            self.start = end;
        }
    }
}

/// How many bytes follow a header: payload and mask key. `None`: it is not complete.
fn bytes_after(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let payload = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes(header.get(2..4)?.try_into().ok()?)),
        127 => u64::from_be_bytes(header.get(2..10)?.try_into().ok()?),
        short => u64::from(short),
    };
    let mask_key = if second & 0x80 == 0 { 0 } else { 4 };
    Some(payload.saturating_add(mask_key))
}

impl FrameKind {
    fn of(opcode: u8) -> Self {
        match opcode {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => Self::Reserved,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame with that many bytes of payload, as it is on the wire.
    fn frame(first: u8, payload: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![first];
        match payload {
            0..126 => bytes.push(mask | payload as u8),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0xff; payload + if masked { 4 } else { 0 }]);
        bytes
    }

    fn read(frames: &mut Frames, bytes: &[u8]) -> Vec<Frame> {
        let mut noticed = Vec::new();
        frames.read(bytes, |frame| noticed.push(frame));
        noticed
    }

    #[test]
    fn every_form_of_length_is_understood() {
        for masked in [false, true] {
            let mut frames = Frames::from(100);
            let mut expected = 100;
            for (index, payload) in [0, 1, 125, 126, 65_535, 65_536, 200_000].into_iter().enumerate() {
                let bytes = frame(0x82, payload, masked);
                let number = index as u64 + 1;
                let noticed = Frame { number, kind: FrameKind::Binary, fin: true };
                assert_eq!(read(&mut frames, &bytes), [noticed]);
                let end = expected + bytes.len() as u64;
                assert_eq!(frames.place(number), Some((expected, end)), "{payload}");
                expected = end;
            }
        }
    }

    #[test]
    fn control_frames_count_and_say_what_they_are() {
        let mut frames = Frames::from(0);
        let bytes = [0x01, 0x89, 0x8a, 0x00, 0x80, 0x88, 0x83].map(|first| frame(first, 3, false)).concat();
        let kinds: Vec<_> = read(&mut frames, &bytes).iter().map(|frame| (frame.kind, frame.fin)).collect();
        let expected = [
            (FrameKind::Text, false),
            (FrameKind::Ping, true),
            (FrameKind::Pong, true),
            (FrameKind::Continuation, false),
            (FrameKind::Continuation, true),
            (FrameKind::Close, true),
            (FrameKind::Reserved, true),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_header_is_incomplete_until_its_length_is_known() {
        let mut frames = Frames::from(7);
        let bytes = frame(0x82, 65_536, true);
        for at in 0..LONGEST_HEADER - 1 {
            assert_eq!(read(&mut frames, &bytes[at..=at]), []);
            assert_eq!((frames.incomplete_header(), frames.place(1)), (Some(7), None));
        }
        assert_eq!(read(&mut frames, &bytes[9..10]).len(), 1);
        assert_eq!(frames.incomplete_header(), None);
        assert_eq!(frames.place(1), Some((7, 7 + bytes.len() as u64)), "before a byte of its payload has come");
    }

    #[test]
    fn what_is_through_is_forgotten() {
        let mut frames = Frames::from(0);
        read(&mut frames, &[frame(0x82, 1, false), frame(0x82, 2, false), frame(0x82, 3, false)].concat());
        frames.forwarded(6);
        assert_eq!((frames.place(1), frames.place(2), frames.place(3)), (None, Some((3, 7)), Some((7, 12))));
        frames.forwarded(12);
        assert_eq!((frames.place(3), frames.ends.len()), (None, 0));
        read(&mut frames, &frame(0x82, 0, false));
        assert_eq!((frames.place(4), frames.place(5)), (Some((12, 14)), None));
    }

    #[test]
    fn a_length_beyond_all_measure_does_no_harm() {
        let mut frames = Frames::from(9);
        read(&mut frames, &[&[0x82, 0xff][..], &[0xff; 8], &[1; 1000]].concat());
        assert_eq!(frames.place(1), Some((9, u64::MAX)));
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_same_frames_are_found(
            sizes in proptest::collection::vec((0_usize..70_000, any::<bool>()), 1..6),
            cuts in proptest::collection::vec(1_usize..30_000, 1..20),
        ) {
            let bytes: Vec<u8> = sizes.iter().flat_map(|(size, masked)| frame(0x81, *size, *masked)).collect();
            let (mut whole, mut cut) = (Frames::from(0), Frames::from(0));
            let noticed = read(&mut whole, &bytes);
            let (mut rest, mut noticed_cut) = (&bytes[..], Vec::new());
            for length in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*length).min(rest.len()));
                noticed_cut.extend(read(&mut cut, piece));
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(&noticed, &noticed_cut);
            prop_assert_eq!(noticed.len(), sizes.len());
            prop_assert_eq!(&whole.ends, &cut.ends);
            prop_assert_eq!(whole.ends.back().copied(), Some(bytes.len() as u64));
        }

        #[test]
        fn anything_at_all_is_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut frames = Frames::from(u64::MAX / 2);
            for (index, piece) in pieces.iter().enumerate() {
                read(&mut frames, piece);
                frames.forwarded(u64::MAX / 2 + index as u64);
            }
        }
    }
}
