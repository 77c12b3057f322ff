//! A socket over all its connections: the task that makes one after the other, and the handle to it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use tokio::time::sleep;

use super::connection::{Connection, Out, READ_AHEAD};
use super::core::{Core, Greeting, Inner};
use super::dial::Dialer;
use super::direct::Direct;
use super::event::{Connected, End, Event, Owner};
use super::frame::Cutter;
use super::link::Link;
use super::options::Options;
use super::queue::{Accepted, Queue};
use super::reconnect::{Attempts, Next};
use super::state::{State, Step};
use super::stats::Stats;
use crate::fault::Fault;
use crate::http::transport::options::TransportError;
use crate::policy::{GaveUp, Random};

/// The handle. Every method returns at once and may be called from any thread.
#[derive(Clone)]
pub struct Socket {
    core: Arc<Core>,
}

/// The task, to be run on a tokio runtime. Dropping it ends the socket at once.
pub struct Task {
    core: Arc<Core>,
    options: Arc<Options>,
    dialer: Dialer,
    random: Box<dyn Random + Send>,
}

impl Socket {
    /// Opens nothing before the task runs.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(
        options: Options,
        owner: Box<dyn Owner>,
        random: Box<dyn Random + Send>,
    ) -> Result<(Socket, Task), TransportError> {
        let cutter = options.frame.as_ref().and_then(Cutter::new);
        let core = Arc::new(Core::new(
            Inner {
                state: State::Connecting,
                queue: Queue::new(options.queue, cutter, options.resends),
                ending: false,
                untaken: 0,
                greeting: Greeting::default(),
                socket: None,
                direct: Direct::default(),
                no_delay: options.no_delay,
                keep_alive: options.keep_alive,
            },
            owner,
        ));
        let options = Arc::new(options);
        let dialer = Dialer::new(Arc::clone(&options))?;
        Ok((Socket { core: Arc::clone(&core) }, Task { core, options, dialer, random }))
    }

    /// Queues a write. `awaited`: somebody waits to be told what becomes of it.
    pub fn write(&self, bytes: Bytes, awaited: bool) -> Accepted {
        self.write_all([bytes], awaited).1
    }

    /// Queues writes, up to the first that there is no room after or for. Returns how many were made, and what became of the
    /// last. `awaited` is for all of them.
    pub fn write_all(&self, writes: impl IntoIterator<Item = Bytes>, awaited: bool) -> (u32, Accepted) {
        let now = self.core.now();
        let (mut count, mut last) = (0, Accepted::Room);
        let (wakes, direct, fates) = {
            let mut inner = self.core.lock();
            // What waits already the task knows of: it writes, or waits for the system or for a connection.
            let is_idle = !inner.queue.has_upcoming();
            for bytes in writes {
                last = inner.queue.write(bytes, awaited, now);
                count += 1;
                if last != Accepted::Room {
                    break;
                }
            }
            let fates = if inner.queue.settled_at_once() { inner.queue.take_fates() } else { Vec::new() };
            (is_idle, if is_idle { inner.takes_turn() } else { None }, fates)
        };
        self.core.tell_fates(fates);
        match direct {
            Some(upcoming) => self.core.write_directly(upcoming),
            None if wakes => self.core.waker.wake(),
            None => {}
        }
        (count, last)
    }

    /// Nothing more will be written. What was written leaves first, over as many connections as that takes.
    pub fn end(&self) {
        {
            let mut inner = self.core.lock();
            inner.ending = true;
            inner.queue.finish();
        }
        self.core.waker.wake();
    }

    /// The connection there is ends with an RST when the task is dropped.
    pub fn end_with_reset(&self) {
        if let Some(socket) = self.core.socket() {
            socket.end_with_reset();
        }
    }

    /// The caller has taken so many bytes of what was told.
    pub fn taken(&self, bytes: usize) {
        // Not with the first byte of room: who stopped reading begins again with much.
        const RESUMED_AT: usize = READ_AHEAD / 2;
        let resumes = {
            let mut inner = self.core.lock();
            let before = inner.untaken;
            inner.untaken = before.saturating_sub(bytes);
            (before > RESUMED_AT && inner.untaken <= RESUMED_AT) || inner.state == State::Greeting
        };
        if resumes {
            self.core.waker.wake();
        }
    }

    /// A write of the greeting's. `false`: there is no greeting on a connection of this number.
    pub fn greet(&self, generation: u32, bytes: Bytes) -> bool {
        let greeted = self.is_greeting(generation, |greeting| greeting.writes.push_back(bytes));
        self.core.waker.wake();
        greeted
    }

    /// The greeting on a connection has come to its end. One that is gone is not told.
    pub fn greeted(&self, generation: u32, outcome: Result<(), Box<Fault>>) {
        self.is_greeting(generation, |greeting| greeting.outcome = Some(outcome));
        self.core.waker.wake();
    }

    fn is_greeting(&self, generation: u32, change: impl FnOnce(&mut Greeting)) -> bool {
        let mut inner = self.core.lock();
        let current =
            inner.state == State::Greeting && self.core.counts.generation.load(Ordering::Relaxed) == generation;
        if current {
            change(&mut inner.greeting);
        }
        current
    }

    /// The peer has confirmed so many further messages. `false`: it was not sent so many, or they are not kept.
    pub fn acknowledge(&self, messages: u64) -> bool {
        let (acknowledged, fates) = {
            let mut inner = self.core.lock();
            (inner.queue.acknowledge(messages), inner.queue.take_fates())
        };
        self.core.tell_fates(fates);
        // It may have been the last that the end waited for.
        self.core.waker.wake();
        acknowledged
    }

    /// For the connection there is, and those to come.
    pub fn set_no_delay(&self, on: bool) {
        self.core.lock().no_delay = on;
        if let Some(socket) = self.core.socket() {
            // One that was reset refuses; the next one will have it.
            let _ = socket.set_no_delay(on);
        }
    }

    /// As [`set_no_delay`](Self::set_no_delay).
    pub fn set_keep_alive(&self, after: Option<Duration>) {
        self.core.lock().keep_alive = after;
        if let Some(socket) = self.core.socket() {
            let _ = socket.set_keep_alive(after);
        }
    }

    pub fn stats(&self) -> Stats {
        Stats::of(&self.core)
    }
}

impl Task {
    /// Runs the socket to its end.
    pub async fn run(mut self) {
        let end = self.connections().await;
        self.core.step(Step::Over);
        self.core.tell(Event::Over(end));
    }

    async fn connections(&mut self) -> Option<Box<End>> {
        let mut attempts = Attempts::new(self.options.reconnect);
        let key = self.options.target.key();
        let mut lost_at = None;
        loop {
            let dialing = self.dialer.dial(self.core.owner());
            // The first connection is made whatever was written: there may be something to be read.
            let is_first = self.core.counts.generation.load(Ordering::Relaxed) == 0;
            let dialed = if is_first {
                Some(until_done(&self.core, dialing).await)
            } else {
                unless_over(&self.core, dialing).await
            };
            let fault = match dialed {
                None => return self.ends_unconnected(),
                Some(Err(fault)) => fault,
                Some(Ok(link)) => {
                    attempts.has_resolved();
                    let again = lost_at.map(|at| (attempts.made(), at));
                    let generation = self.connected(&link);
                    let connection = Connection::new(&self.core, &self.options, &mut attempts, link, generation, again);
                    let out = connection.run().await;
                    if let Some(was_up_until) = out.was_up_until {
                        lost_at = Some(was_up_until);
                    }
                    match out.how {
                        Out::Over => return None,
                        Out::Broken(fault) => return Some(Box::new(End { fault: *fault, gave_up: None, attempts: 0 })),
                        Out::Lost(fault) => fault,
                    }
                }
            };
            self.core.step(Step::Lost);
            match attempts.failed(&fault, self.core.now(), &mut *self.random) {
                Next::Never(reason) => {
                    return Some(Box::new(End { fault: *fault, gave_up: Some(reason), attempts: attempts.made() }));
                }
                Next::Attempt { attempt, delay } => {
                    let place = self.options.gate.book(&key, delay, &mut *self.random);
                    let delay = place.delay();
                    if attempts.is_too_late(self.core.now() + delay) {
                        let gave_up = Some(GaveUp::OutOfTime);
                        return Some(Box::new(End { fault: *fault, gave_up, attempts: attempt - 1 }));
                    }
                    self.core.tell(Event::Waiting { attempt, delay, fault: fault.clone() });
                    if unless_over(&self.core, sleep(delay)).await.is_none() {
                        // Who was never connected must hear why.
                        let never = self.core.counts.generation.load(Ordering::Relaxed) == 0;
                        let end = End { fault: *fault, gave_up: None, attempts: attempts.made() };
                        return if never { Some(Box::new(end)) } else { self.ends_unconnected() };
                    }
                }
            }
            self.core.step(Step::Waited);
        }
    }

    /// Everything has been sent, and its end is not worth a connection.
    fn ends_unconnected(&self) -> Option<Box<End>> {
        self.core.tell(Event::Finished);
        self.core.tell(Event::PeerEnded);
        None
    }

    /// There is a connection: all that wants to know is told.
    fn connected(&self, link: &Link) -> u32 {
        let socket = link.socket();
        let generation = self.core.counts.generation.fetch_add(1, Ordering::Relaxed) + 1;
        {
            let mut inner = self.core.lock();
            inner.socket = Some(socket.held());
            inner.state = inner.state.after(Step::Connected { greets: self.options.greets });
            // They may have been changed since the socket was made.
            let _ = socket.set_no_delay(inner.no_delay);
            let _ = socket.set_keep_alive(inner.keep_alive);
        }
        let (local, remote) = socket.addresses();
        let tls = self.dialer.secured(link);
        self.core.tell(Event::Connected(Box::new(Connected { generation, local, remote, tls })));
        generation
    }
}

/// What `work` comes to, unless the caller has ended the socket and nothing waits to be sent: then there is nothing that a
/// connection would be for.
async fn unless_over<T>(core: &Core, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(everything_sent(core, true))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(((), _)) => None,
    }
}

async fn until_done<T>(core: &Core, work: impl Future<Output = T>) -> T {
    match select(pin!(work), pin!(everything_sent(core, false))).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => unreachable!("it has no end"),
    }
}

/// Comes to its end, if it may, when nothing waits to be sent and nothing more will be written. Meanwhile what waits grows
/// old.
async fn everything_sent(core: &Core, may_end: bool) {
    let mut timer = pin!(sleep(Duration::ZERO));
    poll_fn(|cx| {
        core.waker.register(cx.waker());
        loop {
            let now = core.now();
            let (fates, next, over) = {
                let mut inner = core.lock();
                inner.queue.expire(now);
                let over = may_end && inner.ending && inner.queue.is_empty();
                (inner.queue.take_fates(), inner.queue.expires_at(), over)
            };
            core.tell_fates(fates);
            if over {
                return Poll::Ready(());
            }
            let Some(next) = next else { return Poll::Pending };
            timer.as_mut().reset(core.at(next));
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use tokio::net::TcpListener;

    use super::*;
    use crate::policy::FastRandom;
    use crate::tcp::options::Target;
    use crate::tcp::wire::Shared;

    struct Nobody;

    impl Owner for Nobody {
        fn tell(&self, _: Event) {}
    }

    /// What cannot be seen from the other end, of each connection: `TCP_NODELAY`, and after how long the kernel asks.
    #[tokio::test]
    async fn what_is_set_is_set_on_every_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = Options {
            no_delay: false,
            keep_alive: None,
            ..Options::to(Target::Tcp { host: "127.0.0.1".to_owned(), port })
        };
        let (socket, task) = Socket::new(options, Box::new(Nobody), Box::new(FastRandom)).unwrap();
        let task = tokio::spawn(task.run());
        let first = listener.accept().await.unwrap();
        assert_eq!(set_on(&socket, 1).await, (false, false));
        socket.set_no_delay(true);
        socket.set_keep_alive(Some(Duration::from_secs(40)));
        assert_eq!(set_on(&socket, 1).await, (true, true));
        drop(first);
        let _second = listener.accept().await.unwrap();
        assert_eq!(set_on(&socket, 2).await, (true, true));
        task.abort();
    }

    async fn set_on(socket: &Socket, generation: u32) -> (bool, bool) {
        let stream = loop {
            if socket.stats().generation == generation
                && let Some(Shared::Tcp(stream)) = socket.core.socket()
            {
                break stream;
            }
            sleep(Duration::from_millis(1)).await;
        };
        (stream.nodelay().unwrap(), SockRef::from(&*stream).keepalive().unwrap())
    }
}
