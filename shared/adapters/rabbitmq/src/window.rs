//! Publishing in closed windows: all are sent, all confirms are awaited, then all are decided at once.
//!
//! lapin hangs a returned (unroutable) message on whichever confirm is resolved next, not on its own: 3 to 5 in a
//! hundred unroutable messages were seen with a clean confirm. So a window is decided by the ids of the messages that
//! came back, wherever they hung, and only when every confirm of it is in. While one is missing, a return may still
//! be waiting inside lapin, and nothing of the window counts as stored.

use std::{collections::HashMap, time::Duration};

use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout_at},
};
use tolov_domain::ports::{PortError, bus::Published};

use crate::{
    failure::{timed_out, until, within},
    link::{Link, Target},
    options::RabbitOptions,
    topology::{Topology, name},
};

/// How long a queue that was deleted stays away before it is made again. RabbitMQ 3.10 tells the queue's readers that
/// it is gone; if it is back before they are told, they stay subscribed to nothing.
const REMAKE_AFTER: Duration = Duration::from_secs(1);

/// A message with its address.
#[derive(Debug)]
pub(crate) struct Parcel<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    /// The message_id that is in the properties too.
    pub(crate) id: &'a str,
    pub(crate) properties: BasicProperties,
    pub(crate) body: &'a [u8],
}

/// The publishing connection of a bus. One window at a time.
#[derive(Debug)]
pub(crate) struct Windows {
    target: Target,
    topology: Topology,
    window_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    link: Option<Link>,
    /// A channel in confirm mode on which no confirm is outstanding. Taken out for the length of a window, so that
    /// one that was left in the middle (the caller went away) is never used again.
    channel: Option<Channel>,
    topology: Declared,
    /// Whether the link was left with frames that lapin has not written. It is not used again.
    clogged: bool,
}

/// Whether the exchanges and queues are there, as far as we know.
#[derive(Debug, Default, Clone, Copy)]
enum Declared {
    #[default]
    No,
    Yes,
    /// A queue or a binding is missing, and is made again at this time and not before.
    NotYet {
        at: Instant,
    },
}

/// What became of one message, before the window is decided.
#[derive(Debug)]
enum Outcome {
    Acked,
    Nacked,
    Missing(String),
}

impl Windows {
    pub(crate) fn new(target: Target, topology: Topology, options: &RabbitOptions) -> Self {
        Self { target, topology, window_timeout: options.window_timeout, state: Mutex::default() }
    }

    /// Publishes a window and decides each message of it, within the window's time. An error: nothing was sent.
    pub(crate) async fn publish(&self, window: &[Parcel<'_>]) -> Result<Vec<Published>, PortError> {
        if window.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + self.window_timeout;
        let mut state = self.lock(deadline).await?;
        let ready = timeout_at(deadline, self.channel(&mut state)).await;
        let channel = ready.map_err(|_| timed_out("make ready for publishing"))??;
        let confirms = send(&channel, window, deadline).await;
        let mut returned = HashMap::new();
        let mut outcomes = Vec::with_capacity(window.len());
        for confirm in confirms {
            outcomes.push(outcome(confirm, deadline, &mut returned).await);
        }
        self.after_window(&mut state, channel, window, &outcomes, &returned);
        drop(state);
        Ok(decide(window, outcomes, &returned))
    }

    /// Whether the broker answers and takes messages.
    pub(crate) async fn is_reachable(&self) -> bool {
        let deadline = Instant::now() + self.target.request_timeout;
        let answer = async {
            let mut state = self.lock(deadline).await?;
            // A round trip of its own: an idle connection may be half-open and not know it yet.
            let probe = self.link(&mut state).await?.channel().await?;
            within(self.target.request_timeout, "close a channel", probe.close(200, "probe".into())).await
        };
        matches!(timeout_at(deadline, answer).await, Ok(Ok(())))
    }

    async fn lock(&self, deadline: Instant) -> Result<MutexGuard<'_, State>, PortError> {
        let waiting = timeout_at(deadline, self.state.lock()).await;
        waiting.map_err(|_| {
            PortError::Unavailable("RabbitMQ: the window before takes its whole time".to_owned())
        })
    }

    /// The connection, a new one where the last one is of no use any more.
    async fn link<'a>(&self, state: &'a mut State) -> Result<&'a Link, PortError> {
        if let Some(link) =
            state.link.take_if(|link| !link.is_connected() || (state.clogged && !link.is_blocked()))
        {
            tracing::debug!(?link, "the publishing connection is given up");
            state.channel = None;
        }
        if state.link.is_none() {
            let opened = Link::open(&self.target, "publish").await?;
            (state.topology, state.clogged) = (Declared::No, false);
            state.link = Some(opened);
        }
        match &state.link {
            // The connection is kept: a new one would be blocked as well, and the broker would not even notice that
            // the old one is gone.
            Some(link) if link.is_blocked() => Err(PortError::Unavailable(
                "RabbitMQ takes no messages just now: it is short of memory or of disk (rabbitmqctl status)"
                    .to_owned(),
            )),
            Some(link) => Ok(link),
            None => Err(PortError::Unavailable("RabbitMQ: there is no connection".to_owned())),
        }
    }

    /// A channel for one window, with everything declared that messages may be routed to.
    async fn channel(&self, state: &mut State) -> Result<Channel, PortError> {
        self.link(state).await?;
        let State { link: Some(link), channel, topology, .. } = state else {
            return Err(PortError::Unavailable("RabbitMQ: there is no connection".to_owned()));
        };
        let is_due = match topology {
            Declared::Yes => false,
            Declared::No => true,
            Declared::NotYet { at } => *at <= Instant::now(),
        };
        if is_due {
            self.topology.declare(link).await?;
            *topology = Declared::Yes;
        }
        match channel.take() {
            Some(channel) if channel.status().connected() => Ok(channel),
            _ => {
                let channel = link.channel().await?;
                let confirming = channel.confirm_select(ConfirmSelectOptions::default());
                within(link.request_timeout(), "ask for confirms", confirming).await?;
                Ok(channel)
            }
        }
    }

    /// Decides what of the connection the next window may use.
    fn after_window(
        &self,
        state: &mut State,
        channel: Channel,
        window: &[Parcel<'_>],
        outcomes: &[Outcome],
        returned: &HashMap<String, String>,
    ) {
        if is_closed(outcomes) {
            state.channel = Some(channel);
        } else if channel.status().connected() {
            // The broker owes answers on a channel that is well: it is blocked or silent.
            state.clogged = true;
        } else {
            // The broker closed the channel, as it does when an exchange is missing.
            state.topology = Declared::No;
        }
        let missing = window.iter().find(|parcel| {
            returned.contains_key(parcel.id)
                && self.topology.should_route(parcel.exchange, parcel.routing_key)
        });
        if let Some(Parcel { exchange, routing_key, .. }) = missing
            && matches!(state.topology, Declared::Yes)
        {
            tracing::error!(
                exchange,
                routing_key,
                "a queue or a binding is missing; it is made again in a moment"
            );
            state.topology = Declared::NotYet { at: Instant::now() + REMAKE_AFTER };
        }
    }
}

/// Sends the window. The first failure ends the sending: what follows would fail too, or arrive without an answer.
async fn send(
    channel: &Channel,
    window: &[Parcel<'_>],
    deadline: Instant,
) -> Vec<Result<PublisherConfirm, String>> {
    let mut confirms = Vec::with_capacity(window.len());
    let mut failure: Option<String> = None;
    for parcel in window {
        if let Some(failure) = &failure {
            confirms.push(Err(failure.clone()));
            continue;
        }
        let sent = send_one(channel, parcel, deadline).await.map_err(|error| error.to_string());
        failure = sent.as_ref().err().cloned();
        confirms.push(sent);
    }
    confirms
}

async fn send_one(
    channel: &Channel,
    parcel: &Parcel<'_>,
    deadline: Instant,
) -> Result<PublisherConfirm, PortError> {
    // Mandatory: without it a message that no queue takes is confirmed and gone.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (exchange, routing_key) = (name(parcel.exchange)?, name(parcel.routing_key)?);
    // Without its own limit this call has been seen not to return while the broker held an alarm.
    let publishing =
        channel.basic_publish(exchange, routing_key, options, parcel.body, parcel.properties.clone());
    until(deadline, "publish", publishing).await
}

/// Awaits one confirm and notes the message that hangs on it, whose ever it is.
async fn outcome(
    confirm: Result<PublisherConfirm, String>,
    deadline: Instant,
    returned: &mut HashMap<String, String>,
) -> Outcome {
    let confirm = match confirm {
        Ok(confirm) => confirm,
        Err(failure) => return Outcome::Missing(failure),
    };
    match until(deadline, "get a confirm", confirm).await {
        Ok(Confirmation::Ack(message)) => {
            note_returned(message, returned);
            Outcome::Acked
        }
        Ok(Confirmation::Nack(message)) => {
            note_returned(message, returned);
            Outcome::Nacked
        }
        // The channel is not in confirm mode, although it was asked to be: nobody knows anything.
        Ok(Confirmation::NotRequested) => Outcome::Missing("RabbitMQ was not asked for a confirm".to_owned()),
        Err(error) => Outcome::Missing(error.to_string()),
    }
}

fn note_returned(message: Option<BasicReturnMessage>, returned: &mut HashMap<String, String>) {
    if let Some(message) = message
        && let Some(id) = message.properties.message_id()
    {
        returned.insert(id.to_string(), message.reply_text.to_string());
    }
}

/// Whether every message has its answer.
fn is_closed(outcomes: &[Outcome]) -> bool {
    !outcomes.iter().any(|outcome| matches!(outcome, Outcome::Missing(_)))
}

fn decide(
    window: &[Parcel<'_>],
    outcomes: Vec<Outcome>,
    returned: &HashMap<String, String>,
) -> Vec<Published> {
    let closed = is_closed(&outcomes);
    let decide_one = |(parcel, outcome): (&Parcel<'_>, Outcome)| match outcome {
        _ if returned.contains_key(parcel.id) => Published::Rejected(format!(
            "no queue takes {} of the exchange {:?} ({})",
            parcel.routing_key, parcel.exchange, returned[parcel.id]
        )),
        Outcome::Acked if closed => Published::Confirmed,
        Outcome::Acked => Published::Unknown("another message of the window got no answer".to_owned()),
        Outcome::Nacked => {
            Published::Unknown("RabbitMQ did not store it: the queue is full or failing".to_owned())
        }
        Outcome::Missing(why) => Published::Unknown(why),
    };
    window.iter().zip(outcomes).map(decide_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(id: &str) -> Parcel<'_> {
        Parcel { exchange: "e", routing_key: "k", id, properties: BasicProperties::default(), body: b"" }
    }

    fn returned(ids: &[&str]) -> HashMap<String, String> {
        ids.iter().map(|id| ((*id).to_owned(), "NO_ROUTE".to_owned())).collect()
    }

    #[test]
    fn a_returned_message_is_rejected_whatever_its_own_confirm_says() {
        let decided =
            decide(&[parcel("a"), parcel("b")], vec![Outcome::Acked, Outcome::Acked], &returned(&["b"]));
        assert_eq!(decided[0], Published::Confirmed);
        assert!(matches!(&decided[1], Published::Rejected(why) if why.contains("NO_ROUTE")));
    }

    #[test]
    fn while_one_answer_is_missing_no_confirm_is_believed() {
        let outcomes = vec![Outcome::Acked, Outcome::Missing("cut".to_owned()), Outcome::Acked];
        let decided = decide(&[parcel("a"), parcel("b"), parcel("c")], outcomes, &returned(&["c"]));
        assert!(matches!(decided[0], Published::Unknown(_)));
        assert!(matches!(decided[1], Published::Unknown(_)));
        assert!(matches!(decided[2], Published::Rejected(_)));
    }

    #[test]
    fn a_nack_is_an_answer_but_not_a_confirm() {
        let decided =
            decide(&[parcel("a"), parcel("b")], vec![Outcome::Nacked, Outcome::Acked], &returned(&[]));
        assert!(matches!(decided[0], Published::Unknown(_)));
        assert_eq!(decided[1], Published::Confirmed);
    }
}
