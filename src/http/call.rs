//! One call as `fetch` means it: redirects followed, attempts repeated, one answer or one error at the end.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;

use super::body::RequestBody;
use super::hooks::Hooks;
use super::transport::{Limits, Transport};
use crate::fault::Fault;
use crate::policy::{GaveUp, Policy};

/// Makes calls. Cheap to clone: the clones share one transport and its connections.
pub struct Client<T> {
    transport: Arc<T>,
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Client {
            transport: Arc::clone(&self.transport),
        }
    }
}

impl<T: Transport> Client<T> {
    pub fn new(transport: T) -> Self {
        Client {
            transport: Arc::new(transport),
        }
    }

    /// Makes one call. Needs a tokio runtime with time and I/O. Dropping the future ends the call at once:
    /// the exchange in flight, its connection and any wait.
    pub async fn call(&self, call: Call) -> Result<Answer<T::Body>, CallError> {
        todo!()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectMode {
    #[default]
    Follow,
    Error,
    Manual,
}

/// One call, described once; every attempt and every hop is derived from it.
pub struct Call {
    pub method: Method,
    /// As the caller wrote it; parsed here, off the event loop.
    pub url: String,
    pub headers: HeaderMap,
    pub body: RequestBody,
    pub redirect: RedirectMode,
    pub limits: Limits,
    /// The end of the whole call up to the end of the response head.
    pub total: Option<Duration>,
    pub policy: Arc<Policy>,
    pub hooks: Option<Arc<dyn Hooks>>,
}

/// One try of the call and how it ended.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// `None`: this attempt brought the answer.
    pub fault: Option<Fault>,
    /// The wait before this attempt.
    pub delay: Duration,
}

/// What it took.
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    pub attempts: Vec<Attempt>,
    pub gave_up: Option<GaveUp>,
}

pub struct Answer<B> {
    pub status: StatusCode,
    pub status_text: Bytes,
    pub headers: HeaderMap,
    pub body: B,
    /// The final URL where it differs from what the caller wrote.
    pub url: Option<String>,
    pub redirected: bool,
    /// `None` when the first attempt answered and nothing is to be told.
    pub recovery: Option<Recovery>,
}

/// Why a call has no answer.
#[derive(Debug)]
pub enum CallError {
    /// The network, the server or the caller's input failed it.
    Fault {
        fault: Box<Fault>,
        recovery: Recovery,
    },
    /// A hook failed; the caller knows with what.
    Hook { recovery: Recovery },
    /// The request body's source failed; the caller knows with what.
    Body { recovery: Recovery },
}
