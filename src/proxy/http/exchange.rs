//! A request and its response, as places in the two streams of a connection.

use crate::proxy::plan::Direction;
use crate::proxy::websocket::Frame;

/// One request and what answers it.
#[derive(Debug)]
pub(in crate::proxy) struct Exchange {
    /// On its connection, from 1.
    pub(in crate::proxy) number: u64,
    pub(in crate::proxy) method: Box<str>,
    /// As sent, with its query.
    pub(in crate::proxy) target: Box<str>,
    pub(in crate::proxy) request: Extent,
    /// The final response; interim ones (1xx) are passed by. `None` before its head is complete.
    pub(in crate::proxy) response: Option<Extent>,
    pub(super) offers_tunnel: bool,
    pub(super) offers_websocket: bool,
}

/// Where a message lies: offsets in the stream of its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proxy) struct Extent {
    pub(in crate::proxy) start: u64,
    pub(in crate::proxy) head_end: u64,
    /// `None`: not known yet.
    pub(in crate::proxy) end: Option<u64>,
}

impl Extent {
    pub(super) fn is_before(&self, offset: u64) -> bool {
        self.end.is_some_and(|end| end <= offset)
    }
}

/// What was noticed, for the timeline and for plans that wait for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proxy) enum Noticed {
    /// The head of this exchange's request is complete.
    Request(u64),
    /// The head of its final response.
    Response { exchange: u64, status: u16 },
    /// The header of a frame, where the connection has become a WebSocket.
    Frame(Direction, Frame),
}
