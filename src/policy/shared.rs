//! The policy as many clients share it: options, and the state of every origin.

use std::sync::Arc;

use super::changes::BreakerChange;
use super::origin::Origin;
use super::origins::Origins;
use super::{Admission, GaveUp, Now, Options, OriginStats, Refused, Retries, outcome};

/// Options, and what the calls made under them share: the state of every origin. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Policy {
    options: Arc<Options>,
    origins: Arc<Origins>,
}

impl Policy {
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options), origins: Arc::default() }
    }

    /// The same origins under other options: for a call that overrides some, or a client that has its own.
    pub fn with_options(&self, options: Options) -> Self {
        Self { options: Arc::new(options), origins: self.origins.clone() }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// A call begins: it counts into the origin's budget. `origin` is `scheme://host:port`. Its first attempt is still
    /// to be [admitted](Retries::admit).
    pub fn begin(&self, origin: &str, now: Now) -> Retries {
        let (origin, _) = self.origins.call(origin, now, None);
        Retries::new(self.options.clone(), origin, now.monotonic, None)
    }

    /// As [`begin`](Policy::begin), for one who wants no retry state before an attempt has failed: the first attempt is
    /// admitted, or refused and with it the call. With an admission its outcome is to be told, to
    /// [`answered`](Policy::answered) or by way of [`take_up`](Policy::take_up); without one there is no breaker.
    pub fn count(&self, origin: &str, now: Now) -> Result<Option<Admission>, Refused> {
        let (origin, admission) = self.origins.call(origin, now, self.options.breaker.as_ref());
        admission.inspect_err(|_| origin.gave_up(GaveUp::BreakerOpen))
    }

    /// So many calls began at about this time, which no breaker was asked about: for callers to whom counting each of them
    /// costs more than all the rest.
    pub fn count_all(&self, origin: &str, calls: u32, now: Now) {
        self.origins.find(origin, now.monotonic).calls(calls, now);
    }

    /// The retry state of a call that [`count`](Policy::count) counted at `began`.
    pub fn take_up(&self, origin: &str, began: Now, admission: Option<Admission>) -> Retries {
        let origin = self.origins.find(origin, began.monotonic);
        Retries::new(self.options.clone(), origin, began.monotonic, admission)
    }

    /// The first attempt of a counted call was answered; see [`Retries::succeeded`].
    pub fn answered(&self, origin: &str, admission: Admission, status: Option<u16>, now: Now) {
        if let (Some(options), Some(origin)) = (&self.options.breaker, self.origins.get(origin)) {
            origin.report(admission, outcome::of_answer(status), now, options);
        }
    }

    /// What has become of the calls to each origin, by name. Of those that are remembered: see `docs/policy.md`.
    pub fn stats(&self, now: Now) -> Vec<(Arc<str>, OriginStats)> {
        let all = self.origins.all().into_iter();
        all.map(|(name, origin)| (name, origin.stats(now, &self.options))).collect()
    }

    /// What breakers did since this was last asked, in order: at most the latest 256 changes.
    pub fn take_changes(&self) -> Vec<BreakerChange> {
        self.origins.changes().take()
    }

    /// `notify` is called when changes wait to be taken, once until they are, on whichever thread made the first. It
    /// replaces an earlier one, of all policies that share these origins.
    pub fn on_changes(&self, notify: Arc<dyn Fn() + Send + Sync>) {
        self.origins.changes().on_news(notify);
    }

    /// The origin of a call that moved, with one more call counted.
    pub(super) fn call(&self, origin: &str, now: Now) -> Arc<Origin> {
        self.origins.call(origin, now, None).0
    }
}
