//! What delimits a body is read as an independent reading of RFC 9112, section 6.3, has it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A header line: name, value.
fn line() -> impl Strategy<Value = (String, String)> {
    let figure = prop_oneof![
        6 => any::<u8>().prop_map(|number| number.to_string()),
        2 => any::<u64>().prop_map(|number| number.to_string()),
        1 => (0..2_u128).prop_map(|beyond| (u128::from(u64::MAX) + beyond).to_string()),
        1 => "[-+]?[0-9]{0,22}[x ]?",
    ];
    // Mostly the same figure again, which is allowed.
    let lengths = (
        figure.clone(),
        prop_oneof![4 => Just(String::new()), 1 => figure.prop_map(|other| format!(", {other}"))],
        1..3_usize,
    )
        .prop_map(|(first, other, times)| format!("{}{other}", vec![first; times].join(",")));
    let codings = vec(select(vec!["chunked", "Chunked", " chunked", "gzip", "", "chunke", "\tchunked "]), 1..4);
    let length = (select(vec!["content-length", "Content-Length", "CONTENT-LENGTH"]), lengths);
    let coding =
        (select(vec!["transfer-encoding", "Transfer-Encoding"]), codings.prop_map(|codings| codings.join(",")));
    let other = (select(vec!["x-content-length", "upgrade", "host"]), "[!-~]{0,8}");
    prop_oneof![
        3 => length.prop_map(|(name, value)| (name.to_owned(), value)),
        2 => coding.prop_map(|(name, value)| (name.to_owned(), value)),
        2 => other.prop_map(|(name, value)| (name.to_owned(), value)),
    ]
}

/// `Err`: the lengths contradict one another, or are none.
fn read_independently(lines: &[(String, String)]) -> Result<(Option<bool>, Option<u64>), ()> {
    let of = |wanted: &str| {
        let values =
            lines.iter().filter(|(name, _)| name.to_ascii_lowercase() == wanted).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>()
    };
    let chunked = of("transfer-encoding").last().map(|value| {
        let codings: Vec<String> = value.split(',').map(|coding| coding.trim().to_ascii_lowercase()).collect();
        codings.last().is_some_and(|coding| coding == "chunked")
    });
    let mut lengths = Vec::new();
    for figure in of("content-length").iter().flat_map(|value| value.split(',')) {
        let figure = figure.trim();
        if figure.is_empty() || !figure.chars().all(|c| c.is_ascii_digit()) {
            return Err(());
        }
        lengths.push(u64::try_from(figure.parse::<u128>().map_err(|_| ())?).map_err(|_| ())?);
    }
    lengths.dedup();
    if lengths.len() > 1 { Err(()) } else { Ok((chunked, lengths.pop())) }
}

proptest! {
    #[test]
    fn a_head_says_what_an_independent_reading_finds(lines in vec(line(), 0..6)) {
        let text: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let expected = read_independently(&lines);
        let framing = |framing: Framing| (framing.chunked, framing.length);
        let request = RequestHead::parse(format!("POST /a HTTP/1.1\r\n{text}\r\n").as_bytes());
        prop_assert_eq!(request.map(|head| framing(head.framing)).map_err(|_| ()), expected);
        let response = ResponseHead::parse(format!("HTTP/1.1 200 OK\r\n{text}\r\n").as_bytes());
        prop_assert_eq!(response.map(|head| framing(head.framing)).map_err(|_| ()), expected);
    }

    #[test]
    fn any_bytes_behind_a_first_line_are_a_head_or_none(bytes in vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\n'), 1 => Just(b':')], 0..80)) {
        for (direction, first) in [(Direction::Request, &b"GET / HTTP/1.1\r\n"[..]), (Direction::Response, b"HTTP/1.1 200 OK\r\n")] {
            let sent = [first, &bytes, b"\r\n\r\n"].concat();
            // It ends at the last byte at the latest, and what is found is what was sent.
            let (used, head) = HeadReader::new(direction).read(&sent).expect("the first line is HTTP's").expect("it has an end");
            prop_assert_eq!(&*head, &sent[..used]);
            prop_assert!(head.ends_with(b"\n"));
            let _ = (RequestHead::parse(&head), ResponseHead::parse(&head));
        }
    }
}
