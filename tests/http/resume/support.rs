//! Servers whose bodies break, and what a reader made of them.

use std::sync::Arc;

use bytes::Bytes;
use unreset::fault::{Delivery, Fault, Phase};
use unreset::http::call::{Call, Recovery};
use unreset::http::resume::{RecoveringBody, Resume};
use unreset::http::transport::IncomingBody;

use crate::support::*;

pub const TAG: &str = "etag: \"v1\"\r\n";

/// Bytes of which no two parts are alike.
pub fn content(length: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

#[derive(Clone, Copy)]
pub enum End {
    Reset,
    Fin,
    Stall,
}

impl End {
    pub async fn of(self, mut peer: Peer) {
        match self {
            End::Reset => peer.reset(),
            End::Fin => drop(peer),
            End::Stall => peer.until_closed().await,
        }
    }
}

/// A server that honours ranges, and sends `piece` bytes on each connection before it ends it.
pub async fn breaks_every(piece: usize, content: &Bytes, headers: &'static str, end: End) -> Server {
    let content = content.clone();
    Server::start(move |mut peer| {
        let content = content.clone();
        async move {
            let Some(seen) = peer.request().await else { return };
            let from = offset(&seen);
            let to = content.len().min(from + piece);
            peer.write(head(&seen, content.len(), headers)).await;
            peer.write(&content[from..to]).await;
            if to < content.len() {
                end.of(peer).await;
            } else {
                peer.until_closed().await;
            }
        }
    })
    .await
}

/// Sends half of `content` with `headers`, resets, and answers every further request with `then`.
pub async fn breaks_and_then<F>(content: &Bytes, headers: &'static str, then: F) -> Server
where
    F: Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
{
    let (content, then) = (content.clone(), Arc::new(then));
    Server::start(move |mut peer| {
        let (content, then) = (content.clone(), Arc::clone(&then));
        async move {
            if peer.number > 0 {
                while let Some(seen) = peer.request().await {
                    peer.write(then(&seen)).await;
                }
                return;
            }
            let Some(seen) = peer.request().await else { return };
            peer.write(head(&seen, content.len(), headers)).await;
            peer.write(&content[..content.len() / 2]).await;
            peer.reset();
        }
    })
    .await
}

/// As [`breaks_and_then`], but in chunks, so that nobody knows the length; all of `sent` comes before the break.
pub async fn chunks_break_and_then<F>(sent: &Bytes, headers: &'static str, then: F) -> Server
where
    F: Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
{
    let (sent, then) = (sent.clone(), Arc::new(then));
    Server::start(move |mut peer| {
        let (sent, then) = (sent.clone(), Arc::clone(&then));
        async move {
            if peer.number > 0 {
                while let Some(seen) = peer.request().await {
                    peer.write(then(&seen)).await;
                }
                return;
            }
            peer.request().await;
            let chunk = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n{headers}\r\n{:x}\r\n", sent.len());
            peer.write(message(chunk, &sent)).await;
            peer.write("\r\n").await;
            peer.reset();
        }
    })
    .await
}

/// The offset that a request asks for.
pub fn offset(seen: &Seen) -> usize {
    let range = seen.header("range").map(|range| range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap());
    range.map_or(0, |offset| offset.parse().unwrap())
}

pub fn head(seen: &Seen, length: usize, headers: &str) -> String {
    match seen.header("range") {
        None => format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n"),
        Some(_) => part_head(offset(seen), length - 1, length, headers),
    }
}

pub fn part_head(first: usize, last: usize, length: usize, headers: &str) -> String {
    let rest = last + 1 - first;
    format!(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: {rest}\r\n\
         content-range: bytes {first}-{last}/{length}\r\n{headers}\r\n"
    )
}

pub fn message(head: impl Into<String>, body: &[u8]) -> Vec<u8> {
    [head.into().as_bytes(), body].concat()
}

/// Everything of a body, how it ended, and what it took.
pub async fn collected(outcome: Outcome) -> (Vec<u8>, Result<(), Fault>, Recovery) {
    let answer = outcome.expect("an answer");
    let mut body = answer.body;
    let mut read = Vec::new();
    let end = loop {
        match body.append(&mut read).await {
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    let recovery = body.news().or(answer.recovery).unwrap_or_default();
    (read, end, recovery)
}

/// As [`collected`], for a consumer that acts on nothing before it has everything.
pub async fn buffered(outcome: Outcome) -> (Vec<u8>, Result<(), Fault>, Recovery) {
    let mut body = outcome.expect("an answer").body;
    let mut read = Vec::new();
    let end = loop {
        match body.chunk().await {
            Ok(Some(bytes)) => read.extend_from_slice(&bytes),
            Ok(None) => break Ok(()),
            Err(_) if body.start_over() => read.clear(),
            Err(fault) => break Err(fault),
        }
    };
    (read, end, body.news().unwrap_or_default())
}

/// The codes of the attempts, `-` for one that is not known to have failed.
pub fn told(recovery: &Recovery) -> String {
    let code = |fault: &Option<Fault>| fault.as_ref().map_or("-".to_owned(), |fault| fault.code.to_string());
    recovery.attempts.iter().map(|attempt| code(&attempt.fault)).collect::<Vec<_>>().join(" ")
}

pub fn resume(call: Call, resume: Resume) -> Call {
    Call { resume, ..call }
}

/// A break that stays one: the part that came is right, the fault is that of the break.
pub async fn refused(call: Call, content: &Bytes) -> Recovery {
    let (read, end, recovery) = collected(client().call(call).await).await;
    let fault = end.expect_err("the body must not end well");
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNRESET", Phase::Receive, Delivery::Answered));
    assert_eq!(read, content[..content.len() / 2], "no more, and nothing else, than what came before the break");
    recovery
}

pub async fn refused_with(call: Call, content: &Bytes, code: &str) -> Recovery {
    let (read, end, recovery) = collected(client().call(call).await).await;
    assert_eq!(end.expect_err("the body must not end well").code, code);
    assert_eq!(read, content[..content.len() / 2]);
    recovery
}
