//! Where one message ends and the next begins, in what the caller writes.
//!
//! A byte stream that goes on over another connection is only a stream to whoever wrote it. The peer sees a new one, and
//! the second half of a message at its beginning is a message that nobody sent. So what leaves, leaves as whole messages:
//! with a frame, those that it describes; without one, each `write` counts as a message.

use super::pattern::Pattern;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Each message ends with these bytes.
    Delimiter(Box<[u8]>),
    /// Each message begins with the number of bytes that follow.
    Length {
        /// Bytes of that number: 1 to 8.
        bytes: u8,
        little_endian: bool,
        /// The number counts its own bytes too.
        includes_itself: bool,
    },
}

/// Finds the ends of messages in what is written, piece by piece.
#[derive(Debug)]
pub struct Cutter(Kind);

#[derive(Debug)]
enum Kind {
    Delimiter(Pattern),
    Length { bytes: u8, little_endian: bool, includes_itself: bool, read: u8, number: u64, left: Option<u64> },
}

impl Cutter {
    /// `None`: a frame that cuts nothing (an empty delimiter, a length of no bytes).
    pub fn new(frame: &Frame) -> Option<Self> {
        Some(Cutter(match *frame {
            Frame::Delimiter(ref bytes) => Kind::Delimiter(Pattern::new(bytes)?),
            Frame::Length { bytes: 0 | 9.., .. } => return None,
            Frame::Length { bytes, little_endian, includes_itself } => {
                Kind::Length { bytes, little_endian, includes_itself, read: 0, number: 0, left: None }
            }
        }))
    }

    /// How many of `piece` belong to the message that has begun, if it ends in them. Otherwise all of them do.
    pub fn end_in(&mut self, piece: &[u8]) -> Option<usize> {
        match &mut self.0 {
            Kind::Delimiter(pattern) => piece.iter().position(|byte| pattern.ends_with(*byte)).map(|last| last + 1),
            Kind::Length { bytes, little_endian, includes_itself, read, number, left } => {
                let mut at = 0;
                while left.is_none() {
                    let byte = u64::from(*piece.get(at)?);
                    *number = if *little_endian { *number | (byte << (8 * *read)) } else { (*number << 8) | byte };
                    *read += 1;
                    at += 1;
                    if read == bytes {
                        let own = if *includes_itself { u64::from(*bytes) } else { 0 };
                        *left = Some(number.saturating_sub(own));
                    }
                }
                let wanted = left.unwrap_or(0);
                let there = (piece.len() - at) as u64;
                if wanted > there {
                    *left = Some(wanted - there);
                    return None;
                }
                (*read, *number, *left) = (0, 0, None);
                // It fits: it is not more than what is there.
                Some(at + wanted as usize)
            }
        }
    }

    /// Whether a message ends with the last byte of `piece`, or, where there is none, `ended` with what was before it.
    pub fn end_with(&mut self, mut piece: &[u8], mut ended: bool) -> bool {
        while !piece.is_empty() {
            let end = self.end_in(piece);
            ended = end == Some(piece.len());
            piece = &piece[end.unwrap_or(piece.len())..];
        }
        ended
    }

    /// The next byte begins a message.
    pub fn begin_anew(&mut self) {
        match &mut self.0 {
            Kind::Delimiter(pattern) => pattern.begin_anew(),
            Kind::Length { read, number, left, .. } => (*read, *number, *left) = (0, 0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lengths of the messages in a stream that comes in pieces, and what is left.
    fn cut(frame: &Frame, pieces: &[&[u8]]) -> (Vec<usize>, usize) {
        let mut cutter = Cutter::new(frame).unwrap();
        let (mut lengths, mut length) = (Vec::new(), 0);
        for piece in pieces {
            let mut rest = *piece;
            while let Some(end) = cutter.end_in(rest) {
                lengths.push(length + end);
                length = 0;
                rest = &rest[end..];
                if rest.is_empty() {
                    break;
                }
            }
            length += rest.len();
        }
        (lengths, length)
    }

    fn length(bytes: u8, little_endian: bool, includes_itself: bool) -> Frame {
        Frame::Length { bytes, little_endian, includes_itself }
    }

    #[test]
    fn a_delimiter_may_be_cut_itself() {
        let lines = Frame::Delimiter(b"\r\n".as_slice().into());
        assert_eq!(cut(&lines, &[b"a\r", b"\nbc\r\n\r\nd"]), (vec![3, 4, 2], 1));
    }

    #[test]
    fn lengths_are_read_as_they_are_written() {
        assert_eq!(cut(&length(2, false, false), &[b"\x00\x03abc\x00\x00\x00", b"\x01z"]), (vec![5, 2, 3], 0));
        assert_eq!(cut(&length(2, true, false), &[b"\x03\x00abc\x01"]), (vec![5], 1));
        assert_eq!(cut(&length(1, false, true), &[b"\x04abc\x01\x02x"]), (vec![4, 1, 2], 0));
    }

    #[test]
    fn what_cannot_cut_is_refused() {
        assert!(Cutter::new(&Frame::Delimiter(Box::new([]))).is_none());
        assert!(Cutter::new(&length(0, false, false)).is_none());
        assert!(Cutter::new(&length(9, false, false)).is_none());
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            bodies in proptest::collection::vec(0_usize..600, 0..8),
            cuts in proptest::collection::vec(0_usize..2000, 0..12),
            bytes in 2_u8..=8,
            little_endian in any::<bool>(),
            includes_itself in any::<bool>(),
        ) {
            let own = usize::from(bytes);
            let mut stream = Vec::new();
            for body in &bodies {
                let told = (body + if includes_itself { own } else { 0 }) as u64;
                let mut number = told.to_be_bytes()[8 - own..].to_vec();
                if little_endian {
                    number.reverse();
                }
                stream.extend_from_slice(&number);
                stream.resize(stream.len() + body, 7);
            }
            let mut at: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            at.extend([0, stream.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            let expected: Vec<usize> = bodies.iter().map(|body| body + own).collect();
            prop_assert_eq!(cut(&length(bytes, little_endian, includes_itself), &pieces), (expected, 0));
        }
    }
}
