//! What a socket is made with. Fixed for its life.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;

use super::frame::Frame;
use super::gate::Gate;
use super::heartbeat::Heartbeat;
use super::queue::{Limits, WhenFull};
use super::reconnect::Reconnect;
use crate::http::transport::lookup::{Lookup, SystemLookup};
use crate::http::transport::tls::TlsOptions;

#[derive(Clone)]
pub struct Options {
    pub target: Target,
    pub route: Route,
    pub lookup: Arc<dyn Lookup>,
    pub tls: Option<Tls>,
    /// For resolve, connect and handshake together, and once more for the greeting. `None`: no limit but the system's.
    pub connect_timeout: Option<Duration>,
    /// The caller's `onConnect` has each connection first.
    pub greets: bool,
    pub reconnect: Reconnect,
    /// A connection has proved itself when it has lasted so long, or bytes have come.
    pub min_uptime: Duration,
    /// A peer's orderly end is a loss like any other.
    pub reconnect_on_end: bool,
    pub queue: Limits,
    pub frame: Option<Frame>,
    /// Messages are kept until they are acknowledged, and sent again until then.
    pub resends: bool,
    pub heartbeat: Option<Heartbeat>,
    pub no_delay: bool,
    /// Silence after which the peer's kernel is asked whether it is there. `None`: never.
    pub keep_alive: Option<Duration>,
    /// Shared by all sockets of a process.
    pub gate: Arc<Gate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Tcp {
        host: String,
        port: u16,
    },
    /// A Unix socket.
    Path(PathBuf),
}

/// Which addresses a connection goes from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Route {
    /// Of the peer.
    pub family: Option<Family>,
    /// Only the first address of a name is tried.
    pub first_only: bool,
    pub local_address: Option<IpAddr>,
    /// 0: any.
    pub local_port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

#[derive(Debug, Clone)]
pub struct Tls {
    pub options: TlsOptions,
    /// Whom the certificate must be for, and what SNI says.
    pub name: ServerName<'static>,
    /// Offered, best first.
    pub alpn: Vec<Vec<u8>>,
    /// Without it whoever answers is spoken to, and what is wrong with the certificate only told.
    pub reject_unauthorized: bool,
}

impl Options {
    /// The usual ones.
    pub fn to(target: Target) -> Self {
        Options {
            target,
            route: Route::default(),
            lookup: Arc::new(SystemLookup::new()),
            tls: None,
            connect_timeout: Some(Duration::from_secs(10)),
            greets: false,
            reconnect: Reconnect::default(),
            min_uptime: Duration::from_secs(5),
            reconnect_on_end: true,
            queue: Limits { bytes: 1024 * 1024, age: Some(Duration::from_secs(60)), when_full: WhenFull::Block },
            frame: None,
            resends: false,
            heartbeat: None,
            no_delay: true,
            keep_alive: Some(KEEP_ALIVE),
            gate: Gate::shared(),
        }
    }
}

/// A peer that vanished without a word while nothing is sent is found after a minute: this, then three unanswered probes as
/// far apart. Linux sends none while data is unacknowledged.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
pub const KEEP_ALIVE_PROBES: u32 = 3;

impl Target {
    /// What reconnections are counted by.
    pub fn key(&self) -> Arc<str> {
        match self {
            Target::Tcp { host, port } => format!("{host}:{port}").into(),
            Target::Path(path) => path.display().to_string().into(),
        }
    }
}

impl Family {
    pub fn has(self, address: &IpAddr) -> bool {
        match self {
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }
}
