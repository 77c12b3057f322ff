//! When to ping, and when to conclude that nobody is there.
//!
//! A fixed timeout is either too short for a satellite or too long for a data centre. This one follows the round trips of
//! the connection itself, as TCP's retransmission timer does (Jacobson and Karels, RFC 6298). Whatever comes from the
//! peer is a sign of life, not only the pong; a peer that is busy sending us a large message need not answer
//! in the middle of it.

use std::time::Duration;

use crate::policy::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Between two pings.
    pub interval: Duration,
    /// How long after a ping something must have come; `None`: by the round trips seen.
    pub timeout: Option<Duration>,
}

/// The pings of one connection, those that [`super::course`] wants included.
#[derive(Debug)]
pub struct Pulse {}

impl Pulse {
    /// `heartbeat`: `None`: only pings that somebody asks for, and no conclusions from silence.
    pub fn new(heartbeat: Option<Heartbeat>, now: Duration, random: &mut dyn Random) -> Self {
        let _ = (heartbeat, now, random);
        todo!()
    }

    /// Is it time for a ping?
    pub fn is_due(&self, now: Duration) -> bool {
        let _ = now;
        todo!()
    }

    /// A ping to be sent now: its number, and its payload.
    pub fn ping(&mut self, now: Duration) -> (u64, [u8; 8]) {
        let _ = now;
        todo!()
    }

    /// A pong came. The number of the ping that it answers, and the round trip, if that was one of these.
    pub fn pong(&mut self, payload: &[u8], now: Duration) -> Option<(u64, Duration)> {
        let _ = (payload, now);
        todo!()
    }

    /// Bytes came, whatever they are.
    pub fn received(&mut self, now: Duration) {
        let _ = now;
        todo!()
    }

    /// The peer's TCP acknowledges more and more: what was sent before the ping is still on its way.
    pub fn drained(&mut self, now: Duration) {
        let _ = now;
        todo!()
    }

    /// Reading stopped, because the caller does not take what has come.
    pub fn stop_listening(&mut self) {
        todo!()
    }

    pub fn listen(&mut self, now: Duration) {
        let _ = now;
        todo!()
    }

    pub fn is_dead(&self, now: Duration) -> bool {
        let _ = now;
        todo!()
    }

    /// How long a ping would have at present.
    pub fn timeout(&self) -> Option<Duration> {
        todo!()
    }

    /// The smoothed round trip, once there is one.
    pub fn round_trip(&self) -> Option<Duration> {
        todo!()
    }

    /// When to look again.
    pub fn next(&self) -> Option<Duration> {
        todo!()
    }
}
