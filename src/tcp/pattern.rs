//! One sequence of bytes, looked for in a stream that comes in pieces of any size.
//!
//! Knuth, Morris and Pratt: each byte is looked at once, and what has been seen of the sequence so far is one number, so
//! nothing of the stream has to be kept to go on in the next piece.

/// The sequence, and how much of it the stream ends with.
#[derive(Debug, Clone)]
pub struct Pattern {
    bytes: Box<[u8]>,
    /// For each prefix, the length of the longest shorter one that it ends with.
    falls_back: Box<[usize]>,
    matched: usize,
}

impl Pattern {
    /// `None`: an empty sequence is everywhere.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        let mut falls_back = vec![0; bytes.len()];
        let mut length = 0;
        for end in 1..bytes.len() {
            while length > 0 && bytes[end] != bytes[length] {
                length = falls_back[length - 1];
            }
            length += usize::from(bytes[end] == bytes[length]);
            falls_back[end] = length;
        }
        Some(Pattern { bytes: bytes.into(), falls_back: falls_back.into(), matched: 0 })
    }

    /// The next byte of the stream. Whether the sequence ends with it; then the search begins anew.
    pub fn ends_with(&mut self, byte: u8) -> bool {
        while self.matched > 0 && self.bytes[self.matched] != byte {
            self.matched = self.falls_back[self.matched - 1];
        }
        self.matched += usize::from(self.bytes[self.matched] == byte);
        let found = self.matched == self.bytes.len();
        if found {
            self.matched = 0;
        }
        found
    }

    /// What the stream ends with and may become the sequence.
    pub fn begun(&self) -> &[u8] {
        &self.bytes[..self.matched]
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn begin_anew(&mut self) {
        self.matched = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(pattern: &[u8], stream: &[u8]) -> Vec<usize> {
        let mut pattern = Pattern::new(pattern).unwrap();
        (0..stream.len()).filter(|&at| pattern.ends_with(stream[at])).collect()
    }

    #[test]
    fn a_false_beginning_is_not_the_end_of_the_search() {
        assert_eq!(ends(b"\r\n\r\n", b"a\r\r\n\r\n"), [5]);
        assert_eq!(ends(b"aab", b"aaab"), [3]);
        assert!(Pattern::new(b"").is_none());
    }

    #[test]
    fn what_has_begun_is_known() {
        let mut pattern = Pattern::new(b"+PONG\r\n").unwrap();
        assert!(!b"x+PO".iter().any(|byte| pattern.ends_with(*byte)));
        assert_eq!(pattern.begun(), b"+PO");
    }

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(
            pattern in proptest::collection::vec(0_u8..3, 1..5),
            stream in proptest::collection::vec(0_u8..3, 0..60),
        ) {
            let mut naive = Vec::new();
            let mut from = 0;
            for at in 0..stream.len() {
                if at + 1 >= from + pattern.len() && stream[..=at].ends_with(&pattern) {
                    naive.push(at);
                    from = at + 1;
                }
            }
            prop_assert_eq!(ends(&pattern, &stream), naive);
        }
    }
}
