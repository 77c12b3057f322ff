//! One call as `fetch` means it: redirects followed, attempts repeated, one answer or one error at the end.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, Method, StatusCode};
use bytes::Bytes;
use url::{Position, Url};

use super::attempts::{Attempts, Request, Terms};
use super::bad_port;
use super::body::RequestBody;
use super::decode::{Decoded, Decoding, accept};
use super::hooks::Hooks;
use super::redirect;
use super::replay::Replay;
use super::resume::{Means, Owned, RecoveringBody, Resumable, Resume, Start, start};
use super::transport::{Limits, Reply, Transport};
use crate::fault::{Delivery, Fault, Phase};
use crate::policy::{Clock, GaveUp, Policy, Repeatable, SystemClock};

/// RFC draft "The Idempotency-Key HTTP Header Field": the server recognises a repeated request by it.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One for the process: a policy may be shared by clients, and must always be told the same time.
static CLOCK: LazyLock<Arc<SystemClock>> = LazyLock::new(|| Arc::new(SystemClock::new()));

/// Makes calls. Cheap to clone: the clones share one transport and its connections.
pub struct Client<T> {
    transport: Arc<T>,
    clock: Arc<dyn Clock>,
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Client { transport: Arc::clone(&self.transport), clock: Arc::clone(&self.clock) }
    }
}

impl<T: Transport> Client<T> {
    pub fn new(transport: T) -> Self {
        Client::with_clock(transport, CLOCK.clone())
    }

    /// With another clock than this machine's, for the policy's spans and dates. All clients that share a policy
    /// must share the clock. Limits and waits are tokio's in any case.
    pub fn with_clock(transport: T, clock: Arc<dyn Clock>) -> Self {
        Client { transport: Arc::new(transport), clock }
    }

    /// See [`Transport::close`].
    pub fn close(&self) {
        self.transport.close();
    }

    /// Makes one call. Needs a tokio runtime with time and I/O. Dropping the future ends the call at once:
    /// the exchange in flight, its connection and any wait.
    ///
    /// # Errors
    /// A fault after which the policy gave up, or that of a hook or of the body's source.
    pub async fn call(&self, call: Call) -> Result<Answer<Decoded<Resumable<T>>>, CallError> {
        let url = match target(&call.url) {
            Ok(url) => url,
            Err(fault) => {
                return Err(CallError::Fault { fault, recovery: Recovery::default() });
            }
        };
        let idempotency_key = call.headers.contains_key(IDEMPOTENCY_KEY);
        let options = call.policy.options();
        let keep_body =
            Repeatable { method: call.method.as_str(), idempotency_key, declared: None, body_replays: true }
                .may_follow_a_sent_one(options)
                || (options.retries > 0 && call.hooks.as_deref().is_some_and(Hooks::may_override));
        let mut headers = call.headers;
        let accepts_by_scheme = accept::prepare(&mut headers, call.decoding.decompress);
        let mut request = Request {
            method: call.method,
            url,
            headers,
            body: Replay::new(call.body, keep_body),
            idempotency_key,
            accepts_by_scheme,
        };
        request.accept();
        // Behind bytes that are there nothing can be decoded.
        let start = call.start.filter(|_| !call.decoding.decompress);
        let asked = start.and_then(|start| start.ask(&mut request, call.resume));
        let terms = Terms {
            transport: &*self.transport,
            clock: &*self.clock,
            policy: &call.policy,
            hooks: call.hooks.as_deref(),
            limits: call.limits,
            total: call.total,
        };
        let mut attempts = Attempts::begin(terms, &request.url);
        let mut redirects = 0;
        let reply = loop {
            let reply = attempts.answer(&request).await?;
            if call.redirect == RedirectMode::Manual || !redirect::is_redirect(reply.status) {
                break reply;
            }
            if call.redirect == RedirectMode::Error {
                return Err(attempts.refuse(redirect::unexpected()));
            }
            let hop = match redirect::hop(&request.url, &request.method, reply.status, &reply.headers) {
                Ok(Some(hop)) => hop,
                Ok(None) => break reply,
                Err(fault) => return Err(attempts.refuse(fault)),
            };
            if hop.cross_origin && call.redirect == RedirectMode::WithinOrigin {
                return Err(attempts.refuse(redirect::leaves_the_origin()));
            }
            redirects += 1;
            if redirects > redirect::LIMIT {
                return Err(attempts.refuse(redirect::too_many()));
            }
            if !hop.as_get && !request.body.follows_redirects() {
                return Err(attempts.refuse(redirect::body_is_spent()));
            }
            attempts.redirected();
            attempts.drain(reply.body).await;
            let cross_origin = hop.cross_origin;
            request.follow(hop);
            if cross_origin {
                attempts.moved_to(&request.url);
            }
        };
        let continued = match asked.map(|asked| asked.judge(&reply)).transpose() {
            Ok(continued) => continued.flatten(),
            Err(fault) => return Err(attempts.refuse(fault)),
        };
        let Reply { status, status_text, headers, body } = reply;
        let decoded = match Decoded::open(body, &request.method, status, &headers, call.decoding) {
            Ok(decoded) => decoded,
            Err(fault) => return Err(attempts.refuse(fault)),
        };
        let course = attempts.into_course();
        let owned = Owned {
            transport: Arc::clone(&self.transport),
            clock: Arc::clone(&self.clock),
            policy: call.policy,
            hooks: call.hooks,
            limits: call.limits,
            total: call.total,
        };
        let continues = continued.is_some();
        if continues {
            start::forget(&mut request);
        }
        let repeatable = request.body.keep_if_small();
        // `Response.url` is without the fragment (Fetch standard, section 5.6).
        let url = &request.url[..Position::AfterQuery];
        let url = (url != call.url).then(|| url.to_owned());
        Ok(Answer {
            status,
            status_text,
            url,
            redirected: redirects > 0,
            continues,
            recovery: course.recovery().cloned(),
            body: decoded.over(|body| {
                // What is there was a part of a whole.
                let status = if continues { StatusCode::OK } else { status };
                let means = Means { owned, request, repeatable, course, status, resume: call.resume, continues };
                Resumable::new(headers, body, means, continued)
            }),
        })
    }
}

/// The URL of a call, if it is one that can be fetched.
fn target(written: &str) -> Result<Url, Box<Fault>> {
    let refused = |code: &'static str| Fault::new(code, Phase::Send, Delivery::NotSent);
    let Ok(url) = Url::parse(written) else {
        let reason = format!("{} is not a URL; an absolute one is expected, http: or https:.", shown(written));
        return Err(Box::new(refused("ERR_INVALID_URL").with_reason(reason)));
    };
    if !matches!(url.scheme(), "http" | "https") {
        let reason = format!("{}: is not a scheme that can be fetched; http: or https: is expected.", url.scheme());
        return Err(Box::new(refused("ERR_UNSUPPORTED_PROTOCOL").with_reason(reason)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Box::new(
            refused("ERR_INVALID_URL")
                .with_reason("The URL contains credentials; send them in an Authorization header instead."),
        ));
    }
    if bad_port::blocks(&url) {
        return Err(Box::new(refused(bad_port::CODE)));
    }
    Ok(url)
}

/// The beginning of what the caller wrote, quoted.
fn shown(written: &str) -> String {
    const ENOUGH: usize = 100;
    match written.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{:?}...", &written[..end]),
        None => format!("{written:?}"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectMode {
    #[default]
    Follow,
    /// Follows to the same origin; to another one is an error (Fetch standard, request mode `same-origin`).
    WithinOrigin,
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
    /// Whether the response's body goes on when it breaks.
    pub resume: Resume,
    /// What is there of the body. It is left out of account where the body is decoded, and where nothing would prove that
    /// the rest belongs to it: the answer says whether it [`continues`](Answer::continues).
    pub start: Option<Start>,
    pub decoding: Decoding,
    pub limits: Limits,
    /// The end of the whole call up to the end of the response head. A body that breaks after it does not go on.
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
    /// The latest hundred.
    pub attempts: Vec<Attempt>,
    /// How often a body that broke went on.
    pub resumed: u32,
    /// Bytes of the body that were transferred once more.
    pub bytes_refetched: u64,
    pub gave_up: Option<GaveUp>,
}

pub struct Answer<B> {
    pub status: StatusCode,
    pub status_text: Bytes,
    pub body: B,
    /// The final URL where it differs from what the caller wrote.
    pub url: Option<String>,
    pub redirected: bool,
    /// The body goes on behind what is there: see [`Call::start`].
    pub continues: bool,
    /// `None` when the first attempt answered and nothing is to be told.
    pub recovery: Option<Recovery>,
}

impl<B: RecoveringBody> Answer<B> {
    pub fn headers(&self) -> &HeaderMap {
        self.body.headers()
    }
}

/// Why a call has no answer.
#[derive(Debug)]
pub enum CallError {
    /// The network, the server or the caller's input failed it.
    Fault { fault: Box<Fault>, recovery: Recovery },
    /// A hook failed; the caller knows with what.
    Hook { recovery: Recovery },
    /// The request body's source failed; the caller knows with what.
    Body { recovery: Recovery },
}

#[cfg(test)]
mod tests;
