//! How much of what a socket sent its peer has not acknowledged.
//!
//! An RST overtakes it, so a count of bytes is only exact when there is none. No safe interface asks the system, which
//! makes this the one file outside `node` that has `unsafe` in it.

use tokio::net::TcpStream;

/// In bytes; `None`: the system does not say.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn unacknowledged(stream: &TcpStream) -> Option<usize> {
    use std::os::fd::AsRawFd;

    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as `stream` is borrowed. For a TCP socket TIOCOUTQ (SIOCOUTQ in tcp(7))
    // writes one int to the address it is given, which is that of one.
    let done = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if done == 0 { usize::try_from(bytes).ok() } else { None }
}

/// In bytes; `None`: the system does not say.
#[cfg(target_vendor = "apple")]
pub(super) fn unacknowledged(stream: &TcpStream) -> Option<usize> {
    use std::os::fd::AsRawFd;

    let mut bytes: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the descriptor is open as long as `stream` is borrowed. The system writes at most `length` bytes, one
    // int, to the first address, which is that of one, and their number to the second.
    let done = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NWRITE,
            (&raw mut bytes).cast(),
            &raw mut length,
        )
    };
    if done == 0 { usize::try_from(bytes).ok() } else { None }
}

/// In bytes; `None`: the system does not say.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn unacknowledged(_stream: &TcpStream) -> Option<usize> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn what_the_peer_has_no_room_for_is_not_acknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (client, (server, _)) = (client.unwrap(), server.unwrap());
        assert_eq!(unacknowledged(&client), Some(0));
        let chunk = [0; 64 * 1024];
        client.writable().await.unwrap();
        while client.try_write(&chunk).is_ok() {}
        assert!(unacknowledged(&client).unwrap() > 0);

        let mut buffer = vec![0; 1 << 20];
        let emptied = async {
            while unacknowledged(&client) != Some(0) {
                let _ = tokio::time::timeout(Duration::from_millis(1), server.readable()).await;
                let _ = server.try_read(&mut buffer);
            }
        };
        tokio::time::timeout(Duration::from_secs(30), emptied).await.expect("everything is acknowledged in the end");
    }
}
