//! The shapes that clients give to their errors, one file each.
//!
//! A rule is a small struct that looks at one link of a chain and either has no opinion or says what the link
//! is. A new client is a new file here and its rules in [`RULES`].

mod abort;
mod aws;
mod axios;
mod code;
mod database;
mod got;
mod grpc;
mod http_response;
mod native;
mod node;
mod node_fetch;
mod superagent;
mod tls;
mod undici;
mod websocket;

use super::evidence::Link;
use super::{Delivery, Fault, Phase};

/// One opinion about one shape.
pub trait Rule: Sync {
    /// `None` is no opinion. The next rule is asked, and if none has one, the link is what its causes are.
    fn judge(&self, case: &Case<'_>) -> Option<Fault>;
}

/// In the order in which they are asked: what says for certain what it is, then the wrappers of clients, which
/// know more than the error inside them, then what stands at the end of a chain.
pub static RULES: &[&dyn Rule] = &[
    &native::Classified,
    &abort::SignalReason,
    &aws::Exception,
    &grpc::Status,
    &database::mongodb::Driver,
    &database::mongodb::Answer,
    &database::postgres::Answer,
    &database::postgres::Driver,
    &database::mysql::Answer,
    &database::mysql::Driver,
    &database::redis::Answer,
    &database::redis::Ioredis,
    &database::redis::NodeRedis,
    &axios::Timeout,
    &axios::BrokenBody,
    &got::Timeout,
    &got::BrokenBody,
    &node_fetch::BrokenBody,
    &node_fetch::Refused,
    &superagent::Timeout,
    &abort::NamedAbort,
    &abort::NamedTimeout,
    &undici::Terminated,
    &undici::ClosedSocket,
    &undici::NetworkError,
    &undici::UnparsedAnswer,
    &websocket::CloseEvent,
    &websocket::UnexpectedResponse,
    &websocket::Worded,
    &websocket::ErrorEvent,
    &http_response::Response,
    &http_response::ErrorWithStatus,
    &tls::InterruptedHandshake,
    &tls::ProtocolError,
    &node::Closed,
    &node::System,
    &code::Known,
    &code::Text,
];

/// One link of a chain, with what was found out about its causes.
pub struct Case<'a> {
    pub link: &'a Link,
    /// The links that this one names as its causes.
    pub children: Vec<&'a Link>,
    /// What these causes were found to be.
    pub inner: Option<Fault>,
    /// The link, or one below it, is the reason of the caller's aborted signal.
    pub by_signal: bool,
    /// The caller's signal is aborted, whether or not the chain shows it.
    pub signal_aborted: bool,
}

impl Case<'_> {
    pub fn code(&self) -> Option<&str> {
        self.link.code.as_deref()
    }

    pub fn name(&self) -> Option<&str> {
        self.link.name.as_deref()
    }

    pub fn message(&self) -> Option<&str> {
        self.link.message.as_deref()
    }

    /// A fault of this code, with what the link tells besides.
    pub fn fault(&self, code: impl Into<std::borrow::Cow<'static, str>>, phase: Phase, delivery: Delivery) -> Fault {
        self.described(Fault::new(code, phase, delivery))
    }

    /// The fault of the causes, seen from further out: the response had begun. `otherwise` names the fault of a
    /// link without a cause that is known.
    pub fn broken_body(&self, otherwise: &'static str) -> Fault {
        let mut fault = match &self.inner {
            Some(inner) => inner.clone(),
            None => self.fault(otherwise, Phase::Receive, Delivery::Answered),
        };
        fault = Fault { phase: Phase::Receive, delivery: Delivery::Answered, ..fault };
        fault.told_in_phase()
    }

    /// Adds what the link tells about the system call, the peer and the words that were used.
    pub fn described(&self, mut fault: Fault) -> Fault {
        let link = self.link;
        fault.errno = fault.errno.or(link.errno);
        fault.syscall = fault.syscall.or_else(|| link.syscall.clone().map(Into::into));
        fault.address = fault.address.or_else(|| link.address.clone()).or_else(|| link.hostname.clone());
        fault.port = fault.port.or(link.port);
        fault.detail = fault.detail.or_else(|| link.message.clone());
        fault
    }
}
