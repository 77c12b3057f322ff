//! How a connection ends: for the client as it was told to, and for the upstream in keeping.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::flow::failure;
use super::{Connection, socket};
use crate::proxy::board::Order;
use crate::proxy::listen::code_of;
use crate::proxy::plan::Direction;
use crate::proxy::timeline::{EndedBy, Event};

/// A peer that was sent FIN is read from until it ends its side, or is silent for this long (RFC 9112 9.6) ...
const LINGER_IN_SILENCE: Duration = Duration::from_secs(2);
/// ... or has gone on sending for this long.
const LINGER_AT_MOST: Duration = Duration::from_secs(30);

/// What ended a connection.
#[derive(Debug)]
pub(super) enum Ending {
    /// A fault: RST. `unanswered` is an exchange that the upstream is to finish all the same.
    Reset {
        unanswered: Option<u64>,
    },
    /// A fault: FIN.
    Close {
        unanswered: Option<u64>,
    },
    /// A fault: silence.
    BlackHole,
    /// Both sides have ended in order; `first` is the direction whose source did so first.
    Done {
        first: Direction,
    },
    /// The source of this direction has reset its connection.
    Peer {
        side: Direction,
        code: Cow<'static, str>,
    },
    UpstreamFailed {
        code: Cow<'static, str>,
    },
    Ordered(Order),
}

impl Connection<'_> {
    /// Ends both connections. Resolves when both are closed.
    pub(super) async fn finish(&mut self, ending: Ending) {
        match ending {
            Ending::Reset { unanswered: None } => self.reset(EndedBy::Strike, None).await,
            Ending::Reset { unanswered: Some(exchange) } => {
                let upstream = self.upstream.take();
                self.reset(EndedBy::Strike, None).await;
                self.let_upstream_answer(upstream, exchange).await;
            }
            Ending::Close { unanswered: None } => {
                let upstream = self.upstream.take();
                self.close(upstream).await;
            }
            Ending::Close { unanswered: Some(exchange) } => {
                let upstream = self.upstream.take();
                self.close(None).await;
                self.let_upstream_answer(upstream, exchange).await;
            }
            Ending::BlackHole => self.swallow().await,
            Ending::Done { first } => self.gone(ended_by(first), None),
            Ending::Peer { side, code } => {
                // There is nobody to take what it has not acknowledged.
                match side {
                    Direction::Request => self.client = None,
                    Direction::Response => self.upstream = None,
                }
                self.reset(ended_by(side), Some(code)).await;
            }
            Ending::UpstreamFailed { code } => {
                self.shared.counters.upstream_failed();
                self.record(Event::UpstreamFailed { code: code.clone() });
                self.reset(EndedBy::Upstream, Some(code)).await;
            }
            Ending::Ordered(Order::Reset) => self.reset(EndedBy::ResetAll, None).await,
            Ending::Ordered(Order::Close) => self.gone(EndedBy::Close, None),
        }
    }

    /// RST to both.
    async fn reset(&mut self, by: EndedBy, code: Option<Cow<'static, str>>) {
        let (client, upstream) = (self.client.take(), self.upstream.take());
        tokio::select! {
            _ = async { tokio::join!(reset(client), reset(upstream)) } => {}
            // No time to see them off: they are dropped as they are.
            _ = self.control.ordered(Order::Close) => {}
        }
        self.gone(by, code);
    }

    /// FIN to the client, and to `upstream`. What they still send is read, for a while: closing a connection with
    /// unread bytes makes an RST of it, which takes from the client what it has not read yet.
    async fn close(&mut self, mut upstream: Option<TcpStream>) {
        let mut client = self.client.take();
        for stream in [&mut client, &mut upstream].into_iter().flatten() {
            socket::shut_down(stream);
        }
        let upstream_lingered = async {
            lingered(upstream.as_ref()).await;
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            () = lingered(client.as_ref()) => {}
            never = upstream_lingered => match never {},
            order = self.control.ordered(Order::Reset) => {
                if let (Order::Reset, Some(client)) = (order, client.take()) {
                    socket::reset_now(client);
                }
            }
        }
        drop(client);
        self.gone(EndedBy::Strike, None);
        tokio::select! {
            () = lingered(upstream.as_ref()) => {}
            _ = self.control.ordered(Order::Reset) => {}
        }
    }

    /// Reads everything, says nothing, and closes nothing, until the client has given up.
    async fn swallow(&mut self) {
        let (client, upstream) = (self.client.take(), self.upstream.take());
        let upstream_swallowed = async {
            if let Some(upstream) = &upstream {
                // Its end is not passed on.
                let _ = socket::drained(upstream).await;
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            code = broken(client.as_ref()) => self.gone(EndedBy::Client, Some(code)),
            order = self.control.ordered(Order::Reset) => {
                (self.client, self.upstream) = (client, upstream);
                match order {
                    Order::Reset => self.reset(EndedBy::ResetAll, None).await,
                    Order::Close => self.gone(EndedBy::Close, None),
                }
            }
            never = upstream_swallowed => match never {},
        }
    }

    /// The client is gone, but its request is there: the upstream must not learn of it before it has answered.
    async fn let_upstream_answer(&mut self, upstream: Option<TcpStream>, exchange: u64) {
        const ROOM: usize = 64 * 1024;
        let Some(mut upstream) = upstream else { return };
        let control = self.control;
        let answered = async {
            let (mut bytes, mut noticed) = (BytesMut::new(), Vec::new());
            while self.tracker.awaits_response(exchange) {
                bytes.clear();
                bytes.reserve(ROOM);
                match upstream.read_buf(&mut bytes).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => self.tracker.read(Direction::Response, &bytes, &mut noticed),
                }
                for noticed in noticed.drain(..) {
                    self.notice(noticed);
                }
            }
        };
        tokio::select! {
            () = answered => {}
            _ = control.ordered(Order::Close) => {}
        }
    }

    /// The client's connection is over.
    fn gone(&mut self, by: EndedBy, code: Option<Cow<'static, str>>) {
        self.client = None;
        self.registered.client_is_gone();
        self.record(Event::End { by, code });
    }
}

fn ended_by(source: Direction) -> EndedBy {
    match source {
        Direction::Request => EndedBy::Client,
        Direction::Response => EndedBy::Upstream,
    }
}

async fn reset(stream: Option<TcpStream>) {
    if let Some(stream) = stream {
        socket::reset(stream).await;
    }
}

async fn lingered(stream: Option<&TcpStream>) {
    if let Some(stream) = stream {
        // However it ends, it has had its time.
        let drained = socket::drained_within(stream, Some(LINGER_IN_SILENCE));
        let _ = tokio::time::timeout(LINGER_AT_MOST, drained).await;
    }
}

/// Reads and discards until the connection is reset; its orderly end is not the end of the connection.
async fn broken(stream: Option<&TcpStream>) -> Cow<'static, str> {
    match stream {
        None => std::future::pending().await,
        Some(stream) => match socket::drained(stream).await {
            Ok(()) => failure(Some(stream)).await,
            Err(error) => code_of(&error),
        },
    }
}
