//! A WebSocket over all its connections: the task that makes one after the other.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use futures_util::future::{Either, select};
use tokio::time::{sleep, sleep_until};

use super::connection::{Connection, Over};
use super::core::{Core, Stage};
use super::ending::{Ended, How};
use super::event::{Closure, Connected, End, Event};
use super::options::Options;
use super::request::Request;
use super::verdict::{self, Verdict, verdict};
use super::way::{Made, NotMade, Redirect, Way};
use crate::fault::Fault;
use crate::policy::{GaveUp, Random};
use crate::tcp::reconnect::{Attempts, Next};

/// The task, to be run on a tokio runtime. Dropping it ends the WebSocket at once.
pub struct Task {
    means: Means,
    random: Box<dyn Random + Send>,
    /// What reconnections are counted by.
    host: Arc<str>,
}

/// What connections are made by, and whoever waits in between.
struct Means {
    core: Arc<Core>,
    options: Arc<Options>,
    way: Way,
}

/// The caller has ended it where there was no connection.
struct Abandoned;

impl Task {
    pub(super) fn new(core: Arc<Core>, options: Arc<Options>, way: Way, random: Box<dyn Random + Send>) -> Self {
        Task { means: Means { core, options, way }, random, host: "".into() }
    }

    /// Runs the WebSocket to its end.
    pub async fn run(mut self) {
        let end = match self.connections().await {
            Ok(end) => end,
            Err(Abandoned) => End { closure: Closure::abnormal(), fault: None, gave_up: None, attempts: 0 },
        };
        let mut events = Vec::new();
        {
            let mut inner = self.means.core.lock();
            inner.stage = Stage::Over;
            inner.outbox.end();
            // What is given up has not drained.
            inner.drained_at = None;
            inner.take_news(&mut events);
        }
        events.push(Event::Over(Box::new(end)));
        self.means.core.tell_all(&mut events);
    }

    async fn connections(&mut self) -> Result<End, Abandoned> {
        let mut attempts = Attempts::new(self.means.options.reconnect);
        let mut lost_at = None;
        for number in 1.. {
            let Over { ended, set_aside, was_up_until, lasted } = self.attempt(number, &mut attempts, lost_at).await?;
            lost_at = was_up_until.or(lost_at);
            if lasted {
                attempts.proved();
            }
            if ended.how == How::Asked {
                return Ok(End { closure: ended.closure, fault: None, gave_up: None, attempts: 0 });
            }
            if was_up_until.is_some() && self.means.core.lock().end.is_some() {
                // The caller was about to end it, and the peer, or the network, was first.
                let fault = (!ended.closure.was_clean).then_some(*ended.fault);
                return Ok(End { closure: ended.closure, fault, gave_up: None, attempts: 0 });
            }
            self.means.core.lock().stage = Stage::Waiting;
            let after = match self.means.verdict(number, &ended, set_aside).await? {
                Verdict::Reconnect { after } => after.unwrap_or_default(),
                Verdict::Final => Duration::MAX,
            };
            let mut fault = ended.fault;
            // What is to be told stays as it is: the verdict knows more than the fault.
            let judged = Fault { transient: after < Duration::MAX, ..(*fault).clone() };
            match attempts.failed(&judged, self.means.core.now(), &mut *self.random) {
                Next::Never(reason) => {
                    fault.transient &= judged.transient;
                    let (gave_up, attempts) = (Some(reason), attempts.made());
                    return Ok(End { closure: ended.closure, fault: Some(*fault), gave_up, attempts });
                }
                Next::Attempt { attempt, delay } => {
                    let place = self.means.options.gate.book(&self.host, delay.max(after), &mut *self.random);
                    let delay = place.delay();
                    if attempts.is_too_late(self.means.core.now() + delay) {
                        let gave_up = Some(GaveUp::OutOfTime);
                        return Ok(End { closure: ended.closure, fault: Some(*fault), gave_up, attempts: attempt - 1 });
                    }
                    self.means.core.tell(Event::Waiting { attempt, delay, fault });
                    self.means.meanwhile(sleep(delay)).await?;
                }
            }
            self.means.core.lock().stage = Stage::Connecting;
        }
        Err(Abandoned)
    }

    /// One connection, from its request to its end.
    async fn attempt(
        &mut self,
        number: u32,
        attempts: &mut Attempts,
        lost_at: Option<Duration>,
    ) -> Result<Over, Abandoned> {
        let request = match self.means.request(number).await? {
            Ok(request) => request,
            // A function that fails is a failed attempt, whatever it failed of.
            Err(fault) => return Ok(failed(Box::new(Fault { transient: true, ..*fault }), How::Failed)),
        };
        self.host = request.authority().into();
        let tell = |Redirect { status, url, headers }: Redirect<'_>| {
            self.means.core.tell(Event::Redirected { status, url: url.to_owned(), headers });
        };
        // Boxed: what it takes to connect is not to be kept for as long as the connection is.
        let made = match self.means.meanwhile(Box::pin(self.means.way.go(request, tell))).await? {
            Ok(made) => made,
            Err(NotMade::Failed(fault)) => return Ok(failed(fault, How::Failed)),
            Err(NotMade::Refused(refusal)) => {
                attempts.has_resolved();
                let fault = Box::new(refusal.fault.clone());
                self.means.core.tell(Event::Refused(refusal));
                return Ok(failed(fault, How::Refused));
            }
        };
        attempts.has_resolved();
        let generation = self.means.connected(&made);
        let again = lost_at.map(|at| (attempts.made(), at));
        match Connection::new(&self.means.core, &self.means.options, &mut *self.random, made, generation, again) {
            Ok(connection) => Ok(connection.run().await),
            Err(fault) => Ok(failed(fault, How::Failed)),
        }
    }
}

impl Means {
    /// Whom to connect with.
    async fn request(&self, number: u32) -> Result<Result<Request, Box<Fault>>, Abandoned> {
        if let Some(request) = &self.options.request {
            return Ok(Ok(request.clone()));
        }
        self.core.tell(Event::Provide { attempt: number });
        let provided = poll_fn(|cx| {
            self.core.waker.register(cx.waker());
            match self.core.lock().provided.take() {
                Some((attempt, request)) if attempt == number => Poll::Ready(request),
                _ => Poll::Pending,
            }
        });
        self.meanwhile(provided).await
    }

    /// There is a connection: all that wants to know is told.
    fn connected(&self, made: &Made) -> u32 {
        let socket = made.link.socket();
        let generation = self.core.counts.generation.fetch_add(1, Ordering::Relaxed) + 1;
        {
            let mut inner = self.core.lock();
            inner.socket = Some(socket.held());
            inner.stage = if self.options.greets { Stage::Greeting } else { Stage::Open };
        }
        let (local, remote) = socket.addresses();
        let Made { upgraded, request, tls, .. } = made;
        self.core.tell(Event::Connected(Box::new(Connected {
            generation,
            url: request.ws_url(),
            headers: upgraded.headers.clone(),
            protocol: upgraded.protocol.clone(),
            extensions: upgraded.extensions.clone(),
            local,
            remote,
            tls: tls.clone(),
        })));
        generation
    }

    /// Whether there is to be another connection, by the rules or by the caller's.
    async fn verdict(&self, number: u32, ended: &Ended, set_aside: bool) -> Result<Verdict, Abandoned> {
        let Ended { closure, fault, how } = ended;
        let end = match how {
            How::Refused => verdict::End::Refused(fault),
            How::Failed => verdict::End::Failed(fault),
            How::Closed | How::Broken | How::Asked => {
                verdict::End::Closed { code: closure.code, fault: Some(fault), set_aside }
            }
        };
        let usual = verdict(end, &self.options.codes, SystemTime::now());
        if !self.options.asks {
            return Ok(usual);
        }
        let is_usual = matches!(usual, Verdict::Reconnect { .. });
        self.core.tell(Event::ShouldReconnect {
            id: number,
            closure: closure.clone(),
            fault: fault.clone(),
            usual: is_usual,
        });
        let decided = poll_fn(|cx| {
            self.core.waker.register(cx.waker());
            match self.core.lock().decided.take() {
                Some((id, answer)) if id == number => Poll::Ready(answer),
                _ => Poll::Pending,
            }
        });
        Ok(match self.meanwhile(decided).await? {
            Some(false) => Verdict::Final,
            Some(true) if !is_usual => Verdict::Reconnect { after: None },
            _ => usual,
        })
    }

    /// What `work` comes to, unless the caller ends it. Messages that wait too long for a connection are given up.
    async fn meanwhile<T>(&self, work: impl Future<Output = T>) -> Result<T, Abandoned> {
        let ended = poll_fn(|cx| {
            self.core.waker.register(cx.waker());
            if self.core.lock().end.is_some() { Poll::Ready(()) } else { Poll::Pending }
        });
        let (ended, expiring) = (pin!(ended), pin!(self.expire()));
        match select(pin!(work), select(ended, expiring)).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(Abandoned),
        }
    }

    /// Never ends.
    async fn expire(&self) {
        let Some(age) = self.options.queue.age else { return pending().await };
        loop {
            let now = self.core.now();
            let mut events = Vec::new();
            let next = {
                let mut inner = self.core.lock();
                inner.outbox.expire(now);
                inner.take_news(&mut events);
                inner.outbox.expires_at()
            };
            self.core.tell_all(&mut events);
            // What is sent meanwhile has a whole age to wait.
            sleep_until(self.core.at(next.unwrap_or(now + age))).await;
        }
    }
}

fn failed(fault: Box<Fault>, how: How) -> Over {
    let ended = Ended { closure: Closure::abnormal(), fault, how };
    Over { ended, set_aside: false, was_up_until: None, lasted: false }
}
