//! Bodies whose first bytes are there already: an earlier call brought them, perhaps of a process that has died since.
//!
//! The rules are those of a body that broke. The first response is not at hand any more, but what it said of its body is:
//! the caller kept those headers beside the bytes.

use ::http::header::{HeaderMap, IF_RANGE, RANGE};
use ::http::{Method, StatusCode};

use super::Resume;
use super::rest::{Judged, Part, Plan, changed, next};
use super::validators::Validators;
use crate::fault::Fault;
use crate::http::attempts::Request;
use crate::http::transport::{IncomingBody, Reply};

/// What is there of a body.
#[derive(Debug, Clone)]
pub struct Start {
    /// Bytes; at least one.
    pub passed: u64,
    /// Of all of it, where that is known.
    pub length: Option<u64>,
    /// Of the response that brought the first of them.
    pub headers: HeaderMap,
}

/// A call that asks for the rest of a body.
pub(in crate::http) struct Asked {
    start: Start,
    validators: Validators,
    plan: Plan,
    resume: Resume,
}

/// A body that goes on behind what is there.
pub(in crate::http) struct Continued {
    /// See [`Start::headers`].
    pub headers: HeaderMap,
    pub passed: u64,
    pub part: Part,
}

impl Start {
    /// Makes the request ask for the rest. `None`: nothing would prove that what comes belongs to what is there, or the
    /// request asks for a part of its own, so it stays as it is.
    pub(in crate::http) fn ask(self, request: &mut Request, resume: Resume) -> Option<Asked> {
        let validators = Validators::of(&self.headers);
        let identified = match resume {
            Resume::Never => false,
            Resume::Validated => validators.strong().is_some(),
            Resume::Trusting => true,
        };
        let whole = request.method == Method::GET
            && !request.headers.contains_key(RANGE)
            && !request.headers.contains_key(IF_RANGE);
        if !identified || !whole || self.passed == 0 {
            return None;
        }
        let plan = Plan::From(next(self.passed, self.length));
        plan.ask(&mut request.headers, &validators);
        Some(Asked { start: self, validators, plan, resume })
    }
}

impl Asked {
    /// What the answer brings. `None`: it is a failure by its status, and no body to go on with.
    ///
    /// # Errors
    /// It is not the rest of what is there.
    pub fn judge<B: IncomingBody>(self, reply: &Reply<B>) -> Result<Option<Continued>, Box<Fault>> {
        let Asked { start: Start { passed, length, headers }, validators, plan, resume } = self;
        let settled = match plan.judge(reply, StatusCode::OK, &validators, length, resume) {
            Judged::Settled(settled) => settled,
            // Under `If-Range` another version is a 200; a server that does not know it says that the range is none of it.
            Judged::Failed if reply.status == StatusCode::RANGE_NOT_SATISFIABLE => {
                Err(changed("A part of the body is there, and the server has a shorter one now."))
            }
            Judged::Failed => return Ok(None),
        };
        match settled {
            Ok(part) => Ok(Some(Continued { headers, passed, part })),
            Err(refusal) => Err(Box::new(reply.body.blamed(*refusal.fault))),
        }
    }
}

/// The request is that of the whole again.
pub(in crate::http) fn forget(request: &mut Request) {
    request.headers.remove(RANGE);
    request.headers.remove(IF_RANGE);
}
