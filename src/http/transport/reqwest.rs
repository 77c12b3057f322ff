//! The transport on reqwest, used as a plain exchange.

use std::time::Duration;

use bytes::Bytes;

use super::{Exchange, Failure, IncomingBody, Reply, Transport};
use crate::fault::Fault;

/// What a transport is made with. Fixed for its life.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// How long a connection may idle and still be used.
    pub pool_idle_timeout: Duration,
    /// Certificates to trust besides the bundled roots: PEM (any number in one) or DER (one each).
    pub extra_roots: Vec<Bytes>,
}

/// A transport cannot be made of its options.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {}

pub struct ReqwestTransport {}

impl ReqwestTransport {
    pub fn new(options: TransportOptions) -> Result<Self, TransportError> {
        let _ = options;
        Ok(ReqwestTransport {})
    }
}

pub struct ReqwestBody {}

impl IncomingBody for ReqwestBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        todo!()
    }

    fn remaining(&self) -> Option<u64> {
        todo!()
    }
}

impl Transport for ReqwestTransport {
    type Body = ReqwestBody;

    async fn exchange(&self, exchange: Exchange) -> Result<Reply<ReqwestBody>, Failure> {
        let _ = exchange;
        todo!()
    }
}
