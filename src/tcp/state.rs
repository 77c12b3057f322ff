//! Where a socket stands, and the only way from one place to the next.
//!
//! Written as one table, because a connection that comes and goes is where flags that must agree stop agreeing: what is
//! allowed while it is "connected but not greeted" is decided here, by the state, and nowhere else.

/// One generation after the other passes through the first four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A name is being resolved, an address connected to, hands shaken.
    Connecting,
    /// The caller's `onConnect` has the connection for itself.
    Greeting,
    /// What waited for a connection is leaving.
    Flushing,
    /// Nothing is between a write and the network.
    Live,
    /// Between two attempts.
    Waiting,
    /// Nothing happens any more.
    Ended,
}

/// What takes it from one state to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Connected {
        /// There is an `onConnect`.
        greets: bool,
    },
    Greeted,
    Flushed,
    /// The attempt failed, or the connection is gone.
    Lost,
    /// The wait between two attempts is over.
    Waited,
    /// There will be no further connection.
    Over,
}

impl State {
    /// The state after `step`. A step that does not belong to a state leaves it where it is: the last chunk of a queue may
    /// leave when the socket is live already.
    #[must_use]
    pub fn after(self, step: Step) -> State {
        match (self, step) {
            (State::Ended, _) | (_, Step::Over) => State::Ended,
            (State::Connecting, Step::Connected { greets: true }) => State::Greeting,
            (State::Connecting, Step::Connected { greets: false }) | (State::Greeting, Step::Greeted) => {
                State::Flushing
            }
            (State::Flushing, Step::Flushed) => State::Live,
            (State::Connecting | State::Greeting | State::Flushing | State::Live, Step::Lost) => State::Waiting,
            (State::Waiting, Step::Waited) => State::Connecting,
            (state, _) => state,
        }
    }

    /// Whether what was written may leave.
    pub fn sends(self) -> bool {
        matches!(self, State::Flushing | State::Live)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            State::Connecting => "connecting",
            State::Greeting => "greeting",
            State::Flushing => "flushing",
            State::Live => "live",
            State::Waiting => "waiting",
            State::Ended => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [State; 6] =
        [State::Connecting, State::Greeting, State::Flushing, State::Live, State::Waiting, State::Ended];

    #[test]
    fn a_generation_goes_from_connecting_to_live() {
        let plain = [Step::Connected { greets: false }, Step::Flushed, Step::Lost, Step::Waited];
        let ways = plain.iter().scan(State::Connecting, |state, step| {
            *state = state.after(*step);
            Some(*state)
        });
        assert_eq!(ways.collect::<Vec<_>>(), [State::Flushing, State::Live, State::Waiting, State::Connecting]);
        assert_eq!(State::Connecting.after(Step::Connected { greets: true }), State::Greeting);
        assert_eq!(State::Greeting.after(Step::Greeted), State::Flushing);
    }

    #[test]
    fn nothing_leaves_before_the_greeting_is_over() {
        let sending: Vec<_> = ALL.into_iter().filter(|state| state.sends()).collect();
        assert_eq!(sending, [State::Flushing, State::Live]);
        assert_eq!(State::Greeting.after(Step::Flushed), State::Greeting);
    }

    #[test]
    fn the_end_is_the_end_whatever_comes_after_it() {
        for state in ALL {
            assert_eq!(state.after(Step::Over), State::Ended);
        }
        for step in [Step::Connected { greets: false }, Step::Greeted, Step::Flushed, Step::Lost, Step::Waited] {
            assert_eq!(State::Ended.after(step), State::Ended);
        }
    }

    #[test]
    fn every_connection_can_be_lost_and_a_wait_cannot() {
        for state in [State::Connecting, State::Greeting, State::Flushing, State::Live] {
            assert_eq!(state.after(Step::Lost), State::Waiting);
        }
        assert_eq!(State::Waiting.after(Step::Lost), State::Waiting);
    }
}
