//! What a connection in the making tells the exchange that waits for it.
//!
//! An exchange may be given another connection meanwhile, and its own is then finished without it. From that moment on the
//! exchange must hear nothing of it: it would take itself for one that still waits, and when its time is up say of a
//! request which its server has that it was never sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fault::Phase;
use crate::http::transport::watch::Standing;

pub(super) struct Making {
    standing: Arc<Standing>,
    abandoned: AtomicBool,
}

impl Making {
    pub fn new(standing: &Arc<Standing>) -> Arc<Self> {
        Arc::new(Making { standing: Arc::clone(standing), abandoned: AtomicBool::new(false) })
    }

    /// Nobody waits for it any more. Whoever goes on with it is handed it after this, so that no order of memory has to
    /// be asked for.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub fn has_come_to(&self, phase: Phase) {
        if !self.is_abandoned() {
            self.standing.awaits_connection(phase);
        }
    }

    pub fn leads_to(&self, peer: Option<SocketAddr>) {
        if !self.is_abandoned() {
            self.standing.leads_to(peer);
        }
    }

    pub fn peer(&self) -> Option<SocketAddr> {
        self.standing.peer()
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}
