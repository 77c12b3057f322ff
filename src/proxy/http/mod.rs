//! Follows HTTP/1.1 through a connection, without touching it: where each message begins, where its head ends, where
//! it ends, and which response answers which request.
//!
//! That is what the faults need which decide whether a retry is safe ("the request arrived whole, the answer did not").
//! Only heads and chunk sizes are looked at; the bytes of a body are counted. What turns out not to be HTTP/1.1, by
//! its first bytes, by an upgrade or by a mistake, is left alone from there on. If the upgrade is to a WebSocket, its
//! frames are followed.

mod body;
mod chunked;
mod exchange;
mod first_line;
mod head;

use std::collections::VecDeque;

use self::body::Body;
use self::head::{HeadReader, RequestHead, ResponseHead};
use super::plan::Direction;
use super::websocket::Frames;

pub(super) use exchange::{Exchange, Extent, Noticed};

/// Requests that wait for their answer on one connection. A client that sends more ahead is no longer followed.
const MOST_OUTSTANDING: usize = 1024;

/// It is something else, or cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NotHttp;

/// The HTTP/1.1 messages of one connection.
#[derive(Debug)]
pub(super) struct Tracker {
    request: Side,
    response: Side,
    /// Those that are not through yet, oldest first; their numbers are consecutive.
    exchanges: VecDeque<Exchange>,
    exchanges_seen: u64,
    /// The exchange whose response has begun and not ended; `None` also for a response that nobody asked for.
    answering: Option<u64>,
}

/// One of the two streams.
#[derive(Debug)]
struct Side {
    state: State,
    /// Bytes looked at.
    offset: u64,
}

#[derive(Debug)]
enum State {
    Between,
    Head {
        start: u64,
        reader: HeadReader,
    },
    Body(Body),
    /// The client has offered to speak another protocol: what comes before the answer may be either.
    Undecided,
    WebSocket(Frames),
    Opaque,
}

impl Tracker {
    pub(super) fn new() -> Self {
        let side = || Side { state: State::Between, offset: 0 };
        Self { request: side(), response: side(), exchanges: VecDeque::new(), exchanges_seen: 0, answering: None }
    }

    /// Looks at bytes that have arrived; each must be shown once.
    pub(super) fn read(&mut self, direction: Direction, mut bytes: &[u8], noticed: &mut Vec<Noticed>) {
        while !bytes.is_empty() {
            if matches!(self.side(direction).state, State::Opaque) {
                return;
            }
            match self.step(direction, bytes, noticed) {
                Ok(used) => bytes = &bytes[used..],
                Err(NotHttp) => return self.give_up(direction),
            }
        }
    }

    /// The stream has ended.
    pub(super) fn end(&mut self, direction: Direction) {
        match self.side(direction).state {
            State::Between => {}
            State::Body(Body::UntilClose) => self.message_ended(direction),
            // What has arrived is still to be forwarded.
            State::WebSocket(_) => {}
            _ => self.side(direction).state = State::Opaque,
        }
    }

    /// Where a head begins whose end has not arrived, and which may still turn out to be HTTP; or the header of a frame.
    pub(super) fn incomplete_head(&self, direction: Direction) -> Option<u64> {
        match &self.state(direction) {
            State::Head { start, .. } => Some(*start),
            State::WebSocket(frames) => frames.incomplete_header(),
            _ => None,
        }
    }

    /// From where to where a frame of a WebSocket lies. `None`: it is no WebSocket, or the frame has not begun, or is
    /// through.
    pub(super) fn frame(&self, direction: Direction, number: u64) -> Option<(u64, u64)> {
        match self.state(direction) {
            State::WebSocket(frames) => frames.place(number),
            _ => None,
        }
    }

    /// Forgets the exchanges, and frames, of which everything has been forwarded.
    pub(super) fn forwarded(&mut self, request: u64, response: u64) {
        for (side, forwarded) in [(&mut self.request, request), (&mut self.response, response)] {
            if let State::WebSocket(frames) = &mut side.state {
                frames.forwarded(forwarded);
            }
        }
        while let Some(first) = self.exchanges.front() {
            let answered = first.response.is_some_and(|extent| extent.is_before(response));
            if !answered || !first.request.is_before(request) {
                return;
            }
            self.exchanges.pop_front();
        }
    }

    /// Those that are not through yet, oldest first.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter()
    }

    /// `None`: it is through.
    pub(super) fn exchange(&self, number: u64) -> Option<&Exchange> {
        self.index(number).map(|index| &self.exchanges[index])
    }

    /// Can the response of this exchange still be told from other bytes?
    pub(super) fn awaits_response(&self, number: u64) -> bool {
        let unanswered = |exchange: &Exchange| exchange.response.is_none_or(|extent| extent.end.is_none());
        !matches!(self.response.state, State::Opaque) && self.exchange(number).is_some_and(unanswered)
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    fn state(&self, direction: Direction) -> &State {
        match direction {
            Direction::Request => &self.request.state,
            Direction::Response => &self.response.state,
        }
    }

    fn index(&self, number: u64) -> Option<usize> {
        let index = number.checked_sub(self.exchanges.front()?.number)?;
        usize::try_from(index).ok().filter(|&index| index < self.exchanges.len())
    }

    /// One step; returns how many of the bytes it used. It always uses some, or changes the state.
    fn step(&mut self, direction: Direction, bytes: &[u8], noticed: &mut Vec<Noticed>) -> Result<usize, NotHttp> {
        let nobody_asked = direction == Direction::Response && self.unanswered().is_none();
        let request_is_opaque = matches!(self.request.state, State::Opaque);
        let side = self.side(direction);
        match &mut side.state {
            State::Between => {
                // An empty line before a request is no part of it (RFC 9112 2.2).
                let blank = bytes.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
                side.offset += blank as u64;
                if blank < bytes.len() {
                    if nobody_asked && request_is_opaque {
                        return Err(NotHttp);
                    }
                    side.state = State::Head { start: side.offset, reader: HeadReader::new(direction) };
                }
                Ok(blank)
            }
            State::Head { start, reader } => {
                let start = *start;
                let Some((used, head)) = reader.read(bytes)? else {
                    side.offset += bytes.len() as u64;
                    return Ok(bytes.len());
                };
                side.offset += used as u64;
                match direction {
                    Direction::Request => self.request_head(start, RequestHead::parse(&head)?, noticed)?,
                    Direction::Response => self.response_head(start, ResponseHead::parse(&head)?, noticed),
                }
                Ok(used)
            }
            State::Body(body) => {
                let (used, ended) = body.read(bytes)?;
                side.offset += used as u64;
                if ended {
                    self.message_ended(direction);
                }
                Ok(used)
            }
            State::WebSocket(frames) => {
                frames.read(bytes, |frame| noticed.push(Noticed::Frame(direction, frame)));
                side.offset += bytes.len() as u64;
                Ok(bytes.len())
            }
            State::Undecided | State::Opaque => Err(NotHttp),
        }
    }

    fn request_head(&mut self, start: u64, head: RequestHead, noticed: &mut Vec<Noticed>) -> Result<(), NotHttp> {
        let body = Body::of_request(&head)?;
        if self.exchanges.len() == MOST_OUTSTANDING {
            return Err(NotHttp);
        }
        self.exchanges_seen += 1;
        let number = self.exchanges_seen;
        self.exchanges.push_back(Exchange {
            number,
            method: head.method,
            target: head.target,
            request: Extent { start, head_end: self.request.offset, end: None },
            response: None,
            offers_tunnel: head.offers_tunnel,
            offers_websocket: head.offers_websocket,
        });
        noticed.push(Noticed::Request(number));
        self.request.state = State::Body(body);
        if body.is_over() {
            self.message_ended(Direction::Request);
        }
        Ok(())
    }

    fn response_head(&mut self, start: u64, head: ResponseHead, noticed: &mut Vec<Noticed>) {
        let index = self.unanswered();
        let method = index.map(|index| &*self.exchanges[index].method);
        let body = Body::of_response(&head, method);
        let offers_websocket = index.is_some_and(|index| self.exchanges[index].offers_websocket);
        // A client that did not wait for the answer sent something else.
        let is_websocket = head.status == 101 && offers_websocket && matches!(self.request.state, State::Undecided);
        let tunnels = head.status == 101 || method == Some("CONNECT") && (200..300).contains(&head.status);
        if !tunnels && (100..200).contains(&head.status) {
            self.response.state = State::Between;
            return;
        }
        if let Some(index) = index {
            let exchange = &mut self.exchanges[index];
            exchange.response = Some(Extent { start, head_end: self.response.offset, end: None });
            self.answering = Some(exchange.number);
            noticed.push(Noticed::Response { exchange: exchange.number, status: head.status });
        }
        self.response.state = State::Body(body);
        if tunnels {
            self.message_ended(Direction::Response);
            let tunnel =
                |side: &Side| if is_websocket { State::WebSocket(Frames::from(side.offset)) } else { State::Opaque };
            self.request.state = tunnel(&self.request);
            self.response.state = tunnel(&self.response);
        } else if body.is_over() {
            self.message_ended(Direction::Response);
        }
    }

    /// The exchange that the next response answers, as an index.
    fn unanswered(&self) -> Option<usize> {
        self.exchanges.iter().position(|exchange| exchange.response.is_none())
    }

    fn message_ended(&mut self, direction: Direction) {
        let offset = self.side(direction).offset;
        match direction {
            Direction::Request => {
                let mut offers_tunnel = false;
                if let Some(exchange) = self.exchanges.back_mut() {
                    exchange.request.end = Some(offset);
                    offers_tunnel = exchange.offers_tunnel && exchange.response.is_none();
                }
                self.request.state = if offers_tunnel { State::Undecided } else { State::Between };
            }
            Direction::Response => {
                let index = self.answering.take().and_then(|number| self.index(number));
                if let Some(exchange) = index.map(|index| &mut self.exchanges[index]) {
                    if let Some(extent) = &mut exchange.response {
                        extent.end = Some(offset);
                    }
                    // The server stays with HTTP.
                    if exchange.offers_tunnel && matches!(self.request.state, State::Undecided) {
                        self.request.state = State::Between;
                    }
                }
                self.response.state = State::Between;
            }
        }
    }

    fn give_up(&mut self, direction: Direction) {
        self.request.state = State::Opaque;
        // Answers to requests that were understood are still told apart.
        if direction == Direction::Response {
            self.response.state = State::Opaque;
        }
    }
}

#[cfg(test)]
mod tests;
