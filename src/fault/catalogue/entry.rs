//! One row of the catalogue, and the short forms in which the tables are written.

use crate::fault::{Delivery, Kind, Phase};

/// What is known about one code.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub code: &'static str,
    /// The code that a fault carries instead, where this one is a client's own name for a common event.
    pub becomes: Option<&'static str>,
    pub kind: Kind,
    /// Where it strikes, when nothing else tells.
    pub phase: Phase,
    /// What the peer can have seen, when nothing else tells.
    pub delivery: Delivery,
    pub transient: bool,
    pub reconnect: bool,
    /// One sentence: what happened. It is the fault's `reason`.
    pub meaning: &'static str,
    /// What usually causes it, the most frequent first.
    pub causes: &'static [&'static str],
    /// What to do about it.
    pub action: &'static str,
}

impl Entry {
    /// The template of a family: what its members have in common. Not transient, no reconnect.
    pub(super) const fn of(kind: Kind, phase: Phase, delivery: Delivery) -> Self {
        Self {
            code: "",
            becomes: None,
            kind,
            phase,
            delivery,
            transient: false,
            reconnect: false,
            meaning: "",
            causes: &[],
            action: "",
        }
    }

    /// A row: this template with a code of its own.
    pub(super) const fn code(self, code: &'static str, meaning: &'static str) -> Self {
        Self { code, meaning, ..self }
    }

    pub(super) const fn causes(self, causes: &'static [&'static str]) -> Self {
        Self { causes, ..self }
    }

    pub(super) const fn action(self, action: &'static str) -> Self {
        Self { action, ..self }
    }

    pub(super) const fn becomes(self, canonical: &'static str) -> Self {
        Self { becomes: Some(canonical), ..self }
    }

    pub(super) const fn at(self, phase: Phase, delivery: Delivery) -> Self {
        Self { phase, delivery, ..self }
    }

    pub(super) const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// A later try may succeed.
    pub(super) const fn transient(self) -> Self {
        Self { transient: true, ..self }
    }

    /// The connection is gone, or must not be used again.
    pub(super) const fn reconnect(self) -> Self {
        Self { reconnect: true, ..self }
    }
}
