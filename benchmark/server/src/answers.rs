//! The answers that are the same for every call, rendered once: head and body in one buffer, one `write`.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Chunk in which `/stream` is written. Large enough that the system call is not what is measured.
pub const STREAM_CHUNK: usize = 256 * 1024;
/// Length of `/stream`: 64 MiB.
pub const STREAM_LENGTH: usize = 64 * 1024 * 1024;

/// What the heads differ in besides status, type and length.
pub const KEEP_ALIVE: &str = "Connection: keep-alive\r\n";
const CLOSE: &str = "Connection: close\r\n";
const GZIP: &str = "Connection: keep-alive\r\nContent-Encoding: gzip\r\n";

pub const JSON_TYPE: &str = "application/json; charset=utf-8";
const BYTES_TYPE: &str = "application/octet-stream";

const LARGE_LENGTH: usize = 64 * 1024;
/// How many users the list under `/gzip` has: 64 KiB of JSON.
const USERS: u32 = 439;
const JSON: &str = concat!(
    r#"{"id":7,"name":"Ada Lovelace","email":"ada@example.com","active":true,"#,
    r#""roles":["admin","author"],"createdAt":"2026-01-05T09:30:00.000Z"}"#
);

pub struct Answers {
    /// `GET /json`: a small object under eight headers, what an ordinary service sends.
    pub json: Vec<u8>,
    /// `GET /last`: the same, and the connection ends.
    pub last: Vec<u8>,
    /// `GET /gzip`: a list of such objects, 64 KiB sent as 10.
    pub gzip: Vec<u8>,
    /// `GET /64k`: 64 KiB.
    pub large: Vec<u8>,
    /// `GET /stream`: the head, to be followed by `STREAM_LENGTH` bytes in copies of `stream_chunk`.
    pub stream_head: Vec<u8>,
    pub stream_chunk: Vec<u8>,
}

impl Answers {
    pub fn render() -> io::Result<Self> {
        let large: Vec<u8> = pattern(LARGE_LENGTH).collect();
        let compressed = gzip(users().as_bytes())?;
        Ok(Self {
            json: answer(JSON_TYPE, KEEP_ALIVE, JSON.as_bytes()),
            last: answer(JSON_TYPE, CLOSE, JSON.as_bytes()),
            gzip: answer(JSON_TYPE, GZIP, &compressed),
            large: answer(BYTES_TYPE, KEEP_ALIVE, &large),
            stream_head: head("200 OK", BYTES_TYPE, KEEP_ALIVE, STREAM_LENGTH),
            stream_chunk: pattern(STREAM_CHUNK).collect(),
        })
    }
}

fn answer(content_type: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = head("200 OK", content_type, lines, body.len());
    answer.extend_from_slice(body);
    answer
}

/// A head of eight headers or nine, which is what clients have to parse in real life.
///
/// `Date` stands still: no client looks at it, and a true one would cost every answer a clock read.
pub fn head(status: &str, content_type: &str, lines: &str, length: usize) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n\
         Date: Mon, 05 Jan 2026 09:30:00 GMT\r\n\
         Content-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\
         {lines}\
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

/// A list of users that compresses as such lists do, to about a sixth: names repeat, numbers do not.
fn users() -> String {
    const NAMES: [&str; 8] = ["ada", "alan", "barbara", "donald", "edsger", "grace", "john", "margaret"];
    let user = |id: u32| {
        let (name, code) = (NAMES[mixed(id) as usize % NAMES.len()], mixed(id + 1000));
        let (active, score) = (code.is_multiple_of(2), mixed(id + 2000) % 100_000);
        let (month, day) = (1 + code % 12, 1 + code % 28);
        let (hour, minute, milliseconds) = (code % 24, code % 60, code % 1000);
        format!(
            r#"{{"id":{id},"name":"{name}","email":"{name}.{code:08x}@example.com","active":{active},"score":{score},"roles":["author"],"createdAt":"2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00.{milliseconds:03}Z"}}"#
        )
    };
    format!("[{}]", (1..=USERS).map(user).collect::<Vec<_>>().join(","))
}

/// A number that depends on `number` alone and does not look so.
fn mixed(number: u32) -> u32 {
    let once = (number ^ (number >> 16)).wrapping_mul(0x45d9_f3b);
    let twice = (once ^ (once >> 16)).wrapping_mul(0x45d9_f3b);
    twice ^ (twice >> 16)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_64_kib_sent_as_about_10() {
        let (plain, compressed) = (users(), gzip(users().as_bytes()).unwrap());
        assert_eq!(plain.len() / 1024, 64);
        assert!((9..12).contains(&(compressed.len() / 1024)), "{}", compressed.len());
    }
}
