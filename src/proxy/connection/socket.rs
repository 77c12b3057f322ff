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

/// Between two looks. An acknowledgement is not an event.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Sends FIN behind what was written.
pub(super) fn shut_down(stream: &mut TcpStream) {
    // It never waits. An error says that the connection is over, which reading from it says as well.
    let _ = Pin::new(stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
}

/// Ends the connection with RST, once the peer's system has all that was written: RST overtakes what is still on its
/// way, and the peer would have got fewer bytes than were counted.
pub(super) async fn reset(stream: TcpStream) {
    let until = Instant::now() + PATIENCE;
    while unacknowledged(&stream) != Some(0) && Instant::now() < until {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    reset_now(stream);
}

/// Ends the connection with RST, whatever may still be on its way.
pub(super) fn reset_now(stream: TcpStream) {
    // It fails only on what is no socket.
    let _ = stream.set_zero_linger();
}

/// Reads and discards; resolves when the peer has ended its side, with the error if it was not in order.
pub(super) async fn drained(stream: &TcpStream) -> io::Result<()> {
    let mut discarded = [0; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut discarded) {
            Ok(0) => return Ok(()),
            Ok(_) => tokio::task::coop::consume_budget().await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
