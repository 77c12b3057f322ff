//! Calls with short waits, and a body source that plays a script.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use unreset::fault::Fault;
use unreset::http::body::{BodySource, BodyStream, RequestBody, SourceFailed};
use unreset::http::call::{Answer, Call, CallError, Client, Recovery, RedirectMode};
use unreset::http::decode::{Decoded, Decoding};
use unreset::http::resume::{Resumable, Resume};
use unreset::http::transport::direct::DirectTransport;
use unreset::http::transport::options::TransportOptions;
use unreset::http::transport::{IncomingBody, Limits, Transport};
use unreset::policy::{Backoff, GaveUp, Options, Policy};

pub type TestClient = Client<DirectTransport>;
pub type TestBody<T = DirectTransport> = Decoded<Resumable<T>>;
pub type Outcome<T = DirectTransport> = Result<Answer<TestBody<T>>, CallError>;

/// Longer than any wait that is not a bug.
pub const LONG: Duration = Duration::from_secs(20);

pub fn client() -> TestClient {
    with(TransportOptions::default())
}

pub fn with(options: TransportOptions) -> TestClient {
    Client::new(DirectTransport::new(options).unwrap())
}

/// A call under the default policy, but with waits of a few milliseconds.
pub fn call(method: Method, url: impl Into<String>) -> Call {
    let backoff = Backoff { base: Duration::from_millis(2), cap: Duration::from_millis(5) };
    let options = Options { backoff, ..Options::default() };
    Call {
        method,
        url: url.into(),
        headers: HeaderMap::new(),
        body: RequestBody::Empty,
        redirect: RedirectMode::Follow,
        resume: Resume::default(),
        start: None,
        decoding: Decoding::default(),
        limits: Limits { connect: Some(LONG), headers: Some(LONG), body: Some(LONG), attempt: None },
        total: None,
        policy: Arc::new(Policy::new(options)),
        hooks: None,
    }
}

pub fn get(url: impl Into<String>) -> Call {
    call(Method::GET, url)
}

pub fn post(url: impl Into<String>, body: &'static str) -> Call {
    Call { body: RequestBody::Bytes(Bytes::from_static(body.as_bytes())), ..call(Method::POST, url) }
}

/// Longer than what a connection reads at once with the head of an answer, and than a record of TLS.
pub fn long_text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| (0..10_000).map(|n| format!("{n:06}")).collect());
    &TEXT
}

/// Additions to a call, in the order in which a test reads.
pub trait CallExt {
    fn with_method(self, method: Method) -> Self;
    fn header(self, name: &'static str, value: &'static str) -> Self;
    fn retries(self, retries: u32) -> Self;
    fn source(self, source: Source) -> Self;
}

impl CallExt for Call {
    fn with_method(self, method: Method) -> Self {
        Call { method, ..self }
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    fn retries(mut self, retries: u32) -> Self {
        let options = Options { retries, ..self.policy.options().clone() };
        self.policy = Arc::new(self.policy.with_options(options));
        self
    }

    fn source(mut self, source: Source) -> Self {
        self.body = RequestBody::Source(Arc::new(source));
        self
    }
}

/// A request body that is produced in pieces.
#[derive(Clone)]
pub struct Source {
    pub pieces: Vec<Result<Bytes, SourceFailed>>,
    /// Before each piece.
    pub pause: Duration,
    pub reopens: bool,
    pub length: Option<u64>,
}

impl Source {
    pub fn of(pieces: &[&'static str]) -> Self {
        let pieces = pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Source { pieces, pause: Duration::ZERO, reopens: false, length: None }
    }
}

impl BodySource for Source {
    fn open(&self) -> BodyStream {
        let pause = self.pause;
        Box::pin(stream::iter(self.pieces.clone()).then(move |piece| async move {
            tokio::time::sleep(pause).await;
            piece
        }))
    }

    fn reopens(&self) -> bool {
        self.reopens
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

/// Reads a body to its end or to its fault.
pub async fn read(body: &mut impl IncomingBody) -> Result<String, Fault> {
    let mut read = Vec::new();
    while body.append(&mut read).await?.is_some() {}
    Ok(String::from_utf8(read).unwrap())
}

/// The body of an answer that must have come.
pub async fn text<T: Transport>(outcome: Outcome<T>) -> String {
    read(&mut outcome.expect("an answer").body).await.expect("a whole body")
}

/// The fault of a call that must have failed with one, and what it took.
pub fn failed<T: Transport>(outcome: Outcome<T>) -> (Fault, Recovery) {
    match outcome {
        Err(CallError::Fault { fault, recovery }) => (*fault, recovery),
        Err(other) => panic!("not a fault: {other:?}"),
        Ok(answer) => panic!("an answer: {}", answer.status),
    }
}

/// As [`failed`], with the reason for which there was no further attempt.
pub fn gave_up<T: Transport>(outcome: Outcome<T>) -> (Fault, GaveUp, usize) {
    let (fault, recovery) = failed(outcome);
    (fault, recovery.gave_up.expect("a reason"), recovery.attempts.len())
}
