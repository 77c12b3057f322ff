//! Lookups in flight, each shared by everybody who waits for its name.
//!
//! A program that starts with 500 calls to one host would otherwise ask the system 500 times at once, each time on a
//! thread of its own, for the answer that the first one brings. Nothing is kept once the answer is there: how long
//! it holds is known to the system's own cache, not here.
//!
//! A lookup cannot be cancelled. It runs on a task of its own to its end, whoever still waits, so a caller that has
//! timed out leaves nothing behind.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

use super::{Addresses, LookupFailed};

/// Threads that may wait for the system at a time; further names queue. A silent name server holds a thread for up
/// to half a minute, so names of others need room beside it.
const AT_ONCE: usize = 64;

type Ask = fn(&Arc<str>) -> Addresses;

/// Holds no more entries than there are lookups in flight.
type InFlight = Mutex<HashMap<Arc<str>, watch::Receiver<Option<Addresses>>>>;

pub(super) struct Lookups<A = Ask> {
    ask: A,
    in_flight: Arc<InFlight>,
    threads: Arc<Semaphore>,
}

impl<A> fmt::Debug for Lookups<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").field("in_flight", &lock(&self.in_flight).len()).finish_non_exhaustive()
    }
}

impl<A> Lookups<A>
where
    A: Fn(&Arc<str>) -> Addresses + Clone + Send + 'static,
{
    pub fn new(ask: A) -> Self {
        Lookups { ask, in_flight: Arc::default(), threads: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The addresses of `host`: those of the lookup in flight, or else of a new one.
    pub async fn addresses(&self, host: &str) -> Addresses {
        let mut answer = self.join(host);
        match answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(addresses)) => addresses.clone(),
            // It ended without an answer: a panic, or the runtime is shutting down.
            Ok(None) | Err(_) => Err(LookupFailed::broken_off(host)),
        }
    }

    fn join(&self, host: &str) -> watch::Receiver<Option<Addresses>> {
        let mut in_flight = lock(&self.in_flight);
        if let Some(answer) = in_flight.get(host) {
            return answer.clone();
        }
        let host: Arc<str> = host.into();
        let (answered, answer) = watch::channel(None);
        in_flight.insert(Arc::clone(&host), answer.clone());
        let lookup = Lookup { host, in_flight: Arc::clone(&self.in_flight), answered };
        tokio::spawn(lookup.run(self.ask.clone(), Arc::clone(&self.threads)));
        answer
    }
}

/// One lookup. However it ends, it is no longer in flight then.
struct Lookup {
    host: Arc<str>,
    in_flight: Arc<InFlight>,
    answered: watch::Sender<Option<Addresses>>,
}

impl Lookup {
    async fn run<A>(self, ask: A, threads: Arc<Semaphore>)
    where
        A: Fn(&Arc<str>) -> Addresses + Send + 'static,
    {
        let Ok(_thread) = threads.acquire().await else {
            return;
        };
        let host = Arc::clone(&self.host);
        if let Ok(addresses) = tokio::task::spawn_blocking(move || ask(&host)).await {
            self.answered.send_replace(Some(addresses));
        }
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        lock(&self.in_flight).remove(&self.host);
    }
}

/// Held for one operation on the map, none of which runs foreign code.
fn lock(in_flight: &InFlight) -> MutexGuard<'_, HashMap<Arc<str>, watch::Receiver<Option<Addresses>>>> {
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Waker};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// A name server that knows every name and counts its questions.
    #[derive(Clone, Default)]
    struct Server {
        asked: Arc<AtomicUsize>,
    }

    impl Server {
        fn lookups(&self) -> Lookups<impl Fn(&Arc<str>) -> Addresses + Clone + Send + 'static> {
            let server = self.clone();
            Lookups::new(move |_| {
                server.asked.fetch_add(1, Ordering::Relaxed);
                Ok(Arc::new([[192, 0, 2, 1].into()]))
            })
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    // Each test has one thread, so no lookup runs before the test itself waits.

    #[tokio::test]
    async fn all_who_ask_for_a_name_at_once_share_one_lookup() {
        let server = Server::default();
        let lookups = server.lookups();
        let answers = timeout(LONG, join_all((0..500).map(|_| lookups.addresses("a.test")))).await.unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|addresses| addresses.len() == 1)));
        assert_eq!(server.asked(), 1);
        lookups.addresses("a.test").await.unwrap();
        assert_eq!(server.asked(), 2, "nothing is kept beyond the lookup");
    }

    #[tokio::test]
    async fn each_name_has_its_own() {
        let server = Server::default();
        let lookups = server.lookups();
        let names: Vec<_> = (0..2 * AT_ONCE).map(|n| format!("{n}.test")).collect();
        let answers = timeout(LONG, join_all(names.iter().map(|name| lookups.addresses(name)))).await.unwrap();
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(server.asked(), names.len());
    }

    #[tokio::test]
    async fn who_no_longer_waits_leaves_nothing_behind() {
        let server = Server::default();
        let lookups = server.lookups();
        let given_up = pin!(lookups.addresses("a.test")).poll(&mut Context::from_waker(Waker::noop()));
        assert!(given_up.is_pending());
        timeout(LONG, lookups.addresses("a.test")).await.unwrap().unwrap();
        assert_eq!(server.asked(), 1, "the lookup went on and was joined");
        let given_up = pin!(lookups.addresses("a.test")).poll(&mut Context::from_waker(Waker::noop()));
        assert!(given_up.is_pending());
        assert_eq!(lock(&lookups.in_flight).len(), 1);
        let emptied = async {
            while !lock(&lookups.in_flight).is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, emptied).await.expect("the lookup ends by itself");
    }

    #[tokio::test]
    async fn a_lookup_that_panics_says_nothing_about_the_name() {
        let lookups = Lookups::new(|_: &Arc<str>| panic!("as a test"));
        let failed = timeout(LONG, lookups.addresses("a.test")).await.unwrap().unwrap_err();
        assert_eq!((&*failed.code, &*failed.host), ("EAI_AGAIN", "a.test"));
        assert!(lock(&lookups.in_flight).is_empty());
    }
}
