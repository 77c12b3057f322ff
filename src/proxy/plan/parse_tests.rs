use std::time::Duration;

use super::super::{Action, Direction, Plan, PlanError, Point};

fn plan(json: &str) -> Plan {
    Plan::from_json(json).unwrap()
}

fn error(json: &str) -> PlanError {
    Plan::from_json(json).expect_err(json)
}

#[test]
fn what_is_left_out_takes_its_default() {
    let plan = plan(r#"{ "type": "reset", "on": "response" }"#);
    assert_eq!((plan.action, plan.point), (Action::Reset, Point::Bytes(Direction::Response, 0)));
    assert_eq!((plan.after, plan.every_nth, plan.times), (Duration::ZERO, 1, None));
    assert_eq!((plan.connections, plan.probability, plan.matching), (None, 1.0, None));
}

#[test]
fn every_option_is_read() {
    let plan = plan(
        r#"{
            "type": "latency", "on": "request", "ms": 20, "jitter": 5, "afterBytes": 10, "afterMs": 1.5,
            "everyNth": 2, "connections": [1, 3], "times": 4, "probability": 0.25,
            "match": { "method": "post", "path": "/orders/*" }
        }"#,
    );
    let (delay, jitter) = (Duration::from_millis(20), Duration::from_millis(5));
    assert_eq!(plan.action, Action::Latency { delay, jitter });
    assert_eq!(plan.point, Point::Bytes(Direction::Request, 10));
    assert_eq!((plan.after, plan.every_nth, plan.times), (Duration::from_micros(1_500), 2, Some(4)));
    assert_eq!((plan.connections.as_deref(), plan.probability), (Some(&[1, 3][..]), 0.25));
    assert!(plan.matching.unwrap().fits("POST", "/orders/7?x"));
}

#[test]
fn the_options_of_a_type_are_read() {
    let action = |json: &str| plan(json).action;
    let bandwidth = action(r#"{ "type": "bandwidth", "on": "response", "rate": 1000.5 }"#);
    assert_eq!(bandwidth, Action::Bandwidth { rate: 1000.5 });
    let slice = action(r#"{ "type": "slice", "on": "request", "size": 7, "ms": 2 }"#);
    assert_eq!(slice, Action::Slice { size: 7, gap: Duration::from_millis(2) });
    let latency = action(r#"{ "type": "latency", "on": "accept", "ms": 3 }"#);
    assert_eq!(latency, Action::Latency { delay: Duration::from_millis(3), jitter: Duration::ZERO });
}

#[test]
fn a_frame_is_the_first_one_unless_it_is_said() {
    let point = |options: &str| plan(&format!(r#"{{ "type": "reset", {options} }}"#)).point;
    assert_eq!(point(r#""on": "request-frame""#), Point::Frame(Direction::Request, 1, 0));
    let inside = point(r#""on": "response-frame", "frame": 3, "afterBytes": 20"#);
    assert_eq!(inside, Point::Frame(Direction::Response, 3, 20));
    assert_eq!(point(r#""on": "after-request-frame", "frame": 2"#), Point::AfterFrame(Direction::Request, 2));
    assert_eq!(point(r#""on": "after-response-frame""#), Point::AfterFrame(Direction::Response, 1));
}

#[test]
fn every_type_is_known_at_every_point_where_it_can_happen() {
    let points = [
        "accept",
        "request",
        "response",
        "idle",
        "before-request-forwarded",
        "after-request-forwarded",
        "response-head",
        "response-body",
        "request-frame",
        "response-frame",
        "after-request-frame",
        "after-response-frame",
    ];
    let types = [
        (r#""type": "reset""#, "************"),
        (r#""type": "close""#, "************"),
        (r#""type": "halfClose""#, "************"),
        (r#""type": "refuse""#, "*-----------"),
        (r#""type": "blackhole""#, "************"),
        (r#""type": "stall""#, "************"),
        (r#""type": "latency", "ms": 1"#, "***-********"),
        (r#""type": "bandwidth", "rate": 1"#, "-**----*----"),
        (r#""type": "slice", "size": 1"#, "-**----*----"),
    ];
    for (kind, fits) in types {
        for (point, fits) in points.iter().zip(fits.chars()) {
            let json = format!(r#"{{ {kind}, "on": "{point}" }}"#);
            match Plan::from_json(&json) {
                Ok(plan) => assert_eq!((plan.point.name(), fits), (*point, '*'), "{json}"),
                Err(error) => {
                    assert_eq!(fits, '-', "{json}: {error}");
                    assert!(error.message.ends_with(&format!("' cannot be combined with on: '{point}'.")), "{error}");
                }
            }
        }
    }
}

#[test]
fn contradictions_name_both_options() {
    for (json, message) in [
        (r#"{ "type": "reset", "on": "idle", "match": {} }"#, "fault.match cannot be combined with on: 'idle'."),
        (r#"{ "type": "reset", "on": "accept", "match": {} }"#, "fault.match cannot be combined with on: 'accept'."),
        (
            r#"{ "type": "reset", "on": "accept", "afterBytes": 0 }"#,
            "fault.afterBytes cannot be combined with on: 'accept'.",
        ),
        (
            r#"{ "type": "stall", "on": "idle", "afterBytes": 1 }"#,
            "fault.afterBytes cannot be combined with on: 'idle'.",
        ),
        (
            r#"{ "type": "reset", "on": "after-request-forwarded", "afterBytes": 1 }"#,
            "fault.afterBytes cannot be combined with on: 'after-request-forwarded'.",
        ),
        (
            r#"{ "type": "reset", "on": "before-request-forwarded", "afterBytes": 1 }"#,
            "fault.afterBytes cannot be combined with on: 'before-request-forwarded'.",
        ),
        (
            r#"{ "type": "latency", "on": "accept", "ms": 1, "afterMs": 1 }"#,
            "fault.afterMs cannot be combined with type: 'latency', on: 'accept'.",
        ),
        (
            r#"{ "type": "latency", "on": "accept", "ms": 1, "afterBytes": 1 }"#,
            "fault.afterBytes cannot be combined with on: 'accept'.",
        ),
        (
            r#"{ "type": "reset", "on": "after-request-frame", "afterBytes": 1 }"#,
            "fault.afterBytes cannot be combined with on: 'after-request-frame'.",
        ),
        (
            r#"{ "type": "reset", "on": "response-frame", "match": {} }"#,
            "fault.match cannot be combined with on: 'response-frame'.",
        ),
        (r#"{ "type": "reset", "on": "response", "frame": 2 }"#, "fault.frame cannot be combined with on: 'response'."),
        (r#"{ "type": "refuse", "on": "response" }"#, "fault.type 'refuse' cannot be combined with on: 'response'."),
    ] {
        let error = error(json);
        assert_eq!(error.message, message);
        assert_eq!((error.code, error.is_range), ("ERR_INVALID_ARG_VALUE", false));
    }
}

#[test]
fn refuse_takes_no_option_that_chooses() {
    let options = [
        r#""afterBytes": 1"#,
        r#""frame": 1"#,
        r#""afterMs": 1"#,
        r#""everyNth": 2"#,
        r#""connections": [1]"#,
        r#""times": 1"#,
        r#""probability": 0.5"#,
        r#""match": {}"#,
    ];
    for option in options {
        let error = error(&format!(r#"{{ "type": "refuse", "on": "accept", {option} }}"#));
        assert!(error.message.ends_with(" cannot be combined with type: 'refuse'."), "{error}");
    }
}

#[test]
fn what_is_wrong_is_named_with_what_came_and_what_is_accepted() {
    const TYPE: &str = "ERR_INVALID_ARG_TYPE";
    const VALUE: &str = "ERR_INVALID_ARG_VALUE";
    const RANGE: &str = "ERR_OUT_OF_RANGE";
    let at = |options: &str| format!(r#"{{ "type": "reset", "on": "request", {options} }}"#);
    for (json, option, code, message) in [
        ("", "fault", TYPE, "an object with type and on. Received undefined."),
        ("null", "fault", TYPE, "an object with type and on. Received null."),
        ("[1]", "fault", TYPE, "an object with type and on. Received [ 1 ]."),
        (
            r#"{ "on": "idle" }"#,
            "fault.type",
            TYPE,
            "one of reset, close, halfClose, refuse, blackhole, stall, latency, bandwidth, slice. Received undefined.",
        ),
        (
            r#"{ "type": "rst" }"#,
            "fault.type",
            VALUE,
            "one of reset, close, halfClose, refuse, blackhole, stall, latency, bandwidth, slice. Received 'rst'.",
        ),
        (
            r#"{ "type": 1 }"#,
            "fault.type",
            TYPE,
            "one of reset, close, halfClose, refuse, blackhole, stall, latency, bandwidth, slice. Received 1.",
        ),
        (
            r#"{ "type": "reset" }"#,
            "fault.on",
            TYPE,
            "one of accept, request, response, idle, before-request-forwarded, after-request-forwarded, response-head, response-body, request-frame, response-frame, after-request-frame, after-response-frame. Received undefined.",
        ),
        (&at(r#""afterBytes": -1"#), "fault.afterBytes", RANGE, "a whole number of at least 0. Received -1."),
        (&at(r#""afterBytes": 1.5"#), "fault.afterBytes", RANGE, "a whole number of at least 0. Received 1.5."),
        (&at(r#""afterBytes": 1e300"#), "fault.afterBytes", RANGE, "a whole number of at least 0. Received 1e+300."),
        (&at(r#""afterBytes": "1""#), "fault.afterBytes", TYPE, "a whole number of at least 0. Received '1'."),
        (
            &at(r#""afterMs": -1"#),
            "fault.afterMs",
            RANGE,
            "a number of milliseconds, from 0 to 2147483647. Received -1.",
        ),
        (
            &at(r#""afterMs": null"#),
            "fault.afterMs",
            TYPE,
            "a number of milliseconds, from 0 to 2147483647. Received null.",
        ),
        (&at(r#""everyNth": 0"#), "fault.everyNth", RANGE, "a whole number of at least 1. Received 0."),
        (&at(r#""frame": 0"#), "fault.frame", RANGE, "a whole number of at least 1. Received 0."),
        (&at(r#""times": 0"#), "fault.times", RANGE, "a whole number of at least 1. Received 0."),
        (&at(r#""probability": 1.1"#), "fault.probability", RANGE, "a number from 0 to 1. Received 1.1."),
        (
            &at(r#""connections": 1"#),
            "fault.connections",
            TYPE,
            "an array of connection numbers, which begin at 1. Received 1.",
        ),
        (
            &at(r#""connections": []"#),
            "fault.connections",
            VALUE,
            "an array of connection numbers, which begin at 1. Received [].",
        ),
        (
            &at(r#""connections": [1, 0]"#),
            "fault.connections[1]",
            RANGE,
            "a whole number from 1 to 4294967295. Received 0.",
        ),
        (&at(r#""match": "GET""#), "fault.match", TYPE, "an object. Received 'GET'."),
        (&at(r#""match": { "method": "G T" }"#), "fault.match.method", VALUE, "an HTTP method. Received 'G T'."),
        (&at(r#""match": { "method": 1 }"#), "fault.match.method", TYPE, "an HTTP method. Received 1."),
        (
            &at(r#""match": { "path": "/a?b" }"#),
            "fault.match.path",
            VALUE,
            "a path that begins with /, without a query. Received '/a?b'.",
        ),
        (
            &at(r#""match": { "path": "/a#b" }"#),
            "fault.match.path",
            VALUE,
            "a path that begins with /, without a query. Received '/a#b'.",
        ),
        (
            &at(r#""match": { "path": "orders" }"#),
            "fault.match.path",
            VALUE,
            "a path that begins with /, without a query. Received 'orders'.",
        ),
        (
            &at(r#""match": { "path": "" }"#),
            "fault.match.path",
            VALUE,
            "a path that begins with /, without a query. Received ''.",
        ),
        (
            r#"{ "type": "latency", "on": "request" }"#,
            "fault.ms",
            TYPE,
            "a number of milliseconds, from 0 to 2147483647. Received undefined.",
        ),
        (
            r#"{ "type": "latency", "on": "request", "ms": 5, "jitter": 6 }"#,
            "fault.jitter",
            RANGE,
            "at most fault.ms (5). Received 6.",
        ),
        (
            r#"{ "type": "bandwidth", "on": "request" }"#,
            "fault.rate",
            TYPE,
            "a number of at least 1. Received undefined.",
        ),
        (
            r#"{ "type": "bandwidth", "on": "request", "rate": 0 }"#,
            "fault.rate",
            RANGE,
            "a number of at least 1. Received 0.",
        ),
        (
            r#"{ "type": "slice", "on": "request" }"#,
            "fault.size",
            TYPE,
            "a whole number of at least 1. Received undefined.",
        ),
        (
            r#"{ "type": "slice", "on": "request", "size": 0 }"#,
            "fault.size",
            RANGE,
            "a whole number of at least 1. Received 0.",
        ),
    ] {
        let error = error(json);
        assert_eq!(error.message, format!("{option} must be {message}"));
        assert_eq!((&*error.option, error.code), (option, code));
        assert_eq!(error.is_range, code == RANGE);
    }
}

#[test]
fn an_option_that_is_not_of_the_type_is_refused() {
    let common = "type, on, afterBytes, frame, afterMs, everyNth, connections, times, probability, match";
    for (json, message) in [
        (
            r#"{ "type": "reset", "on": "request", "ms": 1 }"#,
            format!("fault.ms is not an option of type 'reset'. Accepted: {common}."),
        ),
        (
            r#"{ "type": "latency", "on": "request", "delay": 1 }"#,
            format!("fault.delay is not an option of type 'latency'. Accepted: {common}, ms, jitter."),
        ),
        (
            r#"{ "type": "reset", "on": "request", "match": { "url": "/" } }"#,
            "fault.match.url is not an option. Accepted: method, path.".to_owned(),
        ),
    ] {
        assert_eq!(error(json).message, message);
    }
}
