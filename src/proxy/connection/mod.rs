//! One connection through the proxy, from accept to its end.
//!
//! One task owns both sockets and everything known about them, so a fault that concerns both directions needs no
//! agreement between tasks: the point is reached, and in the same step nothing moves any more.
//!
//! | when | file |
//! |---|---|
//! | the client is there, the upstream not yet | `opening` |
//! | bytes flow | `flow`, with `pipe` for one direction and `pace` for its speed |
//! | which point comes next, and what it does | `faults`, `strike` |
//! | it is over | `ending` |

mod ending;
mod faults;
mod flow;
mod opening;
mod pace;
mod pipe;
mod socket;
mod strike;
mod unacknowledged;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::Instant;

use self::faults::{Faults, Progress, Reach};
use self::pipe::{Pipe, Source};
use super::board::Control;
use super::http::Tracker;
use super::plan::Direction;
use super::shared::Shared;
use super::timeline::{Event, Run};
use super::websocket::{Frame, FrameKind};

/// Serves a client that was accepted, until its end and that of its upstream.
pub(super) async fn serve(shared: Arc<Shared>, control: Arc<Control>, client: TcpStream, address: SocketAddr) {
    // Whatever ends the task, a panic or the runtime included: the books are kept.
    let registered = Registered { shared, control };
    let mut connection = Connection::new(&registered, client);
    connection.record(Event::Accept { client: address });
    let ending = match connection.open().await {
        Ok(()) => connection.flow().await,
        Err(ending) => ending,
    };
    connection.finish(ending).await;
}

struct Registered {
    shared: Arc<Shared>,
    control: Arc<Control>,
}

impl Registered {
    fn client_is_gone(&self) {
        if self.control.closed() {
            self.shared.counters.closed();
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.client_is_gone();
        self.shared.board.leave(self.control.number);
    }
}

struct Connection<'a> {
    registered: &'a Registered,
    shared: &'a Shared,
    control: &'a Control,
    /// `None`: ended.
    client: Option<TcpStream>,
    /// `None`: not reached, or ended.
    upstream: Option<TcpStream>,
    request: Pipe,
    response: Pipe,
    tracker: Tracker,
    faults: Faults,
    /// When a byte was last read or written.
    last_activity: Instant,
    /// The entry of the timeline that grows with each write.
    run: Option<(Direction, Run)>,
    /// The same for frames of one kind.
    frames: Option<(Direction, FrameKind, bool, Run)>,
    /// The side whose end came first.
    first_end: Option<Direction>,
    /// The side that was found broken when it was written to.
    broken: Option<(Direction, std::borrow::Cow<'static, str>)>,
}

impl<'a> Connection<'a> {
    fn new(registered: &'a Registered, client: TcpStream) -> Self {
        // Without it small writes would wait for acknowledgements that an unproxied connection does not wait for.
        let _ = client.set_nodelay(true);
        Self {
            registered,
            shared: &registered.shared,
            control: &registered.control,
            client: Some(client),
            upstream: None,
            request: Pipe::new(),
            response: Pipe::new(),
            tracker: Tracker::new(),
            faults: Faults::new(registered.control.number),
            last_activity: Instant::now(),
            run: None,
            frames: None,
            first_end: None,
            broken: None,
        }
    }

    /// Takes note of plans that came and went.
    fn take_news(&mut self, now: Instant) {
        let mut changed = false;
        for standing in self.control.new_plans() {
            self.faults.add(standing, progress(&self.tracker, &self.request, &self.response));
            changed = true;
        }
        changed |= self.faults.tidy(&self.tracker, now);
        if changed {
            self.request.forget_times();
            self.response.forget_times();
        }
    }

    fn progress(&self) -> Progress<'_> {
        progress(&self.tracker, &self.request, &self.response)
    }

    fn pipe(&mut self, direction: Direction) -> &mut Pipe {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Writes into the timeline; runs are interrupted by it.
    fn record(&mut self, event: Event) {
        (self.run, self.frames) = (None, None);
        self.shared.recorder.record(self.control.number, event);
    }

    fn record_bytes(&mut self, direction: Direction, bytes: u64) {
        self.shared.counters.forwarded(direction, bytes);
        match &self.run {
            Some((of, run)) if *of == direction && !run.is_forgotten() => run.grow(bytes),
            _ => {
                let run = Run::default();
                run.grow(bytes);
                // Frames of this direction are what these bytes are.
                let frames = self.frames.take_if(|(of, ..)| *of == direction);
                self.record(Event::Bytes { direction, bytes: run.clone() });
                (self.run, self.frames) = (Some((direction, run)), frames);
            }
        }
    }

    fn record_frame(&mut self, direction: Direction, Frame { number, kind, fin }: Frame) {
        match &self.frames {
            Some((of, kinds, fins, frames))
                if (*of, *kinds, *fins) == (direction, kind, fin) && !frames.is_forgotten() =>
            {
                frames.grow(1);
            }
            _ => {
                let frames = Run::default();
                frames.grow(1);
                let run = self.run.take_if(|(of, _)| *of == direction);
                self.record(Event::Frames { direction, kind, fin, frame: number, frames: frames.clone() });
                (self.run, self.frames) = (run, Some((direction, kind, fin, frames)));
            }
        }
    }
}

/// Not a method: the fields that it does not read can be changed meanwhile.
fn progress<'a>(tracker: &'a Tracker, request: &Pipe, response: &Pipe) -> Progress<'a> {
    let reach = |pipe: &Pipe| Reach {
        arrived: pipe.arrived,
        forwarded: pipe.forwarded,
        ended: matches!(pipe.source, Source::Ended(_)),
    };
    Progress { tracker, request: reach(request), response: reach(response) }
}

/// Until then, or for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
