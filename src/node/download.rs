//! Response bodies on their way to JavaScript.
//!
//! A body that has arrived with its head goes with it, in one crossing. Any other is read ahead up to a bound and
//! handed over in the largest pieces that have gathered: reading stops when the bound is reached, so the
//! socket's own backpressure slows the server down.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use http::HeaderMap;
use tokio::sync::mpsc;

use super::call::{broken_json, recovery_json};
use super::completion::{BUFFER, Completion, DONE, Kind, RECOVERY, Value};
use super::engine::Core;
use crate::fault::Fault;
use crate::http::call::Recovery;
use crate::http::decode::fault::too_large;
use crate::http::resume::RecoveringBody;

/// What is read before JavaScript asks for it, unless the call says otherwise. Small enough to forget about an unread response, large enough
/// that one crossing moves a worthwhile piece.
const READ_AHEAD: usize = 256 * 1024;
/// The largest body that may travel with the head. More would keep the head waiting.
const INLINE: usize = 128 * 1024;
/// How often the connection's task gets a turn before the head leaves without its body: it has the bytes
/// already, but hands them on only when asked, in a turn of its own.
const TURNS: u32 = 3;
/// A stated length is believed up to here when memory is reserved for it.
const RESERVE: u64 = 16 * 1024 * 1024;

/// What JavaScript asks of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Whatever has gathered, at least one byte.
    Piece,
    Everything,
}

/// A body and what of it has been read.
pub struct Download<B, H> {
    body: B,
    gathered: Vec<u8>,
    /// JavaScript has some of the body: from now on it must not begin anew.
    handed: bool,
    end: Option<Result<(), Box<Fault>>>,
    /// The most that is collected for whoever asks for everything, in bytes.
    whole_limit: Option<u64>,
    /// What is read before JavaScript asks for it, in bytes; at least one.
    read_ahead: usize,
    /// A hold on the client, as long as some of the body is to come: one that closes does not wait for what has come and is
    /// not asked for. It is the last field: the body and its connection go before it.
    held: Option<H>,
}

impl<B: RecoveringBody, H> Download<B, H> {
    pub fn new(body: B, whole_limit: Option<u64>, read_ahead: Option<u32>, held: H) -> Self {
        let read_ahead = read_ahead.map_or(READ_AHEAD, |bytes| (bytes as usize).max(1));
        Download { body, gathered: Vec::new(), handed: false, end: None, whole_limit, read_ahead, held: Some(held) }
    }

    pub fn headers(&self) -> &HeaderMap {
        self.body.headers()
    }

    /// What it took to get this far, if there is more to tell than the last time.
    pub fn news(&mut self) -> Option<Recovery> {
        self.body.news()
    }

    /// Takes what has arrived with the head, without waiting for the network. Of a body that is too large to go with it
    /// that is the first piece at most: a response without a body may state the length of the one that it would have.
    ///
    /// The pieces are copied at once: the connection can then use its read buffer again. Kept until JavaScript takes
    /// them, they cost it a new one for every body, whose pages the kernel has to make.
    pub async fn take_arrived(&mut self) {
        let inline = INLINE.min(self.read_ahead);
        let most = if self.body.remaining() > Some(inline as u64) { 0 } else { inline };
        if most > 0 {
            self.reserve();
        }
        let mut turns = 0;
        while self.end.is_none() && self.gathered.len() <= most {
            match self.arrived().await {
                Some(read) => self.gathered_more(read),
                None if turns == TURNS => return,
                None => {
                    turns += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    pub fn is_complete(&self) -> bool {
        matches!(self.end, Some(Ok(())))
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.gathered
    }

    /// Answers what JavaScript asks for, until the body has ended or nobody can ask any more.
    pub async fn serve(mut self, core: &Arc<Core>, call: u32, mut requests: mpsc::Receiver<Wanted>) {
        let mut wanted = None;
        loop {
            if self.end.is_some() {
                self.held = None;
            }
            if let Some(answer) = wanted.and_then(|wanted| self.answer(wanted, call)) {
                let last = answer.kind == Kind::Broken || answer.flags & DONE != 0;
                core.push(answer);
                if last {
                    return;
                }
                wanted = None;
            }
            let room = self.end.is_none() && (wanted.is_some() || self.gathered.len() < self.read_ahead);
            tokio::select! {
                biased;
                request = requests.recv(), if wanted.is_none() => match request {
                    None => return,
                    Some(request) => {
                        wanted = Some(request);
                        if request == Wanted::Everything {
                            self.reserve();
                        }
                    }
                },
                read = self.body.append(&mut self.gathered), if room => {
                    self.gathered_more(read);
                    self.gather_arrived().await;
                    if wanted == Some(Wanted::Everything) {
                        self.check_whole();
                    }
                }
            }
        }
    }

    fn answer(&mut self, wanted: Wanted, call: u32) -> Option<Completion> {
        let complete = self.is_complete();
        let enough = match wanted {
            Wanted::Piece => complete || !self.gathered.is_empty(),
            Wanted::Everything => complete,
        };
        if enough {
            // The next piece is probably as large as this one: it need not grow step by step. It may also be larger, up to
            // twice the bound: where bytes come fast, fewer crossings are cheaper for the event loop.
            let next = if complete { 0 } else { self.gathered.len().next_power_of_two().min(2 * self.read_ahead) };
            let mut gathered = std::mem::replace(&mut self.gathered, Vec::with_capacity(next));
            // V8 is told of the bytes only, and would let a heap of half-empty blocks grow.
            if gathered.capacity() / 2 > gathered.len() {
                gathered.shrink_to_fit();
            }
            self.handed |= !gathered.is_empty();
            return Some(piece(call, gathered, complete, self.body.news()));
        }
        let Some(Err(fault)) = &self.end else { return None };
        let recovery = self.body.news();
        let text = broken_json(fault, recovery.as_ref(), self.body.hook_failed());
        Some(Completion::json(Kind::Broken, call, text))
    }

    /// What else is there already becomes part of the same piece.
    async fn gather_arrived(&mut self) {
        while self.end.is_none() && self.gathered.len() < self.read_ahead {
            match self.arrived().await {
                Some(read) => self.gathered_more(read),
                None => return,
            }
        }
    }

    /// The next bytes if they are there: does not wait.
    async fn arrived(&mut self) -> Option<Result<Option<usize>, Fault>> {
        poll_fn(|context| match self.body.poll_append(context, &mut self.gathered) {
            Poll::Ready(read) => Poll::Ready(Some(read)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    fn gathered_more(&mut self, read: Result<Option<usize>, Fault>) {
        match read {
            Ok(Some(_)) => {}
            Ok(None) => self.end = Some(Ok(())),
            Err(_) if !self.handed && self.body.start_over() => self.gathered.clear(),
            Err(fault) => self.end = Some(Err(Box::new(fault))),
        }
    }

    /// Only while everything is collected: pieces are taken away as they come.
    fn check_whole(&mut self) {
        if let Some(limit) = self.whole_limit.filter(|limit| self.gathered.len() as u64 > *limit) {
            self.gathered = Vec::new();
            self.end = Some(Err(Box::new(self.body.blamed(*too_large(limit)))));
        }
    }

    fn reserve(&mut self) {
        let stated = self.body.remaining().unwrap_or(0).min(RESERVE);
        // One byte more: see `IncomingBody::append`.
        self.gathered.reserve_exact(stated as usize + 1);
    }
}

fn piece(call: u32, bytes: Vec<u8>, complete: bool, news: Option<Recovery>) -> Completion {
    let mut completion = Completion::new(Kind::Chunk, call);
    if complete {
        completion.flags |= DONE;
    }
    if !bytes.is_empty() {
        completion.flags |= BUFFER;
        completion.values[0] = Value::Bytes(bytes);
    }
    if let Some(recovery) = news {
        completion.flags |= RECOVERY;
        completion.values[1] = Value::Utf8(recovery_json(&recovery).to_string());
    }
    completion
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::task::Context;

    use bytes::Bytes;

    use super::*;
    use crate::http::transport::IncomingBody;

    /// A body whose pieces are all there.
    struct Arrived {
        pieces: VecDeque<Bytes>,
        states: Option<u64>,
        headers: HeaderMap,
    }

    impl IncomingBody for Arrived {
        async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
            Ok(self.pieces.pop_front())
        }

        fn poll_arrived(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
            Poll::Ready(Ok(self.pieces.pop_front()))
        }

        fn remaining(&self) -> Option<u64> {
            self.states
        }
    }

    impl RecoveringBody for Arrived {
        fn headers(&self) -> &HeaderMap {
            &self.headers
        }

        fn start_over(&mut self) -> bool {
            false
        }

        fn news(&mut self) -> Option<Recovery> {
            None
        }

        fn hook_failed(&self) -> bool {
            false
        }
    }

    async fn with_its_head(pieces: &[usize], states: Option<usize>) -> Download<Arrived, ()> {
        let pieces = pieces.iter().map(|length| Bytes::from(vec![7; *length])).collect();
        let states = states.map(|length| length as u64);
        let mut download = Download::new(Arrived { pieces, states, headers: HeaderMap::new() }, None, None, ());
        download.take_arrived().await;
        download
    }

    #[tokio::test]
    async fn what_is_there_goes_with_the_head_up_to_the_bound_itself() {
        for length in [0, 1, 64 * 1024, INLINE] {
            for states in [Some(length), None] {
                let download = with_its_head(&[length / 2, length - length / 2], states).await;
                assert!(download.is_complete(), "{length} of {states:?}");
                assert_eq!(download.into_bytes(), vec![7; length]);
            }
        }
    }

    #[tokio::test]
    async fn memory_for_a_stated_length_is_taken_once() {
        let download = with_its_head(&[INLINE - 1, 1], Some(INLINE)).await;
        assert_eq!(download.gathered.capacity(), INLINE + 1);
    }

    #[tokio::test]
    async fn a_larger_body_does_not_keep_its_head_waiting() {
        let download = with_its_head(&[1000; 300], Some(300_000)).await;
        assert_eq!((download.is_complete(), download.gathered.len()), (false, 1000));
        let unstated = with_its_head(&[1000; 300], None).await;
        assert_eq!((unstated.is_complete(), unstated.gathered.len()), (false, INLINE.next_multiple_of(1000)));
    }

    #[tokio::test]
    async fn no_body_is_complete_whatever_length_is_stated() {
        assert!(with_its_head(&[], Some(1 << 30)).await.is_complete());
    }
}
