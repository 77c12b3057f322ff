//! The socket that stays connected, against real connections that really break. One topic per file.

mod direct;
mod heartbeat;
mod life;
mod loss;
mod queue;
mod resend;
mod soak;
mod stampede;
mod support;
mod tls;
