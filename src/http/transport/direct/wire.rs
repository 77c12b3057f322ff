//! The socket of a connection, and what it knows that a client library does not tell.
//!
//! It sits below TLS and HTTP and changes three things for whoever reads and writes above it:
//!
//! - It counts what the system took, so that "not one byte was sent" is a fact; that nothing is left to be sent is another.
//! - Once it carries HTTP, a failed write is told by the next read. A server that refuses an upload answers, closes, and
//!   thereby resets those who still send: the answer lies in the receive buffer, and the failed write must not keep it
//!   from being read.
//! - On request it looks at the socket itself. What the event loop knows of a socket is as old as its last turn, and a
//!   connection that was closed since then must not be given a request.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use super::tcp_info::TcpInfo;

pin_project! {
    #[project = SocketProjection]
    pub(super) enum Socket {
        Tcp { #[pin] stream: TcpStream },
        #[cfg(unix)]
        Unix { #[pin] stream: UnixStream },
    }
}

/// The longest wait for the peer's kernel to say what it did with a request. Two round trips are enough unless packets
/// are lost.
const VERDICT_AT_MOST: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What is known of a wire while something above owns it.
#[derive(Debug)]
pub(super) struct Notes {
    /// Bytes that the system took.
    written: AtomicU64,
    /// Reads are to look at the socket itself, until nothing is there.
    look: AtomicBool,
    /// A failed write is told by the next read.
    defers: AtomicBool,
    /// The next write is the first of a request.
    mark: AtomicBool,
    /// Bytes that the peer had acknowledged before that write, [`UNKNOWN`] if the system did not say.
    acked: AtomicU64,
    /// The system took all of what it was last given.
    took_all: AtomicBool,
}

const UNKNOWN: u64 = u64::MAX;

/// Enough for a message of TLS that says that it is over.
const LOOK_AT: usize = 64;

impl Notes {
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Whether nothing is left to be sent of what was written. Above this, everything is offered until it is taken or refused:
    /// as long as something is left, the last write was refused or taken in part.
    pub fn took_all(&self) -> bool {
        self.took_all.load(Ordering::Relaxed)
    }

    /// What is read next is asked of the system, whatever the event loop believes to know.
    pub fn look(&self) {
        self.look.store(true, Ordering::Relaxed);
    }

    /// The next write is the first of a request that the peer may or may not take.
    pub fn mark(&self) {
        self.acked.store(UNKNOWN, Ordering::Relaxed);
        self.mark.store(true, Ordering::Relaxed);
    }

    /// From now on a failed write is told by the next read. Not before the handshake of TLS is done: rustls reads nothing as
    /// long as it has something of that to write.
    pub fn defer_failed_writes(&self) {
        self.defers.store(true, Ordering::Relaxed);
    }

    fn acked_before(&self) -> Option<u64> {
        match self.acked.load(Ordering::Relaxed) {
            UNKNOWN => None,
            acked => Some(acked),
        }
    }
}

pin_project! {
    pub(super) struct Wire {
        #[pin]
        socket: Socket,
        notes: Arc<Notes>,
        write_failed: Option<io::Error>,
    }
}

impl Wire {
    pub fn new(socket: Socket) -> Self {
        let notes = Notes {
            written: AtomicU64::new(0),
            look: AtomicBool::new(false),
            defers: AtomicBool::new(false),
            mark: AtomicBool::new(false),
            acked: AtomicU64::new(UNKNOWN),
            took_all: AtomicBool::new(true),
        };
        Wire { socket, notes: Arc::new(notes), write_failed: None }
    }

    pub fn notes(&self) -> &Arc<Notes> {
        &self.notes
    }

    pub fn peer(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp { stream } => stream.peer_addr().ok(),
            #[cfg(unix)]
            Socket::Unix { .. } => None,
        }
    }

    /// Whether it is certain that the peer took not one byte of what was written since the [mark](Notes::mark).
    ///
    /// The peer has closed its side. If it closed both before the request arrived, its kernel answers the request with
    /// a reset and never acknowledges it. Had it closed only one, or had it read the request, the bytes would have been
    /// acknowledged, with the FIN at the latest. So the kernel's count of acknowledged bytes is watched until the one or
    /// the other has happened. Linux only: elsewhere nothing is certain.
    ///
    /// One peer deceives it: one that closes its own side only, then reads a request to which it can send no answer any
    /// more, acts on it, and resets before its kernel acknowledges it (Linux: 40 ms). The acknowledgement that a reset
    /// carries is not counted. (RFC 9112, section 9.6, forbids it to a server that announced its close.)
    pub async fn was_never_taken(&self) -> bool {
        let Some(before) = self.notes.acked_before() else {
            return false;
        };
        let until = Instant::now() + VERDICT_AT_MOST;
        while let Some(now) = self.tcp_info() {
            if now.bytes_acked != before {
                return false;
            }
            if now.closed {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
        false
    }

    /// What the kernel knows of the connection; `None` where there is no such thing to ask.
    fn tcp_info(&self) -> Option<TcpInfo> {
        match &self.socket {
            Socket::Tcp { stream } => TcpInfo::of(stream),
            #[cfg(unix)]
            Socket::Unix { .. } => None,
        }
    }
}

impl Socket {
    /// Reads what is there now, past the event loop.
    fn read_now(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let socket = match self {
            Socket::Tcp { stream } => SockRef::from(stream),
            #[cfg(unix)]
            Socket::Unix { stream } => SockRef::from(stream),
        };
        (&*socket).read(bytes)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        if let Some(error) = this.write_failed.take() {
            // What the peer said before is there, and no more will come.
            return match this.socket.read_now(buffer.initialize_unfilled()) {
                Ok(read) if read > 0 => {
                    buffer.advance(read);
                    *this.write_failed = Some(error);
                    Poll::Ready(Ok(()))
                }
                _ => Poll::Ready(Err(error)),
            };
        }
        if this.notes.look.load(Ordering::Relaxed) {
            let room = LOOK_AT.min(buffer.remaining());
            match this.socket.read_now(buffer.initialize_unfilled_to(room)) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    this.notes.look.store(false, Ordering::Relaxed);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        match this.socket.project() {
            SocketProjection::Tcp { stream } => stream.poll_read(cx, buffer),
            #[cfg(unix)]
            SocketProjection::Unix { stream } => stream.poll_read(cx, buffer),
        }
    }
}

impl Wire {
    /// Before a write.
    fn note_acked(&self) {
        if self.notes.mark.load(Ordering::Relaxed) {
            self.notes.mark.store(false, Ordering::Relaxed);
            self.notes.acked.store(self.tcp_info().map_or(UNKNOWN, |info| info.bytes_acked), Ordering::Relaxed);
        }
    }

    /// What became of a write of `offered` bytes.
    fn written(
        self: Pin<&mut Self>,
        cx: &Context<'_>,
        offered: usize,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        let took_all = matches!(polled, Poll::Ready(Ok(taken)) if taken == offered);
        this.notes.took_all.store(took_all, Ordering::Relaxed);
        match polled {
            Poll::Ready(Ok(bytes)) => {
                this.notes.written.fetch_add(bytes as u64, Ordering::Relaxed);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) if this.notes.defers.load(Ordering::Relaxed) => {
                *this.write_failed = Some(error);
                // Whoever wrote now reads, and finds the answer or this error.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            unwritten => unwritten,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        self.note_acked();
        let polled = match self.as_mut().project().socket.project() {
            SocketProjection::Tcp { stream } => stream.poll_write(cx, bytes),
            #[cfg(unix)]
            SocketProjection::Unix { stream } => stream.poll_write(cx, bytes),
        };
        self.written(cx, bytes.len(), polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.write_failed.is_some() {
            return Poll::Pending;
        }
        self.note_acked();
        let polled = match self.as_mut().project().socket.project() {
            SocketProjection::Tcp { stream } => stream.poll_write_vectored(cx, slices),
            #[cfg(unix)]
            SocketProjection::Unix { stream } => stream.poll_write_vectored(cx, slices),
        };
        self.written(cx, slices.iter().map(|slice| slice.len()).sum(), polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket keeps nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.project().socket.project() {
            SocketProjection::Tcp { stream } => stream.poll_shutdown(cx),
            #[cfg(unix)]
            SocketProjection::Unix { stream } => stream.poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stream, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        (Wire::new(Socket::Tcp { stream: stream.unwrap() }), accepted.unwrap().0)
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_came_too_late_for_a_closed_peer_was_never_taken() {
        let (mut wire, peer) = pair().await;
        wire.write_all(b"an earlier request").await.unwrap();
        let mut peer = peer;
        peer.read_exact(&mut [0; 18]).await.unwrap();
        drop(peer);
        wire.notes().mark();
        wire.write_all(b"the request").await.unwrap();
        assert_eq!(wire.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(wire.was_never_taken().await);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_a_peer_has_read_was_taken_however_it_ends() {
        let (mut wire, mut peer) = pair().await;
        wire.notes().mark();
        wire.write_all(b"the request").await.unwrap();
        peer.read_exact(&mut [0; 11]).await.unwrap();
        drop(peer);
        assert_eq!(wire.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(!wire.was_never_taken().await);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_peer_that_has_closed_its_side_only_can_still_read() {
        let (mut wire, mut peer) = pair().await;
        peer.shutdown().await.unwrap();
        wire.notes().mark();
        wire.write_all(b"the request").await.unwrap();
        assert_eq!(wire.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(!wire.was_never_taken().await);
        peer.read_exact(&mut [0; 11]).await.unwrap();
    }

    #[tokio::test]
    async fn without_a_mark_nothing_is_certain() {
        let (mut wire, peer) = pair().await;
        drop(peer);
        wire.write_all(b"the request").await.unwrap();
        assert!(!wire.was_never_taken().await);
    }

    #[tokio::test]
    async fn a_failed_write_is_told_after_what_the_peer_had_said() {
        let (mut wire, mut peer) = pair().await;
        wire.notes().defer_failed_writes();
        peer.write_all(b"the answer").await.unwrap();
        // Closed with something unread: a reset.
        wire.write_all(b"unread").await.unwrap();
        peer.readable().await.unwrap();
        drop(peer);
        // Writes until one fails; that one never says so.
        let chunk = [0; 64 * 1024];
        let writing = async { while wire.write_all(&chunk).await.is_ok() {} };
        assert!(tokio::time::timeout(Duration::from_millis(200), writing).await.is_err());
        let mut answer = [0; 10];
        wire.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"the answer");
        let failed = wire.read(&mut [0; 8]).await.unwrap_err();
        assert!(matches!(failed.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{failed:?}");
    }

    #[tokio::test]
    async fn it_knows_whether_something_is_left_to_be_sent() {
        let (mut wire, mut peer) = pair().await;
        let notes = Arc::clone(wire.notes());
        wire.write_all(b"a request").await.unwrap();
        assert!(notes.took_all());
        let much = vec![0; 16 << 20];
        {
            let mut writing = std::pin::pin!(wire.write_all(&much));
            assert!(tokio::time::timeout(Duration::from_millis(100), &mut writing).await.is_err());
            assert!(!notes.took_all());
            let mut read = vec![0; 9 + much.len()];
            let (written, read) = tokio::join!(writing, peer.read_exact(&mut read));
            assert!(written.is_ok() && read.is_ok());
        }
        assert!(notes.took_all());
        // What failed is left.
        notes.defer_failed_writes();
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let writing = async { while wire.write_all(&much).await.is_ok() {} };
        assert!(tokio::time::timeout(Duration::from_millis(100), writing).await.is_err());
        assert!(!notes.took_all());
    }

    #[tokio::test]
    async fn a_look_sees_what_the_event_loop_does_not_know_yet() {
        let (mut wire, peer) = pair().await;
        // The loop has seen that there is nothing to read.
        let nothing = tokio::time::timeout(Duration::from_millis(1), wire.read(&mut [0; 8])).await;
        assert!(nothing.is_err());
        drop(peer);
        wire.notes().look();
        let waker = std::task::Waker::noop();
        let mut room = [0; 8];
        let polled = Pin::new(&mut wire).poll_read(&mut Context::from_waker(waker), &mut ReadBuf::new(&mut room));
        assert!(matches!(polled, Poll::Ready(Ok(()))), "{polled:?}");
    }

    #[tokio::test]
    async fn a_look_sees_all_of_what_the_event_loop_does_not_know_yet() {
        let (mut wire, mut peer) = pair().await;
        let nothing = tokio::time::timeout(Duration::from_millis(1), wire.read(&mut [0; 8])).await;
        assert!(nothing.is_err());
        // A message of TLS, say: a part of it tells nothing.
        peer.write_all(b"twenty four bytes of it.").await.unwrap();
        drop(peer);
        wire.notes().look();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut read = Vec::new();
        loop {
            let mut room = [0; 16];
            let mut room = ReadBuf::new(&mut room);
            let polled = Pin::new(&mut wire).poll_read(&mut context, &mut room);
            assert!(matches!(polled, Poll::Ready(Ok(()))), "{polled:?} after {read:?}");
            if room.filled().is_empty() {
                break;
            }
            read.extend_from_slice(room.filled());
        }
        assert_eq!(read, b"twenty four bytes of it.");
    }

    #[tokio::test]
    async fn a_failed_write_is_told_even_if_the_peer_goes_on_listening() {
        let (mut wire, mut peer) = pair().await;
        wire.notes().defer_failed_writes();
        let Socket::Tcp { stream } = &wire.socket else { unreachable!("it is one of TCP") };
        // The system takes nothing any more, and the peer says nothing.
        SockRef::from(stream).shutdown(std::net::Shutdown::Write).unwrap();
        let exchange = async {
            tokio::select! {
                written = wire.write_all(b"the request") => panic!("{written:?}"),
                () = tokio::task::yield_now() => {}
            }
            wire.read(&mut [0; 8]).await
        };
        let failed = tokio::time::timeout(Duration::from_secs(5), exchange).await.expect("it is told").unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(peer.read(&mut [0; 8]).await.unwrap(), 0);
    }

    /// A TLS client that has something to write reads nothing until it is written.
    #[tokio::test]
    async fn a_peer_that_resets_before_the_handshake_is_seen_at_once() {
        let (wire, peer) = pair().await;
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let Socket::Tcp { stream } = &wire.socket else { unreachable!("it is one of TCP") };
        stream.readable().await.unwrap();
        let tls =
            crate::http::transport::tls::config(&crate::http::transport::tls::TlsOptions::default(), || {}).unwrap();
        let tls = tokio_rustls::TlsConnector::from(Arc::new(tls));
        let shaking = tls.connect("a.test".try_into().unwrap(), wire);
        let shaken = tokio::time::timeout(Duration::from_secs(5), shaking).await.expect("it is over");
        assert_eq!(shaken.map(drop).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
