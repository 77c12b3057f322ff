//! A place in an environment's event loop, from which it can be woken and kept alive.
//!
//! Node keeps whatever function of JavaScript's a threadsafe function calls, and its realm with it, until the
//! environment ends. This one calls a function that knows nothing; what is to be done is done natively beside it.

use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, check_status, sys};

/// Dropping it closes it. It keeps the process alive only while it is told to ([`hold`](Presence::hold)).
pub struct Presence {
    function: ThreadsafeFunction<(), (), (), Status, false, true>,
}

impl Presence {
    /// `woken` runs on the environment's thread, with its live environment and a handle scope, after each
    /// [`wake`](Presence::wake). `name` is what a debugger shows.
    pub fn new(env: Env, name: &str, woken: impl Fn(Env) -> napi::Result<()> + 'static) -> napi::Result<Self> {
        let function = env
            .create_function_from_closure::<(), (), _>(name, |_| Ok(()))?
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .callee_handled::<false>()
            .build_callback(move |context| woken(context.env))?;
        Ok(Presence { function })
    }

    /// From any thread; never blocks. `false`: the environment is ending. That is the one failure there is, for Node's
    /// own queue has no bound.
    pub fn wake(&self) -> bool {
        self.function.call((), ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok
    }

    /// Keeps the process alive, or stops doing so. On the environment's thread only. Either may be asked for twice, as
    /// far as `also` may: it runs while the function cannot be closed, and not at all once it is.
    pub fn hold(&self, env: Env, held: bool, also: impl FnOnce() -> napi::Result<()>) -> napi::Result<()> {
        self.function.handle.with_read_aborted(|closed| {
            if closed {
                return Ok(());
            }
            let function = self.function.handle.get_raw();
            // SAFETY: not closed, and the lock that is held keeps it from closing, so the function is there; `env` is
            // the live environment that made it, on its thread.
            check_status!(unsafe {
                match held {
                    true => sys::napi_ref_threadsafe_function(env.raw(), function),
                    false => sys::napi_unref_threadsafe_function(env.raw(), function),
                }
            })?;
            also()
        })
    }
}
