//! What is done to a socket besides reading and writing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::unacknowledged::unacknowledged;

/// For the peer's system to take what was sent. A peer whose window is closed never does.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two looks, at first and at last. An acknowledgement is not an event.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];

/// Where the system does not say what has been acknowledged.
const BLIND_WAIT: Duration = Duration::from_millis(20);

/// For the peer's program to read what its system has taken. libuv, which is what a client in Node reads with, reports data
/// and an RST that wait for it together as data and an orderly end: a reset would look like a FIN. A program that is busy
/// for longer than this still sees that.
const TIME_TO_READ: Duration = Duration::from_millis(10);

/// Sends FIN behind what was written.
pub(super) fn shut_down(stream: &mut TcpStream) {
    // It never waits. An error says that the connection is over, which reading from it says as well.
    let _ = Pin::new(stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
}

/// Ends the connection with RST, once the peer's system has all that was written, and its program has had a moment to read
/// it: RST overtakes what is still on its way, and the peer would have got fewer bytes than were counted.
pub(super) async fn reset(stream: TcpStream) {
    let until = Instant::now() + PATIENCE;
    let [mut look_again, longest] = LOOK_AGAIN;
    loop {
        match unacknowledged(&stream) {
            Some(0) => break,
            None => {
                tokio::time::sleep(BLIND_WAIT).await;
                break;
            }
            Some(_) if Instant::now() >= until => break,
            Some(_) => tokio::time::sleep(look_again).await,
        }
        look_again = longest.min(look_again * 2);
    }
    tokio::time::sleep(TIME_TO_READ).await;
    reset_now(stream);
}

/// Ends the connection with RST, whatever may still be on its way.
pub(super) fn reset_now(stream: TcpStream) {
    // It fails only on what is no socket.
    let _ = stream.set_zero_linger();
}

/// Reads and discards; resolves when the peer has ended its side, with the error if it was not in order.
pub(super) async fn drained(stream: &TcpStream) -> io::Result<()> {
    drained_within(stream, None).await
}

/// As [`drained`], or when the peer has sent nothing for as long as `silence`.
pub(super) async fn drained_within(stream: &TcpStream, silence: Option<Duration>) -> io::Result<()> {
    // Not on the stack: each connection would be as much larger for as long as it lives.
    let mut discarded = vec![0; 16 * 1024];
    loop {
        match silence {
            None => stream.readable().await?,
            Some(silence) => match tokio::time::timeout(silence, stream.readable()).await {
                Ok(readable) => readable?,
                Err(_) => return Ok(()),
            },
        }
        match stream.try_read(&mut discarded) {
            Ok(0) => return Ok(()),
            Ok(_) => tokio::task::coop::consume_budget().await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
