//! Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Corrupt, Decoder};

pub(super) struct Brotli {
    /// Some kibibytes of tables: not to be moved about.
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    ended: bool,
}

impl Brotli {
    pub fn new() -> Self {
        let new = StandardAlloc::default;
        // Strict: windows of up to 16 MiB as the RFC has them, not the "large" ones of up to a gibibyte.
        Brotli { state: Box::new(BrotliState::new_strict(new(), new(), new())), ended: false }
    }
}

impl Decoder for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, Corrupt> {
        if self.ended {
            // What follows the end does not count, as in the built-in fetch.
            return Ok(input.len());
        }
        let start = output.len();
        output.resize(output.capacity(), 0);
        let (mut left, mut read) = (input.len(), 0);
        let (mut room, mut written) = (output.len() - start, start);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut written,
            output,
            &mut 0,
            &mut self.state,
        );
        output.truncate(written);
        match result {
            BrotliResult::ResultFailure => Err(Corrupt(format!("br: {:?}", self.state.error_code))),
            BrotliResult::ResultSuccess => {
                self.ended = true;
                Ok(read)
            }
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Ok(read),
        }
    }

    fn is_complete(&self) -> bool {
        self.ended
    }
}
