//! gzip (RFC 1952): members one after the other, each with its checksum.

use flate2::Decompress;

use super::deflate::inflate;
use super::{Corrupt, Decoder};

/// The largest window there is.
const WINDOW_BITS: u8 = 15;

pub(super) struct Gzip {
    member: Decompress,
    position: Position,
}

#[derive(PartialEq, Eq)]
enum Position {
    Inside,
    /// A member has ended, and another may follow.
    Between,
    /// Zeros after the last member pad what was written in blocks (as tapes were): what follows does not count.
    Padding,
}

impl Gzip {
    pub fn new() -> Self {
        Gzip { member: Decompress::new_gzip(WINDOW_BITS), position: Position::Inside }
    }
}

impl Decoder for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, Corrupt> {
        if self.position == Position::Between {
            match input.first() {
                None => return Ok(0),
                Some(0) => self.position = Position::Padding,
                Some(_) => *self = Gzip::new(),
            }
        }
        if self.position == Position::Padding {
            return Ok(input.len());
        }
        let (read, ended) = inflate("gzip", &mut self.member, input, output)?;
        if ended {
            self.position = Position::Between;
        }
        Ok(read)
    }

    fn is_complete(&self) -> bool {
        self.position != Position::Inside
    }
}
