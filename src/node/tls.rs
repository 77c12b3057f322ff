//! TLS as JavaScript gives it: options of a client, and the roots that Node trusts.
//!
//! Node's roots are asked for when the first exchange over TLS wants them, and not with the first call: to load
//! `node:tls` takes 9 to 28 ms, which a program that speaks plain HTTP would pay for nothing. A redirect may lead to
//! TLS as well, so it is the exchange that asks and not the call.

use std::sync::{Arc, OnceLock};

use napi_derive::napi;
use rustls::crypto::ring;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::completion::{Completion, Kind};
use super::engine::Core;
use crate::http::transport::tls::{Identity, LateRoots, MinVersion, Roots, TlsOptions, Trust};
use crate::http::transport::{Exchange, Failure, Reply, Transport};

/// `{ "ca": [PEM, ...], "identities": [{ "cert": PEM, "key": PEM }, ...], "minVersion": "TLSv1.3" }`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WireTls {
    ca: Option<Vec<String>>,
    #[serde(default)]
    identities: Vec<WireIdentity>,
    #[serde(default)]
    min_version: WireVersion,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIdentity {
    cert: String,
    key: String,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum WireVersion {
    #[default]
    #[serde(rename = "TLSv1.2")]
    Tls12,
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

/// The TLS of a client, whose calls may be verified or not.
pub struct ClientTls {
    verified: TlsOptions,
}

impl ClientTls {
    pub fn options(&self, verify: bool) -> TlsOptions {
        match verify {
            true => self.verified.clone(),
            false => TlsOptions { trust: Trust::Everybody, ..self.verified.clone() },
        }
    }
}

impl WireTls {
    pub fn read(self) -> Result<ClientTls, String> {
        let trust = match self.ca {
            Some(files) => Trust::only(files.iter().map(String::as_bytes)),
            None => Trust::Later(LateRoots::default()),
        };
        let provider = ring::default_provider();
        let identities = self
            .identities
            .iter()
            .map(|identity| Identity::read(identity.cert.as_bytes(), identity.key.as_bytes(), &provider))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("tls.cert and tls.key: {error}"))?;
        let min_version = match self.min_version {
            WireVersion::Tls12 => MinVersion::Tls12,
            WireVersion::Tls13 => MinVersion::Tls13,
        };
        Ok(ClientTls { verified: TlsOptions { trust, identities, min_version } })
    }
}

/// Trusted certificates, read once and shared by the clients of an environment.
#[napi]
pub struct NativeRoots {
    roots: Arc<Roots>,
}

#[napi]
impl NativeRoots {
    /// `pem`: any number of certificates; what cannot be read is skipped.
    #[napi(constructor)]
    #[allow(clippy::needless_pass_by_value)] // napi hands strings over as owned.
    pub fn new(pem: String) -> Self {
        NativeRoots { roots: Arc::new(Roots::read([pem.as_bytes()])) }
    }

    /// How many were read, for tests.
    #[napi(getter)]
    pub fn count(&self) -> u32 {
        (self.roots.anchors().len() + self.roots.intermediates().len()) as u32
    }

    pub(super) fn shared(&self) -> Arc<Roots> {
        Arc::clone(&self.roots)
    }
}

tokio::task_local! {
    /// The call that the running task is.
    static CALL: (Arc<Core>, u32);
}

/// Runs a call so that its exchanges can ask whom to trust.
pub async fn asking<F: Future<Output = ()>>(core: Arc<Core>, call: u32, task: F) {
    CALL.scope((core, call), task).await;
}

/// A transport whose first exchange over TLS asks Node whom to trust, if that is not given, and lets it warn if the
/// environment says that everybody is.
pub struct Trusting<T> {
    transport: T,
    late: Option<LateRoots>,
    /// Also for URLs without TLS: a proxy speaks it.
    always: bool,
    has_begun: OnceLock<()>,
}

impl<T> Trusting<T> {
    pub fn new(transport: T, trust: &Trust, always: bool) -> Self {
        let late = match trust {
            Trust::Later(late) => Some(late.clone()),
            Trust::Bundled | Trust::Only(_) | Trust::Everybody => None,
        };
        Trusting { transport, late, always, has_begun: OnceLock::new() }
    }
}

impl<T: Transport> Transport for Trusting<T> {
    type Body = T::Body;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<T::Body>, Failure> {
        if self.has_begun.get().is_none() && (self.always || exchange.url.scheme() == "https") {
            settle(self.late.as_ref()).await;
            let _ = self.has_begun.set(());
        }
        self.transport.exchange(exchange).await
    }

    fn close(&self) {
        self.transport.close();
    }
}

/// Before a first handshake: asks whom to trust, if that is not given.
pub async fn settle(late: Option<&LateRoots>) {
    let roots = begin(late.is_some()).await;
    if let Some(late) = late {
        // A Node without OpenSSL has none.
        late.settle(roots.unwrap_or_else(|| Arc::new(Roots::bundled())));
    }
}

/// Each call asks for itself: one that asked for others could be cancelled.
async fn begin(wants_roots: bool) -> Option<Arc<Roots>> {
    let answer = CALL.try_with(|(core, call)| {
        let (sender, answer) = oneshot::channel();
        core.expect_roots(*call, sender);
        core.push(Completion { number: f64::from(u8::from(wants_roots)), ..Completion::new(Kind::Roots, *call) });
        answer
    });
    match answer {
        Ok(answer) => match answer.await {
            Ok(roots) => roots,
            // The call was cancelled, and its task is about to be dropped. It must not settle for others whom to trust.
            Err(_) => std::future::pending().await,
        },
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ClientTls, String> {
        serde_json::from_str::<WireTls>(json).map_err(|error| error.to_string())?.read()
    }

    #[test]
    fn roots_are_those_given_or_come_later_or_do_not_matter() {
        let (usual, own) = (read("{}").unwrap(), read(r#"{"ca":[]}"#).unwrap());
        assert!(matches!(usual.options(true).trust, Trust::Later(_)));
        assert!(matches!(own.options(true).trust, Trust::Only(_)));
        for tls in [usual, own] {
            assert!(matches!(tls.options(false).trust, Trust::Everybody));
        }
    }

    #[test]
    fn versions_are_named_as_in_node() {
        let version = |json| read(json).map(|tls| tls.options(false).min_version);
        assert_eq!(version("{}"), Ok(MinVersion::Tls12));
        assert_eq!(version(r#"{"minVersion":"TLSv1.3"}"#), Ok(MinVersion::Tls13));
        assert!(version(r#"{"minVersion":"TLSv1.1"}"#).is_err());
    }

    #[test]
    fn an_identity_without_a_key_is_an_error() {
        let error = read(r#"{"identities":[{"cert":"","key":""}]}"#).err();
        assert_eq!(error.as_deref(), Some("tls.cert and tls.key: there is no certificate in it"));
    }
}
