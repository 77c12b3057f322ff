//! Where a chunked body ends (RFC 9112 7.1). Nothing is decoded and nothing kept: only the end is looked for.

use super::NotHttp;

/// How far a chunked body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunked {
    Size {
        value: u64,
        digits: u8,
    },
    /// Between the size and the end of its line.
    Extension {
        value: u64,
    },
    Data(u64),
    AfterData,
    /// The last chunk is through; `empty`: nothing of this line has come yet.
    Trailer {
        empty: bool,
    },
}

impl Chunked {
    pub(super) const START: Self = Self::Size { value: 0, digits: 0 };

    /// How many of `bytes` belong to the body, and whether it ends with them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), NotHttp> {
        let mut used = 0;
        while let Some(&byte) = bytes.get(used) {
            if let Self::Data(left) = self {
                let skipped = (bytes.len() - used).min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= skipped as u64;
                used += skipped;
                if *left == 0 {
                    *self = Self::AfterData;
                }
                continue;
            }
            used += 1;
            match self.after(byte)? {
                Some(next) => *self = next,
                None => return Ok((used, true)),
            }
        }
        Ok((used, false))
    }

    /// The state after one byte that is not data; `None`: the body has ended.
    fn after(self, byte: u8) -> Result<Option<Self>, NotHttp> {
        Ok(Some(match (self, byte) {
            (Self::Size { value, digits }, byte) if byte.is_ascii_hexdigit() => {
                // 16 digits are 64 bits.
                if digits == 16 {
                    return Err(NotHttp);
                }
                // Cannot fail: it is a hexadecimal digit.
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                Self::Size { value: value << 4 | u64::from(digit), digits: digits + 1 }
            }
            (Self::Size { digits: 0, .. }, _) => return Err(NotHttp),
            (Self::Size { value, .. }, b'\n') => Self::after_size(value),
            (Self::Size { value, .. }, b'\r' | b';' | b' ' | b'\t') => Self::Extension { value },
            (Self::Extension { value }, b'\n') => Self::after_size(value),
            (extension @ Self::Extension { .. }, _) => extension,
            (Self::AfterData, b'\r') => Self::AfterData,
            (Self::AfterData, b'\n') => Self::START,
            (Self::Trailer { empty: true }, b'\n') => return Ok(None),
            (Self::Trailer { empty: false }, b'\n') => Self::Trailer { empty: true },
            (Self::Trailer { empty }, b'\r') => Self::Trailer { empty },
            (Self::Trailer { .. }, _) => Self::Trailer { empty: false },
            (Self::Size { .. } | Self::AfterData | Self::Data(_), _) => return Err(NotHttp),
        }))
    }

    fn after_size(value: u64) -> Self {
        if value == 0 { Self::Trailer { empty: true } } else { Self::Data(value) }
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn end(body: &[u8]) -> Result<(usize, bool), NotHttp> {
        let mut chunked = Chunked::START;
        chunked.read(body)
    }

    #[test]
    fn a_body_ends_behind_its_trailers() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "5;name=\"value\"\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n000\r\n\r\n",
            "3\r\n\r\n\r\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\n",
            "3\nabc\n0\n\n",
        ] {
            let followed = format!("{body}GET / HTTP/1.1\r\n");
            assert_eq!(end(followed.as_bytes()), Ok((body.len(), true)), "{body:?}");
            for split in 0..body.len() {
                let mut chunked = Chunked::START;
                let (first, second) = body.as_bytes().split_at(split);
                assert_eq!(chunked.read(first), Ok((split, false)), "{body:?} split at {split}");
                assert_eq!(chunked.read(second), Ok((second.len(), true)), "{body:?} split at {split}");
            }
        }
    }

    #[test]
    fn what_is_not_chunked_is_not() {
        for body in ["\r\n", "xyz\r\n", "5\r\nhelloX", "11112222333344445\r\n", "5x\r\n"] {
            assert_eq!(end(body.as_bytes()), Err(NotHttp), "{body:?}");
        }
    }
}
