//! One keep-alive connection: request in, answer out, until the client closes it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::answers::{self, Answers, JSON_TYPE, KEEP_ALIVE, STREAM_CHUNK, STREAM_LENGTH};
use crate::delay::Delay;
use crate::request::{self, Head, Request, Route};

/// Wait before a 64 KiB answer: it stands for a database or an upstream, and makes calls overlap.
const LARGE_DELAY: Duration = Duration::from_millis(1);
/// Room for a request head, and for the whole request of every measured case.
const INPUT: usize = 8 * 1024;
/// The longest body that `/echo` takes.
const MAX_BODY: usize = 64 * 1024 * 1024;

pub async fn serve<S>(stream: S, answers: &'static Answers) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let connection = Connection { stream, input: Vec::with_capacity(INPUT), delay: None, answers };
    connection.serve().await
}

struct Connection<S> {
    stream: S,
    /// What has arrived and is not answered.
    input: Vec<u8>,
    /// Made by the first call that waits.
    delay: Option<Delay>,
    answers: &'static Answers,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn serve(mut self) -> io::Result<()> {
        loop {
            match request::parse(&self.input) {
                Head::Complete(request) if request.body_length > MAX_BODY => {
                    return self.refuse("413 Content Too Large").await;
                }
                Head::Complete(request) => {
                    self.answer(&request).await?;
                    // What TLS has not passed on yet; nothing without it.
                    self.stream.flush().await?;
                    if request.close || request.route == Route::Last {
                        return self.stream.shutdown().await;
                    }
                }
                Head::Partial if self.input.len() >= INPUT => {
                    return self.refuse("431 Request Header Fields Too Large").await;
                }
                Head::Partial => {
                    if self.stream.read_buf(&mut self.input).await? == 0 {
                        return Ok(());
                    }
                }
                Head::Refused(status) => return self.refuse(status).await,
            }
        }
    }

    /// Answers the request at the front of the input and removes it there.
    async fn answer(&mut self, request: &Request) -> io::Result<()> {
        let end = request.head_length + request.body_length;
        self.read_up_to(end).await?;
        match request.route {
            Route::Json => self.stream.write_all(&self.answers.json).await?,
            Route::Last => self.stream.write_all(&self.answers.last).await?,
            Route::Gzip => self.stream.write_all(&self.answers.gzip).await?,
            Route::Large => {
                self.wait(LARGE_DELAY).await?;
                self.stream.write_all(&self.answers.large).await?;
            }
            Route::Stream => {
                self.stream.write_all(&self.answers.stream_head).await?;
                for _ in 0..STREAM_LENGTH / STREAM_CHUNK {
                    self.stream.write_all(&self.answers.stream_chunk).await?;
                }
            }
            Route::Echo => {
                let mut answer = answers::head("200 OK", JSON_TYPE, KEEP_ALIVE, request.body_length);
                answer.extend_from_slice(&self.input[request.head_length..end]);
                self.stream.write_all(&answer).await?;
            }
            Route::NotFound => {
                let answer = answers::head("404 Not Found", "text/plain", KEEP_ALIVE, 0);
                self.stream.write_all(&answer).await?;
            }
        }
        self.input.drain(..end);
        Ok(())
    }

    async fn refuse(&mut self, status: &str) -> io::Result<()> {
        self.stream.write_all(&answers::refusal(status)).await?;
        self.stream.shutdown().await
    }

    async fn wait(&mut self, duration: Duration) -> io::Result<()> {
        let delay = match self.delay.take() {
            Some(delay) => delay,
            None => Delay::new()?,
        };
        self.delay.insert(delay).wait(duration).await
    }

    /// Reads until the input holds `length` bytes.
    async fn read_up_to(&mut self, length: usize) -> io::Result<()> {
        while self.input.len() < length {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }
}
