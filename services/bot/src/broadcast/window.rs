//! The people whom a broadcast is being sent to. The window moves on as those in front of it are done.

use std::collections::VecDeque;

use tolov_domain::UserId;
use tolov_shop::broadcast::{Reached, Tally};

use crate::broadcast::send::Attempt;

/// How many sends may have begun and not be recorded: as many people may get it twice when the process dies.
pub(super) const SENDS_MAX: usize = 10;
/// How many people the window holds, most of whom need no send.
const PEOPLE_MAX: usize = 100;
/// How often Telegram may fail at one person's message while others get theirs.
const FAILING_MAX: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Window {
    /// By id. Those in front are counted first, so that the tally says who is still to come.
    people: VecDeque<Recipient>,
    /// How many sends the tally has counted since it was recorded.
    unrecorded: usize,
    /// How many have got it from this process.
    sent: u64,
}

#[derive(Debug)]
struct Recipient {
    id: UserId,
    state: State,
    failing: u32,
    /// How many had got it when this person was sent to first.
    sent_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Sending,
    /// Not sent, and to be tried again.
    Postponed,
    Ended(Reached),
    /// No message was sent.
    Unreached(Reached),
}

impl Window {
    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.people.len() < PEOPLE_MAX && !self.people.iter().any(|person| person.state == State::New)
    }

    /// The next person by id; `unreached`: to be counted so and not sent to.
    pub(super) fn push(&mut self, id: UserId, unreached: Option<Reached>) {
        let state = unreached.map_or(State::New, State::Unreached);
        self.people.push_back(Recipient { id, state, failing: 0, sent_before: self.sent });
    }

    /// The next person to send to, while there is room for another send.
    pub(super) fn next_send(&mut self) -> Option<UserId> {
        let holds = |person: &&Recipient| !matches!(person.state, State::New | State::Unreached(_));
        let begun = self.people.iter().filter(holds).count();
        if begun.saturating_add(self.unrecorded) >= SENDS_MAX {
            return None;
        }
        let person = self.people.iter_mut().find(|person| person.state == State::New)?;
        (person.state, person.sent_before) = (State::Sending, self.sent);
        Some(person.id)
    }

    /// Those who were postponed: each is sent to again.
    pub(super) fn take_postponed(&mut self) -> Vec<UserId> {
        let postponed = self.people.iter_mut().filter(|person| person.state == State::Postponed);
        postponed
            .map(|person| {
                person.state = State::Sending;
                person.id
            })
            .collect()
    }

    /// A send has ended.
    pub(super) fn end(&mut self, id: UserId, attempt: Attempt) {
        let sent = self.sent;
        let Some(person) = self.people.iter_mut().find(|person| person.id == id) else { return };
        person.state = match attempt {
            Attempt::Ended(reached) => State::Ended(reached),
            Attempt::Failing if sent > person.sent_before => {
                person.failing += 1;
                if person.failing < FAILING_MAX { State::Postponed } else { State::Ended(Reached::Failed) }
            }
            Attempt::Postponed | Attempt::Failing | Attempt::SourceGone => State::Postponed,
        };
        if person.state == State::Ended(Reached::Sent) {
            self.sent += 1;
        }
    }

    /// Counts those in front who are done. Returns how many sends have been counted and not recorded.
    pub(super) fn count(&mut self, tally: &mut Tally) -> usize {
        while let Some(person) = self.people.front() {
            let reached = match person.state {
                State::Ended(reached) => {
                    self.unrecorded += 1;
                    reached
                }
                State::Unreached(reached) => reached,
                State::New | State::Sending | State::Postponed => break,
            };
            tally.count(person.id, reached);
            self.people.pop_front();
        }
        self.unrecorded
    }

    /// The tally was recorded.
    pub(super) fn recorded(&mut self) {
        self.unrecorded = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Attempt = Attempt::Ended(Reached::Sent);

    fn user(id: i64) -> UserId {
        UserId::try_new(id).unwrap()
    }

    /// With this many people in it, to each of whom a send has begun.
    fn sending(people: i64) -> Window {
        let mut window = Window::default();
        for id in 1..=people {
            window.push(user(id), None);
            assert_eq!(window.next_send(), Some(user(id)));
        }
        window
    }

    #[test]
    fn the_next_send_begins_when_one_in_front_is_recorded() {
        let (mut window, mut tally) = (sending(10), Tally::default());
        window.push(user(11), None);
        window.end(user(2), SENT);
        assert_eq!((window.count(&mut tally), window.next_send()), (0, None), "the first is not done");
        window.end(user(1), SENT);
        assert_eq!(window.count(&mut tally), 2);
        assert_eq!((tally.reached, tally.sent), (Some(user(2)), 2));
        assert_eq!(window.next_send(), None, "two would get it twice after a crash, and eight are under way");
        window.recorded();
        assert_eq!(window.next_send(), Some(user(11)));
    }

    #[test]
    fn who_needs_no_send_takes_no_place_and_is_counted_in_turn() {
        let (mut window, mut tally) = (sending(9), Tally::default());
        window.push(user(10), Some(Reached::LeftOut));
        window.push(user(11), Some(Reached::Blocked));
        window.push(user(12), None);
        assert_eq!(window.next_send(), Some(user(12)));
        for id in (1..=9).rev() {
            assert_eq!(window.count(&mut tally), 0);
            window.end(user(id), SENT);
        }
        window.count(&mut tally);
        assert_eq!((tally.reached, tally.sent, tally.blocked), (Some(user(11)), 9, 1));
    }

    #[test]
    fn a_postponed_person_keeps_the_place_and_is_sent_to_again() {
        let (mut window, mut tally) = (sending(10), Tally::default());
        window.end(user(1), Attempt::Postponed);
        for id in 2..=10 {
            window.end(user(id), SENT);
        }
        assert_eq!((window.count(&mut tally), window.take_postponed()), (0, vec![user(1)]));
        assert_eq!(window.take_postponed(), []);
        window.end(user(1), SENT);
        assert_eq!((window.count(&mut tally), window.is_empty()), (10, true));
    }

    #[test]
    fn a_person_at_whom_telegram_fails_is_given_up_only_if_it_takes_others() {
        let (mut window, mut tally) = (sending(2), Tally::default());
        let fail = |window: &mut Window, times| {
            for _ in 0..times {
                window.end(user(1), Attempt::Failing);
                window.take_postponed();
            }
        };
        fail(&mut window, 9);
        window.end(user(2), SENT);
        fail(&mut window, 2);
        assert_eq!(window.count(&mut tally), 0);
        fail(&mut window, 1);
        assert_eq!(window.count(&mut tally), 2);
        assert_eq!((tally.sent, tally.failed), (1, 1));
    }

    #[test]
    fn the_window_is_bounded() {
        let mut window = sending(1);
        for id in 2..=100 {
            assert!(window.has_room());
            window.push(user(id), Some(Reached::LeftOut));
        }
        assert!(!window.has_room());
    }
}
