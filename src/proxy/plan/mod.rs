//! What a test author asked for: one fault, when it strikes and whom.
//!
//! A plan is parsed, not checked: whoever holds a [`Plan`] holds one that makes sense, so nothing behind this module
//! has to ask what `afterBytes` means on an idle connection. The only way to make one is [`Plan::from_json`].

mod error;
mod numbers;
mod parse;
mod rules;
mod selection;
mod standing;

use std::time::Duration;

pub use error::PlanError;
use selection::Draw;
pub(super) use standing::Standing;

/// One fault and the circumstances under which it strikes.
///
/// ```
/// use unreset::proxy::Plan;
///
/// assert!(Plan::from_json(r#"{ "type": "reset", "on": "response", "afterBytes": 1000, "times": 1 }"#).is_ok());
/// let error = Plan::from_json(r#"{ "type": "reset", "on": "idle", "match": { "method": "GET" } }"#).unwrap_err();
/// assert_eq!(error.message, "fault.match cannot be combined with on: 'idle'.");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(super) action: Action,
    pub(super) point: Point,
    /// How long after the point it strikes. On `idle`: how long the silence lasts.
    pub(super) after: Duration,
    /// 1: every opportunity.
    pub(super) every_nth: u64,
    /// Numbers of connections in order of accept, from 1; `None`: all.
    pub(super) connections: Option<Box<[u32]>>,
    /// The most strikes in all.
    pub(super) times: Option<u64>,
    /// From 0 to 1.
    pub(super) probability: f64,
    pub(super) matching: Option<Match>,
}

/// What happens: `type` in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Action {
    Reset,
    Close,
    HalfClose,
    Refuse,
    BlackHole,
    Stall,
    Latency {
        delay: Duration,
        jitter: Duration,
    },
    Bandwidth {
        /// Bytes per second.
        rate: f64,
    },
    Slice {
        /// The most bytes per write.
        size: usize,
        gap: Duration,
    },
}

impl Action {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Close => "close",
            Self::HalfClose => "halfClose",
            Self::Refuse => "refuse",
            Self::BlackHole => "blackhole",
            Self::Stall => "stall",
            Self::Latency { .. } => "latency",
            Self::Bandwidth { .. } => "bandwidth",
            Self::Slice { .. } => "slice",
        }
    }
}

/// Where it happens: `on` in JavaScript, with the bytes that belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    Accept,
    Idle,
    Bytes(Direction, u64),
    BeforeRequestForwarded,
    AfterRequestForwarded,
    ResponseHead(u64),
    ResponseBody(u64),
    /// So many bytes of a frame of a WebSocket, of this number in its direction, from 1.
    Frame(Direction, u64, u64),
    /// All of it.
    AfterFrame(Direction, u64),
}

impl Point {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Idle => "idle",
            Self::Bytes(direction, _) => direction.name(),
            Self::BeforeRequestForwarded => "before-request-forwarded",
            Self::AfterRequestForwarded => "after-request-forwarded",
            Self::ResponseHead(_) => "response-head",
            Self::ResponseBody(_) => "response-body",
            Self::Frame(Direction::Request, ..) => "request-frame",
            Self::Frame(Direction::Response, ..) => "response-frame",
            Self::AfterFrame(Direction::Request, _) => "after-request-frame",
            Self::AfterFrame(Direction::Response, _) => "after-response-frame",
        }
    }

    /// Does it lie in an HTTP/1.1 message, whether or not the plan says which?
    pub(super) fn is_http(self) -> bool {
        matches!(
            self,
            Self::BeforeRequestForwarded | Self::AfterRequestForwarded | Self::ResponseHead(_) | Self::ResponseBody(_)
        )
    }

    /// The number of the frame, if it is one of a WebSocket's.
    pub(super) fn frame(self) -> Option<u64> {
        match self {
            Self::Frame(_, number, _) | Self::AfterFrame(_, number) => Some(number),
            _ => None,
        }
    }

    /// The direction that a fault here stops, delays or ends; `None`: the point is of the connection as a whole.
    ///
    /// After a request has been forwarded it is the answer that a fault can still keep from the client.
    pub(super) fn direction(self) -> Option<Direction> {
        match self {
            Self::Accept | Self::Idle => None,
            Self::Bytes(direction, _) | Self::Frame(direction, ..) | Self::AfterFrame(direction, _) => Some(direction),
            Self::BeforeRequestForwarded => Some(Direction::Request),
            Self::AfterRequestForwarded | Self::ResponseHead(_) | Self::ResponseBody(_) => Some(Direction::Response),
        }
    }
}

/// Which way bytes flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    /// From the client to the upstream.
    Request,
    /// From the upstream to the client.
    Response,
}

impl Direction {
    pub(super) const BOTH: [Self; 2] = [Self::Request, Self::Response];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }
}

/// The requests that a plan is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    method: Option<Box<str>>,
    path: Option<PathPattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathPattern {
    Exact(Box<str>),
    /// Written with a trailing `*`.
    Prefix(Box<str>),
}

impl Match {
    /// `target` is the request target as sent; its query is not compared.
    pub(super) fn fits(&self, method: &str, target: &str) -> bool {
        // Cannot fail: `split` yields at least one part.
        let path = target.split('?').next().unwrap_or(target);
        self.method.as_deref().is_none_or(|wanted| wanted == method)
            && match &self.path {
                None => true,
                Some(PathPattern::Exact(wanted)) => **wanted == *path,
                Some(PathPattern::Prefix(prefix)) => path.starts_with(&**prefix),
            }
    }
}

impl Plan {
    /// Is the unit that is struck an exchange, a request with its response, rather than the connection?
    pub(super) fn is_of_exchanges(&self) -> bool {
        self.matching.is_some() || self.point.is_http()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(options: &str, method: &str, target: &str) -> bool {
        let json = format!(r#"{{ "type": "reset", "on": "request", "match": {options} }}"#);
        Plan::from_json(&json).unwrap().matching.unwrap().fits(method, target)
    }

    #[test]
    fn a_match_compares_the_method_and_the_path_without_its_query() {
        assert!(fits("{}", "GET", "/"));
        assert!(fits(r#"{ "method": "post" }"#, "POST", "/"));
        assert!(!fits(r#"{ "method": "post" }"#, "post", "/"), "methods are case-sensitive on the wire");
        assert!(fits(r#"{ "path": "/orders" }"#, "GET", "/orders?page=2"));
        assert!(!fits(r#"{ "path": "/orders" }"#, "GET", "/orders/7"));
        assert!(fits(r#"{ "path": "/orders*" }"#, "GET", "/orders/7"));
        assert!(!fits(r#"{ "path": "/orders/*" }"#, "GET", "/orders"));
        assert!(!fits(r#"{ "method": "POST", "path": "/orders" }"#, "POST", "/other"));
    }
}
