mod properties;

use proptest::prelude::*;

use super::*;

/// A message, the length of its head and its own length, as the test wrote it.
#[derive(Debug)]
struct Message {
    text: String,
    head: usize,
}

impl Message {
    fn new(head: &str, body: &str) -> Self {
        let text = format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n"));
        Self { head: text.len() - body.len(), text }
    }
}

/// Requests and what answers them, one exchange to a row.
fn conversation() -> Vec<(Message, Message)> {
    let plain = |head: &str, body: &str| Message::new(head, body);
    vec![
        (plain("GET /a?b HTTP/1.1\nhost: x", ""), plain("HTTP/1.1 200 OK\ncontent-length: 5", "hello")),
        (plain("HEAD / HTTP/1.1", ""), plain("HTTP/1.1 200 OK\ncontent-length: 5", "")),
        (
            plain("POST / HTTP/1.1\ntransfer-encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"),
            plain("HTTP/1.1 204 No Content", ""),
        ),
        (
            plain("PUT / HTTP/1.1\ncontent-length: 11", "GET / HTTP/"),
            plain("HTTP/1.1 201 Created\ntransfer-encoding: chunked", "b\r\nHTTP/1.1 20\r\n0\r\nx: y\r\n\r\n"),
        ),
        (plain("GET /unchanged HTTP/1.1", ""), plain("HTTP/1.1 304 Not Modified\ncontent-length: 99", "")),
        (plain("GET /ws HTTP/1.1\nupgrade: websocket", ""), plain("HTTP/1.1 200 OK\ncontent-length: 2", "no")),
        (plain("DELETE / HTTP/1.1", ""), plain("HTTP/1.0 200 OK", "until the end")),
    ]
}

/// The extents that `messages` have in a row.
fn extents<'a>(messages: impl Iterator<Item = &'a Message>) -> Vec<Extent> {
    let mut offset = 0;
    messages
        .map(|message| {
            let start = offset;
            offset += message.text.len() as u64;
            Extent { start, head_end: start + message.head as u64, end: Some(offset) }
        })
        .collect()
}

fn read(tracker: &mut Tracker, direction: Direction, bytes: &[u8]) -> Vec<Noticed> {
    let mut noticed = Vec::new();
    tracker.read(direction, bytes, &mut noticed);
    noticed
}

fn is_opaque(tracker: &Tracker) -> (bool, bool) {
    let opaque = |side: &Side| matches!(side.state, State::Opaque);
    (opaque(&tracker.request), opaque(&tracker.response))
}

#[test]
fn every_split_of_a_conversation_finds_the_same_messages() {
    let conversation = conversation();
    let whole = |of: fn(&(Message, Message)) -> &Message| {
        let texts: Vec<_> = conversation.iter().map(|exchange| of(exchange).text.as_str()).collect();
        texts.concat()
    };
    let (requests, responses) = (whole(|exchange| &exchange.0), whole(|exchange| &exchange.1));
    let expected_requests = extents(conversation.iter().map(|exchange| &exchange.0));
    let expected_responses = extents(conversation.iter().map(|exchange| &exchange.1));
    // The sixth request offers another protocol; what follows must not come before its answer.
    let upgrade_ends = expected_requests[5].end.unwrap() as usize;
    let answer_ends = expected_responses[5].end.unwrap() as usize;
    for split in 0..requests.len().max(responses.len()) {
        let mut tracker = Tracker::new();
        let mut pieces = |direction, text: &str| {
            let (first, second) = text.as_bytes().split_at(split.min(text.len()));
            let mut noticed = read(&mut tracker, direction, first);
            noticed.extend(read(&mut tracker, direction, second));
            noticed.len()
        };
        assert_eq!(pieces(Direction::Request, &requests[..upgrade_ends]), 6, "split at {split}");
        assert_eq!(pieces(Direction::Response, &responses[..answer_ends]), 6, "split at {split}");
        assert_eq!(pieces(Direction::Request, &requests[upgrade_ends..]), 1, "split at {split}");
        assert_eq!(pieces(Direction::Response, &responses[answer_ends..]), 1, "split at {split}");
        tracker.end(Direction::Response);
        let found: Vec<_> = tracker.exchanges().map(|exchange| exchange.request).collect();
        assert_eq!(found, expected_requests, "split at {split}");
        let found: Vec<_> = tracker.exchanges().map(|exchange| exchange.response.unwrap()).collect();
        assert_eq!(found, expected_responses, "split at {split}");
    }
}

proptest! {
    #[test]
    fn however_it_is_cut_it_is_the_same(cuts in prop::collection::vec(1_usize..40, 1..60)) {
        let (request, response): (String, String) =
            conversation().into_iter().take(5).map(|(request, response)| (request.text, response.text)).unzip();
        let mut whole = Tracker::new();
        let mut cut = Tracker::new();
        for (direction, text) in [(Direction::Request, request), (Direction::Response, response)] {
            let noticed = read(&mut whole, direction, text.as_bytes());
            let mut rest = text.as_bytes();
            let mut noticed_cut = Vec::new();
            for &length in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at(length.min(rest.len()));
                cut.read(direction, piece, &mut noticed_cut);
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(noticed, noticed_cut);
        }
        for (whole, cut) in whole.exchanges().zip(cut.exchanges()) {
            prop_assert_eq!((whole.request, whole.response), (cut.request, cut.response));
        }
    }

    #[test]
    fn anything_at_all_is_survived(
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..50)), 0..20),
        http in any::<bool>(),
    ) {
        let mut tracker = Tracker::new();
        if http {
            read(&mut tracker, Direction::Request, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n");
        }
        for (of_request, bytes) in pieces {
            let direction = if of_request { Direction::Request } else { Direction::Response };
            read(&mut tracker, direction, &bytes);
        }
    }
}

#[test]
fn interim_responses_are_passed_by() {
    let mut tracker = Tracker::new();
    read(&mut tracker, Direction::Request, b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
    assert_eq!(read(&mut tracker, Direction::Response, b"HTTP/1.1 100 Continue\r\n\r\n"), []);
    read(&mut tracker, Direction::Request, b"ok");
    let noticed = read(&mut tracker, Direction::Response, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(noticed, [Noticed::Response { exchange: 1, status: 200 }]);
    assert_eq!(tracker.exchange(1).unwrap().response.unwrap().start, 25);
}

#[test]
fn behind_an_upgrade_or_a_tunnel_nothing_is_looked_at() {
    for (request, response) in [
        ("GET / HTTP/1.1\r\nupgrade: h2c\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        ("CONNECT a:443 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 Connected\r\n\r\n"),
    ] {
        let mut tracker = Tracker::new();
        read(&mut tracker, Direction::Request, request.as_bytes());
        assert_eq!(read(&mut tracker, Direction::Response, response.as_bytes()).len(), 1);
        assert_eq!(is_opaque(&tracker), (true, true));
        assert_eq!(read(&mut tracker, Direction::Request, b"GET / HTTP/1.1\r\n\r\n"), []);
        assert_eq!(tracker.exchange(1).unwrap().response.unwrap().end, Some(response.len() as u64));
    }
}

#[test]
fn behind_the_upgrade_to_a_websocket_there_are_frames() {
    let mut tracker = Tracker::new();
    let request = b"GET / HTTP/1.1\r\nupgrade: WebSocket\r\n\r\n";
    let response = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x01a\x81";
    read(&mut tracker, Direction::Request, request);
    assert_eq!(read(&mut tracker, Direction::Response, response).len(), 2, "the answer, and a frame in the same piece");
    let start = response.len() as u64 - 4;
    assert_eq!(tracker.frame(Direction::Response, 1), Some((start, start + 3)));
    assert_eq!(tracker.incomplete_head(Direction::Response), Some(start + 3));
    read(&mut tracker, Direction::Request, b"\x81\x80mask");
    let start = request.len() as u64;
    assert_eq!(tracker.frame(Direction::Request, 1), Some((start, start + 6)));
    assert_eq!(tracker.incomplete_head(Direction::Request), None);
    tracker.end(Direction::Request);
    assert!(tracker.frame(Direction::Request, 1).is_some(), "it is still to be forwarded");
    tracker.forwarded(start + 6, 0);
    assert_eq!(tracker.frame(Direction::Request, 1), None);
}

#[test]
fn what_a_client_sends_ahead_of_its_upgrade_is_not_taken_for_a_request() {
    let mut tracker = Tracker::new();
    read(&mut tracker, Direction::Request, b"GET / HTTP/1.1\r\nupgrade: x\r\n\r\n");
    assert_eq!(read(&mut tracker, Direction::Request, b"GET / HTTP/1.1\r\n\r\n"), []);
    assert_eq!(is_opaque(&tracker), (true, false));
    assert_eq!(read(&mut tracker, Direction::Response, b"HTTP/1.1 101 Go\r\n\r\n").len(), 1);
}

#[test]
fn other_protocols_are_left_alone_at_once() {
    let mut tracker = Tracker::new();
    read(&mut tracker, Direction::Request, b"\x16");
    assert_eq!(is_opaque(&tracker), (true, false));
    read(&mut tracker, Direction::Response, b"H");
    assert_eq!(is_opaque(&tracker), (true, true));

    // Where the server speaks first.
    let mut tracker = Tracker::new();
    read(&mut tracker, Direction::Response, b"2");
    assert_eq!(is_opaque(&tracker), (true, true));
    assert_eq!(tracker.incomplete_head(Direction::Response), None);
}

#[test]
fn a_head_is_incomplete_until_its_last_byte() {
    let mut tracker = Tracker::new();
    read(&mut tracker, Direction::Request, b"\r\nGET / HTTP/1.1\r\n\r");
    assert_eq!(tracker.incomplete_head(Direction::Request), Some(2));
    read(&mut tracker, Direction::Request, b"\n");
    assert_eq!(tracker.incomplete_head(Direction::Request), None);
    read(&mut tracker, Direction::Request, b"GE");
    assert!(tracker.incomplete_head(Direction::Request).is_some());
    tracker.end(Direction::Request);
    assert_eq!(tracker.incomplete_head(Direction::Request), None);
}

#[test]
fn what_has_been_forwarded_is_forgotten() {
    let mut tracker = Tracker::new();
    let request = b"GET / HTTP/1.1\r\n\r\n";
    read(&mut tracker, Direction::Request, &request.repeat(3));
    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    read(&mut tracker, Direction::Response, &response.repeat(2));
    let numbers = |tracker: &Tracker| tracker.exchanges().map(|exchange| exchange.number).collect::<Vec<_>>();
    tracker.forwarded(3 * request.len() as u64, response.len() as u64 - 1);
    assert_eq!(numbers(&tracker), [1, 2, 3]);
    tracker.forwarded(3 * request.len() as u64, response.len() as u64);
    assert_eq!(numbers(&tracker), [2, 3]);
    assert!(tracker.exchange(1).is_none() && tracker.exchange(4).is_none());
    assert!(!tracker.awaits_response(2) && tracker.awaits_response(3));
    tracker.forwarded(3 * request.len() as u64, 2 * response.len() as u64);
    assert_eq!(numbers(&tracker), [3]);
}

#[test]
fn a_client_too_far_ahead_is_no_longer_followed() {
    let mut tracker = Tracker::new();
    let noticed = read(&mut tracker, Direction::Request, &b"GET / HTTP/1.1\r\n\r\n".repeat(MOST_OUTSTANDING + 1));
    assert_eq!(noticed.len(), MOST_OUTSTANDING);
    assert_eq!(is_opaque(&tracker), (true, false));
}
