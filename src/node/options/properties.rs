//! The options of a client and of a call, whatever stands in them.

use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// In quarters of a millisecond: serde_json may be one unit in the last place off, for the sake of speed.
fn limit_of_js() -> impl Strategy<Value = f64> {
    let quarters = (0..4_000_000_000_u32).prop_map(|quarters| f64::from(quarters) / 4.0);
    prop_oneof![4 => quarters.clone(), 1 => Just(f64::MAX), 1 => quarters.prop_map(|above| -above - 0.25), 1 => any::<i32>().prop_map(f64::from)]
}

proptest! {
    #[test]
    fn every_limit_is_read_as_milliseconds_or_the_whole_is_refused(
        limits in prop::array::uniform5(of(limit_of_js())),
        size in prop_oneof![Just(Value::Null), Just(Value::from(false)), any::<u64>().prop_map(Value::from)],
        decompress: bool,
    ) {
        let [connect, headers, body, attempt, total] = limits;
        let text = json!({
            "timeout": { "connect": connect, "headers": headers, "body": body, "attempt": attempt, "total": total },
            "decoding": { "decompress": decompress, "maxResponseSize": size },
        });
        let negative = limits.iter().flatten().any(|limit| *limit < 0.0);
        let options = match Options::parse(&text.to_string()) {
            Ok(options) => options,
            Err(reason) => {
                prop_assert!(negative && reason.ends_with("is negative"), "{}", reason);
                return Ok(());
            }
        };
        prop_assert!(!negative);
        let timeouts = options.timeouts.expect("they are given");
        let Limits { connect, headers, body, attempt } = timeouts.limits;
        let read = [connect, headers, body, attempt, timeouts.total];
        for (given, read) in limits.iter().zip(read) {
            prop_assert_eq!(read, given.map(|given| milliseconds::from_js(given).expect("not negative")));
            prop_assert!(read.is_none_or(|read| read <= milliseconds::LONGEST));
        }
        let size = match size {
            Value::Null => SizeLimit::Usual,
            Value::Bool(_) => SizeLimit::None,
            number => SizeLimit::Bytes(number.as_u64().expect("it is one")),
        };
        prop_assert_eq!(options.decoding, Some(Decoding { decompress, size }));
    }

    #[test]
    fn any_text_is_answered(text in prop_oneof![".{0,60}", "\\{\"(retry|timeout|resume|decoding|tls|proxies|pool)\":.{0,20}\\}"]) {
        // Whatever it says: the two halves of this package disagree, and nothing more.
        let _ = Options::parse(&text);
    }
}
