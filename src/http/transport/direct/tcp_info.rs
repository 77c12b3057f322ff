//! What the kernel knows of a TCP connection.
//!
//! No safe interface asks it. Linux tells how many bytes the peer's kernel has acknowledged, which is how a request that
//! was never taken is told from one that was, and how much of what a socket sent may be lost.

use std::time::Duration;

use tokio::net::TcpStream;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpInfo {
    /// Of all that was ever sent on the connection.
    pub bytes_acked: u64,
    /// It is over in both directions: a reset came, or both ends have closed.
    pub closed: bool,
    /// The smoothed round trip.
    pub rtt: Duration,
    /// Segments that had to be sent again, on the whole connection.
    pub retransmits: u32,
}

impl TcpInfo {
    /// `None`: the system does not say.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn of(stream: &TcpStream) -> Option<Self> {
        use std::mem::{MaybeUninit, offset_of};
        use std::os::fd::AsRawFd;

        /// `TCP_CLOSE` of `enum tcp_state` (`linux/tcp_states.h`).
        const TCP_CLOSE: u8 = 7;

        let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
        let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
        // SAFETY: the descriptor is open as long as `stream` is borrowed. The kernel writes at most `length` bytes to
        // the first address, which is that of as many, and their number to the second.
        let done = unsafe {
            libc::getsockopt(
                stream.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                info.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        // Kernels before 4.1 know no count of acknowledged bytes and write less.
        let needed = offset_of!(libc::tcp_info, tcpi_bytes_acked) + size_of::<u64>();
        if done != 0 || (length as usize) < needed {
            return None;
        }
        // SAFETY: it was zeroed, and zeroes are valid in all its fields, which are integers.
        let info = unsafe { info.assume_init() };
        Some(TcpInfo {
            bytes_acked: info.tcpi_bytes_acked,
            closed: info.tcpi_state == TCP_CLOSE,
            rtt: Duration::from_micros(info.tcpi_rtt.into()),
            retransmits: info.tcpi_total_retrans,
        })
    }

    /// `None`: the system does not say.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn of(_stream: &TcpStream) -> Option<Self> {
        None
    }
}
