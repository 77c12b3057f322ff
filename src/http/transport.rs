//! The seam: exactly one exchange with a server, no retry, no redirect, no decompression.

mod causes;
pub mod direct;
pub mod lookup;
pub mod options;
pub mod proxies;
mod request_body;
pub mod reqwest;
pub mod routed;
mod stall;
pub mod tls;
mod upload;
mod watch;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use url::{Host, Url};

use super::body::BodyStream;
use crate::fault::{Delivery, Fault, Phase};

/// Where a request may find its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connection {
    /// An idle pooled connection if there is one.
    #[default]
    Pooled,
    /// As `Pooled`, but only one that has been idle for so short a time that the server cannot be about to close it: for
    /// an exchange that must not be repeated.
    Recent,
    /// One that no request has used before.
    Fresh,
}

/// Limits on the parts of one exchange. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Resolve, connect and TLS handshake together.
    pub connect: Option<Duration>,
    /// From the moment the request is sent to the end of the response head; and before that, the longest time in which
    /// the peer takes nothing of a body that is there to be sent.
    pub headers: Option<Duration>,
    /// The longest silence inside the response body.
    pub body: Option<Duration>,
    /// The whole exchange up to the end of the response head.
    pub attempt: Option<Duration>,
}

/// A body for one exchange.
pub enum ExchangeBody {
    Empty,
    Bytes(Bytes),
    Stream { stream: BodyStream, length: Option<u64> },
}

pub struct Exchange {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: ExchangeBody,
    pub connection: Connection,
    pub limits: Limits,
}

/// The head of a response, and its body still to be read.
pub struct Reply<B> {
    pub status: StatusCode,
    /// The reason phrase as sent, latin1.
    pub status_text: Bytes,
    pub headers: HeaderMap,
    pub body: B,
}

/// An exchange that brought no response.
#[derive(Debug, Clone)]
pub struct Failure {
    pub fault: Fault,
    /// The connection had answered an earlier request: the fault may only say that it was stale.
    pub reused: bool,
}

/// A response body as it arrives.
pub trait IncomingBody: Send + 'static {
    /// The next bytes, `None` at the proper end. A body that ends early is a fault, never an end.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, Fault>> + Send;
    /// As [`chunk`](IncomingBody::chunk), but only what is there now: the limit on silence does not run. `cx` is woken
    /// when more may be there.
    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>>;
    /// As [`chunk`](IncomingBody::chunk), but appended to `into`: how many bytes that were. What has room for all that is
    /// [still to come](IncomingBody::remaining), and for one byte more by which the end is seen, spares a copy.
    fn append(&mut self, into: &mut Vec<u8>) -> impl Future<Output = Result<Option<usize>, Fault>> + Send {
        async move { self.chunk().await.map(|read| read.map(|bytes| appended(&bytes, into))) }
    }
    /// As [`poll_arrived`](IncomingBody::poll_arrived), but appended to `into`.
    fn poll_append(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<Result<Option<usize>, Fault>> {
        self.poll_arrived(cx).map_ok(|read| read.map(|bytes| appended(&bytes, into)))
    }
    /// The bytes still to come, if the response stated them.
    fn remaining(&self) -> Option<u64>;
    /// The address and the port that it comes from, where they are known.
    fn peer(&self) -> Option<(IpAddr, u16)> {
        None
    }
    /// A fault that a layer above found in the body, as one of the peer that sent it.
    fn blamed(&self, mut fault: Fault) -> Fault {
        if let Some((address, port)) = self.peer() {
            fault.address = Some(address.to_string());
            fault.port = Some(port);
        }
        fault
    }
}

/// How many bytes were appended.
pub(in crate::http) fn appended(bytes: &[u8], into: &mut Vec<u8>) -> usize {
    into.extend_from_slice(bytes);
    bytes.len()
}

pub trait Transport: Send + Sync + 'static {
    type Body: IncomingBody;
    fn exchange(&self, exchange: Exchange) -> impl Future<Output = Result<Reply<Self::Body>, Failure>> + Send;
    /// Stops keeping connections: those that idle are closed now, the others with the exchange that has them. Exchanges
    /// still work (a call that is in flight may need another attempt), each on a connection of its own. It may be called
    /// again.
    fn close(&self);
}

/// The address that a URL names by itself.
fn address_in(url: &Url) -> Option<SocketAddr> {
    let port = url.port_or_known_default()?;
    match url.host()? {
        Host::Ipv4(address) => Some((address, port).into()),
        Host::Ipv6(address) => Some((address, port).into()),
        Host::Domain(_) => None,
    }
}

/// No request asks for it, and what follows is not HTTP.
fn switched() -> Failure {
    let fault = Fault::new("HPE_INVALID_STATUS", Phase::Receive, Delivery::Answered)
        .with_reason("The server switched to another protocol, which the request had not asked for.");
    Failure { fault, reused: false }
}
