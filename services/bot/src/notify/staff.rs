//! The staff channel: a limited number of posts a minute, so notifications that wait together are posted together.
//!
//! A single order is posted at once. Notifications that do not fit into the queue go back to the bus for about as long as it
//! takes until there is room, so that a flood of orders neither fills the memory nor holds back shoppers.

use std::{
    collections::{BTreeSet, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use teloxide::types::InlineKeyboardMarkup;
use tokio::{sync::mpsc, time::Instant};
use tolov_domain::{
    EventId, OrderId,
    notification::Subject,
    payment::Anomaly,
    ports::{bus::Verdict, notifications::SendOutcome},
};
use tolov_kit::{availability::Availability, lifecycle::Stop, spans};
use tolov_shop::order::ShopOrder;

use crate::{
    conversation::screen::Screen,
    deps::HandlerDeps,
    notify::{
        claims::{AWAY_AFTER, Claimed, STOP_AFTER},
        failure::{Failure, failure_of},
        notifier::{Notifier, Verdicts},
        own_posts::{self, OwnPosts},
        post_queue::{NO_ROOM_MAX, Notice, StaffMessage},
        texts,
    },
    staff::orders::{accept, late_money, order_post, refund},
    telegram::errors::{SendError, description},
};

/// Telegram takes 100 buttons under one message.
const DIGEST_MAX: usize = 96;
const MINUTE: Duration = Duration::from_mins(1);

/// The only sender of posts for notifications.
#[derive(Debug)]
pub(super) struct StaffChannel {
    notifier: Arc<Notifier>,
    availability: Availability,
    waiting: VecDeque<Notice>,
    /// Sent when the rush is over.
    own_posts: OwnPosts,
    verdicts: Verdicts,
}

/// What is posted next.
enum Next {
    /// Those that wait.
    Notices,
    /// What a digest told of.
    OwnPost,
}

/// What has ended the wait for the next post.
enum WaitEnd {
    Turn,
    /// This bot's share of the posts is another one now.
    PerhapsSooner,
    Stopped,
}

/// One message to the channel.
#[derive(Debug, Default)]
struct Post {
    html: String,
    markup: InlineKeyboardMarkup,
    /// The order whose own post it is.
    order: Option<ShopOrder>,
}

impl StaffChannel {
    pub(super) fn new(notifier: Arc<Notifier>, verdicts: Verdicts) -> Self {
        Self {
            availability: Availability::new("the staff channel"),
            waiting: VecDeque::new(),
            own_posts: OwnPosts::default(),
            notifier,
            verdicts,
        }
    }

    fn handlers(&self) -> &Arc<HandlerDeps> {
        &self.notifier.handlers
    }

    /// Posts until `stop`, or until nothing more can come; gives back what still waits.
    pub(super) async fn run(mut self, mut notices: mpsc::Receiver<Notice>, stop: Stop) {
        while let Some(next) = self.next(&mut notices, &stop).await {
            let deadline = Instant::now() + self.notifier.config.patience;
            if matches!(next, Next::OwnPost) {
                let handlers = Arc::clone(self.handlers());
                self.own_posts.post_next(&handlers, deadline, &stop).await;
                continue;
            }
            self.handlers().staff_chat.rate_limiter.until_open(deadline, &stop).await;
            match self.handlers().staff_chat.rate_limiter.reserve(deadline) {
                Ok(at) => {
                    let is_sent = match self.collect_until(at, &mut notices, &stop).await {
                        WaitEnd::Turn => self.post(&stop).await,
                        WaitEnd::PerhapsSooner => false,
                        WaitEnd::Stopped => break,
                    };
                    if !is_sent {
                        self.handlers().staff_chat.rate_limiter.give_back(at);
                    }
                }
                Err(too_long) => self.give_back(too_long).await,
            }
        }
        // The intake may enqueue until it sees the stop.
        while let Some(notice) = notices.recv().await {
            self.waiting.push_back(notice);
        }
        self.give_back(STOP_AFTER).await;
    }

    async fn next(&mut self, notices: &mut mpsc::Receiver<Notice>, stop: &Stop) -> Option<Next> {
        if !self.waiting.is_empty() {
            return Some(Next::Notices);
        }
        // The rush is over when nothing came for as long as the channel needs for a post.
        let quiet = MINUTE / self.notifier.config.channel_posts_per_min;
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            first = notices.recv() => {
                self.waiting.push_back(first?);
                Some(Next::Notices)
            }
            () = tokio::time::sleep(quiet), if self.own_posts.has_work() => Some(Next::OwnPost),
        }
    }

    /// Receives until the turn of the next post.
    async fn collect_until(
        &mut self,
        at: Instant,
        notices: &mut mpsc::Receiver<Notice>,
        stop: &Stop,
    ) -> WaitEnd {
        let handlers = Arc::clone(self.handlers());
        let mut renewed = pin!(handlers.staff_chat.rate_limiter.renewed());
        let mut is_open = true;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return WaitEnd::Stopped,
                notice = notices.recv(), if is_open => match notice {
                    Some(notice) => self.waiting.push_back(notice),
                    None => is_open = false,
                },
                () = tokio::time::sleep_until(at) => return WaitEnd::Turn,
                () = &mut renewed => return WaitEnd::PerhapsSooner,
            }
        }
    }

    /// Posts as many of those that wait as fit into one post. `false`: nothing was sent, for none of them was ours to send.
    async fn post(&mut self, stop: &Stop) -> bool {
        let candidates = self.next_post().await;
        let Some((notices, claimed)) = self.claim(candidates, stop).await else { return false };
        // Those that another process has sent are left out, so the rest fits.
        let post = self.written(&notices).await;
        self.handlers().rate_limiter.reserve_priority();
        let ids = ids_of(&notices);
        let staff_chat = &self.handlers().staff_chat;
        // A digest is a part of the first trace alone.
        let cause = notices.first().and_then(|notice| notice.delivery.traceparent.clone()).map(Into::into);
        let posting = staff_chat.post(&self.handlers().telegram, &post.html, &post.markup);
        match spans::within(cause, posting).await {
            Ok(message) => {
                self.availability.mark_up();
                let outcome = SendOutcome::Sent { message_id: message.message_id.into() };
                // Before the outcome: an order whose outcome is known and that has no post was told of in a digest.
                match &post.order {
                    Some(order) => own_posts::record(self.handlers(), order, message).await,
                    None if notices.len() > 1 => {
                        let handlers = Arc::clone(self.handlers());
                        self.own_posts.keep(&handlers, &notices);
                    }
                    None => {}
                }
                self.notifier.claims.record(&ids, &outcome).await;
                tracing::info!(
                    order.ids = orders_in(&notices),
                    message.id = message.message_id,
                    "posted to staff"
                );
                self.decide(notices, &Verdict::Done).await;
            }
            Err(SendError::Refused(error)) if notices.len() > 1 => {
                tracing::warn!(
                    order.ids = orders_in(&notices),
                    %error,
                    "a digest is refused; its notifications are posted one by one"
                );
                self.notifier.claims.release(&ids).await;
                self.post_one_by_one(notices);
            }
            Err(error) => self.failed(error, notices, &ids, claimed).await,
        }
        true
    }

    /// Takes as many as fit into one post. A second delivery of one of them comes back when it is settled.
    async fn next_post(&mut self) -> Vec<Notice> {
        let mut seen = BTreeSet::new();
        let mut candidates = Vec::new();
        for notice in std::mem::take(&mut self.waiting) {
            if seen.insert(notice.message.id()) {
                candidates.push(notice);
            } else {
                self.decide(vec![notice], &Verdict::Later { after: AWAY_AFTER }).await;
            }
        }
        let fitting = if candidates.first().is_some_and(|notice| notice.alone) {
            1
        } else {
            let together = candidates.iter().take_while(|notice| !notice.alone).count();
            self.digest(candidates.get(..together.min(DIGEST_MAX)).unwrap_or_default()).1
        };
        let rest = candidates.split_off(fitting.min(candidates.len()));
        self.waiting.extend(rest);
        candidates
    }

    /// Claims the notifications of a post; those that are not ours to send get their verdict. `None`: nothing is left.
    async fn claim(&mut self, candidates: Vec<Notice>, stop: &Stop) -> Option<(Vec<Notice>, Claimed)> {
        let ids = ids_of(&candidates);
        if ids.is_empty() {
            return None;
        }
        let answers = match self.notifier.claims.claim_all(&ids, stop).await {
            Ok(answers) => answers,
            // Isolate the one that the store refuses: only that one is retried with back-off.
            Err(Verdict::Retry { .. }) if candidates.len() > 1 => {
                self.post_one_by_one(candidates);
                return None;
            }
            Err(verdict) => {
                self.decide(candidates, &verdict).await;
                return None;
            }
        };
        let mut ours = Vec::new();
        let mut most_attempts: Option<Claimed> = None;
        for (notice, answer) in candidates.into_iter().zip(answers) {
            match answer {
                Ok(claimed) => {
                    ours.push(notice);
                    if most_attempts.is_none_or(|most| most.attempt < claimed.attempt) {
                        most_attempts = Some(claimed);
                    }
                }
                Err(verdict) => self.decide(vec![notice], &verdict).await,
            }
        }
        most_attempts.map(|claimed| (ours, claimed))
    }

    /// A paid order of this shop as its own post with buttons; a digest with links to its orders.
    async fn written(&self, notices: &[Notice]) -> Post {
        let (html, _) = self.digest(notices);
        let ids: Vec<OrderId> = notices.iter().filter_map(|notice| notice.message.order_id()).collect();
        let known = match order_post::known(self.handlers(), &ids).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(order.ids = orders_in(notices), %error, "posted without buttons: the orders cannot be read");
                return Post { html, ..Post::default() };
            }
        };
        if let ([notice], [order]) = (notices, known.as_slice())
            && let StaffMessage::Order(notification) = &notice.message
            && let Subject::OrderPaid { stock_settled, .. } = notification.subject
        {
            let order = late_money::apply(self.handlers(), order.clone()).await;
            let screen = order_post::screen(self.handlers(), &order, stock_settled).await;
            let (html, markup) = (screen.fitting_html(), screen.markup());
            return Post { html, markup, order: Some(order) };
        }
        if let ([notice], [order]) = (notices, known.as_slice())
            && let StaffMessage::Order(notification) = &notice.message
            && let Subject::PaymentQuestioned {
                anomaly: Anomaly::ReportedPaid,
                merchant_prepare_id: Some(prepare_id),
                ..
            } = notification.subject
        {
            let accept = accept::row(self.handlers().config.staff_language, order.id, prepare_id);
            let markup = order_post::links(self.handlers(), &known).row(accept).markup();
            return Post { html, markup, order: None };
        }
        if let ([notice], [order]) = (notices, known.as_slice())
            && let StaffMessage::Order(notification) = &notice.message
            && let Subject::RefundUndecided { .. } = notification.subject
        {
            let language = self.handlers().config.staff_language;
            let markup = Screen::new(String::new()).row(refund::decide_row(language, order.id)).markup();
            return Post { html, markup, order: None };
        }
        Post { html, markup: order_post::links(self.handlers(), &known).markup(), order: None }
    }

    async fn failed(&mut self, error: SendError, notices: Vec<Notice>, ids: &[EventId], claimed: Claimed) {
        let failure = match error {
            SendError::Wait(wait) => {
                tracing::warn!(wait_ms = wait.as_millis(), "Telegram asks to wait with posts to staff");
                self.handlers().staff_chat.rate_limiter.pause_until(Instant::now() + wait);
                // They are next after the pause; where that is too long, all are given back.
                self.notifier.claims.release(ids).await;
                for notice in notices.into_iter().rev() {
                    self.waiting.push_front(notice);
                }
                return;
            }
            // Unlike a shopper who blocked the bot, staff can let it in, and then nothing must be missing.
            SendError::ChatClosed(error) => {
                let reason = description(&error);
                self.availability.mark_down(format_args!(
                    "{reason}; let the bot be an administrator of {} who may post, or correct DB_CHANNEL",
                    self.handlers().staff_chat.recipient()
                ));
                Failure::NotSent(Verdict::Retry { reason })
            }
            error @ (SendError::Migrated(_)
            | SendError::Refused(_)
            | SendError::TokenRefused
            | SendError::ServerFailed { .. }
            | SendError::NotConnected(_)
            | SendError::Unknown(_)) => {
                if matches!(error, SendError::Refused(_)) {
                    let order_ids = orders_in(&notices);
                    tracing::warn!(order.ids = order_ids, %error, "Telegram refuses a post; it is parked");
                }
                failure_of(error, claimed)
            }
        };
        let verdict = match failure {
            Failure::NotSent(verdict) => {
                self.notifier.claims.release(ids).await;
                verdict
            }
            Failure::Unknown(verdict) => verdict,
        };
        self.decide(notices, &verdict).await;
    }

    fn post_one_by_one(&mut self, notices: Vec<Notice>) {
        for mut notice in notices.into_iter().rev() {
            notice.alone = true;
            self.waiting.push_front(notice);
        }
    }

    async fn give_back(&mut self, after: Duration) {
        let waiting = std::mem::take(&mut self.waiting);
        self.decide(waiting.into(), &Verdict::Later { after: after.min(NO_ROOM_MAX) }).await;
    }

    async fn decide(&self, notices: Vec<Notice>, verdict: &Verdict) {
        for notice in notices {
            // The receiver outlives every sender.
            self.verdicts.send((notice.delivery, verdict.clone())).await.ok();
        }
    }

    fn digest(&self, notices: &[Notice]) -> (String, usize) {
        let messages: Vec<&StaffMessage> = notices.iter().map(|notice| &notice.message).collect();
        texts::digest(self.notifier.config.staff_language, &messages)
    }
}

fn ids_of(notices: &[Notice]) -> Vec<EventId> {
    notices.iter().map(|notice| notice.message.id()).collect()
}

/// For the log.
fn orders_in(notices: &[Notice]) -> String {
    let name = |notice: &Notice| match &notice.message {
        StaffMessage::Order(notification) => notification.order_id.to_string(),
        StaffMessage::Unplaced(payment) => payment.event_id.to_string(),
    };
    notices.iter().map(name).collect::<Vec<_>>().join(",")
}
