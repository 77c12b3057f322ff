//! What of the peer's frames must be known before they are decoded.
//!
//! The engine takes a masked frame from a server as it is and delivers garbage, lets reserved bits pass where they have no
//! meaning, bounds the length of pings alone, and refuses close codes that were registered after it was written without
//! telling which one it was. So the heads of frames are followed here as their bytes come by. Nothing is decoded: a head is
//! 2 to 10 bytes, and the payload behind it is skipped by its length.

/// Payloads of control frames are no longer (RFC 6455, section 5.5).
pub const MAX_CONTROL: usize = 125;

/// A frame that no server may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Section 5.1: only clients mask.
    Masked,
    /// RFC 7692, section 6.1: it stands on the first frame of a message.
    Compressed,
    /// Section 5.5.
    LongControl,
}

impl Violation {
    pub const fn as_str(self) -> &'static str {
        match self {
            Violation::Masked => "a frame of the server is masked",
            Violation::Compressed => "RSV1 is set on a frame that begins no message",
            Violation::LongControl => "a control frame is longer than 125 bytes",
        }
    }

    /// As ws calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Violation::Masked => "WS_ERR_UNEXPECTED_MASK",
            Violation::Compressed => "WS_ERR_UNEXPECTED_RSV_1",
            Violation::LongControl => "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
        }
    }
}

/// The frames of one connection, as far as their bytes have come.
#[derive(Debug, Default)]
pub struct Scan {
    /// The head that is not complete.
    head: [u8; 10],
    known: usize,
    /// Bytes of payload that are still to come.
    rest: u64,
    /// They belong to a Close frame.
    closes: bool,
    close: Option<Vec<u8>>,
}

impl Scan {
    /// Bytes have come. The error is how many of them stand before the frame that is wrong.
    pub fn see(&mut self, bytes: &[u8]) -> Result<(), (usize, Violation)> {
        let mut at = 0;
        loop {
            at += self.skip(&bytes[at..]);
            if at == bytes.len() {
                return Ok(());
            }
            let begins = at;
            at += self.collect(&bytes[at..]);
            let Some(length) = self.length() else { return Ok(()) };
            self.check(length).map_err(|violation| (begins, violation))?;
            self.closes = self.head[0] & 0x0f == 8;
            if self.closes {
                self.close = Some(Vec::with_capacity(MAX_CONTROL));
            }
            (self.rest, self.known) = (length, 0);
        }
    }

    /// The payload of the Close frame, if one has come.
    pub fn close(&self) -> Option<&[u8]> {
        self.close.as_deref().filter(|_| !(self.closes && self.rest > 0))
    }

    /// A frame has begun and is not complete.
    pub fn is_within_frame(&self) -> bool {
        self.known > 0 || self.rest > 0
    }

    fn skip(&mut self, bytes: &[u8]) -> usize {
        let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
        if let (true, Some(close)) = (self.closes, &mut self.close) {
            close.extend_from_slice(&bytes[..skipped]);
        }
        self.rest -= skipped as u64;
        skipped
    }

    /// Takes what belongs to the head.
    fn collect(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && self.known < self.head_length() {
            self.head[self.known] = bytes[taken];
            (self.known, taken) = (self.known + 1, taken + 1);
        }
        taken
    }

    /// As far as is known; the mask, which is an error, does not count.
    fn head_length(&self) -> usize {
        match (self.known, self.head[1] & 0x7f) {
            (0 | 1, _) => 2,
            (_, 126) => 4,
            (_, 127) => 10,
            _ => 2,
        }
    }

    /// That of the payload, once the head is complete.
    fn length(&self) -> Option<u64> {
        if self.known < self.head_length() {
            return None;
        }
        let [_, _, a, b, c, d, e, f, g, h] = self.head;
        Some(match self.head[1] & 0x7f {
            126 => u16::from_be_bytes([a, b]).into(),
            127 => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            short => short.into(),
        })
    }

    fn check(&self, length: u64) -> Result<(), Violation> {
        let opcode = self.head[0] & 0x0f;
        if self.head[1] & 0x80 != 0 {
            return Err(Violation::Masked);
        }
        if self.head[0] & 0x40 != 0 && !matches!(opcode, 1 | 2) {
            return Err(Violation::Compressed);
        }
        if opcode >= 8 && length > MAX_CONTROL as u64 {
            return Err(Violation::LongControl);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(short as u8),
            middle @ 126..65_536 => {
                frame.push(126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    fn see(pieces: &[&[u8]]) -> Result<Scan, (usize, Violation)> {
        let mut scan = Scan::default();
        pieces.iter().try_for_each(|piece| scan.see(piece))?;
        Ok(scan)
    }

    #[test]
    fn the_close_frame_is_kept_whole() {
        let close = frame(0x88, b"\x03\xf6gateway");
        let scan = see(&[&frame(0x81, b"hello"), &close[..4], &close[4..]]).unwrap();
        assert_eq!(scan.close(), Some(&b"\x03\xf6gateway"[..]));
        assert!(see(&[&close[..4]]).unwrap().close().is_none(), "not before it is complete");
        assert_eq!(see(&[&frame(0x88, b"")]).unwrap().close(), Some(&b""[..]));
    }

    #[test]
    fn what_stands_before_a_wrong_frame_is_counted() {
        let good = frame(0x82, &[7; 300]);
        let wrong = [0x81, 0x85, 1, 2, 3, 4, 0, 0, 0, 0, 0];
        let both = [good.as_slice(), &wrong].concat();
        assert_eq!(see(&[&both]).err(), Some((good.len(), Violation::Masked)));
        assert_eq!(see(&[&both[..good.len() + 1], &wrong[1..]]).err(), Some((0, Violation::Masked)));
    }

    #[test]
    fn what_a_server_may_not_send_is_named() {
        for (frame, violation) in [
            (frame(0xc9, b""), Violation::Compressed),
            (frame(0xc0, b"more"), Violation::Compressed),
            (frame(0x8a, &[0; 126]), Violation::LongControl),
            (frame(0x88, &[0; 70_000]), Violation::LongControl),
        ] {
            assert_eq!(see(&[&frame]).err(), Some((0, violation)));
        }
        assert!(see(&[&frame(0xc1, b"compressed"), &frame(0x89, &[0; 125])]).is_ok());
    }

    proptest! {
        /// However the bytes are cut: the end of each frame is found.
        #[test]
        fn cuts_do_not_matter(
            lengths in proptest::collection::vec(prop_oneof![0_usize..4, 120_usize..130, 65_530_usize..65_540], 1..6),
            cuts in proptest::collection::vec(1_usize..9000, 1..40),
        ) {
            let bytes: Vec<u8> = lengths.iter().flat_map(|length| frame(0x82, &vec![0xff; *length])).collect();
            let (mut scan, mut at) = (Scan::default(), 0);
            for cut in cuts.iter().cycle() {
                let until = (at + cut).min(bytes.len());
                prop_assert!(scan.see(&bytes[at..until]).is_ok());
                at = until;
                if at == bytes.len() {
                    break;
                }
            }
            prop_assert!(!scan.is_within_frame());
        }
    }
}
