//! The answers that are the same for every call, rendered once: head and body in one buffer, one `write`.

/// Chunk in which `/stream` is written. Large enough that the system call is not what is measured.
pub const STREAM_CHUNK: usize = 256 * 1024;
/// Length of `/stream`: 64 MiB.
pub const STREAM_LENGTH: usize = 64 * 1024 * 1024;

const LARGE_LENGTH: usize = 64 * 1024;
const JSON: &str = concat!(
    r#"{"id":7,"name":"Ada Lovelace","email":"ada@example.com","active":true,"#,
    r#""roles":["admin","author"],"createdAt":"2026-01-05T09:30:00.000Z"}"#
);

pub struct Answers {
    /// `GET /json`: a small object under eight headers, what an ordinary service sends.
    pub json: Vec<u8>,
    /// `GET /64k`: 64 KiB.
    pub large: Vec<u8>,
    /// `GET /stream`: the head, to be followed by `STREAM_LENGTH` bytes in copies of `stream_chunk`.
    pub stream_head: Vec<u8>,
    pub stream_chunk: Vec<u8>,
}

impl Answers {
    pub fn render() -> Self {
        let mut json = head("200 OK", "application/json; charset=utf-8", JSON.len());
        json.extend_from_slice(JSON.as_bytes());

        let mut large = head("200 OK", "application/octet-stream", LARGE_LENGTH);
        large.extend(pattern(LARGE_LENGTH));

        Self {
            json,
            large,
            stream_head: head("200 OK", "application/octet-stream", STREAM_LENGTH),
            stream_chunk: pattern(STREAM_CHUNK).collect(),
        }
    }
}

/// A head of eight headers, which is what clients have to parse in real life.
///
/// `Date` stands still: no client looks at it, and a true one would cost every answer a clock read.
pub fn head(status: &str, content_type: &str, length: usize) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n\
         Date: Mon, 05 Jan 2026 09:30:00 GMT\r\n\
         Content-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\
         Connection: keep-alive\r\n\
         Cache-Control: private, no-cache\r\n\
         ETag: \"5f2b-19b8d0c4a40\"\r\n\
         Vary: Accept-Encoding\r\n\
         X-Request-Id: 0a7c2c1e-6f0b-4a35-9d5e-1d1f0f6a7c11\r\n\
         \r\n"
    )
    .into_bytes()
}

/// A short answer for a request that the server does not serve. The connection is closed after it.
pub fn refusal(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// Bytes 0 to 250, over and over: the period shares no factor with a power of two, so a client that
/// repeats or drops a chunk is seen by the byte at the end.
fn pattern(length: usize) -> impl Iterator<Item = u8> {
    (0..=250u8).cycle().take(length)
}
