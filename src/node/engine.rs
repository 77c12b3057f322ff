//! One JavaScript environment: its dispatcher and the calls it has open.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use napi::Env;
use napi::bindgen_prelude::{Function, Unknown};
use napi_derive::napi;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::completion::{Completion, Kind};
use super::dispatcher::{Dispatcher, TURN_AT_MOST};
use super::download::Wanted;
use super::hooks::HookAnswer;
use super::lookup::{Answer, Lookups};
use super::runtime::runtime;
use super::tls::NativeRoots;
use super::upload::Piece;
use crate::http::transport::tls::Roots;

/// What JavaScript holds of its environment. When it is collected, or its environment ends, every call ends.
#[napi]
pub struct Engine {
    core: Arc<Core>,
}

/// What the tasks hold.
pub struct Core {
    dispatcher: Dispatcher,
    calls: Mutex<Calls>,
    lookups: Lookups,
}

#[derive(Default)]
struct Calls {
    open: HashMap<u32, OpenCall, BuildHasherDefault<Sequential>>,
    /// The environment has ended: nothing may start any more.
    closed: bool,
}

/// The ends of a running call that JavaScript can pull on.
struct OpenCall {
    task: AbortHandle,
    body: Option<mpsc::Sender<Wanted>>,
    upload: Option<OpenUpload>,
    hook: Option<oneshot::Sender<HookAnswer>>,
    roots: Option<oneshot::Sender<Option<Arc<Roots>>>>,
}

struct OpenUpload {
    reading: u32,
    pieces: mpsc::Sender<Piece>,
}

/// The numbers of calls are given out in order, by our own JavaScript: they need no protection from collisions.
#[derive(Default)]
struct Sequential(u64);

impl Hasher for Sequential {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // The table takes its groups from the low bits and its tags from the high ones: both must differ.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[napi]
impl Engine {
    /// `drain(count, values)` receives the completions whose numbers stand in `numbers`, a `Float64Array`.
    #[napi(constructor)]
    pub fn new(env: Env, drain: Function<'_, Unknown<'_>, Unknown<'_>>, numbers: Unknown<'_>) -> napi::Result<Self> {
        let dispatcher = Dispatcher::new(env, &drain, &numbers)?;
        Ok(Engine { core: Arc::new(Core { dispatcher, calls: Mutex::default(), lookups: Lookups::default() }) })
    }

    /// Whether process and realm stay alive for what is in flight.
    #[napi]
    pub fn hold(&self, env: Env, held: bool) -> napi::Result<()> {
        self.core.dispatcher.hold(env, held)
    }

    /// Asks for what one drain left over.
    #[napi]
    pub fn resume(&self) {
        self.core.dispatcher.resume();
    }

    /// Hands nothing over until [`go_on`](Self::go_on), or until the event loop must long have had its turn.
    #[napi]
    pub fn hold_back(&self) -> napi::Result<()> {
        let hold = self.core.dispatcher.hold_back();
        // It keeps nothing of an environment that ends meanwhile.
        let core = Arc::downgrade(&self.core);
        runtime()?.spawn(async move {
            tokio::time::sleep(TURN_AT_MOST).await;
            if let Some(core) = core.upgrade() {
                core.dispatcher.go_on_from(hold);
            }
        });
        Ok(())
    }

    /// The event loop has had its turn.
    #[napi]
    pub fn go_on(&self) {
        self.core.dispatcher.go_on();
    }

    /// Ends a call at once, wherever it is. Unknown calls have ended already.
    #[napi]
    pub fn cancel(&self, call: u32) {
        if let Some(open) = self.core.lock().open.remove(&call) {
            open.task.abort();
        }
    }

    /// Asks for the next piece of a response body; `false` if there is no such body.
    #[napi]
    pub fn read(&self, call: u32) -> bool {
        self.core.want(call, Wanted::Piece)
    }

    /// Asks for all of a response body at once; `false` if there is no such body.
    #[napi]
    pub fn collect(&self, call: u32) -> bool {
        self.core.want(call, Wanted::Everything)
    }

    /// Answers a pull with bytes of the request body; `false` if they are not wanted any more.
    #[napi]
    pub fn supply(&self, call: u32, reading: u32, chunk: &[u8]) -> bool {
        self.core.supply(call, reading, Piece::Bytes(Bytes::copy_from_slice(chunk)))
    }

    /// Answers a pull with the end of the request body, or with its failure.
    #[napi]
    pub fn finish_supply(&self, call: u32, reading: u32, failed: bool) -> bool {
        self.core.supply(call, reading, if failed { Piece::Failed } else { Piece::End })
    }

    /// What a hook said: 1 and 0 for true and false, -1 for neither, -2 if it threw.
    #[napi]
    pub fn answer_hook(&self, call: u32, answer: i32) {
        let waiting = self.core.lock().open.get_mut(&call).and_then(|open| open.hook.take());
        if let Some(waiting) = waiting {
            // The call may have ended while the hook ran.
            let _ = waiting.send(HookAnswer::from_number(answer));
        }
    }

    /// What the caller's `lookup` gave: addresses, one on each line, or else why there are none, as JSON.
    #[napi]
    pub fn answer_lookup(&self, lookup: u32, addresses: Option<String>, failure: Option<String>) {
        let answer = match addresses {
            Some(lines) => Answer::Addresses(lines),
            None => Answer::Failed(failure.unwrap_or_default()),
        };
        self.core.lookups.answer(lookup, answer);
    }

    /// The roots that Node trusts, for a call that asked; nothing if it has none.
    #[napi]
    pub fn answer_roots(&self, call: u32, roots: Option<&NativeRoots>) {
        let waiting = self.core.lock().open.get_mut(&call).and_then(|open| open.roots.take());
        if let Some(waiting) = waiting {
            // The call may have ended meanwhile.
            let _ = waiting.send(roots.map(NativeRoots::shared));
        }
    }

    /// The calls that are open, for tests of leaks.
    #[napi(getter)]
    pub fn open_calls(&self) -> u32 {
        self.core.lock().open.len() as u32
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.core.close();
    }
}

impl Core {
    /// Runs a call as a task that this environment owns.
    pub fn start<F>(self: &Arc<Self>, call: u32, task: impl FnOnce(Registration) -> F) -> napi::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = runtime()?;
        // Held until the call is entered, so that a task that ends at once finds its entry to remove.
        let mut calls = self.lock();
        if calls.closed {
            return Ok(());
        }
        let registration = Registration { core: Arc::clone(self), call, answered: Kind::Failed };
        let task = runtime.spawn(task(registration)).abort_handle();
        calls.open.insert(call, OpenCall { task, body: None, upload: None, hook: None, roots: None });
        Ok(())
    }

    pub fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    pub fn push(&self, completion: Completion) {
        self.dispatcher.push(completion);
    }

    pub fn push_all(&self, completions: &mut Vec<Completion>) {
        self.dispatcher.push_all(completions);
    }

    /// Opens the way for body pieces to be asked for. `false`: the call was cancelled.
    pub fn expect_reads(&self, call: u32, body: mpsc::Sender<Wanted>) -> bool {
        self.change(call, |open| open.body = Some(body))
    }

    /// Opens the way for a reading of the request body.
    pub fn expect_pieces(&self, call: u32, reading: u32, pieces: mpsc::Sender<Piece>) -> bool {
        self.change(call, |open| open.upload = Some(OpenUpload { reading, pieces }))
    }

    /// Opens the way for the answer of a hook.
    pub fn expect_hook(&self, call: u32, hook: oneshot::Sender<HookAnswer>) -> bool {
        self.change(call, |open| open.hook = Some(hook))
    }

    /// Opens the way for the roots that Node trusts.
    pub fn expect_roots(&self, call: u32, roots: oneshot::Sender<Option<Arc<Roots>>>) -> bool {
        self.change(call, |open| open.roots = Some(roots))
    }

    fn change(&self, call: u32, change: impl FnOnce(&mut OpenCall)) -> bool {
        self.lock().open.get_mut(&call).map(change).is_some()
    }

    fn want(&self, call: u32, wanted: Wanted) -> bool {
        // One request is under way at a time, so the channel of one always has room while the task lives.
        self.lock()
            .open
            .get(&call)
            .and_then(|open| open.body.as_ref())
            .is_some_and(|body| body.try_send(wanted).is_ok())
    }

    fn supply(&self, call: u32, reading: u32, piece: Piece) -> bool {
        self.lock()
            .open
            .get(&call)
            .and_then(|open| open.upload.as_ref())
            .is_some_and(|upload| upload.reading == reading && upload.pieces.try_send(piece).is_ok())
    }

    fn close(&self) {
        let open = {
            let mut calls = self.lock();
            calls.closed = true;
            std::mem::take(&mut calls.open)
        };
        for call in open.into_values() {
            call.task.abort();
        }
        self.lookups.close();
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // Every change to the map is one statement, so a panic elsewhere cannot have left it half made.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running call's place among the open ones: gone when the task is, however it ends.
pub struct Registration {
    core: Arc<Core>,
    call: u32,
    /// What a panic of the task is reported as: no answer before the head, a broken body after it.
    answered: Kind,
}

impl Registration {
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub fn call(&self) -> u32 {
        self.call
    }

    /// The head is with JavaScript: from here on it waits for the body.
    pub fn head_sent(&mut self) {
        self.answered = Kind::Broken;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.core.lock().open.remove(&self.call);
        if std::thread::panicking() {
            // A bug of ours. The caller is told instead of waiting for ever.
            let failure = super::call::internal_failure(self.answered == Kind::Broken);
            self.core.push(Completion::json(self.answered, self.call, failure));
        }
    }
}
