//! Reads one request head out of the bytes that have arrived.

/// More than any of the measured clients sends.
const MAX_HEADERS: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    Json,
    /// As `Json`, and then the connection ends.
    Last,
    Gzip,
    Large,
    Stream,
    Echo,
    NotFound,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub route: Route,
    /// Bytes of the head, blank line included.
    pub head_length: usize,
    /// Bytes of the body that follows.
    pub body_length: usize,
    /// The client asked for the connection to end after this answer.
    pub close: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    Complete(Request),
    /// More bytes are needed.
    Partial,
    /// What the client gets instead of an answer.
    Refused(&'static str),
}

pub fn parse(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let head_length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Head::Partial,
        Err(_) => return Head::Refused("400 Bad Request"),
    };

    let mut body_length = 0;
    let mut close = false;
    for header in parsed.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            match std::str::from_utf8(header.value).ok().and_then(|text| text.parse().ok()) {
                Some(length) => body_length = length,
                None => return Head::Refused("400 Bad Request"),
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            // No case sends a body of unknown length; RFC 9112 section 6.3 allows this refusal.
            return Head::Refused("411 Length Required");
        } else if header.name.eq_ignore_ascii_case("connection") {
            close = header.value.eq_ignore_ascii_case(b"close");
        }
    }

    Head::Complete(Request { route: route(parsed.method, parsed.path), head_length, body_length, close })
}

fn route(method: Option<&str>, path: Option<&str>) -> Route {
    match (method, path) {
        (Some("GET"), Some("/json")) => Route::Json,
        (Some("GET"), Some("/last")) => Route::Last,
        (Some("GET"), Some("/gzip")) => Route::Gzip,
        (Some("GET"), Some("/64k")) => Route::Large,
        (Some("GET"), Some("/stream")) => Route::Stream,
        (Some("POST"), Some("/echo")) => Route::Echo,
        _ => Route::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_complete_at_its_blank_line_and_says_what_follows() {
        let bytes = b"POST /echo HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\nConnection: Close\r\n\r\nhello";
        let expected = Request { route: Route::Echo, head_length: bytes.len() - 5, body_length: 5, close: true };
        assert_eq!(parse(bytes), Head::Complete(expected));
        for end in 0..bytes.len() - 5 {
            assert_eq!(parse(&bytes[..end]), Head::Partial, "cut at byte {end}");
        }
    }

    #[test]
    fn a_body_without_a_length_is_refused() {
        let bytes = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(parse(bytes), Head::Refused("411 Length Required"));
    }

    #[test]
    fn what_is_not_a_length_or_not_http_is_refused() {
        let refused = Head::Refused("400 Bad Request");
        assert_eq!(parse(b"GET /json HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), refused);
        assert_eq!(parse(b"\x16\x03\x01\x02\x00\x01\x00"), refused);
    }

    #[test]
    fn another_method_on_a_known_path_is_not_found() {
        let Head::Complete(request) = parse(b"POST /json HTTP/1.1\r\n\r\n") else {
            panic!("a complete head");
        };
        assert_eq!(request.route, Route::NotFound);
    }
}
