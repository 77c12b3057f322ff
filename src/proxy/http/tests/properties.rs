//! Conversations that nobody thought of: each message is found where it was written, in whatever pieces it comes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Message, extents, read};
use crate::proxy::http::*;

/// How a body is delimited, and the body.
fn delimited() -> impl Strategy<Value = (String, String)> {
    let text = "[ -~\r\n]{0,40}";
    prop_oneof![
        Just((String::new(), String::new())),
        text.prop_map(|body| (format!("\ncontent-length: {}", body.len()), body)),
        text.prop_map(|body| (format!("\ncontent-length: {0}, {0}", body.len()), body)),
        vec("[ -~\r\n]{1,20}", 0..3).prop_map(|chunks| {
            let chunks: String = chunks.iter().map(|chunk| format!("{:x};q\r\n{chunk}\r\n", chunk.len())).collect();
            ("\ntransfer-encoding: gzip, chunked".to_owned(), format!("{chunks}0\r\nx: y\r\n\r\n"))
        }),
    ]
}

/// A request and its answer; the answer's interim ones come before it.
fn exchange() -> impl Strategy<Value = (Message, String, Message)> {
    let method = select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND"]);
    let status = select(vec![200_u16, 201, 204, 304, 404, 503]);
    let interim = select(vec!["", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"]);
    (method, "/[!-~]{0,10}", delimited(), interim, status, delimited()).prop_map(
        |(method, target, request, interim, status, response)| {
            let (mut framing, mut body) = response;
            let has_none = method == "HEAD" || matches!(status, 204 | 304);
            if has_none {
                // The head may say what the body would have been.
                body.clear();
            } else if framing.is_empty() {
                framing = "\ncontent-length: 0".to_owned();
            }
            (
                Message::new(&format!("{method} {target} HTTP/1.1{}", request.0), &request.1),
                interim.to_owned(),
                Message::new(&format!("HTTP/1.1 {status} X{framing}"), &body),
            )
        },
    )
}

fn pieces<'a>(text: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([text.len()]).collect();
    ends.sort_unstable();
    let mut begin = 0;
    ends.into_iter().map(|end| &text[std::mem::replace(&mut begin, end)..end]).collect()
}

proptest! {
    #[test]
    fn every_message_is_found_where_it_was_written(
        exchanges in vec(exchange(), 1..6),
        (request_cuts, response_cuts) in (vec(any::<Index>(), 0..12), vec(any::<Index>(), 0..12)),
    ) {
        let requests: String = exchanges.iter().map(|(request, _, _)| request.text.as_str()).collect();
        let responses: String = exchanges.iter().map(|(_, interim, response)| format!("{interim}{}", response.text)).collect();
        let mut tracker = Tracker::new();
        for piece in pieces(requests.as_bytes(), &request_cuts) {
            read(&mut tracker, Direction::Request, piece);
        }
        for piece in pieces(responses.as_bytes(), &response_cuts) {
            read(&mut tracker, Direction::Response, piece);
        }

        let found: Vec<_> = tracker.exchanges().map(|exchange| exchange.request).collect();
        prop_assert_eq!(found, extents(exchanges.iter().map(|(request, _, _)| request)));
        // The interim responses count as bytes and are no message.
        let mut shift = 0;
        let written = extents(exchanges.iter().map(|(_, _, response)| response));
        let expected: Vec<_> = exchanges.iter().zip(written).map(|((_, interim, _), extent)| {
            shift += interim.len() as u64;
            let Extent { start, head_end, end } = extent;
            Some(Extent { start: start + shift, head_end: head_end + shift, end: end.map(|end| end + shift) })
        }).collect();
        prop_assert_eq!(tracker.exchanges().map(|exchange| exchange.response).collect::<Vec<_>>(), expected);
    }
}
