//! deflate, in its two forms: RFC 9110 means zlib's (RFC 1950), and servers that sent the bare one (RFC 1951) have
//! always been understood.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Corrupt, Decoder};

pub(super) enum Deflate {
    /// The first byte tells.
    Unknown,
    Inside(Decompress),
    /// What follows the end does not count, as in the built-in fetch.
    Ended,
}

impl Deflate {
    pub fn new() -> Self {
        Deflate::Unknown
    }
}

impl Decoder for Deflate {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, Corrupt> {
        if let (Deflate::Unknown, Some(first)) = (&*self, input.first()) {
            // zlib's first byte ends in the number of its method, 8. No bare stream of any sense does: it would begin
            // with a stored block that has something in its padding.
            *self = Deflate::Inside(Decompress::new(first & 0x0f == 8));
        }
        match self {
            Deflate::Unknown => Ok(0),
            Deflate::Ended => Ok(input.len()),
            Deflate::Inside(stream) => {
                let (read, ended) = inflate("deflate", stream, input, output)?;
                if ended {
                    *self = Deflate::Ended;
                }
                Ok(read)
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self, Deflate::Ended)
    }
}

/// One step: how much of the input was read, and whether the stream has ended.
pub(super) fn inflate(
    coding: &str,
    stream: &mut Decompress,
    input: &[u8],
    output: &mut Vec<u8>,
) -> Result<(usize, bool), Corrupt> {
    let before = stream.total_in();
    match stream.decompress_vec(input, output, FlushDecompress::None) {
        // What was read of `input` is no longer than it.
        Ok(status) => Ok(((stream.total_in() - before) as usize, status == Status::StreamEnd)),
        Err(error) => {
            let said = error.message().map_or_else(|| error.to_string(), str::to_owned);
            Err(Corrupt(format!("{coding}: {said}")))
        }
    }
}
