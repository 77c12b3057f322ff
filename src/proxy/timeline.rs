//! What happened, in order: for a failing test to print.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Serialize, Serializer};
use tokio::time::Instant;

use super::plan::Direction;
use super::websocket::FrameKind;
use crate::milliseconds;

/// Enough for a test to read; a soak test must not fill the memory.
const MOST_ENTRIES: usize = 10_000;

/// The newest entries; older ones were dropped and counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timeline {
    pub dropped: u64,
    pub entries: Vec<Entry>,
}

/// Something that happened at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Milliseconds since the proxy listens.
    pub at: f64,
    /// In order of accept, from 1; 0: the proxy as a whole.
    pub connection: u32,
    #[serde(flatten)]
    pub(super) event: Event,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    Accept {
        client: SocketAddr,
    },
    /// The upstream was reached.
    Connect,
    UpstreamFailed {
        code: Cow<'static, str>,
    },
    /// An uninterrupted run in one direction.
    Bytes {
        direction: Direction,
        bytes: Run,
    },
    /// The head of a request was seen.
    Exchange {
        method: Box<str>,
        path: Box<str>,
        exchange: u64,
    },
    Answer {
        status: u16,
        exchange: u64,
    },
    /// An uninterrupted run of frames of one kind, in one direction of a WebSocket.
    Frames {
        direction: Direction,
        kind: FrameKind,
        /// The last of their messages.
        fin: bool,
        /// The number of the first.
        frame: u64,
        frames: Run,
    },
    Strike {
        fault: u32,
        #[serde(rename = "type")]
        action: &'static str,
        on: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        exchange: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        frame: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        direction: Option<Direction>,
        /// Forwarded in the direction so far.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
    /// The end of a direction was passed on.
    Fin {
        direction: Direction,
    },
    End {
        by: EndedBy,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Cow<'static, str>>,
    },
    Pause,
    Resume,
    Refuse,
    Listen,
}

/// Why a client's connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EndedBy {
    Client,
    Upstream,
    Strike,
    /// The proxy was closed.
    Close,
    ResetAll,
}

/// A number of bytes that still grows, without the timeline being locked for each write.
#[derive(Debug, Clone, Default)]
pub(super) struct Run(Arc<AtomicU64>);

impl Run {
    pub(super) fn grow(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Its entry has been dropped: what it still counts, nobody sees.
    pub(super) fn is_forgotten(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.load(Ordering::Relaxed))
    }
}

/// Writes the timeline.
#[derive(Debug)]
pub(super) struct Recorder {
    started: Instant,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    dropped: u64,
    entries: VecDeque<Entry>,
}

impl Recorder {
    /// Its clock starts now.
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), log: Mutex::default() }
    }

    pub(super) fn record(&self, connection: u32, event: Event) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: entries are in order of their times.
        let at = milliseconds::to_js(self.started.elapsed());
        if log.entries.len() == MOST_ENTRIES {
            log.entries.pop_front();
            log.dropped += 1;
        }
        log.entries.push_back(Entry { at, connection, event });
    }

    pub(super) fn timeline(&self) -> Timeline {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        Timeline { dropped: log.dropped, entries: log.entries.iter().map(Entry::snapshot).collect() }
    }
}

impl Entry {
    /// A copy that no longer grows.
    fn snapshot(&self) -> Self {
        let mut copy = self.clone();
        if let Event::Bytes { bytes: run, .. } | Event::Frames { frames: run, .. } = &mut copy.event {
            *run = Run(Arc::new(AtomicU64::new(run.0.load(Ordering::Relaxed))));
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(recorder: &Recorder) -> Vec<serde_json::Value> {
        let mut value = serde_json::to_value(recorder.timeline()).unwrap();
        let entries = value["entries"].as_array_mut().unwrap();
        for entry in entries.iter_mut() {
            assert!(entry.as_object_mut().unwrap().remove("at").unwrap().is_f64());
        }
        entries.clone()
    }

    #[test]
    fn entries_are_written_as_javascript_reads_them() {
        let recorder = Recorder::start();
        let strike = Event::Strike {
            fault: 2,
            action: "reset",
            on: "response",
            exchange: None,
            frame: None,
            direction: Some(Direction::Response),
            bytes: Some(7),
        };
        recorder.record(1, Event::Accept { client: ([127, 0, 0, 1], 4000).into() });
        recorder.record(1, Event::UpstreamFailed { code: "ECONNREFUSED".into() });
        recorder.record(1, strike);
        recorder.record(1, Event::End { by: EndedBy::ResetAll, code: None });
        recorder.record(0, Event::Pause);
        assert_eq!(
            written(&recorder),
            [
                json!({ "connection": 1, "event": "accept", "client": "127.0.0.1:4000" }),
                json!({ "connection": 1, "event": "upstream-failed", "code": "ECONNREFUSED" }),
                json!({
                    "connection": 1, "event": "strike", "fault": 2, "type": "reset", "on": "response",
                    "direction": "response", "bytes": 7,
                }),
                json!({ "connection": 1, "event": "end", "by": "reset-all" }),
                json!({ "connection": 0, "event": "pause" }),
            ]
        );
    }

    #[test]
    fn a_run_grows_where_it_was_written_and_not_in_what_was_read() {
        let recorder = Recorder::start();
        let run = Run::default();
        recorder.record(1, Event::Bytes { direction: Direction::Request, bytes: run.clone() });
        run.grow(5);
        let read = recorder.timeline();
        run.grow(5);
        assert_eq!(serde_json::to_value(&read).unwrap()["entries"][0]["bytes"], 5);
        assert_eq!(written(&recorder)[0]["bytes"], 10);
    }

    #[test]
    fn the_oldest_entries_make_room_and_are_counted() {
        let recorder = Recorder::start();
        let run = Run::default();
        recorder.record(1, Event::Bytes { direction: Direction::Request, bytes: run.clone() });
        assert!(!run.is_forgotten());
        for _ in 0..MOST_ENTRIES + 2 {
            recorder.record(2, Event::Connect);
        }
        let timeline = recorder.timeline();
        assert_eq!((timeline.dropped, timeline.entries.len()), (3, MOST_ENTRIES));
        assert!(run.is_forgotten());
    }
}
