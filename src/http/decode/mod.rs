//! Compressed response bodies, made plain as they arrive.
//!
//! A server that is asked for it sends a fifth of the bytes, and the caller wants the text, not its packing. Decoding
//! happens here, on the network threads, because the event loop has one thread for everything; and above the stream
//! of encoded bytes, because those are what a broken transfer is resumed on.
//!
//! [`Decoded`] is the body; [`accept`] says what may be sent, [`codings`] what was. A [`chain`] undoes the codings in
//! bounded steps with bounded memory, whatever a body of a few bytes claims to become.

mod body;
mod brotli;
mod chain;
pub(super) mod codings;
mod deflate;
mod gzip;
mod zstd;

pub(super) mod accept;
pub mod fault;

pub use body::Decoded;

/// What is to become of response bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// Undo the codings, and ask for them unless the caller has said what to ask for.
    pub decompress: bool,
    pub size: SizeLimit,
}

impl Default for Decoding {
    fn default() -> Self {
        Decoding { decompress: true, size: SizeLimit::Usual }
    }
}

/// The most bytes that a body may have, as the caller gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeLimit {
    /// [`WHOLE`] for one that was compressed and is read whole, none for any other.
    Usual,
    Bytes(u64),
    None,
}

/// A compressed body of half a megabyte can decode to half a gibibyte of zeros. Who reads a stream decides piece by
/// piece how much to keep; who asks for the whole has no say, so we have. The figure is the longest string that V8 can
/// make: beyond it neither `text()` nor `json()` has anything to give.
pub const WHOLE: u64 = 512 * 1024 * 1024;

/// One content coding, undone step by step.
trait Decoder: Send {
    /// Decodes from `input` into the spare capacity of `output`, of which there is some. Returns how much of the input
    /// it took: all of it, unless the output is full or a part of the body ended. May be called without input while
    /// the output was full the last time.
    fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, Corrupt>;
    /// Whether the body may end here.
    fn is_complete(&self) -> bool;
}

/// What a decoder does not understand, in its own words.
#[derive(Debug)]
struct Corrupt(String);

#[cfg(test)]
mod tests;
