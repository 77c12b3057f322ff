//! The caller's hooks, which run on the JavaScript thread while the call waits.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::oneshot;

use super::completion::{Completion, Kind};
use super::engine::Core;
use crate::http::hooks::{Failed, HookFailed, HookFuture, Hooks, Next};
use crate::milliseconds;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookAnswer {
    Yes,
    No,
    /// Nothing was said: the policy decides.
    Neither,
    /// The hook threw; JavaScript keeps what.
    Threw,
}

impl HookAnswer {
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => HookAnswer::Yes,
            0 => HookAnswer::No,
            -1 => HookAnswer::Neither,
            _ => HookAnswer::Threw,
        }
    }
}

/// Which hooks the caller gave: the others cost no crossing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given {
    pub should_retry: bool,
    pub on_retry: bool,
}

pub struct JsHooks {
    core: Arc<Core>,
    call: u32,
    given: Given,
}

impl JsHooks {
    pub fn new(core: Arc<Core>, call: u32, given: Given) -> Self {
        JsHooks { core, call, given }
    }

    async fn ask(&self, kind: Kind, arguments: String) -> Result<HookAnswer, HookFailed> {
        let (sender, answer) = oneshot::channel();
        // A cancelled call drops the sender; its task is being dropped as well.
        self.core.expect_hook(self.call, sender);
        self.core.push(Completion::json(kind, self.call, arguments));
        match answer.await {
            Ok(HookAnswer::Threw) | Err(_) => Err(HookFailed),
            Ok(answer) => Ok(answer),
        }
    }
}

impl Hooks for JsHooks {
    fn may_override(&self) -> bool {
        self.given.should_retry
    }

    fn should_retry<'a>(&'a self, failed: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        Box::pin(async move {
            if !self.given.should_retry {
                return Ok(None);
            }
            Ok(match self.ask(Kind::ShouldRetry, arguments(&failed, None)).await? {
                HookAnswer::Yes => Some(true),
                HookAnswer::No => Some(false),
                HookAnswer::Neither | HookAnswer::Threw => None,
            })
        })
    }

    fn on_retry<'a>(&'a self, failed: Failed<'a>, next: Next) -> HookFuture<'a, ()> {
        Box::pin(async move {
            if self.given.on_retry {
                self.ask(Kind::OnRetry, arguments(&failed, Some(next))).await?;
            }
            Ok(())
        })
    }
}

fn arguments(failed: &Failed<'_>, next: Option<Next>) -> String {
    json!({
        "fault": super::call::fault_json(failed.fault),
        "attempt": failed.attempt,
        "method": failed.method,
        "url": failed.url,
        "elapsed": milliseconds::to_js(failed.elapsed),
        "delay": next.map(|next| milliseconds::to_js(next.delay)),
        "why": next.map(|next| next.why.as_str()),
        "offset": failed.offset,
    })
    .to_string()
}
