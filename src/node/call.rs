//! One call as a task: the request taken over, the client run, the answer handed back.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::client::Shared;
use super::completion::{CONTINUES, Completion, DONE, Kind, RECOVERY, REDIRECTED, Value, body_value};
use super::download::Download;
use super::engine::Registration;
use super::options::Options;
use super::{request, tls};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::body::RequestBody;
use crate::http::call::{Answer, Call, CallError, Recovery, RedirectMode};
use crate::http::decode::Decoded;
use crate::http::hooks::Hooks;
use crate::http::resume::RecoveringBody;
use crate::milliseconds;

/// What JavaScript gave to start a call with.
pub struct Start {
    pub head: String,
    pub body: RequestBody,
    pub redirect: RedirectMode,
    pub overrides: Option<Options>,
    pub hooks: Option<Arc<dyn Hooks>>,
    /// Whether certificates are verified.
    pub verify: bool,
}

/// Runs a call to its answer. What the event loop's thread allocates is a small task: the call itself, some kibibytes
/// of state, is boxed by the network thread that first polls it and freed by one of those.
pub async fn run(shared: Arc<Shared>, start: Start, registration: Registration) {
    let (core, call) = (Arc::clone(registration.core()), registration.call());
    tls::asking(core, call, Box::pin(answer(shared, start, registration))).await;
}

async fn answer(shared: Arc<Shared>, start: Start, registration: Registration) {
    let verify = start.verify;
    let read_ahead = start.overrides.as_ref().and_then(|overrides| overrides.read_ahead);
    let answer = match prepare(&shared, start) {
        Err(problem) => Err(internal_error(problem, Delivery::NotSent)),
        Ok(call) => match shared.http(verify) {
            Err(problem) => Err(internal_error(problem, Delivery::NotSent)),
            Ok(client) => client.call(call).await,
        },
    };
    match answer {
        Ok(answer) => deliver(answer, read_ahead, shared, registration).await,
        Err(error) => {
            let text = failed_json(&error);
            registration.core().push(Completion::json(Kind::Failed, registration.call(), text));
        }
    }
}

fn prepare(shared: &Shared, start: Start) -> Result<Call, &'static str> {
    let head = request::parse(&start.head).ok_or("a request came across in a form that cannot be read")?;
    let mut headers = head.headers;
    request::add_defaults(&mut headers);
    let overrides = start.overrides.unwrap_or_default();
    let timeouts = overrides.timeouts.unwrap_or(shared.timeouts);
    let policy = match overrides.retry {
        Some(options) => Arc::new(shared.policy.with_options(options)),
        None => Arc::clone(&shared.policy),
    };
    Ok(Call {
        method: head.method,
        url: head.url,
        headers,
        body: start.body,
        redirect: start.redirect,
        resume: overrides.resume.unwrap_or(shared.resume),
        start: overrides.start,
        decoding: overrides.decoding.unwrap_or(shared.decoding),
        limits: timeouts.limits,
        total: timeouts.total,
        policy,
        hooks: start.hooks,
    })
}

async fn deliver<B: RecoveringBody>(
    answer: Answer<Decoded<B>>,
    read_ahead: Option<u32>,
    shared: Arc<Shared>,
    mut registration: Registration,
) {
    let whole_limit = answer.body.whole_limit();
    let mut download = Download::new(answer.body, whole_limit, read_ahead, shared);
    download.take_arrived().await;

    let call = registration.call();
    let mut completion = Completion::new(Kind::Head, call);
    completion.number = f64::from(answer.status.as_u16());
    completion.values[0] = Value::Latin1(head_text(&answer.status_text, answer.url.as_deref(), download.headers()));
    if answer.redirected {
        completion.flags |= REDIRECTED;
    }
    if answer.continues {
        completion.flags |= CONTINUES;
    }
    if let Some(recovery) = download.news().or(answer.recovery) {
        completion.flags |= RECOVERY;
        completion.values[1] = Value::Utf8(recovery_json(&recovery).to_string());
    }

    if download.is_complete() {
        let (flags, body) = body_value(download.into_bytes());
        completion.flags |= flags | DONE;
        completion.values[2] = body;
        registration.core().push(completion);
        return;
    }

    let (sender, requests) = mpsc::channel(1);
    registration.core().expect_reads(call, sender);
    registration.head_sent();
    registration.core().push(completion);
    download.serve(registration.core(), call, requests).await;
}

/// Status text, final URL (empty: as the caller wrote it) and the header lines, each ended by a line feed.
fn head_text(status_text: &Bytes, url: Option<&str>, headers: &HeaderMap) -> Vec<u8> {
    let url = url.unwrap_or_default();
    let lines: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
    let mut text = Vec::with_capacity(status_text.len() + url.len() + 2 + lines);
    for line in [status_text, url.as_bytes()] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    for (name, value) in headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.push(b'\n');
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    text
}

fn failed_json(error: &CallError) -> String {
    let (source, fault, recovery) = match error {
        CallError::Fault { fault, recovery } => ("fault", Some(fault_json(fault)), recovery),
        CallError::Hook { recovery } => ("hook", None, recovery),
        CallError::Body { recovery } => ("body", None, recovery),
    };
    json!({ "source": source, "fault": fault, "recovery": recovery_json(recovery) }).to_string()
}

pub fn recovery_json(recovery: &Recovery) -> Json {
    let attempts: Vec<Json> = recovery
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "fault": attempt.fault.as_ref().map(fault_json),
                "delay": milliseconds::to_js(attempt.delay),
            })
        })
        .collect();
    let mut json = json!({
        "attempts": attempts,
        "resumed": recovery.resumed,
        "bytesRefetched": recovery.bytes_refetched,
    });
    if let Some(reason) = recovery.gave_up {
        json["gaveUp"] = reason.as_str().into();
    }
    json
}

/// What JavaScript is told of a body that broke; without a recovery that of the head still holds.
pub fn broken_json(fault: &Fault, recovery: Option<&Recovery>, hook_failed: bool) -> String {
    let source = if hook_failed { "hook" } else { "fault" };
    json!({ "source": source, "fault": fault_json(fault), "recovery": recovery.map(recovery_json) }).to_string()
}

pub fn fault_json(fault: &Fault) -> Json {
    fault.to_value_at(SystemTime::now())
}

/// What JavaScript is told when native code itself failed: before the head, and after it.
pub fn internal_failure(answered: bool) -> String {
    const PANIC: &str = "a task ended in a panic";
    if answered {
        return broken_json(&internal_fault(PANIC, Phase::Receive, Delivery::Answered), None, false);
    }
    failed_json(&internal_error(PANIC, Delivery::Unknown))
}

fn internal_error(problem: &str, delivery: Delivery) -> CallError {
    let fault = internal_fault(problem, Phase::Send, delivery);
    CallError::Fault { fault: Box::new(fault), recovery: Recovery::default() }
}

fn internal_fault(problem: &str, phase: Phase, delivery: Delivery) -> Fault {
    Fault::new("ERR_UNRESET_INTERNAL", phase, delivery).with_detail(problem)
}
