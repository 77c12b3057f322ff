//! The options of a WebSocket, as the JavaScript half sends them: checked there, complete, in JSON.

use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::proxies::WireProxies;
use super::super::socket::{LONGEST_TIMER, time};
use super::super::tls::WireTls;
use crate::fault::Fault;
use crate::http::transport::lookup::Lookup;
use crate::policy;
use crate::tcp::options::{Family, Route};
use crate::tcp::reconnect::Reconnect;
use crate::websocket::extension::Deflate;
use crate::websocket::options::{Options, Tls};
use crate::websocket::outbox::{Limits, Resend, WhenFull};
use crate::websocket::pulse::Heartbeat;
use crate::websocket::request::Request;

/// `lib/websocket/options.js` makes it. Times are milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wire<'a> {
    request: Option<WireRequest>,
    handshake_timeout: Option<f64>,
    greets: bool,
    #[serde(borrow)]
    reconnect: &'a RawValue,
    codes: Vec<u16>,
    asks: bool,
    min_uptime: f64,
    queue: WireQueue,
    resend: WireResend,
    heartbeat: Option<WireHeartbeat>,
    max_frame: usize,
    adapt: bool,
    /// 0: no limit.
    max_payload: usize,
    deflate: Option<WireDeflate>,
    redirects: u32,
    close_timeout: f64,
    proxies: Option<WireProxies>,
    tls: WireSocketTls,
    family: u8,
    first_only: bool,
    local_address: Option<IpAddr>,
    local_port: u16,
    no_delay: bool,
    keep_alive: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireRequest {
    url: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireQueue {
    bytes: usize,
    age: Option<f64>,
    refuses: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WireResend {
    Unsent,
    UnknownToo,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHeartbeat {
    interval: f64,
    timeout: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireDeflate {
    threshold: usize,
    level: u32,
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireSocketTls {
    options: WireTls,
    name: Option<String>,
    reject_unauthorized: bool,
}

impl Wire<'_> {
    pub fn read(json: &str, lookup: Arc<dyn Lookup>) -> Result<Options, String> {
        let wire: Wire<'_> = serde_json::from_str(json).map_err(|error| error.to_string())?;
        wire.over(Options { lookup, ..Options::to(None) })
    }

    fn over(self, usual: Options) -> Result<Options, String> {
        let retry = policy::Options::from_json(self.reconnect.get())?;
        let family = match self.family {
            4 => Some(Family::V4),
            6 => Some(Family::V6),
            _ => None,
        };
        // What cannot be asked for is an error of the call that made it, and not of each attempt.
        let request = self.request.map(WireRequest::request).transpose();
        let request = request.map_err(|fault| fault.detail.clone().unwrap_or_else(|| fault.reason.to_string()))?;
        Ok(Options {
            request,
            route: Route {
                family,
                first_only: self.first_only,
                local_address: self.local_address,
                local_port: self.local_port,
            },
            proxies: match self.proxies {
                Some(proxies) => proxies.rules()?,
                None => None,
            },
            tls: self.tls.read()?,
            handshake_timeout: self.handshake_timeout.map(time).transpose()?,
            redirects: self.redirects,
            deflate: self.deflate.map(WireDeflate::read),
            greets: self.greets,
            reconnect: Reconnect {
                retries: retry.retries,
                backoff: retry.backoff,
                within: Some(retry.within).filter(|within| *within < LONGEST_TIMER),
            },
            codes: self.codes,
            asks: self.asks,
            min_uptime: time(self.min_uptime)?,
            queue: Limits {
                bytes: self.queue.bytes,
                age: self.queue.age.map(time).transpose()?,
                when_full: if self.queue.refuses { WhenFull::Refuse } else { WhenFull::Block },
            },
            resend: match self.resend {
                WireResend::Unsent => Resend::Unsent,
                WireResend::UnknownToo => Resend::UnknownToo,
            },
            heartbeat: self.heartbeat.map(WireHeartbeat::read).transpose()?,
            max_frame: self.max_frame,
            adapts: self.adapt,
            max_payload: if self.max_payload == 0 { usize::MAX } else { self.max_payload },
            close_timeout: time(self.close_timeout)?,
            no_delay: self.no_delay,
            keep_alive: self.keep_alive.map(time).transpose()?,
            ..usual
        })
    }
}

impl WireRequest {
    pub fn read(json: &str) -> Result<Result<Request, Box<Fault>>, String> {
        let wire: WireRequest = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Ok(wire.request())
    }

    fn request(self) -> Result<Request, Box<Fault>> {
        Request::new(&self.url, self.protocols, &self.headers)
    }
}

impl WireHeartbeat {
    fn read(self) -> Result<Heartbeat, String> {
        Ok(Heartbeat { interval: time(self.interval)?, timeout: self.timeout.map(time).transpose()? })
    }
}

impl WireDeflate {
    fn read(self) -> Deflate {
        Deflate {
            threshold: self.threshold,
            level: self.level,
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            client_max_window_bits: self.client_max_window_bits,
        }
    }
}

impl WireSocketTls {
    fn read(self) -> Result<Tls, String> {
        let name = self.name.map(|name| name.try_into().map_err(|_| "servername is no name that TLS knows".to_owned()));
        Ok(Tls {
            options: self.options.read()?.options(true),
            name: name.transpose()?,
            reject_unauthorized: self.reject_unauthorized,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::lookup::SystemLookup;

    const LEAST: &str = r#"{ "greets": false, "reconnect": { "retries": 4294967295, "within": 2147483647 }, "codes": [4000],
        "asks": true, "minUptime": 5000, "queue": { "bytes": 10, "refuses": true }, "resend": "unknown-too",
        "maxFrame": 4096, "adapt": false, "maxPayload": 0, "redirects": 3, "closeTimeout": 30000,
        "tls": { "options": {}, "rejectUnauthorized": true }, "family": 6, "firstOnly": true, "localPort": 0,
        "noDelay": true"#;

    fn read(more: &str) -> Result<Options, String> {
        Wire::read(&format!("{LEAST}{more} }}"), Arc::new(SystemLookup::new()))
    }

    #[test]
    fn without_end_is_without_end() {
        let options = read("").unwrap();
        assert_eq!((options.reconnect.within, options.max_payload), (None, usize::MAX));
        assert_eq!((options.handshake_timeout, options.keep_alive, options.queue.age), (None, None, None));
        assert!(options.heartbeat.is_none() && options.deflate.is_none() && options.request.is_none());
        assert_eq!((options.resend, options.codes.as_slice()), (Resend::UnknownToo, &[4000][..]));
        assert_eq!((options.route.family, options.redirects, options.asks), (Some(Family::V6), 3, true));
    }

    #[test]
    fn a_request_that_none_can_be_made_of_is_an_error_at_once() {
        let request =
            |url: &str| read(&format!(r#", "request": {{ "url": "{url}", "protocols": ["a"], "headers": [] }}"#));
        assert_eq!(request("ws://a.test").unwrap().request.unwrap().protocols, ["a"]);
        assert!(request("nowhere").is_err());
    }

    #[test]
    fn a_heartbeat_may_adapt() {
        let options = read(r#", "heartbeat": { "interval": 25000, "timeout": null }"#).unwrap();
        assert_eq!(options.heartbeat, Some(Heartbeat::default()));
    }
}
