//! The codings of one body, undone one after the other.
//!
//! A few bytes can decode to gigabytes, and stacked codings multiply. So nothing is decoded ahead of who asks for it:
//! the last stage that has something to do works first, one piece at a time, and no stage holds more than one piece
//! of the one before it. And a piece is work for a network thread that others wait for: after some of it the chain
//! is tired and lets them.

use bytes::{Buf, Bytes};

use super::codings::Coding;
use super::fault;
use super::{Corrupt, Decoder};
use crate::fault::Fault;

/// What one step produces at most.
pub(super) const PIECE: usize = 64 * 1024;
/// The first step of a small body: most are JSON of a few kibibytes.
const SMALL: usize = 4 * 1024;
/// Packed text is three to five times as long when it is unpacked.
const USUAL_RATIO: usize = 4;
/// The work of all stages before others get their turn, in bytes read and written: about a millisecond.
const SPELL: usize = 256 * 1024;
/// What a step costs besides: members of a few bytes each need a decoder of their own.
const STEP: usize = 512;

/// What became of a step.
pub(super) enum Advance {
    Piece(Bytes),
    /// The body has ended as it should.
    End,
    /// More encoded bytes are needed: see [`Chain::feed`].
    Wants,
    /// There is more to do, when others have had their turn.
    Tired,
}

pub(super) struct Chain {
    codings: Box<[Coding]>,
    /// In the order in which they work: what was applied last is undone first.
    stages: Vec<Stage>,
    /// The response is a part of a body (206), which may end anywhere.
    partial: bool,
    ended: bool,
    /// Since the last rest.
    worked: usize,
}

impl Chain {
    /// `codings` in the order in which they were applied.
    pub fn new(codings: &[Coding], partial: bool) -> Self {
        let stages = codings.iter().rev().map(|coding| Stage::new(coding.decoder())).collect();
        Chain { codings: codings.into(), stages, partial, ended: false, worked: 0 }
    }

    /// For the same body from its beginning.
    pub fn anew(&self) -> Self {
        Chain::new(&self.codings, self.partial)
    }

    /// Does what can be done with the bytes that are there, up to one piece.
    pub fn advance(&mut self) -> Result<Advance, Box<Fault>> {
        let last = self.stages.len() - 1;
        while let Some(index) = self.stages.iter().rposition(Stage::has_work) {
            if self.worked >= SPELL {
                self.worked = 0;
                return Ok(Advance::Tired);
            }
            let stage = &mut self.stages[index];
            let before = stage.input.len();
            let output = stage.step().map_err(fault::corrupt)?;
            self.worked += STEP + before - stage.input.len() + output.len();
            if output.is_empty() {
                continue;
            }
            if index == last {
                return Ok(Advance::Piece(output));
            }
            self.stages[index + 1].feed(output);
        }
        Ok(if self.ended { Advance::End } else { Advance::Wants })
    }

    /// The encoded bytes that were wanted, or `None` at their end.
    pub fn feed(&mut self, encoded: Option<Bytes>) -> Result<(), Box<Fault>> {
        match encoded {
            Some(encoded) => self.stages[0].feed(encoded),
            None if self.partial || self.stages.iter().all(Stage::may_end) => self.ended = true,
            None => return Err(fault::truncated()),
        }
        Ok(())
    }
}

struct Stage {
    decoder: Box<dyn Decoder>,
    input: Bytes,
    /// It has been given something. A body of no bytes at all decodes to none (a server that compresses by rule does
    /// so to empty answers as well, and some then send nothing).
    begun: bool,
    /// The last step filled its output: there may be more without further input.
    filled: bool,
}

impl Stage {
    fn new(decoder: Box<dyn Decoder>) -> Self {
        Stage { decoder, input: Bytes::new(), begun: false, filled: false }
    }

    fn has_work(&self) -> bool {
        self.filled || !self.input.is_empty()
    }

    fn may_end(&self) -> bool {
        !self.begun || self.decoder.is_complete()
    }

    fn feed(&mut self, input: Bytes) {
        self.begun |= !input.is_empty();
        self.input = input;
    }

    fn step(&mut self) -> Result<Bytes, Corrupt> {
        let room = if self.filled { PIECE } else { (self.input.len() * USUAL_RATIO).clamp(SMALL, PIECE) };
        let mut output = Vec::with_capacity(room);
        let read = self.decoder.decode(&self.input, &mut output)?;
        let is_stuck = read == 0 && output.is_empty() && !self.input.is_empty();
        // One that finds its end in bits that it had read before has gone on all the same.
        if is_stuck && !self.decoder.is_complete() {
            // None of the decoders does this. It would be a loop without end.
            return Err(Corrupt("the decoder does not go on".to_owned()));
        }
        self.input.advance(read);
        self.filled = output.len() == output.capacity();
        Ok(output.into())
    }
}
