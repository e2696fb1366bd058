//! The staff channel: at most so many posts a minute, so what waits together is posted together.
//!
//! A lone order is posted at once. Notices that do not fit in the waiting room go back to the bus for about as long as
//! it will take until there is room, so that a flood of orders neither fills the memory nor holds back shoppers.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use teloxide::types::InlineKeyboardMarkup;
use tokio::{sync::mpsc, time::Instant};
use tolov_domain::{
    EventId, OrderId,
    notification::{Notification, Subject},
    ports::{
        bus::Verdict,
        shop::{Claim, Outcome},
    },
};
use tolov_kit::{availability::Availability, lifecycle::Stop};
use tolov_shop::fulfilment::Stage;

use crate::{
    notify::{
        claims::{AWAY_AFTER, Lease, STOP_AFTER},
        notifier::{Ending, Notifier, Verdicts},
        post_queue::{NO_ROOM_LONGEST, Notice},
        send::ending_of,
        texts,
    },
    staff::orders::order_post,
    telegram::{client::MessageId, errors::SendError},
};

/// Telegram takes 100 buttons under one message.
const DIGEST_MAX: usize = 96;

/// The side of the channel: the only one that posts there.
#[derive(Debug)]
pub(super) struct StaffChannel {
    notifier: Arc<Notifier>,
    availability: Availability,
    waiting: VecDeque<Notice>,
    verdicts: Verdicts,
}

impl StaffChannel {
    pub(super) fn new(notifier: Arc<Notifier>, verdicts: Verdicts) -> Self {
        Self {
            availability: Availability::new("the staff channel"),
            waiting: VecDeque::new(),
            notifier,
            verdicts,
        }
    }

    /// Posts until `stop`, or until nothing more can come; gives back what still waits.
    pub(super) async fn run(mut self, mut notices: mpsc::Receiver<Notice>, stop: Stop) {
        while let Some(first) = self.first(&mut notices, &stop).await {
            self.waiting.push_front(first);
            match self.notifier.handlers.staff_chat.pace.book(Instant::now() + self.notifier.config.patience)
            {
                Ok(at) => {
                    if !self.gather_until(at, &mut notices, &stop).await {
                        break;
                    }
                    self.post(&stop).await;
                }
                Err(too_long) => self.give_back(too_long).await,
            }
        }
        // Whoever still lets notices in does so before it sees the stop; it ends soon.
        while let Some(notice) = notices.recv().await {
            self.waiting.push_back(notice);
        }
        self.give_back(STOP_AFTER).await;
    }

    async fn first(&mut self, notices: &mut mpsc::Receiver<Notice>, stop: &Stop) -> Option<Notice> {
        if let Some(first) = self.waiting.pop_front() {
            return Some(first);
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            first = notices.recv() => first,
        }
    }

    /// Lets notices in until the turn of the next post; `false` when told to stop.
    async fn gather_until(&mut self, at: Instant, notices: &mut mpsc::Receiver<Notice>, stop: &Stop) -> bool {
        let mut open = true;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                notice = notices.recv(), if open => match notice {
                    Some(notice) => self.waiting.push_back(notice),
                    None => open = false,
                },
                () = tokio::time::sleep_until(at) => return true,
            }
        }
    }

    /// Posts as many of those that wait as fit in one post.
    async fn post(&mut self, stop: &Stop) {
        let candidates = self.next_post().await;
        let Some((claimed, attempt, lease)) = self.claim(candidates, stop).await else { return };
        // What others have sent in the meantime has left the post, so the rest fits all the more.
        let (post, html) = self.written(&claimed).await;
        self.notifier.overall.reserve_priority();
        let ids: Vec<EventId> =
            claimed.iter().map(|notice| notice.notification.notification_id.clone()).collect();
        match self.send(&html, &post).await {
            Ok(message_id) => {
                self.availability.mark_up();
                self.notifier.journal.record(&ids, &Outcome::Sent { message_id }).await;
                if let Some(id) = post.order {
                    let stage = order_post::keep_number(&self.notifier.handlers, id, message_id).await;
                    // Somebody did something to the order before its post had a number to follow it by.
                    if stage.is_some_and(|stage| stage != Stage::Paid) {
                        order_post::refresh(&self.notifier.handlers, id).await;
                    }
                }
                tracing::info!(order.ids = orders(&claimed), message.id = message_id, "posted to staff");
                self.decide(claimed, &Verdict::Done).await;
            }
            Err(SendError::Refused(reason)) if claimed.len() > 1 => {
                tracing::warn!(
                    order.ids = orders(&claimed),
                    reason,
                    "a digest is refused: one post each now"
                );
                self.notifier.journal.release(&ids).await;
                self.each_alone(claimed);
            }
            Err(error) => self.not_posted(error, claimed, &ids, attempt, lease).await,
        }
    }

    /// Takes as many as fit in one post; a second delivery of one of them asks again when it is settled.
    async fn next_post(&mut self) -> Vec<Notice> {
        let mut seen = BTreeSet::new();
        let mut candidates = Vec::new();
        for notice in std::mem::take(&mut self.waiting) {
            if seen.insert(notice.notification.notification_id.clone()) {
                candidates.push(notice);
            } else {
                self.decide(vec![notice], &Verdict::Later { after: AWAY_AFTER }).await;
            }
        }
        let fitting = if candidates.first().is_some_and(|notice| notice.alone) {
            1
        } else {
            let together = candidates.iter().take_while(|notice| !notice.alone).count();
            digest(self, candidates.get(..together.min(DIGEST_MAX)).unwrap_or_default()).1
        };
        let rest = candidates.split_off(fitting.min(candidates.len()));
        self.waiting.extend(rest);
        candidates
    }

    /// Claims the notices of a post; those that are not ours to send get their verdict. `None`: nothing is left.
    async fn claim(&mut self, candidates: Vec<Notice>, stop: &Stop) -> Option<(Vec<Notice>, u32, Lease)> {
        let ids: Vec<_> =
            candidates.iter().map(|notice| notice.notification.notification_id.clone()).collect();
        if ids.is_empty() {
            return None;
        }
        let (claims, lease) = match self.notifier.journal.claim(&ids, stop).await {
            Ok(claimed) => claimed,
            // The store refuses a batch: one of it is the culprit, and only that one takes a step on the ladder.
            Err(Verdict::Retry { .. }) if candidates.len() > 1 => {
                self.each_alone(candidates);
                return None;
            }
            Err(verdict) => {
                self.decide(candidates, &verdict).await;
                return None;
            }
        };
        let mut ours = Vec::new();
        let mut attempt_max = 1;
        for (notice, claim) in candidates.into_iter().zip(claims) {
            let verdict = match claim {
                Claim::Send { attempt } => {
                    attempt_max = attempt_max.max(attempt);
                    ours.push(notice);
                    continue;
                }
                Claim::Busy { until } => Verdict::Later { after: self.notifier.journal.busy_for(until) },
                Claim::Settled => Verdict::Done,
            };
            self.decide(vec![notice], &verdict).await;
        }
        if ours.is_empty() { None } else { Some((ours, attempt_max, lease)) }
    }

    /// The text of a post and what hangs on it: for one paid order of this shop what can be done to it, for a digest links
    /// to its orders.
    async fn written(&self, claimed: &[Notice]) -> (Buttons, String) {
        let (html, _) = digest(self, claimed);
        let ids: Vec<OrderId> = claimed.iter().map(|notice| notice.notification.order_id).collect();
        let known = match order_post::known(&self.notifier.handlers, &ids).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(order.ids = orders(claimed), %error, "posted without buttons: the orders cannot be read");
                return (Buttons::default(), html);
            }
        };
        match (claimed, known.as_slice()) {
            ([notice], [order]) if matches!(notice.notification.subject, Subject::OrderPaid { .. }) => {
                let screen = order_post::screen(&self.notifier.handlers, order).await;
                let buttons = Buttons { order: Some(order.id), markup: screen.markup() };
                (buttons, screen.fitting_html())
            }
            _ => {
                let markup = order_post::links(&self.notifier.handlers, &known).markup();
                (Buttons { order: None, markup }, html)
            }
        }
    }

    /// Sends one post, and once more where the group has got another number.
    async fn send(&self, html: &str, post: &Buttons) -> Result<MessageId, SendError> {
        self.notifier.handlers.staff_chat.post(&self.notifier.telegram, html, &post.markup).await
    }

    async fn not_posted(
        &mut self,
        error: SendError,
        notices: Vec<Notice>,
        ids: &[EventId],
        attempt: u32,
        lease: Lease,
    ) {
        let ending = match error {
            SendError::Wait(wait) => {
                tracing::warn!(wait_ms = wait.as_millis(), "Telegram asks to wait with posts to staff");
                self.notifier.handlers.staff_chat.pace.hold_until(Instant::now() + wait);
                // They are next when the channel is open again; if that is too long, all are given back.
                self.notifier.journal.release(ids).await;
                for notice in notices.into_iter().rev() {
                    self.waiting.push_front(notice);
                }
                return;
            }
            // Not the end of it, as with a shopper: somebody can let the bot in, and then nothing must be missing.
            SendError::ChatClosed(reason) => {
                self.availability.mark_down(format_args!(
                    "{reason}; let the bot be an administrator of {} who may post, or correct DB_CHANNEL",
                    self.notifier.handlers.staff_chat.recipient()
                ));
                Ending::Free(Verdict::Retry { reason })
            }
            SendError::Refused(reason) => {
                tracing::warn!(
                    order.ids = orders(&notices),
                    reason,
                    "Telegram does not take a post; it is parked"
                );
                ending_of(SendError::Refused(reason), attempt, lease)
            }
            error @ (SendError::TokenRefused
            | SendError::Migrated(_)
            | SendError::NotConnected(_)
            | SendError::ServerFailed { .. }
            | SendError::Unknown(_)) => ending_of(error, attempt, lease),
        };
        match ending {
            Ending::Free(verdict) => {
                self.notifier.journal.release(ids).await;
                self.decide(notices, &verdict).await;
            }
            Ending::Leased(verdict) => self.decide(notices, &verdict).await,
            Ending::Final(outcome) => {
                self.notifier.journal.record(ids, &outcome).await;
                self.decide(notices, &Verdict::Done).await;
            }
        }
    }

    /// The next posts have one of these each.
    fn each_alone(&mut self, notices: Vec<Notice>) {
        for mut notice in notices.into_iter().rev() {
            notice.alone = true;
            self.waiting.push_front(notice);
        }
    }

    async fn give_back(&mut self, after: Duration) {
        let waiting = std::mem::take(&mut self.waiting);
        self.decide(waiting.into(), &Verdict::Later { after: after.min(NO_ROOM_LONGEST) }).await;
    }

    async fn decide(&self, notices: Vec<Notice>, verdict: &Verdict) {
        for notice in notices {
            // The other end outlives every sender.
            self.verdicts.send((notice.delivery, verdict.clone())).await.ok();
        }
    }
}

/// What hangs on a post.
#[derive(Debug, Default)]
struct Buttons {
    /// The order whose own post it is.
    order: Option<OrderId>,
    markup: InlineKeyboardMarkup,
}

/// The numbers of the orders that a post is about, for the log.
fn orders(notices: &[Notice]) -> String {
    let numbers: Vec<String> =
        notices.iter().map(|notice| notice.notification.order_id.to_string()).collect();
    numbers.join(",")
}

fn digest(channel: &StaffChannel, notices: &[Notice]) -> (String, usize) {
    let told: Vec<&Notification> = notices.iter().map(|notice| &notice.notification).collect();
    texts::digest(channel.notifier.config.staff_language, &told)
}
