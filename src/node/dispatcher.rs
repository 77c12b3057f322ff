//! Completions on their way to one JavaScript environment.
//!
//! A threadsafe function per call costs 6 us of event-loop time and more the more are in flight. Here all calls
//! share one; it is called only when the queue turns non-empty, and one drain hands over everything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Float64Array, FnArgs, Function, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, check_status, sys};

use super::completion::{BATCH, Completion, SLOTS, Values};

type Args = FnArgs<(u32, Values)>;
type Wake = ThreadsafeFunction<(), Unknown<'static>, Args, Status, false, true>;

/// The way to one environment. Dropping the last handle closes it.
pub struct Dispatcher {
    queue: Arc<Queue>,
    wake: Wake,
}

/// Bounded by what is in flight: a call has at most one answer, one body piece, one pull and one hook under way.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Completion>,
    /// The threadsafe function has been called and has not drained since.
    woken: bool,
}

impl Dispatcher {
    /// `drain(count, values)` is called on the environment's thread; the numbers stand in `numbers`.
    pub fn new(drain: &Function<'_, Args, Unknown<'static>>, mut numbers: Float64Array) -> napi::Result<Self> {
        if numbers.len() < SLOTS * BATCH {
            return Err(napi::Error::from_reason("the typed array for completions is too short"));
        }
        let queue = Arc::new(Queue::default());
        let taken = Arc::clone(&queue);
        // The function must wake itself for what one batch leaves over; it exists only after it was built.
        let wake = drain.build_threadsafe_function::<()>().weak::<true>().callee_handled::<false>().build_callback(
            move |_| {
                let batch = taken.take_batch();
                // SAFETY: this runs on the environment's thread, so JavaScript is not reading the array now; it
                // belongs to `lib/engine`, which never detaches or resizes it, and the reference keeps it alive.
                let slots = unsafe { numbers.as_mut() };
                for (completion, slots) in batch.iter().zip(slots.chunks_exact_mut(SLOTS)) {
                    completion.write_numbers(slots);
                }
                Ok(FnArgs::from((batch.len() as u32, Values(batch))))
            },
        )?;
        Ok(Dispatcher { queue, wake })
    }

    /// Hands one completion over. Never blocks; what an environment that has ended would be told is dropped.
    pub fn push(&self, completion: Completion) {
        if self.queue.add(completion) {
            self.wake();
        }
    }

    /// Called by JavaScript after a drain: what did not fit one batch comes next, after its own work had a turn.
    pub fn resume(&self) {
        if self.queue.must_wake() {
            self.wake();
        }
    }

    /// Keeps the process alive (or stops doing so). On the environment's thread only.
    pub fn hold(&self, env: Env, held: bool) -> napi::Result<()> {
        self.wake.handle.with_read_aborted(|closed| {
            if closed {
                return Ok(());
            }
            let function = self.wake.handle.get_raw();
            // SAFETY: not closed, and the lock that is held keeps it from closing; `env` is the live environment
            // that made the function, on its thread, as both calls require.
            check_status!(unsafe {
                match held {
                    true => sys::napi_ref_threadsafe_function(env.raw(), function),
                    false => sys::napi_unref_threadsafe_function(env.raw(), function),
                }
            })
        })
    }

    fn wake(&self) {
        // `Closing` is the one failure there is (the queue has no bound): nobody is left to be told.
        let _ = self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl Queue {
    /// Returns whether the environment must be woken for it.
    fn add(&self, completion: Completion) -> bool {
        let mut state = self.lock();
        state.waiting.push(completion);
        !std::mem::replace(&mut state.woken, true)
    }

    fn take_batch(&self) -> Vec<Completion> {
        let mut state = self.lock();
        state.woken = false;
        if state.waiting.len() <= BATCH {
            return std::mem::take(&mut state.waiting);
        }
        let rest = state.waiting.split_off(BATCH);
        std::mem::replace(&mut state.waiting, rest)
    }

    fn must_wake(&self) -> bool {
        let mut state = self.lock();
        !state.waiting.is_empty() && !std::mem::replace(&mut state.woken, true)
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
