//! How a message's body is delimited (RFC 9112 6.3): the head decides, and for a response the request's method too.

use super::NotHttp;
use super::chunked::Chunked;
use super::head::{RequestHead, ResponseHead};

/// How far a body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

impl Body {
    const NONE: Self = Self::Length(0);

    pub(super) fn of_request(head: &RequestHead) -> Result<Self, NotHttp> {
        match (head.framing.chunked, head.framing.length) {
            (Some(true), _) => Ok(Self::Chunked(Chunked::START)),
            // A request whose end cannot be told.
            (Some(false), _) => Err(NotHttp),
            (None, length) => Ok(Self::Length(length.unwrap_or(0))),
        }
    }

    /// `method` is that of the request it answers, where there was one.
    pub(super) fn of_response(head: &ResponseHead, method: Option<&str>) -> Self {
        match (head.status, method, head.framing.chunked, head.framing.length) {
            (100..=199 | 204 | 304, ..) | (_, Some("HEAD"), ..) => Self::NONE,
            (_, _, Some(true), _) => Self::Chunked(Chunked::START),
            (_, _, Some(false), _) | (_, _, None, None) => Self::UntilClose,
            (_, _, None, Some(length)) => Self::Length(length),
        }
    }

    pub(super) fn is_over(self) -> bool {
        self == Self::NONE
    }

    /// How many of `bytes` belong to it, and whether it ends with them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), NotHttp> {
        match self {
            Self::Length(left) => {
                let used = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= used as u64;
                Ok((used, *left == 0))
            }
            Self::Chunked(chunked) => chunked.read(bytes),
            Self::UntilClose => Ok((bytes.len(), false)),
        }
    }
}
