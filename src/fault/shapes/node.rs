//! Node's own errors: system calls that failed, and connections that `http` found closed.

use super::{Case, Rule};
use crate::fault::{Delivery, Ending, Fault, Kind, Phase, catalogue, errno};

/// `ECONNRESET` without a system call: `http` noticed that the connection was closed. It says "socket hang up"
/// before a response and "aborted" inside one; nothing else tells them apart. It says the same when it was the
/// caller's signal that closed the connection.
pub struct Closed;

impl Rule for Closed {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        if case.inner.is_some() || case.code() != Some("ECONNRESET") || link.syscall.is_some() || link.errno.is_some() {
            return None;
        }
        if case.signal_aborted {
            return Some(case.fault("ABORT_ERR", Phase::Wait, Delivery::Unknown));
        }
        Some(match case.message() {
            // Inside a response RST and FIN are reported alike.
            Some("aborted") => case.fault("ECONNRESET", Phase::Receive, Delivery::Answered),
            Some("socket hang up") => case.fault("ECONNRESET", Phase::Wait, Delivery::Unknown).with_ending(Ending::Fin),
            _ => case.fault("ECONNRESET", Phase::Wait, Delivery::Unknown),
        })
    }
}

/// A system call that failed. The call says the phase, and whether anything can have left.
pub struct System;

impl Rule for System {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let link = case.link;
        if case.inner.is_some() {
            return None;
        }
        let syscall = link.syscall.as_deref()?;
        let named = case.code().filter(|code| catalogue::find(code).is_some());
        let code =
            named.map(str::to_owned).or_else(|| link.errno.and_then(errno::name_of_node_errno).map(Into::into))?;
        let mut fault = match place(syscall) {
            Some((phase, delivery)) => case.fault(code, phase, delivery),
            None => case.described(Fault::of_code(code)),
        };
        if is_lookup(syscall) && fault.kind != Kind::Timeout {
            // c-ares says ECONNREFUSED when it is the name server that refuses.
            fault.kind = Kind::Dns;
        }
        if is_file(syscall) && fault.kind == Kind::Refused {
            // ENOENT: a file that is missing is not a socket that nobody listens on.
            fault.kind = Kind::Client;
            (fault.transient, fault.reconnect) = (false, false);
            fault = fault.with_reason("A file does not exist.");
        }
        if &*fault.code == "ECONNRESET" {
            fault.ending = Some(Ending::Rst);
        }
        Some(fault)
    }
}

/// Where a system call stands in the life of a call. `None`: it says nothing about it.
fn place(syscall: &str) -> Option<(Phase, Delivery)> {
    match syscall {
        "connect" | "bind" | "socket" => Some((Phase::Connect, Delivery::NotSent)),
        "write" | "send" | "sendmsg" => Some((Phase::Send, Delivery::Unknown)),
        "read" | "recv" | "recvmsg" => Some((Phase::Wait, Delivery::Unknown)),
        "shutdown" => Some((Phase::Send, Delivery::Unknown)),
        lookup if is_lookup(lookup) => Some((Phase::Resolve, Delivery::NotSent)),
        _ => None,
    }
}

fn is_lookup(syscall: &str) -> bool {
    ["getaddrinfo", "getnameinfo", "getHostBy", "query"].iter().any(|prefix| syscall.starts_with(prefix))
}

fn is_file(syscall: &str) -> bool {
    matches!(syscall, "open" | "stat" | "lstat" | "access" | "scandir" | "realpath" | "readlink")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::classify;
    use crate::fault::evidence::{Evidence, Link};

    fn judge(code: &str, syscall: Option<&str>, message: &str) -> Fault {
        let link = Link {
            code: Some(code.into()),
            syscall: syscall.map(Into::into),
            message: Some(message.into()),
            ..Link::default()
        };
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    #[test]
    fn the_system_call_says_what_can_have_left() {
        for (code, syscall, phase, delivery) in [
            ("ETIMEDOUT", "connect", Phase::Connect, Delivery::NotSent),
            ("ETIMEDOUT", "read", Phase::Wait, Delivery::Unknown),
            ("ECONNRESET", "connect", Phase::Connect, Delivery::NotSent),
            ("ECONNRESET", "read", Phase::Wait, Delivery::Unknown),
            ("EPIPE", "write", Phase::Send, Delivery::Unknown),
            ("ENOTFOUND", "getaddrinfo", Phase::Resolve, Delivery::NotSent),
            ("ETIMEOUT", "queryA", Phase::Resolve, Delivery::NotSent),
        ] {
            let fault = judge(code, Some(syscall), "");
            assert_eq!((fault.phase, fault.delivery), (phase, delivery), "{code} {syscall}");
        }
    }

    #[test]
    fn http_tells_fin_before_a_response_from_a_broken_response() {
        let before = judge("ECONNRESET", None, "socket hang up");
        assert_eq!((before.phase, before.delivery, before.ending), (Phase::Wait, Delivery::Unknown, Some(Ending::Fin)));
        let inside = judge("ECONNRESET", None, "aborted");
        assert_eq!((inside.phase, inside.delivery, inside.ending), (Phase::Receive, Delivery::Answered, None));
    }

    #[test]
    fn under_an_aborted_signal_it_was_the_caller_who_closed() {
        let link = Link { code: Some("ECONNRESET".into()), message: Some("aborted".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![link], signal_aborted: true, ..Evidence::default() });
        assert_eq!((&*fault.code, fault.kind), ("ABORT_ERR", Kind::Aborted));
    }

    #[test]
    fn a_name_server_that_refuses_is_a_matter_of_dns() {
        assert_eq!(judge("ECONNREFUSED", Some("queryA"), "").kind, Kind::Dns);
        assert_eq!(judge("ECONNREFUSED", Some("connect"), "").kind, Kind::Refused);
    }

    #[test]
    fn a_missing_file_is_not_a_refused_connection() {
        let file = judge("ENOENT", Some("open"), "");
        assert_eq!((file.kind, file.transient), (Kind::Client, false));
        let socket = judge("ENOENT", Some("connect"), "");
        assert_eq!((socket.kind, socket.transient), (Kind::Refused, true));
    }

    #[test]
    fn a_number_helps_where_the_code_was_lost() {
        let number = errno::node_errno("ECONNRESET").unwrap();
        let link = Link { errno: Some(number), syscall: Some("read".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![link], ..Evidence::default() });
        assert_eq!((&*fault.code, fault.ending), ("ECONNRESET", Some(Ending::Rst)));
    }
}
