//! One keep-alive connection: request in, answer out, until the client closes it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answers::{self, Answers, STREAM_CHUNK, STREAM_LENGTH};
use crate::request::{self, Head, Request, Route};

/// Wait before a 64 KiB answer: it stands for a database or an upstream, and makes calls overlap. Timers of
/// the runtime tick in milliseconds, so the wait lasts between one and two of them.
const LARGE_DELAY: Duration = Duration::from_millis(1);
/// Room for a request head, and for the whole request of every measured case.
const INPUT: usize = 8 * 1024;
/// The longest body that `/echo` takes.
const MAX_BODY: usize = 64 * 1024 * 1024;

pub async fn serve(mut stream: TcpStream, answers: &'static Answers) -> io::Result<()> {
    let mut input = Vec::with_capacity(INPUT);
    loop {
        match request::parse(&input) {
            Head::Complete(request) if request.body_length > MAX_BODY => {
                return stream
                    .write_all(&answers::refusal("413 Content Too Large"))
                    .await;
            }
            Head::Complete(request) => {
                let end = request.head_length + request.body_length;
                read_to(&mut stream, &mut input, end).await?;
                answer(
                    &mut stream,
                    answers,
                    &request,
                    &input[request.head_length..end],
                )
                .await?;
                if request.close {
                    return Ok(());
                }
                input.drain(..end);
            }
            Head::Partial if input.len() >= INPUT => {
                return stream
                    .write_all(&answers::refusal("431 Request Header Fields Too Large"))
                    .await;
            }
            Head::Partial => {
                if stream.read_buf(&mut input).await? == 0 {
                    return Ok(());
                }
            }
            Head::Refused(status) => return stream.write_all(&answers::refusal(status)).await,
        }
    }
}

async fn answer(
    stream: &mut TcpStream,
    answers: &'static Answers,
    request: &Request,
    body: &[u8],
) -> io::Result<()> {
    match request.route {
        Route::Json => stream.write_all(&answers.json).await,
        Route::Large => {
            tokio::time::sleep(LARGE_DELAY).await;
            stream.write_all(&answers.large).await
        }
        Route::Stream => {
            stream.write_all(&answers.stream_head).await?;
            for _ in 0..STREAM_LENGTH / STREAM_CHUNK {
                stream.write_all(&answers.stream_chunk).await?;
            }
            Ok(())
        }
        Route::Echo => {
            let mut answer = answers::head("200 OK", "application/json; charset=utf-8", body.len());
            answer.extend_from_slice(body);
            stream.write_all(&answer).await
        }
        Route::NotFound => {
            stream
                .write_all(&answers::head("404 Not Found", "text/plain", 0))
                .await
        }
    }
}

/// Reads until `input` holds `length` bytes.
async fn read_to(stream: &mut TcpStream, input: &mut Vec<u8>, length: usize) -> io::Result<()> {
    while input.len() < length {
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
