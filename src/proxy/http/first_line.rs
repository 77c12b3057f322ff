//! Is this HTTP/1? Told byte by byte, as early as can be.
//!
//! A database, a TLS handshake or HTTP/2 must not wait in a buffer for a line end that never comes.

use super::NotHttp;
use crate::proxy::plan::Direction;

/// Registered methods are shorter than 20; words of other protocols are not always.
const LONGEST_METHOD: u8 = 32;
const VERSION: &[u8] = b"HTTP/1.";

/// How far a first line has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstLine {
    Method(u8),
    Target { empty: bool },
    RequestVersion(u8),
    RequestEnd,
    ResponseVersion(u8),
    Reason,
}

impl FirstLine {
    pub(super) fn of(direction: Direction) -> Self {
        match direction {
            Direction::Request => Self::Method(0),
            Direction::Response => Self::ResponseVersion(0),
        }
    }

    /// The state after one more byte; `None`: the line is complete.
    pub(super) fn after(self, byte: u8) -> Result<Option<Self>, NotHttp> {
        Ok(Some(match (self, byte) {
            (Self::Method(1..), b' ') => Self::Target { empty: true },
            (Self::Method(length), byte) if is_token(byte) && length < LONGEST_METHOD => Self::Method(length + 1),
            (Self::Target { empty: false }, b' ') => Self::RequestVersion(0),
            // Above: characters of a target, raw UTF-8 included, as servers accept it.
            (Self::Target { .. }, 0x21..=0x7e | 0x80..) => Self::Target { empty: false },
            (Self::RequestVersion(at), byte) => match after_version(at, byte)? {
                Some(at) => Self::RequestVersion(at),
                None => Self::RequestEnd,
            },
            (Self::RequestEnd, b'\r') => Self::RequestEnd,
            (Self::ResponseVersion(at), byte) => match after_version(at, byte)? {
                Some(at) => Self::ResponseVersion(at),
                None => Self::Reason,
            },
            (Self::RequestEnd | Self::Reason, b'\n') => return Ok(None),
            (Self::Reason, _) => Self::Reason,
            (Self::Method(_) | Self::Target { .. } | Self::RequestEnd, _) => return Err(NotHttp),
        }))
    }
}

/// The place in the version after one more byte; `None`: it is complete.
fn after_version(at: u8, byte: u8) -> Result<Option<u8>, NotHttp> {
    match VERSION.get(usize::from(at)) {
        Some(&expected) if expected == byte => Ok(Some(at + 1)),
        None if byte.is_ascii_digit() => Ok(None),
        _ => Err(NotHttp),
    }
}

/// `tchar` of RFC 9110 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many bytes it is known not to be HTTP; `None`: it is a complete first line.
    fn refused_after(direction: Direction, line: &[u8]) -> Option<usize> {
        let mut state = FirstLine::of(direction);
        for (at, &byte) in line.iter().enumerate() {
            match state.after(byte) {
                Ok(Some(next)) => state = next,
                Ok(None) => return None,
                Err(NotHttp) => return Some(at + 1),
            }
        }
        panic!("undecided: {line:?}");
    }

    #[test]
    fn http_is_recognised() {
        for line in ["GET / HTTP/1.1\r\n", "M-SEARCH * HTTP/1.0\n", "CONNECT a:443 HTTP/1.1\r\n", "GET /é HTTP/1.1\r\n"]
        {
            assert_eq!(refused_after(Direction::Request, line.as_bytes()), None, "{line:?}");
        }
        for line in ["HTTP/1.1 200 OK\r\n", "HTTP/1.0 404\n"] {
            assert_eq!(refused_after(Direction::Response, line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn other_protocols_are_told_at_the_first_byte_that_differs() {
        for (line, after) in [
            // A TLS handshake, a PostgreSQL startup, an SSLRequest.
            (&b"\x16\x03\x01"[..], 1),
            (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", 1),
            // Redis; a command without arguments; SMTP; HTTP/2; memcached.
            (b"*1\r\n$4\r\nPING\r\n", 3),
            (b"PING\r\n", 5),
            (b"EHLO example.com\r\n", 17),
            (b"PRI * HTTP/2.0\r\n", 12),
            (b"get key\r\n", 8),
            (b" GET / HTTP/1.1\r\n", 1),
            (b"GET  HTTP/1.1\r\n", 5),
        ] {
            assert_eq!(refused_after(Direction::Request, line), Some(after), "{line:?}");
        }
        for (line, after) in [(&b"220 ready\r\n"[..], 1), (b"HTTP/2 200\r\n", 6), (b"SSH-2.0-x\r\n", 1)] {
            assert_eq!(refused_after(Direction::Response, line), Some(after), "{line:?}");
        }
        let endless = [b'A'; 100];
        assert_eq!(refused_after(Direction::Request, &endless), Some(33));
    }
}
