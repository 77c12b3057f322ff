//! What TLS is made with.

use std::sync::Arc;

use super::identity::Identity;
use super::roots::{LateRoots, Roots};

#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    pub trust: Trust,
    /// Shown to servers that ask: the first whose key they can check.
    pub identities: Vec<Identity>,
    pub min_version: MinVersion,
}

/// Whose certificates are accepted.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Those that lead to Mozilla's roots, as they were when this was built.
    #[default]
    Bundled,
    Only(Arc<Roots>),
    /// To be settled before the first handshake.
    Later(LateRoots),
    /// Whoever answers may read what is sent: `rejectUnauthorized: false`.
    Everybody,
}

impl Trust {
    /// See [`Roots::read`].
    pub fn only<'f>(files: impl IntoIterator<Item = &'f [u8]>) -> Self {
        Trust::Only(Arc::new(Roots::read(files)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    #[default]
    Tls12,
    Tls13,
}
