//! The port of a proxy, which can be made to refuse: a port where nobody listens, but which nobody else can take.
//!
//! Closing the listener alone gives the port away: another server of the same test run may bind it, and on Linux a
//! client that connects to it may be given that very port as its own and then connect to itself. So a second socket,
//! the keeper, stays bound to it without ever listening.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// Connections that wait to be accepted. The system has its own limit (4096 on Linux).
const BACKLOG: u32 = 4096;

/// After an error that may go away (no descriptors left) until the next try.
const RETRY: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    runtime: Handle,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    listener: Option<TcpListener>,
    /// `None` where the system has no such thing, and after the end.
    keeper: Option<TcpSocket>,
    wanted: Wanted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Listening,
    Refusing,
    Closed,
}

impl Port {
    /// Must be called inside a tokio runtime.
    pub(super) fn listen(address: SocketAddr) -> io::Result<Self> {
        let keeper = if cfg!(target_os = "linux") { Some(bound(address)?) } else { None };
        let address = match &keeper {
            Some(keeper) => keeper.local_addr()?,
            None => address,
        };
        let listener = bound(address)?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        if let Some(keeper) = &keeper {
            keep(keeper)?;
        }
        let state = State { listener: Some(listener), keeper, wanted: Wanted::Listening };
        Ok(Self { address, runtime: Handle::current(), state: Mutex::new(state), changed: Notify::new() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on a connect is refused, those included that the system had queued.
    pub(super) fn refuse(&self) {
        self.set(self.lock(), Wanted::Refusing);
    }

    /// Listens again, on the same port; `false`: it is to go on refusing. That is asked under the lock: who says so
    /// meanwhile calls [`refuse`](Self::refuse) next, which must not be undone.
    pub(super) fn reopen_unless(&self, refused: impl FnOnce() -> bool) -> bool {
        let state = self.lock();
        let reopens = !refused();
        if reopens {
            self.set(state, Wanted::Listening);
        }
        reopens
    }

    /// Gives the port back.
    pub(super) fn close(&self) {
        self.set(self.lock(), Wanted::Closed);
    }

    /// The next connection. Never ends while the port refuses.
    pub(super) async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            let changed = self.changed.notified();
            tokio::select! {
                accepted = poll_fn(|context| match &self.lock().listener {
                    Some(listener) => listener.poll_accept(context),
                    None => Poll::Pending,
                }) => match accepted {
                    Ok(accepted) => return accepted,
                    // A client that gave up meanwhile is no error of ours; without descriptors there is a wait.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(_) => tokio::time::sleep(RETRY).await,
                },
                () = changed => {}
                // Only where listening again has failed.
                () = tokio::time::sleep(RETRY), if self.lock().is_missing() => self.retry(),
            }
        }
    }

    fn set(&self, mut state: MutexGuard<'_, State>, wanted: Wanted) {
        if state.wanted == Wanted::Closed {
            return;
        }
        state.wanted = wanted;
        match wanted {
            Wanted::Listening if state.listener.is_none() => {
                // Registering a socket needs the runtime, and JavaScript's thread is not in it.
                let _inside = self.runtime.enter();
                // Left missing if it fails; `accept` tries again.
                state.listener = relisten(self.address, state.keeper.as_ref()).ok();
            }
            Wanted::Listening => {}
            Wanted::Refusing => state.listener = None,
            Wanted::Closed => {
                state.listener = None;
                state.keeper = None;
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    fn retry(&self) {
        let state = self.lock();
        // It may have been told to refuse since.
        if state.is_missing() {
            self.set(state, Wanted::Listening);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_missing(&self) -> bool {
        self.wanted == Wanted::Listening && self.listener.is_none()
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows it would allow two servers on one port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    Ok(socket)
}

fn relisten(address: SocketAddr, keeper: Option<&TcpSocket>) -> io::Result<TcpListener> {
    if let Some(keeper) = keeper {
        keeper.set_reuseaddr(true)?;
    }
    let listener = bound(address).and_then(|socket| socket.listen(BACKLOG));
    if let Some(keeper) = keeper {
        keep(keeper)?;
    }
    listener
}

/// While the keeper does not allow the address to be shared, no other server can bind it.
fn keep(keeper: &TcpSocket) -> io::Result<()> {
    keeper.set_reuseaddr(false)
}
