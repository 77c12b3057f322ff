//! A request body made ready to be sent: its length is true, and stated where servers ask for it.

use std::sync::Arc;

use ::http::header::CONTENT_LENGTH;
use ::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::upload::{self, Progress, SLICE, Upload, UploadFailed};
use super::{ExchangeBody, Failure, Limits};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::body::BodyStream;

pub(super) enum ReadyBody {
    Empty,
    /// Few enough to be sent at once.
    Bytes(Bytes),
    /// What takes a while to send, and how far it has come.
    Upload(Upload, Arc<Progress>),
}

impl ReadyBody {
    /// # Errors
    /// The body has another length than `headers` state, as far as that can be known before it is sent. The time that
    /// it takes to find out counts for `limits`.
    pub async fn of(
        body: ExchangeBody,
        method: &Method,
        headers: &mut HeaderMap,
        limits: &mut Limits,
    ) -> Result<Self, Failure> {
        let stated = stated_length(headers);
        match body {
            ExchangeBody::Stream { stream, length } => {
                let length = stated.or(length);
                if length == Some(0) {
                    // Boxed: hardly any exchange comes this way, and all would carry its room.
                    Box::pin(expect_nothing(stream, limits)).await?;
                    return Ok(Self::empty(method, headers));
                }
                let (upload, progress) = Upload::of_stream(stream, length);
                Ok(ReadyBody::Upload(upload, progress))
            }
            ExchangeBody::Bytes(bytes) if !bytes.is_empty() => {
                let actual = bytes.len() as u64;
                match stated.unwrap_or(actual) {
                    0 => Err(unsent(&UploadFailed::Length)),
                    length if bytes.len() > SLICE || length != actual => {
                        let (upload, progress) = Upload::of_bytes(bytes, length);
                        Ok(ReadyBody::Upload(upload, progress))
                    }
                    _ => Ok(ReadyBody::Bytes(bytes)),
                }
            }
            ExchangeBody::Bytes(_) | ExchangeBody::Empty => Ok(Self::empty(method, headers)),
        }
    }

    /// hyper sends no length with an empty body; servers wait, or answer 411, where the method implies one.
    fn empty(method: &Method, headers: &mut HeaderMap) -> Self {
        if matches!(*method, Method::POST | Method::PUT) {
            headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        ReadyBody::Empty
    }
}

/// What the caller's own `Content-Length` says. hyper believes it, whatever the body has.
fn stated_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a stream that states to have nothing, and makes sure of it. The time that this takes counts.
async fn expect_nothing(stream: BodyStream, limits: &mut Limits) -> Result<(), Failure> {
    let begun = Instant::now();
    let reading = upload::read_nothing(stream);
    let read = match limits.attempt {
        None => reading.await,
        Some(limit) => timeout(limit, reading).await.map_err(|_| {
            let fault = Fault::new("ETIMEDOUT", Phase::Send, Delivery::NotSent)
                .with_reason("The attempt reached its time limit while its request body was read.");
            Failure { fault, reused: false }
        })?,
    };
    read.map_err(|failed| unsent(&failed))?;
    limits.attempt = limits.attempt.map(|limit| limit.saturating_sub(begun.elapsed()));
    Ok(())
}

fn unsent(failed: &UploadFailed) -> Failure {
    Failure { fault: failed.fault(Phase::Send, Delivery::NotSent), reused: false }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{StreamExt, stream};
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reading_a_body_that_states_nothing_is_a_part_of_the_attempt() {
        const SECOND: Duration = Duration::from_secs(1);
        let slow = |pieces: &'static [&'static str]| {
            let pieces = stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))));
            stream::once(sleep(SECOND)).flat_map(move |()| pieces.clone()).boxed()
        };
        let within = |attempt| Limits { connect: None, headers: None, body: None, attempt };

        let mut limits = within(Some(3 * SECOND));
        assert!(expect_nothing(slow(&["", ""]), &mut limits).await.is_ok());
        assert_eq!(limits.attempt, Some(2 * SECOND));
        for (attempt, pieces, code) in
            [(None, &["", "a"], "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"), (Some(SECOND / 2), &["", ""], "ETIMEDOUT")]
        {
            let failure = expect_nothing(slow(pieces), &mut within(attempt)).await.unwrap_err();
            assert_eq!((&*failure.fault.code, failure.fault.delivery), (code, Delivery::NotSent));
        }
    }
}
