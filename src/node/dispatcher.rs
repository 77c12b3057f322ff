//! Completions on their way to one JavaScript environment.
//!
//! A threadsafe function per call costs 6 us of event-loop time and more the more are in flight. Here all calls
//! share one; it is called only when the queue turns non-empty, and one drain hands over everything.
//!
//! A test runner makes one realm after the other in one environment, and each would stay in memory for the function
//! in it that takes the completions, if that were what Node is told to call. It is known here by a reference that is
//! strong only while something is in flight ([`Drain`]), and Node calls nothing of a realm's ([`Presence`]).

use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi::bindgen_prelude::{Function, ToNapiValue, Unknown};
use napi::{Env, JsValue, check_status, sys};

use super::completion::{BATCH, Completion, SLOTS, Values};
use super::presence::Presence;

/// The way to one environment. Dropping the last handle closes it.
pub struct Dispatcher {
    queue: Arc<Queue>,
    presence: Presence,
    /// Those of the [`Drain`], which `presence` owns.
    references: References,
}

/// Bounded by what is in flight: a call has at most one answer, one body piece, one hook and one question for roots
/// under way, for each reading of its request body a pull and the word that it is not wanted any more, and for each
/// connection in the making one lookup. Of a policy there is one word that its breakers changed, until it is asked how.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Completion>,
    /// The threadsafe function has been called and has not drained since.
    woken: bool,
    /// The event loop has other things to do: what comes waits until it has done them.
    held_back: bool,
    /// How often it was held back.
    holds: u64,
}

/// Node calls a threadsafe function up to a thousand times in one turn of the event loop, as long as there is something to
/// call it for. Where the program works long with each answer the next ones are always there, and timers wait for
/// seconds. So JavaScript holds the completions back until its next turn. If it does not say that this has come (its timers
/// may be in the hands of a test), it is taken to have come after this time.
pub const TURN_AT_MOST: Duration = Duration::from_secs(1);

impl Dispatcher {
    /// `drain(count, values)` is called on the environment's thread; the numbers stand in `numbers`, a `Float64Array`.
    pub fn new(env: Env, drain: &Function<'_, Unknown<'_>, Unknown<'_>>, numbers: &Unknown<'_>) -> napi::Result<Self> {
        let queue = Arc::new(Queue::default());
        let taken = Arc::clone(&queue);
        let drain = Drain::new(env, drain.raw(), numbers.raw())?;
        let references = drain.references;
        let presence = Presence::new(env, "wake", move |env| drain.call(env, taken.take_batch()))?;
        Ok(Dispatcher { queue, presence, references })
    }

    /// Hands one completion over. Never blocks; what an environment that has ended would be told is dropped.
    pub fn push(&self, completion: Completion) {
        if self.queue.add(completion) {
            self.wake();
        }
    }

    /// As [`push`](Self::push), of several that belong together.
    pub fn push_all(&self, completions: &mut Vec<Completion>) {
        if self.queue.add_all(completions) {
            self.wake();
        }
    }

    /// Called by JavaScript after a drain: what did not fit one batch comes next, after its own work had a turn.
    pub fn resume(&self) {
        if self.queue.must_wake() {
            self.wake();
        }
    }

    /// Hands nothing over until [`go_on`](Self::go_on). Called by JavaScript within a drain. The number is this hold's.
    pub fn hold_back(&self) -> u64 {
        let mut state = self.queue.lock();
        state.held_back = true;
        state.holds += 1;
        state.holds
    }

    /// As [`go_on`](Self::go_on), unless that hold is over and another one has begun.
    pub fn go_on_from(&self, hold: u64) {
        {
            let mut state = self.queue.lock();
            state.held_back &= state.holds != hold;
        }
        self.resume();
    }

    /// Hands over what has gathered since [`hold_back`](Self::hold_back). It may be called once too often.
    pub fn go_on(&self) {
        self.queue.lock().held_back = false;
        self.resume();
    }

    /// Keeps the process and the realm alive (or stops doing so). On the environment's thread only.
    pub fn hold(&self, env: Env, held: bool) -> napi::Result<()> {
        self.presence.hold(env, held, || {
            let mut count = 0;
            for reference in [self.references.function, self.references.numbers] {
                // SAFETY: the references live as long as the presence, which is not closed meanwhile; `env` is the live
                // environment that made them, on its thread.
                check_status!(unsafe {
                    match held {
                        true => sys::napi_reference_ref(env.raw(), reference, &mut count),
                        false => sys::napi_reference_unref(env.raw(), reference, &mut count),
                    }
                })?;
            }
            Ok(())
        })
    }

    fn wake(&self) {
        if !self.presence.wake() {
            // Nobody is left to be told.
            self.queue.take_all();
        }
    }
}

/// What of the realm takes completions: its function, and the array it reads their numbers from. Both are weak until
/// [`Dispatcher::hold`] makes them strong: a realm that waits for nothing can be collected.
struct Drain {
    env: Env,
    references: References,
}

#[derive(Clone, Copy)]
struct References {
    function: sys::napi_ref,
    numbers: sys::napi_ref,
}

// SAFETY: the pointers are only handed from thread to thread; they are used on the environment's thread alone, by
// `hold` and by the callback of the threadsafe function.
unsafe impl Send for References {}
// SAFETY: as above.
unsafe impl Sync for References {}

impl Drain {
    fn new(env: Env, function: sys::napi_value, numbers: sys::napi_value) -> napi::Result<Self> {
        let reference = |value| {
            let mut reference = ptr::null_mut();
            // SAFETY: `env` is live and on its thread, the value belongs to it. A count of 0 makes it weak.
            check_status!(unsafe { sys::napi_create_reference(env.raw(), value, 0, &mut reference) })?;
            Ok::<_, napi::Error>(reference)
        };
        Ok(Drain { env, references: References { function: reference(function)?, numbers: reference(numbers)? } })
    }

    /// Hands a batch over, unless the realm is gone. What its function throws is an uncaught exception, as in any
    /// callback.
    fn call(&self, env: Env, batch: Vec<Completion>) -> napi::Result<()> {
        if batch.is_empty() {
            // It was called for what is held back now.
            return Ok(());
        }
        let env = env.raw();
        // SAFETY (all calls): the callback of a threadsafe function runs on the environment's thread, with the live
        // environment and a handle scope, in which all these values are.
        let (function, numbers) = unsafe {
            (self.referenced(env, self.references.function)?, self.referenced(env, self.references.numbers)?)
        };
        if function.is_null() || numbers.is_null() {
            return Ok(());
        }
        unsafe { write_numbers(env, numbers, &batch)? };
        let count = batch.len() as u32;
        let mut this = ptr::null_mut();
        check_status!(unsafe { sys::napi_get_undefined(env, &mut this) })?;
        let arguments = unsafe { [u32::to_napi_value(env, count)?, Values::to_napi_value(env, Values(batch))?] };
        let mut returned = ptr::null_mut();
        let status = unsafe { sys::napi_call_function(env, this, function, 2, arguments.as_ptr(), &mut returned) };
        if status == sys::Status::napi_pending_exception {
            let mut exception = ptr::null_mut();
            check_status!(unsafe { sys::napi_get_and_clear_last_exception(env, &mut exception) })?;
            // A worker that is being terminated refuses; nobody is left to be told.
            let _ = unsafe { sys::napi_fatal_exception(env, exception) };
        }
        Ok(())
    }

    /// # Safety
    /// On the environment's thread, in a handle scope of `env`, which made the reference.
    unsafe fn referenced(&self, env: sys::napi_env, reference: sys::napi_ref) -> napi::Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: the caller's; the reference is deleted only when `self` is dropped.
        check_status!(unsafe { sys::napi_get_reference_value(env, reference, &mut value) })?;
        Ok(value)
    }
}

/// # Safety
/// On the thread of `env`, which `numbers` belongs to.
unsafe fn write_numbers(env: sys::napi_env, numbers: sys::napi_value, batch: &[Completion]) -> napi::Result<()> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    // SAFETY: the caller's; what is not asked for may be null.
    check_status!(unsafe {
        sys::napi_get_typedarray_info(env, numbers, &mut kind, &mut length, &mut data, ptr::null_mut(), ptr::null_mut())
    })?;
    if kind != sys::TypedarrayType::float64_array || length < batch.len() * SLOTS || data.is_null() {
        return Err(napi::Error::from_reason("the array for completions is not a Float64Array of the agreed length"));
    }
    // SAFETY: Node tells of `length` doubles at `data`, aligned as the type of the array asks; JavaScript cannot run
    // before this function returns, so nobody else reads or writes them.
    let slots = unsafe { std::slice::from_raw_parts_mut(data.cast::<f64>(), length) };
    for (completion, slots) in batch.iter().zip(slots.chunks_exact_mut(SLOTS)) {
        completion.write_numbers(slots);
    }
    Ok(())
}

impl Drop for Drain {
    fn drop(&mut self) {
        for reference in [self.references.function, self.references.numbers] {
            // SAFETY: Node finalizes a threadsafe function, and what its callback owns, on the environment's thread.
            // A failure leaves a reference behind in an environment that is ending.
            let _ = unsafe { sys::napi_delete_reference(self.env.raw(), reference) };
        }
    }
}

impl Queue {
    /// Returns whether the environment must be woken for it.
    fn add(&self, completion: Completion) -> bool {
        let mut state = self.lock();
        state.waiting.push(completion);
        !state.held_back && !std::mem::replace(&mut state.woken, true)
    }

    /// As [`add`](Self::add).
    fn add_all(&self, completions: &mut Vec<Completion>) -> bool {
        if completions.is_empty() {
            return false;
        }
        let mut state = self.lock();
        state.waiting.append(completions);
        !state.held_back && !std::mem::replace(&mut state.woken, true)
    }

    fn take_batch(&self) -> Vec<Completion> {
        let mut state = self.lock();
        state.woken = false;
        if state.held_back {
            return Vec::new();
        }
        if state.waiting.len() <= BATCH {
            return std::mem::take(&mut state.waiting);
        }
        let rest = state.waiting.split_off(BATCH);
        std::mem::replace(&mut state.waiting, rest)
    }

    fn take_all(&self) -> Vec<Completion> {
        let mut state = self.lock();
        state.woken = false;
        std::mem::take(&mut state.waiting)
    }

    fn must_wake(&self) -> bool {
        let mut state = self.lock();
        !state.held_back && !state.waiting.is_empty() && !std::mem::replace(&mut state.woken, true)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The queue is whole between any two statements, so a panic elsewhere cannot have left it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::completion::Kind;

    fn completion(call: u32) -> Completion {
        Completion::new(Kind::Failed, call)
    }

    #[test]
    fn wakes_once_for_all_that_gathers_before_a_drain() {
        let queue = Queue::default();
        assert!(queue.add(completion(1)));
        assert!(!queue.add(completion(2)));
        assert_eq!(queue.take_batch().iter().map(|c| c.call).collect::<Vec<_>>(), [1, 2]);
        assert!(queue.add(completion(3)), "drained: the next one wakes again");
    }

    #[test]
    fn several_wake_once_and_nothing_wakes_nobody() {
        let queue = Queue::default();
        assert!(!queue.add_all(&mut Vec::new()));
        assert!(queue.add_all(&mut vec![completion(1), completion(2)]));
        assert!(!queue.add_all(&mut vec![completion(3)]));
        assert_eq!(queue.take_batch().iter().map(|c| c.call).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn what_is_held_back_waits_and_is_not_lost() {
        let queue = Queue::default();
        assert!(queue.add(completion(1)));
        queue.lock().held_back = true;
        assert!(queue.take_batch().is_empty(), "the wake that was under way finds nothing");
        assert!(!queue.add(completion(2)) && !queue.must_wake());
        queue.lock().held_back = false;
        assert!(queue.must_wake() && !queue.must_wake());
        assert_eq!(queue.take_batch().iter().map(|c| c.call).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_long_queue_is_taken_in_turns_and_in_order() {
        let queue = Queue::default();
        for call in 0..(BATCH as u32 + 2) {
            queue.add(completion(call));
        }
        assert_eq!(queue.take_batch().len(), BATCH);
        assert!(queue.must_wake(), "the rest needs another turn");
        assert!(!queue.must_wake(), "which is asked for once");
        let rest: Vec<_> = queue.take_batch().iter().map(|c| c.call).collect();
        assert_eq!(rest, [BATCH as u32, BATCH as u32 + 1]);
        assert!(!queue.must_wake());
    }
}
