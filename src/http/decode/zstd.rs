//! Zstandard (RFC 8878): frames one after the other.

use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::{Corrupt, Decoder};

/// The base-2 logarithm of the largest window that a server may use for content (RFC 9659: 8 MiB). Without it a header
/// of a few bytes could make us reserve 128 MiB.
const WINDOW_LOG: u32 = 23;

pub(super) struct Zstd {
    /// Made with the first bytes.
    frames: Option<DCtx<'static>>,
    /// At the end of a frame.
    between: bool,
}

impl Zstd {
    pub fn new() -> Self {
        Zstd { frames: None, between: false }
    }
}

impl Decoder for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, Corrupt> {
        let frames = match &mut self.frames {
            Some(frames) => frames,
            none => none.insert(context()?),
        };
        let mut input = InBuffer::around(input);
        let start = output.len();
        let mut output = OutBuffer::around_pos(output, start);
        let left_in_frame = frames.decompress_stream(&mut output, &mut input).map_err(corrupt)?;
        // Asked in vain between two frames, it says what the next one would begin with.
        if input.pos() > 0 || output.pos() > start {
            self.between = left_in_frame == 0;
        }
        Ok(input.pos())
    }

    fn is_complete(&self) -> bool {
        self.between
    }
}

fn context() -> Result<DCtx<'static>, Corrupt> {
    let mut context = DCtx::try_create().ok_or_else(|| Corrupt("zstd: out of memory".to_owned()))?;
    context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(corrupt)?;
    Ok(context)
}

fn corrupt(code: usize) -> Corrupt {
    Corrupt(format!("zstd: {}", get_error_name(code)))
}
