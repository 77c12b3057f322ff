//! A plan strikes: the books first, then what it does to the connection.

use tokio::time::Instant;

use super::ending::Ending;
use super::{Connection, socket};
use crate::proxy::plan::{Action, Direction, Point};
use crate::proxy::timeline::Event;

impl Connection<'_> {
    /// The plan at `index` has been reached, or its time has come. `Err`: that is the end of the connection.
    pub(super) fn strike(&mut self, index: usize, now: Instant) -> Result<(), Ending> {
        if !self.faults.strikes_now(index, now) {
            return Ok(());
        }
        let armed = self.faults.armed(index);
        let (action, point, exchange) = (armed.standing.plan.action, armed.standing.plan.point, armed.exchange);
        let event = Event::Strike {
            fault: armed.standing.number,
            action: action.name(),
            on: point.name(),
            exchange,
            frame: point.frame(),
            direction: point.direction(),
            bytes: point.direction().map(|direction| self.forwarded(direction)),
        };
        self.shared.counters.struck(action);
        self.record(event);
        match action {
            Action::Reset => Err(Ending::Reset { unanswered: handled_by_upstream(point, exchange) }),
            Action::Close => Err(Ending::Close { unanswered: handled_by_upstream(point, exchange) }),
            Action::BlackHole => Err(Ending::BlackHole),
            Action::HalfClose => {
                self.faults.spend(index);
                self.half_close(point.direction().unwrap_or(Direction::Response));
                Ok(())
            }
            Action::Stall | Action::Latency { .. } | Action::Bandwidth { .. } | Action::Slice { .. } => {
                self.faults.put_to_work(index, now);
                // What has arrived already is delayed as well.
                self.request.forget_times();
                self.response.forget_times();
                Ok(())
            }
            // The port refuses; no connection is given such a plan.
            Action::Refuse => Ok(()),
        }
    }

    /// Ends one direction; what its source still sends is discarded.
    pub(super) fn half_close(&mut self, direction: Direction) {
        let sink = match direction {
            Direction::Request => &mut self.upstream,
            Direction::Response => &mut self.client,
        };
        if let Some(sink) = sink {
            socket::shut_down(sink);
        }
        self.pipe(direction).end_sink();
    }

    fn forwarded(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.request.forwarded,
            Direction::Response => self.response.forwarded,
        }
    }
}

/// The exchange that the upstream is to finish although its client is gone.
fn handled_by_upstream(point: Point, exchange: Option<u64>) -> Option<u64> {
    exchange.filter(|_| point == Point::AfterRequestForwarded)
}
