//! A client as JavaScript holds it: one pool, one policy, its defaults.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use napi_derive::napi;
use tokio::sync::oneshot;

use super::call::{self, Start};
use super::completion::{Completion, Kind};
use super::engine::{Core, Engine};
use super::hooks::{Given, JsHooks};
use super::options::{Options, Timeouts};
use super::policy::NativePolicy;
use super::pool::{self, PoolOptions};
use super::tls::{ClientTls, Trusting};
use super::upload::JsSource;
use crate::http::body::RequestBody;
use crate::http::call::{Client, RedirectMode};
use crate::http::decode::Decoding;
use crate::http::resume::Resume;
use crate::http::transport::lookup::Lookup;
use crate::http::transport::options::TransportOptions;
use crate::http::transport::proxies::ProxyRules;
use crate::http::transport::routed::Routed;
use crate::policy::{Policy, SystemClock};

/// Flags of a call; `lib/engine/call-flags.js` holds the same.
const REDIRECT_ERROR: u32 = 1;
const REDIRECT_MANUAL: u32 = 1 << 1;
/// The body is a stream, pulled piece by piece.
const STREAM: u32 = 1 << 2;
/// The body is a function that makes such a stream, as often as it is needed.
const REOPENS: u32 = 1 << 3;
const SHOULD_RETRY: u32 = 1 << 4;
const ON_RETRY: u32 = 1 << 5;
const REDIRECT_WITHIN_ORIGIN: u32 = 1 << 6;
/// Whoever answers over TLS is trusted.
const UNVERIFIED: u32 = 1 << 7;

#[napi]
pub struct NativeClient {
    engine: Arc<Core>,
    /// `None`: it has been closed.
    open: Option<Open>,
}

struct Open {
    shared: Arc<Shared>,
    /// Ends when `shared` does.
    in_flight: oneshot::Receiver<Infallible>,
}

/// What all calls of a client share. Besides the client itself only calls hold it, each until nothing of it is on the
/// network any more: so it goes with the last of them.
pub struct Shared {
    pub policy: Arc<Policy>,
    /// The policy's, where others share it.
    clock: Option<Arc<SystemClock>>,
    pub timeouts: Timeouts,
    pub resume: Resume,
    pub decoding: Decoding,
    tls: ClientTls,
    proxies: Option<ProxyRules>,
    pool: PoolOptions,
    lookup: Arc<dyn Lookup>,
    http: Arc<Https>,
    /// Tells by its end that nothing is in flight.
    _in_flight: oneshot::Sender<Infallible>,
}

/// Those that verify certificates and those that do not share no connection and no TLS session.
#[derive(Default)]
struct Https {
    verified: Http,
    unverified: Http,
}

type Http = OnceLock<Result<Client<Trusting<Routed>>, String>>;

impl Shared {
    /// The client behind it, made by the first call, off the event loop.
    pub fn http(&self, verify: bool) -> Result<&Client<Trusting<Routed>>, &str> {
        let http = if verify { &self.http.verified } else { &self.http.unverified };
        http.get_or_init(|| {
            let usual = TransportOptions::default();
            let tls = self.tls.options(verify);
            let options = self.pool.over(TransportOptions {
                connect_timeout: self.timeouts.limits.connect.unwrap_or(usual.connect_timeout),
                tls: tls.clone(),
                proxies: self.proxies.clone(),
                lookup: Arc::clone(&self.lookup),
                ..usual
            });
            let through_tls = self.proxies.as_ref().is_some_and(ProxyRules::speak_tls);
            let transport = Routed::new(options).map_err(|error| error.to_string())?;
            let transport = Trusting::new(transport, &tls.trust, through_tls);
            Ok(match &self.clock {
                Some(clock) => Client::with_clock(transport, clock.clone()),
                None => Client::new(transport),
            })
        })
        .as_ref()
        .map_err(String::as_str)
    }
}

#[napi]
impl NativeClient {
    /// `options`: JSON with `retry` and `timeout`, both complete, and the rest as it differs from what is usual.
    /// `result_order` is Node's for the addresses of a name, `lookup` the number of a function that finds them instead.
    /// With a `policy` the calls share its origins with all others under it; the options are the client's nevertheless.
    #[napi(constructor)]
    pub fn new(
        engine: &Engine,
        options: String,
        result_order: String,
        lookup: Option<u32>,
        policy: Option<&NativePolicy>,
    ) -> napi::Result<Self> {
        let options = Options::parse(&options).map_err(napi::Error::from_reason)?;
        let (Some(retry), Some(timeouts)) = (options.retry, options.timeouts) else {
            return Err(napi::Error::from_reason("a client needs retry and timeout"));
        };
        let decoding = options.decoding.unwrap_or_default();
        let tls = options.tls.unwrap_or_default().read().map_err(napi::Error::from_reason)?;
        let resume = options.resume.unwrap_or_default();
        let (policy, clock) = match policy {
            Some(shared) => (shared.policy().with_options(retry), Some(shared.clock().clone())),
            None => (Policy::new(retry), None),
        };
        let policy = Arc::new(policy);
        let engine = Arc::clone(engine.core());
        let (sender, in_flight) = oneshot::channel();
        let shared = Shared {
            policy,
            clock,
            timeouts,
            resume,
            decoding,
            tls,
            proxies: options.proxies,
            pool: options.pool,
            lookup: pool::lookup(&engine, lookup, &result_order),
            http: Arc::default(),
            _in_flight: sender,
        };
        Ok(NativeClient { engine, open: Some(Open { shared: Arc::new(shared), in_flight }) })
    }

    /// Closes the connections: idle ones now, the others when their exchange ends. When nothing of the client is in
    /// flight any more and none is open, a completion under the number `closing` says so. Nothing may start after it.
    #[napi]
    pub fn close(&mut self, closing: u32) -> napi::Result<()> {
        let Some(Open { shared, in_flight }) = self.open.take() else {
            return Err(napi::Error::from_reason("a client is closed once"));
        };
        self.engine.start(closing, move |registration| async move {
            let http = Arc::clone(&shared.http);
            drop(shared);
            http.close();
            let Err(_ended) = in_flight.await;
            // Once more: a call that was in flight may have been about to make the first connection.
            http.close();
            let (core, done) = (Arc::clone(registration.core()), Completion::new(Kind::Closed, registration.call()));
            // First: who is told that all is closed finds nothing open.
            drop(registration);
            core.push(done);
        })
    }

    /// Starts a call. `head` as [`super::request::parse`] reads it; the body is `text`, `bytes`, or neither; `options`
    /// is JSON with what differs from the client's; `length` is a stream's, or negative if it is not known.
    #[napi]
    #[allow(clippy::too_many_arguments)] // Each is one crossing; an object of them would cost one per field and its own.
    pub fn start(
        &self,
        call: u32,
        flags: u32,
        head: String,
        text: Option<String>,
        bytes: Option<&[u8]>,
        options: Option<String>,
        length: Option<f64>,
    ) -> napi::Result<()> {
        let overrides = options.map(|json| Options::parse(&json)).transpose().map_err(napi::Error::from_reason)?;
        let body = match (text, bytes) {
            (Some(text), _) => RequestBody::Bytes(text.into()),
            (None, Some(bytes)) => RequestBody::Bytes(Bytes::copy_from_slice(bytes)),
            (None, None) if flags & (STREAM | REOPENS) != 0 => {
                let length = length.filter(|length| *length >= 0.0).map(|length| length as u64);
                RequestBody::Source(Arc::new(JsSource::new(
                    Arc::clone(&self.engine),
                    call,
                    flags & REOPENS != 0,
                    length,
                )))
            }
            (None, None) => RequestBody::Empty,
        };
        let given = Given { should_retry: flags & SHOULD_RETRY != 0, on_retry: flags & ON_RETRY != 0 };
        let hooks = (given.should_retry || given.on_retry)
            .then(|| Arc::new(JsHooks::new(Arc::clone(&self.engine), call, given)) as Arc<_>);
        let verify = flags & UNVERIFIED == 0;
        let start = Start { head, body, redirect: redirect(flags), overrides, hooks, verify };
        let Some(Open { shared, .. }) = &self.open else {
            return Err(napi::Error::from_reason("the client has been closed"));
        };
        let shared = Arc::clone(shared);
        self.engine.start(call, move |registration| call::run(shared, start, registration))
    }
}

impl Https {
    /// There is no client, and nothing to close, before the first call.
    fn close(&self) {
        for client in [&self.verified, &self.unverified].into_iter().filter_map(Http::get).flatten() {
            client.close();
        }
    }
}

fn redirect(flags: u32) -> RedirectMode {
    match flags & (REDIRECT_ERROR | REDIRECT_MANUAL | REDIRECT_WITHIN_ORIGIN) {
        REDIRECT_ERROR => RedirectMode::Error,
        REDIRECT_MANUAL => RedirectMode::Manual,
        REDIRECT_WITHIN_ORIGIN => RedirectMode::WithinOrigin,
        _ => RedirectMode::Follow,
    }
}

/// Whether a request head of this form would be accepted; for tests that hold JavaScript's own check against it.
#[napi]
pub fn accepts_head(head: String) -> bool {
    super::request::parse(&head).is_some()
}
