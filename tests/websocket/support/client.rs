use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use unreset::fault::Fault;
use unreset::policy::{Backoff, FastRandom};
use unreset::tcp::gate::Gate;
use unreset::tcp::reconnect::Reconnect;
use unreset::websocket::event::{Connected, End, Event, Loss, Owner, Return};
use unreset::websocket::flow::Flows;
use unreset::websocket::options::Options;
use unreset::websocket::outbox::{Accepted, Fate, Kind, Message};
use unreset::websocket::request::Request;
use unreset::websocket::{WebSocket, weight};

use super::within;

/// To a URL, coming back quickly and as often as it likes, with nothing learnt from other tests.
pub fn to(url: &str) -> Options {
    let backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(20) };
    Options {
        reconnect: Reconnect { backoff, ..Reconnect::default() },
        gate: Arc::new(Gate::new(1_000_000)),
        flows: Arc::new(Flows::new(8)),
        deflate: None,
        ..Options::to(Some(Request::new(url, Vec::new(), &[]).unwrap()))
    }
}

/// A WebSocket and what it has told. It ends when it is dropped.
pub struct Client {
    pub socket: WebSocket,
    pub events: mpsc::UnboundedReceiver<Event>,
    task: JoinHandle<()>,
}

struct Teller(mpsc::UnboundedSender<Event>);

impl Owner for Teller {
    fn tell(&self, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            // The test may be over.
            let _ = self.0.send(event);
        }
    }
}

impl Client {
    pub fn open(options: Options) -> Client {
        let (teller, events) = mpsc::unbounded_channel();
        let before_tls = Box::new(|| Box::pin(async {}) as _);
        let (socket, task) = WebSocket::new(options, Box::new(Teller(teller)), before_tls, Box::new(FastRandom));
        Client { socket, events, task: tokio::spawn(task.run()) }
    }

    pub fn text(&self, text: &str) -> Option<Accepted> {
        self.send(Kind::Text, Bytes::copy_from_slice(text.as_bytes()))
    }

    pub fn binary(&self, payload: impl Into<Bytes>) -> Option<Accepted> {
        self.send(Kind::Binary, payload.into())
    }

    fn send(&self, kind: Kind, payload: Bytes) -> Option<Accepted> {
        self.socket.send([Message { kind, payload, compress: true, awaited: true }]).1
    }

    pub async fn next(&mut self) -> Event {
        within(self.events.recv()).await.expect("the WebSocket has ended")
    }

    /// Waits for an event that `pick` takes something out of.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.next().await) {
                return picked;
            }
        }
    }

    pub async fn connected(&mut self) -> Connected {
        self.until(|event| if let Event::Connected(connected) = event { Some(*connected) } else { None }).await
    }

    pub async fn up(&mut self) -> Option<Return> {
        self.until(|event| if let Event::Up { again, .. } = event { Some(again) } else { None }).await
    }

    pub async fn down(&mut self) -> Loss {
        self.until(|event| if let Event::Down(loss) = event { Some(*loss) } else { None }).await
    }

    pub async fn waiting(&mut self) -> (u32, Duration, Fault) {
        self.until(|event| match event {
            Event::Waiting { attempt, delay, fault } => Some((attempt, delay, *fault)),
            _ => None,
        })
        .await
    }

    /// The next message, which is dealt with at once.
    pub async fn message(&mut self) -> (Kind, Bytes) {
        let (kind, payload) = self
            .until(|event| if let Event::Message { kind, payload } = event { Some((kind, payload)) } else { None })
            .await;
        self.socket.taken(weight(payload.len()));
        (kind, payload)
    }

    pub async fn fates(&mut self) -> Vec<Fate> {
        self.until(|event| if let Event::Fates(fates) = event { Some(fates) } else { None }).await
    }

    pub async fn over(&mut self) -> End {
        self.until(|event| if let Event::Over(end) = event { Some(*end) } else { None }).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}
