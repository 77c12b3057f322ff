//! The plans of one connection: which point comes next in each direction, and what is at work at this moment.
//!
//! No socket is touched here. The connection asks how far it may go, goes there, and asks again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Limits;
use crate::proxy::http::{Exchange, Extent, Tracker};
use crate::proxy::plan::{Action, Direction, Point, Standing};

/// How far a connection has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress<'a> {
    pub(super) tracker: &'a Tracker,
    pub(super) request: Reach,
    pub(super) response: Reach,
}

/// How far a direction has come, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) arrived: u64,
    pub(super) forwarded: u64,
    pub(super) ended: bool,
}

impl Progress<'_> {
    fn of(&self, direction: Direction) -> Reach {
        match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        }
    }
}

#[derive(Debug)]
pub(super) struct Faults {
    connection: u32,
    /// In order of add.
    armed: Vec<Armed>,
    /// Plans of exchanges: each new exchange is shown to them.
    watching: Vec<Arc<Standing>>,
}

/// A plan that has chosen this connection, or an exchange on it.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) standing: Arc<Standing>,
    /// `None`: the connection.
    pub(super) exchange: Option<u64>,
    stage: Stage,
    /// The point is where the next byte comes, not where the last one went: nothing has flowed yet, or the place was
    /// passed before the plan was there.
    at_next_byte: bool,
    /// Times drawn so far.
    draws: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The point lies ahead.
    Ahead,
    /// The point was reached; it strikes at this time.
    Due(Instant),
    /// It stops the flow until it is removed, or shapes it.
    Working,
    /// It stops the flow until this time.
    Holding(Instant),
}

impl Faults {
    pub(super) fn new(connection: u32) -> Self {
        Self { connection, armed: Vec::new(), watching: Vec::new() }
    }

    /// A plan came into force that has chosen this connection, or may choose exchanges on it.
    pub(super) fn add(&mut self, standing: Arc<Standing>, progress: Progress) {
        if !standing.plan.is_of_exchanges() {
            let at_next_byte = match standing.plan.point {
                Point::Bytes(direction, bytes) => bytes <= progress.of(direction).forwarded,
                _ => false,
            };
            return self.arm(standing, None, at_next_byte);
        }
        for exchange in progress.tracker.exchanges() {
            self.offer(&standing, exchange, progress);
        }
        self.watching.push(standing);
    }

    /// The head of a request has arrived.
    pub(super) fn exchange(&mut self, number: u64, progress: Progress) {
        let Some(exchange) = progress.tracker.exchange(number) else { return };
        for standing in self.watching.clone() {
            self.offer(&standing, exchange, progress);
        }
    }

    fn offer(&mut self, standing: &Arc<Standing>, exchange: &Exchange, progress: Progress) {
        let plan = &standing.plan;
        let fits = plan.matching.as_ref().is_none_or(|wanted| wanted.fits(&exchange.method, &exchange.target));
        if fits && lies_ahead(plan.point, exchange, progress) && standing.chooses(self.connection, exchange.number) {
            let at_next_byte = match place(plan.point, Some(exchange), progress.tracker) {
                Some((direction, at)) => at < progress.of(direction).forwarded,
                None => false,
            };
            self.arm(Arc::clone(standing), Some(exchange.number), at_next_byte);
        }
    }

    fn arm(&mut self, standing: Arc<Standing>, exchange: Option<u64>, at_next_byte: bool) {
        let at = self.armed.partition_point(|armed| armed.standing.number <= standing.number);
        self.armed.insert(at, Armed { standing, exchange, stage: Stage::Ahead, at_next_byte, draws: 0 });
    }

    /// Lets go of what was removed or can no longer happen. `true`: something was let go.
    pub(super) fn tidy(&mut self, tracker: &Tracker, now: Instant) -> bool {
        let before = self.armed.len();
        self.watching.retain(|standing| !standing.is_removed());
        self.armed.retain(|armed| {
            let through = armed.exchange.is_some_and(|exchange| tracker.exchange(exchange).is_none());
            // What was reached still strikes, and what stops the flow goes on stopping it.
            let bound_to_exchange = armed.stage == Stage::Ahead || armed.stage == Stage::Working && armed.shapes();
            let has_held = matches!(armed.stage, Stage::Holding(until) if until <= now);
            !(armed.standing.is_removed() || through && bound_to_exchange || has_held)
        });
        before != self.armed.len()
    }

    /// Must a head, or the header of a frame, be complete before a byte of it is forwarded?
    pub(super) fn hold_heads(&self) -> bool {
        let is_of_frames = |armed: &Armed| armed.stage == Stage::Ahead && armed.standing.plan.point.frame().is_some();
        !self.watching.is_empty() || self.armed.iter().any(is_of_frames)
    }

    /// The first plan by order of add whose point has been reached in this direction.
    pub(super) fn reached(&self, direction: Direction, progress: Progress) -> Option<usize> {
        self.armed.iter().position(|armed| armed.stage == Stage::Ahead && armed.is_reached(direction, progress))
    }

    /// The first plan by order of add that strikes at accept.
    pub(super) fn reached_at_accept(&self) -> Option<usize> {
        self.armed.iter().position(|armed| armed.stage == Stage::Ahead && armed.standing.plan.point == Point::Accept)
    }

    /// The plan whose time has come first. `silent_since`: `None` while something is on its way.
    pub(super) fn due(&self, now: Instant, silent_since: Option<Instant>) -> Option<usize> {
        let times = self.armed.iter().enumerate().filter_map(|(index, armed)| {
            let at = armed.strikes_at(silent_since)?;
            (at <= now).then_some((at, index))
        });
        times.min().map(|(_, index)| index)
    }

    /// When to look again, if nothing else happens.
    pub(super) fn next_time(&self, silent_since: Option<Instant>) -> Option<Instant> {
        let times = self.armed.iter().filter_map(|armed| match armed.stage {
            Stage::Holding(until) => Some(until),
            _ => armed.strikes_at(silent_since),
        });
        times.min()
    }

    /// How many bytes may be forwarded before the next point of this direction.
    pub(super) fn until_next_point(&self, direction: Direction, progress: Progress) -> u64 {
        let forwarded = progress.of(direction).forwarded;
        let places = self.armed.iter().filter_map(|armed| armed.next_place(direction, progress.tracker));
        places.filter(|&at| at > forwarded).min().map_or(u64::MAX, |at| at - forwarded)
    }

    /// Does something keep the direction from going on?
    pub(super) fn stop(&self, direction: Direction, now: Instant) -> bool {
        self.armed.iter().any(|armed| armed.stops(direction, now))
    }

    /// Does something keep the upstream from being contacted?
    pub(super) fn keep_from_connecting(&self, now: Instant) -> bool {
        Direction::BOTH.into_iter().all(|direction| self.stop(direction, now))
    }

    /// Is something delayed here, so that reading must run ahead of writing?
    pub(super) fn delay(&self, direction: Direction, progress: Progress) -> bool {
        self.armed.iter().any(|armed| armed.delays(direction, progress).is_some())
    }

    /// How much later than it arrived the next thing leaves. Draws; ask once for each.
    pub(super) fn draw_delay(&mut self, direction: Direction, progress: Progress) -> Duration {
        let connection = self.connection;
        let delays = self.armed.iter_mut().filter_map(|armed| {
            let (delay, jitter) = armed.delays(direction, progress)?;
            Some(armed.draw_around(delay, jitter, connection))
        });
        delays.sum()
    }

    pub(super) fn limits(&self, direction: Direction, progress: Progress) -> Limits {
        let mut limits = Limits::default();
        for armed in self.armed.iter().filter(|armed| armed.is_shaping(direction, progress)) {
            match armed.standing.plan.action {
                Action::Bandwidth { rate } => limits.limit_rate(rate),
                Action::Slice { size, gap } => limits.limit_slice(size, gap),
                _ => {}
            }
        }
        limits
    }

    /// A point was reached or a time has come: does the plan strike now? `false`: later, or never.
    pub(super) fn strikes_now(&mut self, index: usize, now: Instant) -> bool {
        let armed = &mut self.armed[index];
        let plan = &armed.standing.plan;
        let waits = armed.stage == Stage::Ahead && plan.point != Point::Idle && !plan.after.is_zero();
        if waits {
            armed.stage = Stage::Due(now + plan.after);
            return false;
        }
        let reserved = armed.standing.reserve();
        if !reserved {
            self.armed.remove(index);
        }
        reserved
    }

    pub(super) fn armed(&self, index: usize) -> &Armed {
        &self.armed[index]
    }

    /// It has struck, and there is an end of it.
    pub(super) fn spend(&mut self, index: usize) {
        self.armed.remove(index);
    }

    /// It has struck, and goes on: until it is removed, or for a time.
    pub(super) fn put_to_work(&mut self, index: usize, now: Instant) {
        let connection = self.connection;
        let armed = &mut self.armed[index];
        armed.stage = match armed.standing.plan.action {
            Action::Latency { delay, jitter } if !armed.shapes() => {
                Stage::Holding(now + armed.draw_around(delay, jitter, connection))
            }
            _ => Stage::Working,
        };
    }
}

impl Armed {
    /// Does it shape a flow of bytes, rather than strike once?
    fn shapes(&self) -> bool {
        match self.standing.plan.action {
            Action::Bandwidth { .. } | Action::Slice { .. } => true,
            // At accept and at the points of HTTP it is one wait.
            Action::Latency { .. } => matches!(self.standing.plan.point, Point::Bytes(..)),
            _ => false,
        }
    }

    fn is_reached(&self, direction: Direction, progress: Progress) -> bool {
        let Some((_, at)) = self.place(progress.tracker).filter(|(of, _)| *of == direction) else { return false };
        let Reach { arrived, forwarded, ended } = progress.of(direction);
        if !self.at_next_byte {
            return forwarded >= at;
        }
        // An end is delayed like a byte.
        let comes = arrived > forwarded || ended && self.shapes();
        forwarded >= at && comes && self.is_within_message(direction, progress)
    }

    /// Is the next byte one of the message that the plan is about? `true` for one of the connection.
    fn is_within_message(&self, direction: Direction, progress: Progress) -> bool {
        let message = self.exchange(progress.tracker).and_then(|exchange| message(exchange, direction));
        message.and_then(|extent| extent.end).is_none_or(|end| progress.of(direction).forwarded < end)
    }

    /// Does it shape what flows next in this direction?
    fn is_shaping(&self, direction: Direction, progress: Progress) -> bool {
        self.stage == Stage::Working
            && self.shapes()
            && self.standing.plan.point.direction() == Some(direction)
            && self.is_within_message(direction, progress)
    }

    /// Where forwarding must stop to look at this plan: its point, or the end of what it shapes.
    fn next_place(&self, direction: Direction, tracker: &Tracker) -> Option<u64> {
        match self.stage {
            Stage::Ahead => {
                let (of, at) = self.place(tracker)?;
                (of == direction).then_some(at)
            }
            Stage::Working if self.standing.plan.point.direction() == Some(direction) => {
                message(self.exchange(tracker)?, direction)?.end
            }
            _ => None,
        }
    }

    /// Its point, as an offset. `None`: not known yet, through, or not a place.
    fn place(&self, tracker: &Tracker) -> Option<(Direction, u64)> {
        let exchange = self.exchange(tracker);
        if self.exchange.is_some() && exchange.is_none() {
            return None;
        }
        place(self.standing.plan.point, exchange, tracker)
    }

    fn exchange<'a>(&self, tracker: &'a Tracker) -> Option<&'a Exchange> {
        self.exchange.and_then(|number| tracker.exchange(number))
    }

    fn strikes_at(&self, silent_since: Option<Instant>) -> Option<Instant> {
        match self.stage {
            Stage::Due(at) => Some(at),
            Stage::Ahead if self.standing.plan.point == Point::Idle => Some(silent_since? + self.standing.plan.after),
            _ => None,
        }
    }

    fn stops(&self, direction: Direction, now: Instant) -> bool {
        let of_this = self.standing.plan.point.direction().is_none_or(|of| of == direction);
        of_this
            && match self.stage {
                Stage::Working => self.standing.plan.action == Action::Stall,
                Stage::Holding(until) => until > now,
                _ => false,
            }
    }

    fn delays(&self, direction: Direction, progress: Progress) -> Option<(Duration, Duration)> {
        match self.standing.plan.action {
            Action::Latency { delay, jitter } if self.is_shaping(direction, progress) => Some((delay, jitter)),
            _ => None,
        }
    }

    /// Uniform in `delay` +- `jitter`.
    fn draw_around(&mut self, delay: Duration, jitter: Duration, connection: u32) -> Duration {
        self.draws += 1;
        let unit = self.standing.draw(connection, self.exchange.unwrap_or(0)).nth(self.draws);
        delay - jitter + (2 * jitter).mul_f64(unit)
    }
}

/// Where a point lies, as an offset in its direction. `None`: not known yet, or it is not a place.
fn place(point: Point, exchange: Option<&Exchange>, tracker: &Tracker) -> Option<(Direction, u64)> {
    match (point, exchange) {
        (Point::Accept | Point::Idle, _) => None,
        (Point::Bytes(direction, bytes), None) => Some((direction, bytes)),
        (Point::Bytes(direction, bytes), Some(exchange)) => {
            let extent = message(exchange, direction)?;
            let at = extent.start.saturating_add(bytes);
            extent.end.is_none_or(|end| at <= end).then_some((direction, at))
        }
        (Point::BeforeRequestForwarded, exchange) => Some((Direction::Request, exchange?.request.start)),
        (Point::AfterRequestForwarded, exchange) => Some((Direction::Request, exchange?.request.end?)),
        (Point::ResponseHead(bytes), exchange) => {
            let extent = exchange?.response?;
            let at = extent.start.saturating_add(bytes);
            (at <= extent.head_end).then_some((Direction::Response, at))
        }
        (Point::ResponseBody(bytes), exchange) => {
            let extent = exchange?.response?;
            let at = extent.head_end.saturating_add(bytes);
            let is_in_body = extent.end.is_none_or(|end| end > extent.head_end && at <= end);
            is_in_body.then_some((Direction::Response, at))
        }
        (Point::Frame(direction, number, bytes), _) => {
            let (start, end) = tracker.frame(direction, number)?;
            let at = start.saturating_add(bytes);
            (at <= end).then_some((direction, at))
        }
        (Point::AfterFrame(direction, number), _) => Some((direction, tracker.frame(direction, number)?.1)),
    }
}

fn message(exchange: &Exchange, direction: Direction) -> Option<Extent> {
    match direction {
        Direction::Request => Some(exchange.request),
        Direction::Response => exchange.response,
    }
}

/// Can the point still come? A plan may be added while an exchange is under way.
fn lies_ahead(point: Point, exchange: &Exchange, progress: Progress) -> bool {
    let response_forwarded = progress.response.forwarded;
    let before =
        |place: fn(Extent) -> Option<u64>| exchange.response.and_then(place).is_none_or(|at| response_forwarded < at);
    match point {
        Point::Accept | Point::Idle | Point::Frame(..) | Point::AfterFrame(..) => false,
        Point::Bytes(Direction::Request, _) => exchange.request.end.is_none_or(|end| progress.request.forwarded < end),
        Point::BeforeRequestForwarded => progress.request.forwarded <= exchange.request.start,
        // Until something of the answer has reached the client, it can be kept from it.
        Point::AfterRequestForwarded => exchange.response.is_none_or(|extent| response_forwarded <= extent.start),
        Point::ResponseHead(_) => before(|extent| Some(extent.head_end)),
        Point::Bytes(Direction::Response, _) | Point::ResponseBody(_) => before(|extent| extent.end),
    }
}
