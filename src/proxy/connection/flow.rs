//! Bytes flow, up to the next point and no further.
//!
//! Each turn moves what can be moved without waiting, in both directions; then the task sleeps until a socket is
//! ready, a time has come, or the proxy has news.

use std::borrow::Cow;
use std::io;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::ending::Ending;
use super::pipe::{Sendable, Sink, Source};
use super::{Connection, progress, socket, until};
use crate::proxy::http::Noticed;
use crate::proxy::listen::code_of;
use crate::proxy::plan::Direction;
use crate::proxy::timeline::Event;

/// Of a path in the timeline, in bytes. A request line may be 64 KiB, and ten thousand of them are kept.
const MOST_OF_A_PATH: usize = 512;

/// Reads and writes of one direction before the other has its turn, and other tasks theirs.
const ROUNDS: usize = 8;

/// Bytes of memory that hold what is kept for later while latency is at work.
const MOST_DELAYED: usize = 4 * 1024 * 1024;

/// What a direction waits for.
#[derive(Debug, Clone, Copy, Default)]
struct Wants {
    read: bool,
    write: bool,
    time: Option<Instant>,
    /// Not at all: it could have gone on.
    more: bool,
}

/// What came of trying to forward.
enum Forwarded {
    Some,
    /// Not before what is wanted; reading may help as well.
    Waits(Wants),
}

const NOTHING_TO_FORWARD: Forwarded = Forwarded::Waits(Wants { read: false, write: false, time: None, more: false });

impl Connection<'_> {
    /// Resolves with what ended it.
    pub(super) async fn flow(&mut self) -> Ending {
        loop {
            let now = Instant::now();
            self.take_news(now);
            if let Some(order) = self.control.order() {
                return Ending::Ordered(order);
            }
            match self.turn(now) {
                Err(ending) => return ending,
                Ok([request, response]) if request.more || response.more => {
                    tokio::task::yield_now().await;
                }
                Ok([request, response]) => {
                    if let Err(ending) = self.wait(request, response).await {
                        return ending;
                    }
                }
            }
        }
    }

    /// Moves what can be moved now.
    fn turn(&mut self, now: Instant) -> Result<[Wants; 2], Ending> {
        while let Some(index) = self.faults.due(now, None) {
            self.strike(index, now)?;
        }
        let mut wants = [self.advance(Direction::Request, now)?, self.advance(Direction::Response, now)?];
        self.tracker.forwarded(self.request.forwarded, self.response.forwarded);
        // Only now is it known whether there is silence.
        while let Some(index) = self.faults.due(now, self.silent_since(now)) {
            self.strike(index, now)?;
            wants[0].more = true;
        }
        Ok(wants)
    }

    fn advance(&mut self, direction: Direction, now: Instant) -> Result<Wants, Ending> {
        for _ in 0..ROUNDS {
            self.strike_what_is_reached(direction, now)?;
            if self.is_stopped(direction, now) {
                return Ok(Wants::default());
            }
            match self.forward(direction, now)? {
                Forwarded::Some => {}
                Forwarded::Waits(waits) if !self.may_read(direction) => return Ok(waits),
                Forwarded::Waits(waits) => {
                    if !self.read(direction, now) {
                        return Ok(Wants { read: true, ..waits });
                    }
                    // Who adds a fault and then sends must see it strike, also if this turn began before both.
                    self.take_news(now);
                }
            }
        }
        // The last byte of the last round may have been the last of its message, which is then forgotten.
        self.strike_what_is_reached(direction, now)?;
        Ok(Wants { more: true, ..Wants::default() })
    }

    fn strike_what_is_reached(&mut self, direction: Direction, now: Instant) -> Result<(), Ending> {
        while self.pipe(direction).sink == Sink::Open {
            match self.faults.reached(direction, self.progress()) {
                Some(index) => self.strike(index, now)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Writes once, or passes the end on.
    fn forward(&mut self, direction: Direction, now: Instant) -> Result<Forwarded, Ending> {
        if self.pipe(direction).sink == Sink::Ended {
            self.pipe(direction).discard();
            return self.forward_end(direction, now);
        }
        if self.pipe(direction).waiting() == 0 {
            return self.forward_end(direction, now);
        }
        let (limits, most) = (self.faults.limits(direction, self.progress()), self.most_to_forward(direction));
        if most == 0 {
            // The rest of a head has to come first.
            return Ok(NOTHING_TO_FORWARD);
        }
        let progress = progress(&self.tracker, &self.request, &self.response);
        let (pipe, sink) = match direction {
            Direction::Request => (&mut self.request, &self.upstream),
            Direction::Response => (&mut self.response, &self.client),
        };
        let Some(sink) = sink else { return Ok(NOTHING_TO_FORWARD) };
        let delay = || self.faults.draw_delay(direction, progress);
        let bytes = match pipe.sendable(most, limits, now, delay) {
            Sendable::Bytes(bytes) => bytes,
            Sendable::From(time) => return Ok(Forwarded::Waits(Wants { time: Some(time), ..Wants::default() })),
        };
        match sink.try_write(bytes) {
            Ok(written) => {
                pipe.wrote(written, now);
                self.last_activity = now;
                self.record_bytes(direction, written as u64);
                Ok(Forwarded::Some)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(Forwarded::Waits(Wants { write: true, ..Wants::default() }))
            }
            Err(error) => self.sink_is_broken(direction, code_of(&error), now),
        }
    }

    /// Everything that arrived has been forwarded: if the source has ended, so does the sink.
    fn forward_end(&mut self, direction: Direction, now: Instant) -> Result<Forwarded, Ending> {
        let progress = progress(&self.tracker, &self.request, &self.response);
        let (pipe, sink) = match direction {
            Direction::Request => (&mut self.request, &mut self.upstream),
            Direction::Response => (&mut self.response, &mut self.client),
        };
        let Source::Ended(end) = &mut pipe.source else { return Ok(NOTHING_TO_FORWARD) };
        let due = *end.due.get_or_insert_with(|| end.at + self.faults.draw_delay(direction, progress));
        if due > now && pipe.sink == Sink::Open {
            return Ok(Forwarded::Waits(Wants { time: Some(due), ..Wants::default() }));
        }
        if let Some(code) = end.code.clone() {
            return Err(Ending::Peer { side: direction, code });
        }
        if pipe.sink == Sink::Open {
            pipe.end_sink();
            if let Some(sink) = sink {
                socket::shut_down(sink);
            }
            self.record(Event::Fin { direction });
        }
        if self.request.is_over() && self.response.is_over() {
            return Err(Ending::Done { first: self.first_end.unwrap_or(direction) });
        }
        Ok(NOTHING_TO_FORWARD)
    }

    /// Bytes up to the next point. None of a head before all of it is there, if a plan has to see it first.
    fn most_to_forward(&self, direction: Direction) -> u64 {
        let progress = self.progress();
        let to_point = self.faults.until_next_point(direction, progress);
        let forwarded = match direction {
            Direction::Request => self.request.forwarded,
            Direction::Response => self.response.forwarded,
        };
        match self.tracker.incomplete_head(direction).filter(|_| self.faults.hold_heads()) {
            Some(head) => to_point.min(head.saturating_sub(forwarded)),
            None => to_point,
        }
    }

    fn may_read(&self, direction: Direction) -> bool {
        let pipe = match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        };
        let runs_ahead = || {
            let delayed = self.faults.delay(direction, self.progress()) && pipe.memory() < MOST_DELAYED;
            // Bounded by the longest head that is looked at.
            let held = self.faults.hold_heads() && self.tracker.incomplete_head(direction).is_some();
            delayed || held
        };
        matches!(pipe.source, Source::Open) && (pipe.waiting() == 0 || runs_ahead())
    }

    /// Reads once. `false`: there is nothing to read yet.
    fn read(&mut self, direction: Direction, now: Instant) -> bool {
        let (pipe, source) = match direction {
            Direction::Request => (&mut self.request, &self.client),
            Direction::Response => (&mut self.response, &self.upstream),
        };
        let Some(source) = source else { return false };
        match pipe.read(source, now) {
            Ok(Some(piece)) => {
                let mut noticed = Vec::new();
                self.tracker.read(direction, &piece.bytes, &mut noticed);
                self.last_activity = now;
                for noticed in noticed {
                    self.notice(noticed);
                }
            }
            Ok(None) => {
                // The system tells of an RST once: whoever wrote has heard it, and reading looks like a clean end.
                let broken = self.broken.take_if(|(side, _)| *side == direction);
                self.source_ended(direction, broken.map(|(_, code)| code), now);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => self.source_ended(direction, Some(code_of(&error)), now),
        }
        true
    }

    fn source_ended(&mut self, direction: Direction, code: Option<Cow<'static, str>>, now: Instant) {
        self.pipe(direction).end_source(now, code);
        self.tracker.end(direction);
        self.first_end.get_or_insert(direction);
    }

    /// The receiver has reset the connection. What it had sent before is still to be read, and its end with it.
    fn sink_is_broken(
        &mut self,
        direction: Direction,
        code: Cow<'static, str>,
        now: Instant,
    ) -> Result<Forwarded, Ending> {
        let side = direction.other();
        self.pipe(direction).end_sink();
        if self.is_stopped(side, now) || matches!(self.pipe(side).source, Source::Ended(_)) {
            return Err(Ending::Peer { side, code });
        }
        self.broken = Some((side, code));
        Ok(Forwarded::Some)
    }

    pub(super) fn notice(&mut self, noticed: Noticed) {
        match noticed {
            Noticed::Request(number) => {
                let Some(exchange) = self.tracker.exchange(number) else { return };
                let path = noted_path(&exchange.target).into();
                let event = Event::Exchange { method: exchange.method.clone(), path, exchange: number };
                self.faults.exchange(number, progress(&self.tracker, &self.request, &self.response));
                self.record(event);
            }
            Noticed::Response { exchange, status } => self.record(Event::Answer { status, exchange }),
            Noticed::Frame(direction, frame) => self.record_frame(direction, frame),
        }
    }

    fn is_stopped(&self, direction: Direction, now: Instant) -> bool {
        self.shared.is_paused() || self.faults.stop(direction, now)
    }

    /// `None`: something is on its way.
    fn silent_since(&self, now: Instant) -> Option<Instant> {
        let is_silent = !self.request.is_delayed(now) && !self.response.is_delayed(now);
        is_silent.then_some(self.last_activity)
    }

    /// `Err`: a peer has gone while nothing was being read.
    async fn wait(&self, request: Wants, response: Wants) -> Result<(), Ending> {
        let now = Instant::now();
        let times = [request.time, response.time, self.faults.next_time(self.silent_since(now))];
        let time = times.into_iter().flatten().min();
        let is_stalled = Direction::BOTH.into_iter().all(|direction| self.faults.stop(direction, now));
        tokio::select! {
            () = self.control.news() => {}
            () = ready(self.client.as_ref(), request.read, response.write) => {}
            () = ready(self.upstream.as_ref(), response.read, request.write) => {}
            () = until(time) => {}
            code = failure(self.client.as_ref()), if is_stalled => {
                return Err(Ending::Peer { side: Direction::Request, code });
            }
            code = failure(self.upstream.as_ref()), if is_stalled => {
                return Err(Ending::Peer { side: Direction::Response, code });
            }
        }
        Ok(())
    }
}

/// The target of a request without its query, and not more of it than the timeline keeps.
fn noted_path(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    let end = (0..=path.len().min(MOST_OF_A_PATH)).rev().find(|end| path.is_char_boundary(*end));
    &path[..end.unwrap_or_default()]
}

async fn ready(stream: Option<&TcpStream>, to_read: bool, to_write: bool) {
    let interest = match (to_read, to_write) {
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        (true, false) => Interest::READABLE,
        (false, true) => Interest::WRITABLE,
        (false, false) => return std::future::pending().await,
    };
    if let Some(stream) = stream {
        // What is wrong, reading or writing will say.
        let _ = stream.ready(interest).await;
    }
}

/// Resolves when the peer has reset the connection, while nobody reads from it or writes to it.
pub(super) async fn failure(stream: Option<&TcpStream>) -> Cow<'static, str> {
    let Some(stream) = stream else { return std::future::pending().await };
    let _ = stream.ready(Interest::ERROR).await;
    match stream.take_error() {
        Ok(Some(error)) => code_of(&error),
        _ => "ECONNRESET".into(),
    }
}
