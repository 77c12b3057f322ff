//! The system's socket below everything else.
//!
//! It is shared: the task reads and writes, while whoever has the socket's handle may ask how it is, or set an option, from
//! another thread. And it counts what the system took, which TLS above it does not tell.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::options::{KEEP_ALIVE, KEEP_ALIVE_PROBES};
use crate::http::transport::direct::tcp_info::TcpInfo;

#[derive(Debug, Clone)]
pub(crate) enum Shared {
    Tcp(Arc<TcpStream>),
    #[cfg(unix)]
    Unix(Arc<UnixStream>),
}

/// A socket that goes when the task does.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    Tcp(Weak<TcpStream>),
    #[cfg(unix)]
    Unix(Weak<UnixStream>),
}

pub(crate) struct Wire {
    pub socket: Shared,
    /// Bytes that the system took.
    pub written: u64,
}

/// Either kind of socket has the same methods, and no trait of them.
macro_rules! on_either {
    ($socket:expr, $stream:ident => $do:expr) => {
        match $socket {
            Shared::Tcp($stream) => $do,
            #[cfg(unix)]
            Shared::Unix($stream) => $do,
        }
    };
}

impl Shared {
    pub fn held(&self) -> Held {
        match self {
            Shared::Tcp(stream) => Held::Tcp(Arc::downgrade(stream)),
            #[cfg(unix)]
            Shared::Unix(stream) => Held::Unix(Arc::downgrade(stream)),
        }
    }

    pub fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        match self {
            Shared::Tcp(stream) => (stream.local_addr().ok(), stream.peer_addr().ok()),
            #[cfg(unix)]
            Shared::Unix(_) => (None, None),
        }
    }

    /// What the kernel knows of the connection; `None` where there is no such thing to ask.
    pub fn info(&self) -> Option<TcpInfo> {
        match self {
            Shared::Tcp(stream) => TcpInfo::of(stream),
            #[cfg(unix)]
            Shared::Unix(_) => None,
        }
    }

    pub fn set_no_delay(&self, on: bool) -> io::Result<()> {
        match self {
            Shared::Tcp(stream) => stream.set_nodelay(on),
            #[cfg(unix)]
            Shared::Unix(_) => Ok(()),
        }
    }

    pub fn set_keep_alive(&self, after: Option<Duration>) -> io::Result<()> {
        let stream = match self {
            Shared::Tcp(stream) => stream,
            #[cfg(unix)]
            Shared::Unix(_) => return Ok(()),
        };
        let socket = SockRef::from(&**stream);
        let Some(after) = after else { return socket.set_keepalive(false) };
        // Less than a second is none to the system.
        let keepalive = TcpKeepalive::new().with_time(after.max(Duration::from_secs(1)));
        #[cfg(not(target_os = "openbsd"))]
        let keepalive = keepalive.with_interval(KEEP_ALIVE);
        #[cfg(not(any(target_os = "openbsd", target_os = "windows")))]
        let keepalive = keepalive.with_retries(KEEP_ALIVE_PROBES);
        socket.set_tcp_keepalive(&keepalive)
    }

    /// The peer has sent nothing that has not been read, and not its end.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = on_either!(self, stream => SockRef::from(&**stream).peek(&mut byte));
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Writes what the system takes at once of `slices`, which have `wanted` bytes.
    pub fn try_write(&self, slices: &[IoSlice<'_>], wanted: usize) -> io::Result<usize> {
        self.write_once(wanted, |socket| (&**socket).write_vectored(slices))
    }

    fn write_once(&self, wanted: usize, write: impl Fn(&SockRef<'_>) -> io::Result<usize>) -> io::Result<usize> {
        on_either!(self, stream => {
            let socket = SockRef::from(&**stream);
            transfer(wanted, || write(&socket), |attempt| stream.try_io(Interest::WRITABLE, attempt))
        })
    }

    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_either!(self, stream => stream.poll_read_ready(cx))
    }

    /// Its end will be an RST.
    pub fn end_with_reset(&self) {
        // A socket that is gone needs none.
        let _ = match self {
            Shared::Tcp(stream) => SockRef::from(&**stream).set_linger(Some(Duration::ZERO)),
            #[cfg(unix)]
            Shared::Unix(_) => Ok(()),
        };
    }
}

impl Held {
    pub fn get(&self) -> Option<Shared> {
        match self {
            Held::Tcp(stream) => stream.upgrade().map(Shared::Tcp),
            #[cfg(unix)]
            Held::Unix(stream) => stream.upgrade().map(Shared::Unix),
        }
    }
}

impl Wire {
    pub fn new(socket: Shared) -> Self {
        Wire { socket, written: 0 }
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        write: impl Fn(&SockRef<'_>) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(on_either!(&self.socket, stream => stream.poll_write_ready(cx)))?;
            match self.socket.write_once(wanted, &write) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(written) => {
                    self.written += written as u64;
                    return Poll::Ready(Ok(written));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// One call of the system that is to transfer `wanted` bytes. If it transfers fewer, the system has nothing more at present, or
/// no more room: tokio is told that this is how it would be, and the next call, which would find nothing, is saved. That holds
/// for epoll and kqueue, which tell of what comes afterwards.
fn transfer(
    wanted: usize,
    mut call: impl FnMut() -> io::Result<usize>,
    try_io: impl FnOnce(&mut dyn FnMut() -> io::Result<usize>) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut part = None;
    let result = try_io(&mut || {
        let done = call()?;
        if cfg!(unix) && done > 0 && done < wanted {
            part = Some(done);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(done)
    });
    part.map_or(result, Ok)
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(on_either!(&self.socket, stream => stream.poll_read_ready(cx)))?;
            let room = buffer.initialize_unfilled();
            let wanted = room.len();
            let read = on_either!(&self.socket, stream => {
                let socket = SockRef::from(&**stream);
                transfer(wanted, || (&*socket).read(room), |attempt| stream.try_io(Interest::READABLE, attempt))
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, bytes.len(), |socket| (&**socket).write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = bytes.iter().map(|slice| slice.len()).sum();
        self.write(cx, wanted, |socket| (&**socket).write_vectored(bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(on_either!(&self.socket, stream => SockRef::from(&**stream).shutdown(std::net::Shutdown::Write)))
    }
}
