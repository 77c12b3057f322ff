//! Bodies that break: what goes on, and what must not.

mod anew;
mod attempts;
mod going_on;
mod hooks;
mod same_version;
mod start;
mod support;
mod the_end;
