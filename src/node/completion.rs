//! What native code tells JavaScript, and its form on the way.
//!
//! A batch crosses as one call `drain(count, values)`. The numbers of each completion stand in a `Float64Array`
//! that JavaScript made once (no allocation per batch), [`SLOTS`] for each; strings and buffers stand in
//! `values`, in order, and the flags say which are there. `lib/engine/completion.js` reads the same layout:
//! change both together.

use std::ptr;

use bytes::Bytes;
use napi::bindgen_prelude::{Buffer, BufferSlice, ToNapiValue};
use napi::{Env, JsValue, Result, check_status, sys};

use crate::tcp::block::Block;

/// Numbers per completion: kind and flags, call, and one that belongs to the kind.
pub const SLOTS: usize = 3;
/// Completions per batch. A longer queue is taken in turns, so that timers and sockets of the program itself
/// are not kept waiting.
pub const BATCH: usize = 256;

/// A body of up to this many bytes travels as a one-byte string: making one is a copy of its bytes, where a
/// buffer costs an allocation, a handle and a finalizer. From about here on the copy costs more.
pub const STRING_BODY: usize = 8 * 1024;

/// What happened. The values are the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The response head, with the body where it has arrived. Number: the status.
    Head = 1,
    /// The call has no answer. A JSON text says why.
    Failed = 2,
    /// Body bytes, as asked for. Flag `DONE`: nothing follows.
    Chunk = 3,
    /// The body broke. A JSON text says how.
    Broken = 4,
    /// The next piece of the request body is wanted. Number: the reading it belongs to.
    Pull = 5,
    /// A reading of the request body is over: all of it is sent, or the rest is not wanted. Number: which.
    Dropped = 6,
    /// The hook `shouldRetry` is to be asked. A JSON text holds its arguments.
    ShouldRetry = 7,
    /// The hook `onRetry` is to be told. A JSON text holds its arguments.
    OnRetry = 8,
    /// The caller's `lookup` is to be asked; the call is the function's number. Number: the lookup. A text: the host.
    Lookup = 9,
    /// A client's connections are closed, and nothing of it is in flight.
    Closed = 10,
    /// A client is about to begin to speak TLS. Number: 1 if it wants to know which roots Node trusts, otherwise 0.
    Roots = 11,
    /// A policy's breakers have changed; the call is the policy's number. What they did is to be asked of the policy.
    Breaker = 12,
    /// Bytes that came over a socket, in either form of a body.
    Received = 13,
    /// Writes of a socket were sent, the oldest that were not. Number: how many.
    Sent = 14,
    /// A socket's queue has room again.
    Room = 15,
    /// Something else happened to a socket. A JSON text says what.
    Socket = 16,
    /// A message of a WebSocket. Number: its weight, which is to be given back.
    Message = 17,
    /// Messages of a WebSocket were written, all up to one. Number: which.
    Written = 18,
    /// A ping of the peer's. Number: its weight, as a message's.
    Ping = 19,
    /// A pong of the peer's.
    Pong = 20,
    /// A message was set aside. A JSON text says why, and the message follows.
    Oversized = 21,
}

/// A buffer is among the values.
pub const BUFFER: u32 = 1 << 8;
/// The body is among the values as a one-byte string.
pub const STRING: u32 = 1 << 9;
/// That string is ASCII: it is also its own text.
pub const ASCII: u32 = 1 << 10;
/// The body is complete.
pub const DONE: u32 = 1 << 11;
/// The response came after at least one redirect.
pub const REDIRECTED: u32 = 1 << 12;
/// The recovery is among the values as JSON.
pub const RECOVERY: u32 = 1 << 13;
/// The body goes on behind what JavaScript has of it.
pub const CONTINUES: u32 = 1 << 14;
/// The message is text.
pub const TEXT: u32 = 1 << 15;

#[derive(Debug)]
pub struct Completion {
    pub kind: Kind,
    pub flags: u32,
    pub call: u32,
    pub number: f64,
    pub values: [Value; 3],
}

#[derive(Debug, Default)]
pub enum Value {
    #[default]
    None,
    /// Each byte one character.
    Latin1(Vec<u8>),
    Utf8(String),
    /// Given away: the memory is JavaScript's until it is collected.
    Bytes(Vec<u8>),
    /// As `Latin1`, of bytes that lie among others.
    SharedLatin1(Bytes),
    /// UTF-8, of bytes that lie among others.
    SharedUtf8(Bytes),
    /// A buffer of bytes that lie among others, which stay as long as it does.
    Shared(Bytes),
    /// Copied into memory of JavaScript's own.
    Copied(Block),
    /// Lent until it is collected.
    Lent(Block),
}

impl Completion {
    pub fn new(kind: Kind, call: u32) -> Self {
        Completion { kind, flags: 0, call, number: 0.0, values: Default::default() }
    }

    /// A completion that carries one JSON text.
    pub fn json(kind: Kind, call: u32, text: String) -> Self {
        Completion { values: [Value::Utf8(text), Value::None, Value::None], ..Completion::new(kind, call) }
    }

    pub fn write_numbers(&self, slots: &mut [f64]) {
        slots.copy_from_slice(&[f64::from(self.kind as u32 | self.flags), f64::from(self.call), self.number]);
    }
}

/// Body bytes in the cheaper of their two forms, and the flags that say which.
pub fn body_value(bytes: Vec<u8>) -> (u32, Value) {
    if bytes.len() > STRING_BODY {
        return (BUFFER, Value::Bytes(bytes));
    }
    let ascii = if bytes.is_ascii() { ASCII } else { 0 };
    (STRING | ascii, Value::Latin1(bytes))
}

/// The bytes of a message as [`body_value`] gives those of a body.
pub fn shared_value(bytes: Bytes) -> (u32, Value) {
    if bytes.len() > STRING_BODY {
        return (BUFFER, Value::Shared(bytes));
    }
    let ascii = if bytes.is_ascii() { ASCII } else { 0 };
    (STRING | ascii, Value::SharedLatin1(bytes))
}

/// UTF-8 as a string, and the flags that say how.
pub fn text_value(text: Bytes) -> (u32, Value) {
    // A one-byte string is made by copying, the other one by decoding.
    if text.is_ascii() { (STRING | ASCII, Value::SharedLatin1(text)) } else { (0, Value::SharedUtf8(text)) }
}

/// The values of a batch, made into a JavaScript array on its own thread.
pub struct Values(pub Vec<Completion>);

impl ToNapiValue for Values {
    unsafe fn to_napi_value(env: sys::napi_env, batch: Self) -> Result<sys::napi_value> {
        let mut array = ptr::null_mut();
        // SAFETY: `env` is the live environment this conversion was called with, on its thread.
        check_status!(unsafe { sys::napi_create_array(env, &mut array) })?;
        let mut index = 0;
        for value in batch.0.into_iter().flat_map(|completion| completion.values) {
            if matches!(value, Value::None) {
                continue;
            }
            // SAFETY: as above; `array` was made in the current handle scope.
            let made = unsafe { make(env, value).or_else(|_| nothing_instead(env))? };
            check_status!(unsafe { sys::napi_set_element(env, array, index, made) })?;
            index += 1;
        }
        Ok(array)
    }
}

/// A value that cannot be made (a body beyond what a buffer can hold) must not take the rest of the batch with it:
/// JavaScript fails the one call that finds nothing in its place.
///
/// # Safety
/// `env` must be a live environment, on its own thread.
unsafe fn nothing_instead(env: sys::napi_env) -> Result<sys::napi_value> {
    let mut pending = false;
    // SAFETY (all calls): the caller's.
    check_status!(unsafe { sys::napi_is_exception_pending(env, &mut pending) })?;
    if pending {
        let mut exception = ptr::null_mut();
        check_status!(unsafe { sys::napi_get_and_clear_last_exception(env, &mut exception) })?;
    }
    let mut undefined = ptr::null_mut();
    check_status!(unsafe { sys::napi_get_undefined(env, &mut undefined) })?;
    Ok(undefined)
}

/// # Safety
/// `env` must be a live environment, on its own thread.
unsafe fn make(env: sys::napi_env, value: Value) -> Result<sys::napi_value> {
    let mut made = ptr::null_mut();
    // SAFETY (each arm): the caller vouches for `env`; pointer and length describe an initialised slice that
    // outlives the call, and Node copies strings before it returns.
    match value {
        Value::None => return unsafe { nothing_instead(env) },
        Value::Latin1(bytes) => check_status!(unsafe {
            sys::napi_create_string_latin1(env, bytes.as_ptr().cast(), bytes.len() as isize, &mut made)
        })?,
        Value::Utf8(text) => check_status!(unsafe {
            sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut made)
        })?,
        Value::SharedLatin1(bytes) => check_status!(unsafe {
            sys::napi_create_string_latin1(env, bytes.as_ptr().cast(), bytes.len() as isize, &mut made)
        })?,
        Value::SharedUtf8(text) => check_status!(unsafe {
            sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut made)
        })?,
        Value::Shared(bytes) => {
            let (data, length) = (bytes.as_ptr().cast_mut(), bytes.len());
            // Node copies it where it must not point to memory that is not its own.
            let buffer =
                unsafe { BufferSlice::from_external(&Env::from_raw(env), data, length, bytes, |_, kept| drop(kept)) }?;
            made = buffer.raw();
        }
        Value::Copied(bytes) => check_status!(unsafe {
            sys::napi_create_buffer_copy(env, bytes.len(), bytes.as_ptr().cast(), ptr::null_mut(), &mut made)
        })?,
        Value::Lent(bytes) => {
            let (data, length) = (bytes.as_ptr().cast_mut(), bytes.len());
            let env = Env::from_raw(env);
            // SAFETY: the block's memory stays where it is, and nobody else's, until the block is dropped.
            let buffer = unsafe { BufferSlice::from_external(&env, data, length, bytes, |_, bytes| drop(bytes)) }?;
            made = unsafe { BufferSlice::to_napi_value(env.raw(), buffer) }?;
        }
        Value::Bytes(bytes) => made = unsafe { Buffer::to_napi_value(env, Buffer::from(bytes)) }?,
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_bodies_travel_as_strings_and_say_whether_they_are_text() {
        assert!(matches!(body_value(b"{}".to_vec()), (flags, Value::Latin1(_)) if flags == STRING | ASCII));
        assert!(matches!(body_value("é".as_bytes().to_vec()), (STRING, Value::Latin1(_))));
        assert!(matches!(body_value(vec![b'a'; STRING_BODY]), (_, Value::Latin1(_))));
        assert!(matches!(body_value(vec![b'a'; STRING_BODY + 1]), (BUFFER, Value::Bytes(_))));
    }

    #[test]
    fn kind_and_flags_share_a_number_without_touching() {
        let mut slots = [0.0; SLOTS];
        let mut completion = Completion::new(Kind::OnRetry, 7);
        completion.flags = BUFFER | RECOVERY;
        completion.write_numbers(&mut slots);
        assert_eq!(slots, [f64::from(8 | BUFFER | RECOVERY), 7.0, 0.0]);
    }
}
