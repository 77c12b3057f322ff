//! A response body as it arrives.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;

use super::evidence::Evidence;
use super::reuse::{Answered, Ends};
use crate::fault::Fault;
use crate::http::transport::{IncomingBody, stall};

/// The body of one response. Dropping it before its end closes the connection.
pub struct ReqwestBody {
    response: reqwest::Response,
    /// The longest silence.
    stall: Option<Duration>,
    ends: Option<Ends>,
    answered: Arc<Answered>,
}

impl ReqwestBody {
    pub(super) fn new(
        response: reqwest::Response,
        stall: Option<Duration>,
        ends: Option<Ends>,
        answered: Arc<Answered>,
    ) -> Self {
        ReqwestBody { response, stall, ends, answered }
    }

    /// It is over: whatever has its addresses next is another connection.
    fn located(&self, mut fault: Fault) -> Fault {
        if let Some(ends) = self.ends {
            self.answered.forget(ends);
            fault.address = Some(ends.remote.ip().to_string());
            fault.port = Some(ends.remote.port());
        }
        fault
    }
}

impl IncomingBody for ReqwestBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        stall::within(self, self.stall, Self::located, Self::poll_arrived).await
    }

    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        // reqwest keeps a body's state in the response, none of it in this future.
        let arrived = ready!(pin!(self.response.chunk()).poll(cx));
        Poll::Ready(arrived.map_err(|error| self.located(Evidence::of(&error).in_body())))
    }

    fn remaining(&self) -> Option<u64> {
        self.response.content_length()
    }

    fn peer(&self) -> Option<(IpAddr, u16)> {
        self.ends.map(|ends| (ends.remote.ip(), ends.remote.port()))
    }
}
