//! A wait that is exact to some microseconds.
//!
//! The runtime's own timers tick in milliseconds: asked for one, they took 2.3, and with 50 calls in flight the
//! server then gave 20 000 answers a second to whoever asked, which made it the bottleneck. A timer descriptor
//! of the kernel is just one more thing that the runtime polls.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub use timer_descriptor::Delay;

#[cfg(not(target_os = "linux"))]
pub use runtime_timer::Delay;

#[cfg(target_os = "linux")]
mod timer_descriptor {
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::*;

    pub struct Delay(AsyncFd<OwnedFd>);

    impl Delay {
        pub fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // SAFETY: the descriptor is valid and ours, and nothing replaces or closes it before the `AsyncFd`
            // that now owns it is dropped.
            let registered = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE)? };
            Ok(Self(registered))
        }

        pub async fn wait(&self, duration: Duration) -> io::Result<()> {
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once_after(duration))?;
            loop {
                let mut ready = self.0.readable().await?;
                // The descriptor stays readable until its count of expirations has been read.
                let mut expirations = [0; 8];
                match ready.try_io(|timer| Ok(rustix::io::read(timer, &mut expirations)?)) {
                    Ok(read) => return read.map(drop),
                    Err(_would_block) => continue,
                }
            }
        }
    }

    fn once_after(duration: Duration) -> Itimerspec {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec { tv_sec: duration.as_secs() as _, tv_nsec: duration.subsec_nanos().into() };
        Itimerspec { it_interval: zero, it_value: value }
    }
}

#[cfg(not(target_os = "linux"))]
mod runtime_timer {
    use super::*;

    pub struct Delay;

    impl Delay {
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub async fn wait(&self, duration: Duration) -> io::Result<()> {
            tokio::time::sleep(duration).await;
            Ok(())
        }
    }
}
