//! Hooks hear of a body that breaks.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use unreset::fault::Fault;
use unreset::http::call::{Call, Recovery};
use unreset::http::hooks::{Failed, HookFailed, HookFuture, Hooks, Next};
use unreset::http::resume::RecoveringBody;
use unreset::http::transport::IncomingBody;
use unreset::policy::GaveUp;

use super::support::*;
use crate::support::*;

/// Notes what it is told; answers with `verdict`, or fails.
pub struct Noting {
    pub told: Mutex<Vec<String>>,
    pub verdict: Result<Option<bool>, HookFailed>,
}

impl Hooks for Noting {
    fn should_retry<'a>(&'a self, failed: Failed<'a>) -> HookFuture<'a, Option<bool>> {
        let Failed { fault, attempt, .. } = failed;
        self.told.lock().unwrap().push(format!("should {} {} {attempt}", fault.code, fault.phase.as_str()));
        Box::pin(async { self.verdict })
    }

    fn on_retry<'a>(&'a self, failed: Failed<'a>, next: Next) -> HookFuture<'a, ()> {
        self.told
            .lock()
            .unwrap()
            .push(format!("on {} {} {} {:?}", failed.fault.code, failed.attempt, next.why, failed.offset));
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn hooks_are_asked_about_a_body_as_about_any_attempt() {
    let content = content(1_000);
    let (fault, failed, recovery, told) = hooked(&content, Ok(None)).await;
    assert_eq!((fault, failed, recovery.resumed), (None, false, 1));
    assert_eq!(told, ["should ECONNRESET receive 1", "on ECONNRESET 1 idempotent-method Some(500)"]);

    let (fault, failed, recovery, told) = hooked(&content, Ok(Some(false))).await;
    assert_eq!((fault.unwrap().code.as_ref(), failed, told.len()), ("ECONNRESET", false, 1));
    assert_eq!(recovery.gave_up, Some(GaveUp::NotTransient));

    let (fault, failed, ..) = hooked(&content, Err(HookFailed)).await;
    assert!(fault.is_some() && failed);
}

async fn hooked(
    content: &Bytes,
    verdict: Result<Option<bool>, HookFailed>,
) -> (Option<Fault>, bool, Recovery, Vec<String>) {
    let server = breaks_every(500, content, TAG, End::Reset).await;
    let hooks = Arc::new(Noting { told: Mutex::default(), verdict });
    let call = Call { hooks: Some(hooks.clone()), ..get(server.url("/")) };
    let mut body = client().call(call).await.expect("an answer").body;
    let fault = read_all(&mut body).await.err();
    let told = hooks.told.lock().unwrap().clone();
    (fault, body.hook_failed(), body.news().unwrap(), told)
}

async fn read_all(body: &mut TestBody) -> Result<(), Fault> {
    while body.chunk().await?.is_some() {}
    Ok(())
}
