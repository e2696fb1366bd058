//! Publishing in windows: all messages are sent, all confirms are awaited, then all outcomes are decided at once.
//!
//! lapin attaches a returned (unroutable) message to whichever confirm is resolved next: of a hundred unroutable
//! messages 3 to 5 were seen with a clean confirm of their own. So outcomes are decided by the ids of the returned
//! messages, wherever they were attached, and only when every confirm has arrived. While one is missing, a returned
//! message may still be inside lapin, and nothing of the window counts as stored.

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
    connection::{BrokerConnection, Target},
    failure::{timed_out, until, within},
    options::RabbitOptions,
    topology::{Topology, name},
};

/// How long to wait before a deleted queue is declared again. RabbitMQ 3.10 cancels the queue's consumers; if it exists
/// again before they are told, they stay subscribed to nothing.
const REDECLARE_AFTER: Duration = Duration::from_secs(1);

/// A message to publish.
#[derive(Debug)]
pub(crate) struct Publication<'a> {
    pub(crate) exchange: &'a str,
    pub(crate) routing_key: &'a str,
    /// The same as message_id of the properties.
    pub(crate) id: &'a str,
    pub(crate) properties: BasicProperties,
    pub(crate) body: &'a [u8],
    /// Whether a queue is bound for it: if it is returned all the same, a queue or a binding was deleted.
    pub(crate) is_bound: bool,
}

/// The publishing connection of a bus, for one window at a time.
#[derive(Debug)]
pub(crate) struct WindowPublisher {
    target: Target,
    topology: Topology,
    window_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<BrokerConnection>,
    /// A channel in confirm mode without outstanding confirms. Taken out for the length of a window, so that one whose
    /// caller was dropped in the middle is never used again.
    channel: Option<Channel>,
    topology: Declared,
    /// Whether lapin may have unwritten frames of an abandoned window. The connection is not used for another.
    has_unwritten_frames: bool,
    is_closed: bool,
}

/// Whether the exchanges and queues are declared on the broker, as far as we know.
#[derive(Debug, Default, Clone, Copy)]
enum Declared {
    #[default]
    No,
    Yes,
    /// A queue or a binding is missing and is declared again at this time.
    NotYet {
        at: Instant,
    },
}

/// The confirm of one message.
#[derive(Debug)]
enum Confirm {
    Acked,
    Nacked,
    /// There is none, for this reason.
    Missing(String),
}

impl WindowPublisher {
    pub(crate) fn new(target: Target, topology: Topology, options: &RabbitOptions) -> Self {
        Self { target, topology, window_timeout: options.window_timeout, state: Mutex::default() }
    }

    /// Publishes a window and decides each of its messages, within `window_timeout`. An error: nothing was sent.
    pub(crate) async fn publish(&self, window: &[Publication<'_>]) -> Result<Vec<Published>, PortError> {
        if window.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + self.window_timeout;
        let mut state = self.lock(deadline).await?;
        let ready = timeout_at(deadline, self.channel(&mut state)).await;
        let channel = ready.map_err(|_| timed_out("open a channel to publish"))??;
        let confirms = send(&channel, window, deadline).await;
        let mut returned = HashMap::new();
        let mut outcomes = Vec::with_capacity(window.len());
        for confirm in confirms {
            outcomes.push(outcome(confirm, deadline, &mut returned).await);
        }
        state.after_window(channel, window, &outcomes, &returned);
        drop(state);
        Ok(decide(window, outcomes, &returned))
    }

    /// Whether the broker answers and takes messages.
    pub(crate) async fn is_reachable(&self) -> bool {
        let deadline = Instant::now() + self.target.request_timeout;
        let answer = async {
            let mut state = self.lock(deadline).await?;
            // A round trip, because an idle connection may be half-open unnoticed.
            let probe = self.connection(&mut state).await?.channel().await?;
            within(self.target.request_timeout, "close a channel", probe.close(200, "probe".into())).await
        };
        matches!(timeout_at(deadline, answer).await, Ok(Ok(())))
    }

    /// Closes the connection. Later windows are `Unavailable`.
    pub(crate) async fn close(&self) {
        if let Ok(mut state) = self.lock(Instant::now() + self.window_timeout).await {
            *state = State { is_closed: true, ..State::default() };
        }
    }

    async fn lock(&self, deadline: Instant) -> Result<MutexGuard<'_, State>, PortError> {
        let waiting = timeout_at(deadline, self.state.lock()).await;
        waiting.map_err(|_| {
            PortError::Unavailable("RabbitMQ: the previous window is not finished in time".to_owned())
        })
    }

    /// The connection, or a new one if the last cannot be used any more.
    async fn connection<'a>(&self, state: &'a mut State) -> Result<&'a BrokerConnection, PortError> {
        if state.is_closed {
            return Err(PortError::Unavailable("RabbitMQ: the bus is closed".to_owned()));
        }
        let is_unusable = |connection: &mut BrokerConnection| {
            !connection.is_connected() || (state.has_unwritten_frames && !connection.is_blocked())
        };
        if state.connection.take_if(is_unusable).is_some() {
            tracing::debug!("the publishing connection is replaced");
            state.channel = None;
        }
        if state.connection.is_none() {
            let opened = BrokerConnection::open(&self.target, "publish").await?;
            (state.topology, state.has_unwritten_frames) = (Declared::No, false);
            state.connection = Some(opened);
        }
        match &state.connection {
            // A new connection would be blocked as well.
            Some(connection) if connection.is_blocked() => Err(PortError::Unavailable(
                "RabbitMQ has a memory or disk alarm and takes no messages: see rabbitmqctl status"
                    .to_owned(),
            )),
            Some(connection) => Ok(connection),
            None => Err(PortError::Unavailable("RabbitMQ: there is no connection".to_owned())),
        }
    }

    /// A channel for one window, with exchanges and queues declared.
    async fn channel(&self, state: &mut State) -> Result<Channel, PortError> {
        self.connection(state).await?;
        let State { connection: Some(connection), channel, topology, .. } = state else {
            return Err(PortError::Unavailable("RabbitMQ: there is no connection".to_owned()));
        };
        let is_due = match topology {
            Declared::Yes => false,
            Declared::No => true,
            Declared::NotYet { at } => *at <= Instant::now(),
        };
        if is_due {
            self.topology.declare(connection).await?;
            *topology = Declared::Yes;
        }
        match channel.take() {
            Some(channel) if channel.status().connected() => Ok(channel),
            _ => {
                let channel = connection.channel().await?;
                let confirming = channel.confirm_select(ConfirmSelectOptions::default());
                within(connection.request_timeout(), "ask for confirms", confirming).await?;
                Ok(channel)
            }
        }
    }
}

impl State {
    /// Notes what of the connection the next window may use.
    fn after_window(
        &mut self,
        channel: Channel,
        window: &[Publication<'_>],
        outcomes: &[Confirm],
        returned: &HashMap<String, String>,
    ) {
        if is_closed(outcomes) {
            // A channel of RabbitMQ 3.10 that first publishes while a queue elects its leader asks the node of the old one, and
            // refuses everything until that node is back (rabbit_fifo_client:enqueue, at its first message).
            let is_refused = outcomes.iter().any(|outcome| matches!(outcome, Confirm::Nacked));
            self.channel = Some(channel).filter(|_| !is_refused);
        } else if channel.status().connected() {
            // Confirms are missing on an open channel: the broker is blocked or silent.
            self.has_unwritten_frames = true;
        } else {
            // The broker closed the channel, as it does when an exchange is missing.
            self.topology = Declared::No;
        }
        let missing =
            window.iter().find(|publication| publication.is_bound && returned.contains_key(publication.id));
        if let Some(Publication { exchange, routing_key, .. }) = missing
            && matches!(self.topology, Declared::Yes)
        {
            tracing::error!(exchange, routing_key, "a queue or a binding is missing; declaring it again");
            self.topology = Declared::NotYet { at: Instant::now() + REDECLARE_AFTER };
        }
    }
}

/// Sends the window up to the first failure: what follows would fail too, or arrive without a confirm.
async fn send(
    channel: &Channel,
    window: &[Publication<'_>],
    deadline: Instant,
) -> Vec<Result<PublisherConfirm, String>> {
    let mut confirms = Vec::with_capacity(window.len());
    let mut failure: Option<String> = None;
    for publication in window {
        if let Some(failure) = &failure {
            confirms.push(Err(failure.clone()));
            continue;
        }
        let sent = send_one(channel, publication, deadline).await.map_err(|error| error.to_string());
        failure = sent.as_ref().err().cloned();
        confirms.push(sent);
    }
    confirms
}

async fn send_one(
    channel: &Channel,
    publication: &Publication<'_>,
    deadline: Instant,
) -> Result<PublisherConfirm, PortError> {
    // Without `mandatory` an unroutable message is confirmed and dropped.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (exchange, routing_key) = (name(publication.exchange)?, name(publication.routing_key)?);
    // Without a limit this has been seen not to return while the broker had an alarm.
    let publishing = channel.basic_publish(
        exchange,
        routing_key,
        options,
        publication.body,
        publication.properties.clone(),
    );
    until(deadline, "publish", publishing).await
}

/// Awaits one confirm and notes the returned message that is attached to it, whichever it is.
async fn outcome(
    confirm: Result<PublisherConfirm, String>,
    deadline: Instant,
    returned: &mut HashMap<String, String>,
) -> Confirm {
    let confirm = match confirm {
        Ok(confirm) => confirm,
        Err(failure) => return Confirm::Missing(failure),
    };
    match until(deadline, "get a confirm", confirm).await {
        Ok(Confirmation::Ack(message)) => {
            note_returned(message, returned);
            Confirm::Acked
        }
        Ok(Confirmation::Nack(message)) => {
            note_returned(message, returned);
            Confirm::Nacked
        }
        // The channel is not in confirm mode after all.
        Ok(Confirmation::NotRequested) => Confirm::Missing("the channel is not in confirm mode".to_owned()),
        Err(error) => Confirm::Missing(error.to_string()),
    }
}

fn note_returned(message: Option<BasicReturnMessage>, returned: &mut HashMap<String, String>) {
    if let Some(message) = message
        && let Some(id) = message.properties.message_id()
    {
        returned.insert(id.to_string(), message.reply_text.to_string());
    }
}

/// Whether every confirm has arrived.
fn is_closed(outcomes: &[Confirm]) -> bool {
    !outcomes.iter().any(|outcome| matches!(outcome, Confirm::Missing(_)))
}

fn decide(
    window: &[Publication<'_>],
    outcomes: Vec<Confirm>,
    returned: &HashMap<String, String>,
) -> Vec<Published> {
    let closed = is_closed(&outcomes);
    let decide_one = |(publication, outcome): (&Publication<'_>, Confirm)| match outcome {
        _ if returned.contains_key(publication.id) => Published::Rejected(format!(
            "unroutable: no queue is bound to {1:?} for {0} ({2})",
            publication.routing_key, publication.exchange, returned[publication.id]
        )),
        Confirm::Acked if closed => Published::Confirmed,
        Confirm::Acked => Published::Unknown("another message of the window has no confirm".to_owned()),
        Confirm::Nacked => {
            Published::Unknown("RabbitMQ sent a nack: the queue is full or failing".to_owned())
        }
        Confirm::Missing(why) => Published::Unknown(why),
    };
    window.iter().zip(outcomes).map(decide_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(id: &str) -> Publication<'_> {
        Publication {
            exchange: "e",
            routing_key: "k",
            id,
            properties: BasicProperties::default(),
            body: b"",
            is_bound: true,
        }
    }

    fn returned(ids: &[&str]) -> HashMap<String, String> {
        ids.iter().map(|id| ((*id).to_owned(), "NO_ROUTE".to_owned())).collect()
    }

    #[test]
    fn a_returned_message_is_rejected_whatever_its_own_confirm_says() {
        let decided = decide(
            &[publication("a"), publication("b")],
            vec![Confirm::Acked, Confirm::Acked],
            &returned(&["b"]),
        );
        assert_eq!(decided[0], Published::Confirmed);
        assert!(matches!(&decided[1], Published::Rejected(why) if why.contains("NO_ROUTE")));
    }

    #[test]
    fn while_one_confirm_is_missing_none_counts() {
        let outcomes = vec![Confirm::Acked, Confirm::Missing("cut".to_owned()), Confirm::Acked];
        let decided =
            decide(&[publication("a"), publication("b"), publication("c")], outcomes, &returned(&["c"]));
        assert!(matches!(decided[0], Published::Unknown(_)));
        assert!(matches!(decided[1], Published::Unknown(_)));
        assert!(matches!(decided[2], Published::Rejected(_)));
    }

    #[test]
    fn a_nack_is_a_confirm_without_storage() {
        let decided = decide(
            &[publication("a"), publication("b")],
            vec![Confirm::Nacked, Confirm::Acked],
            &returned(&[]),
        );
        assert!(matches!(decided[0], Published::Unknown(_)));
        assert_eq!(decided[1], Published::Confirmed);
    }
}
