//! The form is read as an independent reading of its description does, whatever is written in it.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// `tchar` of RFC 9110, section 5.6.2.
const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}";

/// Header values as the JavaScript half lets them through: latin1 without control characters, but with tabs.
fn value() -> impl Strategy<Value = String> {
    vec(prop_oneof![4 => 0x20..0x7f_u32, 1 => Just(0x09), 1 => 0x80..0x100_u32], 0..20)
        .prop_map(|codes| codes.into_iter().filter_map(char::from_u32).collect())
}

/// What stands in a place of the form: mostly what belongs there.
fn anything(usual: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![6 => usual.prop_map(String::from), 1 => ".{0,6}", 1 => vec(any::<char>(), 0..4).prop_map(String::from_iter)]
}

/// Method, headers, URL.
type Parts<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

/// The form as its description has it: the lines come in pairs, until the first of a pair is empty.
fn read_independently(text: &str) -> Option<Parts<'_>> {
    let lines: Vec<&str> = text.split('\n').collect();
    let empty = (1..lines.len()).step_by(2).find(|index| lines[*index].is_empty())?;
    let url_begins: usize = lines[..=empty].iter().map(|line| line.len() + 1).sum();
    let pairs = lines[1..empty].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    // The empty line has to be a line, with an end of its own.
    (empty + 1 < lines.len()).then(|| (lines[0], pairs, &text[url_begins..]))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_value(text: &str) -> bool {
    text.chars().all(|c| c == '\t' || (' '..='~').contains(&c) || ('\u{80}'..='\u{ff}').contains(&c))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        method in TOKEN,
        pairs in vec((TOKEN, value()), 0..12),
        url in prop_oneof![".{0,30}", vec(any::<char>(), 0..30).prop_map(String::from_iter)],
    ) {
        let lines: String = pairs.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect();
        let head = parse(&format!("{method}\n{lines}\n{url}")).expect("it is of the form");
        prop_assert_eq!(head.method.as_str(), method);
        prop_assert_eq!(head.url, url);
        prop_assert_eq!(head.headers.len(), pairs.len());
        for (name, _) in &pairs {
            let of_name = |(other, value): &(String, String)| {
                other.eq_ignore_ascii_case(name).then(|| value.chars().map(|c| c as u8).collect::<Vec<_>>())
            };
            let written: Vec<_> = pairs.iter().filter_map(of_name).collect();
            let read: Vec<_> = head.headers.get_all(name.as_str()).iter().map(|value| value.as_bytes().to_vec()).collect();
            prop_assert_eq!(read, written, "in their order");
        }
    }

    #[test]
    fn what_is_accepted_is_of_the_form_and_the_other_way_round(
        method in anything(TOKEN),
        pairs in vec((anything(TOKEN), anything("[ -~]{0,8}")), 0..6),
        rest in prop_oneof![4 => "\n.{0,10}", 1 => ".{0,10}"],
    ) {
        let lines: String = pairs.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect();
        let text = format!("{method}\n{lines}{rest}");
        let expected = read_independently(&text).filter(|(method, pairs, _)| {
            is_token(method) && pairs.iter().all(|(name, value)| is_token(name) && is_value(value))
        });
        let read = parse(&text);
        prop_assert_eq!(read.is_some(), expected.is_some(), "{:?}", text);
        if let (Some(head), Some((method, pairs, url))) = (read, expected) {
            prop_assert_eq!((head.method.as_str(), head.headers.len(), &*head.url), (method, pairs.len(), url));
        }
    }
}

#[test]
fn more_headers_than_there_is_room_for_are_refused() {
    let head = |count: usize| {
        let lines: String = (0..count).map(|number| format!("x-{number}\n1\n")).collect();
        parse(&format!("GET\n{lines}\nhttp://a.test/"))
    };
    let mut most = head(MOST_HEADERS).expect("there is room for them");
    add_defaults(&mut most.headers);
    assert!(most.headers.len() > MOST_HEADERS);
    assert_eq!(head(MOST_HEADERS + 1), None);
    assert_eq!(head(40_000), None);
}
