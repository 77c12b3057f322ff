//! From evidence to a fault.
//!
//! The links are judged from the innermost to the outermost, so that every rule knows what its link's causes
//! were found to be: a wrapper either adds to that (axios knows that a response had begun) or lets it pass.
//! Each link is judged once, whatever the chain looks like.

use super::evidence::{Evidence, Link, MAX_LINKS};
use super::shapes::{Case, RULES};
use super::{Delivery, Fault, Phase};

/// What went wrong, as far as the evidence shows. Never fails: what no rule recognises is `Kind::Unknown`.
pub fn classify(evidence: &Evidence) -> Fault {
    let links = &evidence.links[..evidence.links.len().min(MAX_LINKS)];
    let mut faults: Vec<Option<Fault>> = vec![None; links.len()];
    let mut by_signal = vec![false; links.len()];
    for at in (0..links.len()).rev() {
        let children: Vec<usize> = (at + 1..links.len()).filter(|child| links[*child].parent == Some(at)).collect();
        by_signal[at] = links[at].signal_reason || children.iter().any(|child| by_signal[*child]);
        let case = Case {
            link: &links[at],
            children: children.iter().map(|child| &links[*child]).collect(),
            inner: common(children.iter().filter_map(|child| faults[*child].as_ref())),
            by_signal: by_signal[at],
            signal_aborted: evidence.signal_aborted,
        };
        faults[at] = RULES.iter().find_map(|rule| rule.judge(&case)).or(case.inner);
    }
    let recognised = faults.into_iter().next().flatten();
    let fault = recognised.unwrap_or_else(|| unrecognised(links.first()));
    with_context(fault, evidence)
}

/// [`classify`] from JSON to JSON: the form in which evidence and fault cross to JavaScript.
pub fn classify_json(evidence: &str) -> String {
    // Evidence that cannot be read is no evidence; JavaScript and Rust of one package agree on the form.
    let evidence = serde_json::from_str(evidence).unwrap_or_default();
    classify(&evidence).to_json()
}

/// What several causes have in common: the first one, with a delivery that holds for all. Addresses that were
/// tried in turn and refused are `not-sent`; if one of them may have taken the request, nothing is known.
fn common<'a>(mut faults: impl Iterator<Item = &'a Fault>) -> Option<Fault> {
    let mut first = faults.next()?.clone();
    if faults.any(|other| other.delivery != first.delivery) {
        first.delivery = Delivery::Unknown;
    }
    Some(first)
}

fn unrecognised(link: Option<&Link>) -> Fault {
    let code = link.and_then(|link| link.code.as_deref()).filter(|code| looks_like_a_code(code));
    let code = code.map_or("UNKNOWN".into(), str::to_owned);
    let fault = Fault::new(code, Phase::Wait, Delivery::Unknown);
    match link.and_then(|link| link.message.as_deref()) {
        Some(message) => fault.with_detail(message),
        None => fault,
    }
}

fn looks_like_a_code(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_uppercase());
    begins
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What the caller knows goes before what the error shows.
fn with_context(mut fault: Fault, evidence: &Evidence) -> Fault {
    if let Some(phase) = evidence.phase {
        fault.phase = phase;
        if matches!(phase, Phase::Resolve | Phase::Connect) {
            // There was no connection yet that could have carried anything.
            fault.delivery = Delivery::NotSent;
        }
    }
    if let Some(delivery) = evidence.delivery {
        fault.delivery = delivery;
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    fn link(code: &str) -> Link {
        Link { code: Some(code.into()), ..Link::default() }
    }

    fn evidence(links: Vec<Link>) -> Evidence {
        Evidence { links, ..Evidence::default() }
    }

    #[test]
    fn the_cause_is_found_below_wrappers_that_say_nothing() {
        let wrapper = Link { message: Some("could not load the price".into()), ..Link::default() };
        let cause = Link { parent: Some(0), ..link("ECONNREFUSED") };
        assert_eq!(classify(&evidence(vec![wrapper, cause])).kind, Kind::Refused);
    }

    #[test]
    fn several_causes_are_not_sent_only_if_all_of_them_are() {
        let refused = |parent| Link { parent: Some(parent), syscall: Some("connect".into()), ..link("ECONNREFUSED") };
        let reset = Link { parent: Some(0), syscall: Some("read".into()), ..link("ECONNRESET") };
        let all_refused = classify(&evidence(vec![Link::default(), refused(0), refused(0)]));
        assert_eq!((all_refused.kind, all_refused.delivery), (Kind::Refused, Delivery::NotSent));
        let one_reset = classify(&evidence(vec![Link::default(), refused(0), reset]));
        assert_eq!((one_reset.kind, one_reset.delivery), (Kind::Refused, Delivery::Unknown));
    }

    #[test]
    fn what_nobody_knows_keeps_its_code_and_its_words() {
        let strange = Link { message: Some("odd".into()), ..link("E_ODD_THING") };
        let fault = classify(&evidence(vec![strange]));
        assert_eq!((&*fault.code, fault.kind, fault.detail.as_deref()), ("E_ODD_THING", Kind::Unknown, Some("odd")));
        let no_code = classify(&evidence(vec![link("some text with spaces")]));
        assert_eq!((&*no_code.code, no_code.transient), ("UNKNOWN", false));
        assert_eq!(classify(&evidence(vec![])).kind, Kind::Unknown);
    }

    #[test]
    fn the_caller_knows_better() {
        let mut evidence = evidence(vec![link("ECONNRESET")]);
        evidence.phase = Some(Phase::Receive);
        evidence.delivery = Some(Delivery::Answered);
        let fault = classify(&evidence);
        assert_eq!((fault.phase, fault.delivery, fault.kind), (Phase::Receive, Delivery::Answered, Kind::Reset));
    }

    #[test]
    fn before_there_is_a_connection_nothing_is_sent() {
        let mut evidence = evidence(vec![link("ECONNRESET")]);
        evidence.phase = Some(Phase::Connect);
        assert_eq!(classify(&evidence).delivery, Delivery::NotSent);
    }

    #[test]
    fn links_that_name_themselves_or_each_other_as_parent_do_no_harm() {
        let own_parent = Link { parent: Some(0), ..link("ECONNRESET") };
        let later_parent = Link { parent: Some(7), ..link("EPIPE") };
        assert_eq!(classify(&evidence(vec![own_parent, later_parent])).kind, Kind::Reset);
    }

    #[test]
    fn json_that_is_no_evidence_is_an_unknown_fault() {
        for json in ["", "null", "[]", "{\"links\":3}", "{\"links\":[{\"port\":-1}]}"] {
            let fault: serde_json::Value = serde_json::from_str(&classify_json(json)).unwrap();
            assert_eq!(fault["kind"], "unknown", "{json}");
        }
    }
}

/// Evidence is collected from values that anybody can make, so anything must be expected of it.
#[cfg(test)]
mod properties {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::fault::catalogue;
    use crate::fault::evidence::{Response, Socket, Timings};

    /// Words that rules look for, and words that they do not.
    fn word() -> impl Strategy<Value = Option<String>> {
        let known: Vec<&str> = catalogue::entries()
            .map(|entry| entry.code)
            .chain([
                "TypeError",
                "AbortError",
                "TimeoutError",
                "ReadError",
                "RequestError",
                "FetchError",
                "HTTPParserError",
            ])
            .chain(["fetch failed", "terminated", "aborted", "socket hang up", "redirect count exceeded"])
            .chain(["read", "write", "connect", "getaddrinfo", "open", "request", "system", "max-size"])
            .chain(["reset", "wait", "not-sent", "fin", "error", "close"])
            .chain(["Unexpected server response: 503", "Opening handshake has timed out"])
            .collect();
        of(prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => ".{0,12}"])
    }

    fn response() -> impl Strategy<Value = Response> {
        (of(any::<u16>()), of(".{0,8}"), any::<bool>()).prop_map(|(status, retry_after_header, has_data)| Response {
            status,
            retry_after_header,
            has_data,
        })
    }

    fn socket() -> impl Strategy<Value = Socket> {
        (word(), word(), of(any::<f64>())).prop_map(|(local_address, remote_address, bytes_written)| Socket {
            local_address,
            remote_address,
            bytes_written,
            ..Socket::default()
        })
    }

    fn link() -> impl Strategy<Value = Link> {
        let words = (word(), word(), word(), word(), word(), word());
        let faults = (word(), word(), word(), word(), of(any::<f64>()));
        let parts =
            (of(response()), of(socket()), of(any::<[bool; 4]>()), of(any::<u16>()), of(any::<i32>()), any::<bool>());
        (of(0..MAX_LINKS * 2), any::<[bool; 6]>(), words, faults, parts).prop_map(
            |(parent, flags, words, faults, parts)| {
                let (name, message, code, syscall, type_, event) = words;
                let (kind, phase, delivery, ending, retry_after) = faults;
                let (response, socket, steps, status, errno, of_web_socket) = parts;
                let [signal_reason, text, is_axios_error, tls_connect, is_response, request_answered] = flags;
                let timings =
                    steps.map(|[lookup, connect, upload, response]| Timings { lookup, connect, upload, response });
                Link {
                    parent,
                    signal_reason,
                    text,
                    is_axios_error,
                    tls_connect,
                    is_response,
                    request_answered,
                    name,
                    message,
                    code,
                    syscall,
                    type_,
                    event,
                    kind,
                    phase,
                    delivery,
                    ending,
                    retry_after,
                    response,
                    socket,
                    timings,
                    status,
                    errno,
                    close_code: status.filter(|_| of_web_socket),
                    of_web_socket,
                    ..Link::default()
                }
            },
        )
    }

    proptest! {
        #[test]
        fn any_evidence_is_judged_and_the_judgement_is_whole(links in vec(link(), 0..MAX_LINKS * 2)) {
            let evidence = Evidence { links, ..Evidence::default() };
            let fault = classify(&evidence);
            prop_assert!(!fault.code.is_empty() || evidence.links.iter().any(|link| link.kind.is_some()));
            let json = classify_json(&serde_json::to_string(&evidence).unwrap());
            let crossed: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(crossed["kind"].as_str(), Some(fault.kind.as_str()));
        }

        #[test]
        fn an_abort_by_the_callers_signal_is_never_transient(mut links in vec(link(), 1..8)) {
            links[0].signal_reason = true;
            // What is classified already stays as it is.
            links[0].kind = None;
            let fault = classify(&Evidence { links, signal_aborted: true, ..Evidence::default() });
            prop_assert_eq!((&*fault.code, fault.transient), ("ABORT_ERR", false));
        }

        #[test]
        fn any_text_in_place_of_evidence_is_answered(text in ".*") {
            let answer: serde_json::Value = serde_json::from_str(&classify_json(&text)).unwrap();
            prop_assert!(answer["code"].is_string());
        }
    }
}
