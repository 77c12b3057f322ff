//! The count of connections, and who is told of them. The connections are real, their servers say nothing.

use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::task::Context;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::net::UnixStream;
use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::http::transport::direct::connection::Stream;
use crate::http::transport::direct::outgoing::Outgoing;
use crate::http::transport::direct::wire::{Socket, Wire};

const LONG: Duration = Duration::from_secs(20);

fn pool(limit: usize, negotiates: bool) -> Arc<Pool> {
    Pool::new(Some(KeepAlive::default()), NonZeroUsize::new(limit), negotiates, Arc::default())
}

fn stream() -> (Stream, UnixStream) {
    let (stream, peer) = UnixStream::pair().unwrap();
    (Stream::Plain { wire: Wire::new(Socket::Unix { stream }) }, peer)
}

async fn connection(permit: Permit) -> (Box<Connection>, UnixStream) {
    let (stream, peer) = stream();
    (Box::new(Connection::new(stream, Duration::ZERO, permit).await.unwrap()), peer)
}

async fn permit(pool: &Arc<Pool>) -> Permit {
    match pool.turn(Wanted::Fresh).await {
        Turn::Permit(permit) => permit,
        Turn::Connection(_) => panic!("a fresh one was wanted"),
    }
}

#[tokio::test]
async fn a_shared_connection_that_is_over_gives_way_to_the_next() {
    let pool = pool(2, true);
    let mut made = Vec::new();
    for _ in 0..2 {
        let (stream, peer) = stream();
        let permit = permit(&pool).await;
        made.push((Shared::new(stream, Duration::ZERO, permit).await.unwrap(), peer));
    }
    let (second, _peer) = made.pop().unwrap();
    let (first, peer) = made.pop().unwrap();
    drop(pool.made_shared(Arc::clone(&first)));
    drop(peer);
    while first.is_open() {
        yield_now().await;
    }
    drop(first);
    // The pool has the last of it. In a thread of its own, because what is to be excluded is that it blocks for ever.
    let (done, is_done) = oneshot::channel();
    std::thread::spawn({
        let pool = Arc::clone(&pool);
        move || done.send(pool.made_shared(second)).is_ok()
    });
    let shared = timeout(LONG, is_done).await.expect("it does not block").unwrap();
    assert!(shared.connection().is_open());
    assert_eq!(pool.lock().open, 1);
}

#[tokio::test]
async fn who_takes_a_connection_does_not_ring_the_alarm() {
    let pool = pool(1, false);
    let (given, _peer) = connection(permit(&pool).await).await;
    pool.give_back(given);
    let Turn::Connection(Taken::Own(mut taken)) = pool.turn(Wanted::Pooled).await else { panic!("it idles") };
    let mut sending = pin!(taken.send(::http::Request::new(Outgoing::Bytes(Bytes::new()))));
    assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(!pool.is_reported.load(Ordering::Relaxed), "the reaper would look at all that idle, for each exchange");
}

/// What one exchange of many does.
#[derive(Debug, Clone)]
struct Course {
    wanted: Wanted,
    /// Turns of the event loop until it begins, for which it has what it is given, and after which it gives up
    /// waiting.
    begins: u8,
    holds: u8,
    patience: Option<u8>,
    /// Its connection can serve another.
    gives_back: bool,
}

fn courses() -> impl Strategy<Value = Vec<Course>> {
    let wanted = prop_oneof![Just(Wanted::Pooled), Just(Wanted::Recent), Just(Wanted::Fresh)];
    let course = (wanted, 0..20u8, 0..9u8, proptest::option::weighted(0.3, 0..20u8), any::<bool>());
    let course = course.prop_map(|(wanted, begins, holds, patience, gives_back)| Course {
        wanted,
        begins,
        holds,
        patience,
        gives_back,
    });
    proptest::collection::vec(course, 1..40)
}

async fn turns(count: u8) {
    for _ in 0..count {
        yield_now().await;
    }
}

async fn run(pool: Arc<Pool>, course: Course, held: Arc<AtomicUsize>, limit: usize) {
    turns(course.begins).await;
    let gives_up = async {
        match course.patience {
            Some(patience) => turns(patience).await,
            None => pending().await,
        }
    };
    let turn = tokio::select! {
        biased;
        turn = pool.turn(course.wanted) => turn,
        () = gives_up => return,
    };
    let (connection, _peer) = match turn {
        Turn::Connection(Taken::Own(connection)) => (connection, None),
        Turn::Connection(Taken::Shared(_)) => unreachable!("none is made"),
        Turn::Permit(mut permit) => {
            pool.made_own(&mut permit);
            let (connection, peer) = connection(permit).await;
            (connection, Some(peer))
        }
    };
    let before = held.fetch_add(1, Ordering::Relaxed);
    assert!(before < limit, "{before} besides this one");
    assert!(pool.lock().open <= limit);
    turns(course.holds).await;
    held.fetch_sub(1, Ordering::Relaxed);
    if course.gives_back {
        pool.give_back(connection);
    }
    // Its peer ends with it: others find it closed.
}

#[test]
fn whatever_they_do_all_get_their_turn_and_there_are_never_too_many() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::default();
    let outcome = runner.run(&(courses(), 1..4usize, any::<bool>()), |(courses, limit, negotiates)| {
        runtime.block_on(async {
            let pool = pool(limit, negotiates);
            let held = Arc::new(AtomicUsize::new(0));
            let mut exchanges = JoinSet::new();
            for course in courses {
                exchanges.spawn(run(Arc::clone(&pool), course, Arc::clone(&held), limit));
            }
            let all = timeout(LONG, async { while exchanges.join_next().await.transpose().unwrap().is_some() {} });
            prop_assert!(all.await.is_ok(), "somebody waits for ever");
            let state = pool.lock();
            prop_assert_eq!(state.open, state.idle.len());
            prop_assert!(state.waiting.is_empty());
            Ok(())
        })
    });
    outcome.unwrap();
}
