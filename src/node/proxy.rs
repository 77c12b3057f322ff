//! The fault proxy for JavaScript: one native object for each proxy, which owns it.
//!
//! Nothing here is on a hot path (bytes never cross), so it uses none of the engine's machinery: what takes time
//! calls back through a threadsafe function of its own that lives for that one answer. Everything else returns at once.
//!
//! When the object is collected, or its environment ends, the proxy goes with it and its tasks end. JavaScript
//! therefore keeps every open proxy in a set of its realm.

use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::Either;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Error, Status};
use napi_derive::napi;
use serde::Deserialize;
use serde_json::json;
use tokio::task::AbortHandle;

use super::presence::Presence;
use super::runtime::runtime;
use crate::proxy::{FaultId, FaultProxy, ListenError, ListenOptions, Plan, PlanError, Upstream};

/// Is called once, with `null` or with the JSON of what went wrong. It keeps the process alive until then.
type Callback = ThreadsafeFunction<Option<String>, (), Option<String>, Status, false>;

#[napi]
pub struct NativeProxy {
    /// Empty until it listens. A task that closes it holds it too.
    proxy: Arc<OnceLock<FaultProxy>>,
    listening: AbortHandle,
    presence: Presence,
}

#[napi]
impl NativeProxy {
    /// Begins to listen; `settled` says when it does, or why it does not. `options` is JSON, checked and complete.
    #[napi(constructor)]
    pub fn new(env: Env, options: String, settled: Callback) -> napi::Result<Self> {
        let options: Options = serde_json::from_str(&options).map_err(|error| Error::from_reason(error.to_string()))?;
        // As the handle of a server does, it keeps the process alive. There is nothing to be woken for.
        let presence = Presence::new(env, "presence", |_| Ok(()))?;
        let proxy = Arc::new(OnceLock::new());
        let listening = runtime()?.spawn(listen(options.into(), Arc::clone(&proxy), Answer::new(settled)));
        Ok(NativeProxy { proxy, listening: listening.abort_handle(), presence })
    }

    /// The address it listens on.
    #[napi(getter)]
    pub fn host(&self) -> napi::Result<String> {
        Ok(self.proxy()?.local_addr().ip().to_string())
    }

    #[napi(getter)]
    pub fn port(&self) -> napi::Result<u16> {
        Ok(self.proxy()?.local_addr().port())
    }

    /// Adds a fault, given as JSON, and returns its number; or the JSON of why it is refused.
    #[napi]
    pub fn add(&self, plan: String) -> napi::Result<Either<u32, String>> {
        let proxy = self.proxy()?;
        Ok(match Plan::from_json(&plan) {
            Ok(plan) => Either::A(proxy.add(plan).0),
            Err(error) => Either::B(plan_problem(&error)),
        })
    }

    #[napi]
    pub fn remove(&self, fault: u32) -> napi::Result<()> {
        self.proxy()?.remove(FaultId(fault));
        Ok(())
    }

    #[napi]
    pub fn hits(&self, fault: u32) -> napi::Result<f64> {
        // Exact up to 2^53 strikes.
        Ok(self.proxy()?.hits(FaultId(fault)) as f64)
    }

    #[napi]
    pub fn reset_all(&self) -> napi::Result<f64> {
        Ok(self.proxy()?.reset_all() as f64)
    }

    #[napi]
    pub fn pause(&self) -> napi::Result<()> {
        self.proxy()?.pause();
        Ok(())
    }

    #[napi]
    pub fn resume(&self) -> napi::Result<()> {
        self.proxy()?.resume();
        Ok(())
    }

    #[napi]
    pub fn stats(&self) -> napi::Result<String> {
        to_json(&self.proxy()?.stats())
    }

    #[napi]
    pub fn timeline(&self) -> napi::Result<String> {
        to_json(&self.proxy()?.timeline())
    }

    /// Whether the process stays alive for this proxy.
    #[napi]
    pub fn hold(&self, env: Env, held: bool) -> napi::Result<()> {
        self.presence.hold(env, held, || Ok(()))
    }

    /// Closes the proxy; `closed` is called when its last task has ended.
    #[napi]
    pub fn close(&self, closed: Callback) -> napi::Result<()> {
        self.proxy()?;
        let proxy = Arc::clone(&self.proxy);
        let answer = Answer::new(closed);
        runtime()?.spawn(async move {
            if let Some(proxy) = proxy.get() {
                proxy.close().await;
            }
            answer.give(None);
        });
        Ok(())
    }

    fn proxy(&self) -> napi::Result<&FaultProxy> {
        self.proxy.get().ok_or_else(|| Error::from_reason("the proxy does not listen"))
    }
}

impl Drop for NativeProxy {
    fn drop(&mut self) {
        // What it is about to open is closed again when the task lets go of it.
        self.listening.abort();
    }
}

async fn listen(options: ListenOptions, opened: Arc<OnceLock<FaultProxy>>, answer: Answer) {
    let problem = match FaultProxy::listen(options).await {
        Ok(proxy) => {
            // Nobody else fills it.
            let _ = opened.set(proxy);
            None
        }
        Err(error) => Some(listen_problem(&error)),
    };
    // Before JavaScript hears of it: from then on the object there is the only owner.
    drop(opened);
    answer.give(problem);
}

/// `{ "upstream": { "host", "port" }, "host", "port", "seed" }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    upstream: Peer,
    host: String,
    port: u16,
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    host: String,
    port: u16,
}

impl From<Options> for ListenOptions {
    fn from(Options { upstream, host, port, seed }: Options) -> Self {
        ListenOptions { host, port, upstream: Upstream { host: upstream.host, port: upstream.port }, seed }
    }
}

fn listen_problem(error: &ListenError) -> String {
    let ListenError { code, syscall, address, port, source } = error;
    json!({ "code": code, "syscall": syscall, "address": address, "port": port, "detail": source.to_string() })
        .to_string()
}

fn plan_problem(error: &PlanError) -> String {
    json!({ "code": error.code, "message": error.message, "isRange": error.is_range }).to_string()
}

fn to_json(value: &impl serde::Serialize) -> napi::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::from_reason(error.to_string()))
}

/// The one answer that a promise in JavaScript waits for. It is given also if the task ends in a panic: a promise
/// that never settles is a bug that nobody finds.
struct Answer {
    callback: Callback,
    given: bool,
}

impl Answer {
    fn new(callback: Callback) -> Self {
        Answer { callback, given: false }
    }

    fn give(mut self, problem: Option<String>) {
        self.send(problem);
    }

    fn send(&mut self, problem: Option<String>) {
        self.given = true;
        // Refused only when the environment is ending: nobody is left to be told.
        self.callback.call(problem, ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given {
            let problem = json!({ "code": "ERR_UNRESET_INTERNAL", "detail": "a task of the fault proxy panicked" });
            self.send(Some(problem.to_string()));
        }
    }
}
