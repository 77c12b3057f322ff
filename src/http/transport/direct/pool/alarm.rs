//! How a pool learns that one of its idle connections has something to say: the reaper is told, once until it has come.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::Wake;

use super::Pool;

/// Tells the reaper that something happened to a connection of this pool's that idles.
pub struct Alarm {
    pub pool: Weak<Pool>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(pool) = self.pool.upgrade()
            && !pool.is_reported.swap(true, Ordering::AcqRel)
        {
            pool.reaper.report(Weak::clone(&self.pool));
        }
    }
}
