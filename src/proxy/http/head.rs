//! The head of a message: found in whatever pieces it arrives, and read for what decides about its body.

use std::borrow::Cow;

use super::NotHttp;
use super::first_line::FirstLine;
use crate::proxy::plan::Direction;

/// A longer head is not looked at, and its connection no longer either. Node's own servers stop at 16 KiB.
pub(super) const LONGEST_HEAD: usize = 64 * 1024;

/// How many bytes of the last piece belong to a head, and all of it.
type WholeHead<'a> = (usize, Cow<'a, [u8]>);

/// Finds the end of a head.
#[derive(Debug)]
pub(super) struct HeadReader {
    line: Line,
    /// What came in earlier pieces.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    First(FirstLine),
    /// A header line; `empty`: nothing of it has come yet.
    Header {
        empty: bool,
    },
}

impl HeadReader {
    pub(super) fn new(direction: Direction) -> Self {
        Self { line: Line::First(FirstLine::of(direction)), bytes: Vec::new() }
    }

    /// `None` while the head is incomplete.
    pub(super) fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<WholeHead<'a>>, NotHttp> {
        let room = LONGEST_HEAD - self.bytes.len();
        for (at, &byte) in bytes.iter().take(room).enumerate() {
            match self.line.after(byte)? {
                Some(line) => self.line = line,
                None => return Ok(Some((at + 1, self.whole(&bytes[..=at])))),
            }
        }
        if bytes.len() >= room {
            return Err(NotHttp);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(None)
    }

    fn whole<'a>(&mut self, last: &'a [u8]) -> Cow<'a, [u8]> {
        if self.bytes.is_empty() {
            return Cow::Borrowed(last);
        }
        self.bytes.extend_from_slice(last);
        Cow::Owned(std::mem::take(&mut self.bytes))
    }
}

impl Line {
    /// `None`: the head is complete.
    fn after(self, byte: u8) -> Result<Option<Self>, NotHttp> {
        Ok(match (self, byte) {
            (Self::First(line), byte) => match line.after(byte)? {
                Some(line) => Some(Self::First(line)),
                None => Some(Self::Header { empty: true }),
            },
            (Self::Header { empty: true }, b'\n') => None,
            (Self::Header { empty: false }, b'\n') => Some(Self::Header { empty: true }),
            (Self::Header { empty }, b'\r') => Some(Self::Header { empty }),
            (Self::Header { .. }, _) => Some(Self::Header { empty: false }),
        })
    }
}

/// What the head of a request says.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) method: Box<str>,
    pub(super) target: Box<str>,
    pub(super) framing: Framing,
    /// It may be the last of its connection: CONNECT, or an offer to speak another protocol.
    pub(super) offers_tunnel: bool,
    pub(super) offers_websocket: bool,
}

/// What the head of a response says.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) framing: Framing,
}

/// The headers that delimit a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Framing {
    /// `None`: there is no `Transfer-Encoding`. `false`: its last coding is another.
    pub(super) chunked: Option<bool>,
    pub(super) length: Option<u64>,
}

impl RequestHead {
    pub(super) fn parse(head: &[u8]) -> Result<Self, NotHttp> {
        let mut headers = room_for_headers(head);
        let mut request = httparse::Request::new(&mut headers);
        request.parse(head).map_err(|_| NotHttp)?;
        let (Some(method), Some(target)) = (request.method, request.path) else { return Err(NotHttp) };
        let mut upgrades =
            request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("upgrade")).peekable();
        Ok(Self {
            method: method.into(),
            target: target.into(),
            framing: Framing::of(request.headers)?,
            offers_tunnel: upgrades.peek().is_some() || method == "CONNECT",
            offers_websocket: upgrades.any(|header| header.value.trim_ascii().eq_ignore_ascii_case(b"websocket")),
        })
    }
}

impl ResponseHead {
    pub(super) fn parse(head: &[u8]) -> Result<Self, NotHttp> {
        let mut headers = room_for_headers(head);
        let mut response = httparse::Response::new(&mut headers);
        httparse::ParserConfig::default()
            .allow_obsolete_multiline_headers_in_responses(true)
            .parse_response(&mut response, head)
            .map_err(|_| NotHttp)?;
        let Some(status) = response.code else { return Err(NotHttp) };
        Ok(Self { status, framing: Framing::of(response.headers)? })
    }
}

impl Framing {
    fn of(headers: &[httparse::Header]) -> Result<Self, NotHttp> {
        let mut framing = Self::default();
        for header in headers {
            if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let last = header.value.rsplit(|&byte| byte == b',').next().unwrap_or_default();
                framing.chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
            } else if header.name.eq_ignore_ascii_case("content-length") {
                // "5, 5" is allowed where all say the same (RFC 9110 8.6).
                for value in header.value.split(|&byte| byte == b',') {
                    let length = length(value.trim_ascii()).ok_or(NotHttp)?;
                    if framing.length.replace(length).is_some_and(|other| other != length) {
                        return Err(NotHttp);
                    }
                }
            }
        }
        Ok(framing)
    }
}

fn length(digits: &[u8]) -> Option<u64> {
    // `parse` alone would take a plus sign.
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if all_digits { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

/// One header to a line at most.
fn room_for_headers(head: &[u8]) -> Vec<httparse::Header<'_>> {
    let lines = head.iter().filter(|&&byte| byte == b'\n').count();
    vec![httparse::EMPTY_HEADER; lines]
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_found_in_whatever_pieces_it_comes() {
        let head = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n";
        let followed = [&head[..], b"body"].concat();
        for split in 0..head.len() {
            let mut reader = HeadReader::new(Direction::Request);
            let (first, second) = followed.split_at(split);
            assert_eq!(reader.read(first), Ok(None), "split at {split}");
            let (used, whole) = reader.read(second).unwrap().expect("the head is complete");
            assert_eq!((used, &*whole), (head.len() - split, &head[..]));
        }
    }

    #[test]
    fn a_head_without_end_is_given_up() {
        let mut reader = HeadReader::new(Direction::Response);
        assert_eq!(reader.read(b"HTTP/1.1 200 OK\r\n"), Ok(None));
        let line = [b'a'; 1024];
        for _ in 0..63 {
            assert_eq!(reader.read(&line), Ok(None));
        }
        assert_eq!(reader.read(&line), Err(NotHttp));
    }

    #[test]
    fn what_delimits_the_body_is_read() {
        let framing = |headers: &str| {
            RequestHead::parse(format!("POST / HTTP/1.1\r\n{headers}\r\n").as_bytes()).map(|head| head.framing)
        };
        let of = |chunked, length| Ok(Framing { chunked, length });
        assert_eq!(framing(""), of(None, None));
        assert_eq!(framing("Content-Length: 12\r\n"), of(None, Some(12)));
        assert_eq!(framing("content-length: 5, 5\r\ncontent-length: 5\r\n"), of(None, Some(5)));
        assert_eq!(framing("Transfer-Encoding: gzip, Chunked\r\n"), of(Some(true), None));
        assert_eq!(framing("transfer-encoding: chunked, gzip\r\n"), of(Some(false), None));
        for wrong in ["5, 6", "-1", "+1", "", "1x", "99999999999999999999"] {
            assert_eq!(framing(&format!("content-length: {wrong}\r\n")), Err(NotHttp), "{wrong:?}");
        }
    }

    #[test]
    fn an_offer_of_another_protocol_is_seen() {
        let offers = |head: &str| RequestHead::parse(head.as_bytes()).unwrap().offers_tunnel;
        assert!(offers("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
        assert!(offers("CONNECT a:443 HTTP/1.1\r\n\r\n"));
        assert!(!offers("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    }
}
