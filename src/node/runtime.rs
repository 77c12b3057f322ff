//! The one tokio runtime of the process, shared by all environments and started by the first call.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// Network work is short: reading, parsing and handing over. More threads than this only steal from each other
/// and, on small machines, from the event loop.
const MAX_THREADS: usize = 4;

/// The runtime, or why it could not start (the process is out of threads or file descriptors).
pub fn runtime() -> Result<&'static Runtime, napi::Error> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    RUNTIME.get_or_init(start).as_ref().map_err(|error| {
        napi::Error::from_reason(format!(
            "unreset could not start its network threads: {error}. Check the limits on threads and open files (ulimit -u, ulimit -n)."
        ))
    })
}

fn start() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.clamp(1, MAX_THREADS))
        .thread_name("unreset")
        .enable_io()
        .enable_time()
        .build()
}
