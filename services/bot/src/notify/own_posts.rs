//! What a digest told of, until each has a post with buttons of its own. The queue is lost with the process; the next one
//! finds the orders again, while links of the digest lead to them.

use std::{collections::VecDeque, sync::Arc};

use tokio::time::Instant;
use tolov_domain::{
    EventId, OrderId, PrepareId,
    notification::{Recipient, Subject, id_of},
    payment::Anomaly,
    ports::{PortError, notifications::SendOutcome},
};
use tolov_kit::lifecycle::Stop;
use tolov_shop::{
    order::{ShopOrder, Stage, order, orders_in},
    records,
};

use crate::{
    conversation::screen::Screen,
    deps::HandlerDeps,
    notify::{
        post_queue::{Notice, StaffMessage},
        texts,
    },
    orders::messages::{OrderMessages, messages_of},
    staff::orders::{accept, late_money, order_post, refund},
    telegram::{client::MessageRef, errors::SendError, limits::Turn},
};

/// Half an hour's posts at the most that Telegram takes.
const MAX: u32 = 600;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OwnPost {
    Paid {
        id: OrderId,
        stock_settled: bool,
    },
    RefundUndecided {
        id: OrderId,
        html: String,
    },
    /// CLICK shows the attempt as paid: an owner may accept it.
    ReportedPaid {
        id: OrderId,
        prepare_id: PrepareId,
        html: String,
    },
}

#[derive(Debug, Default)]
pub(super) struct OwnPosts {
    waiting: VecDeque<OwnPost>,
    /// What an earlier process left has been looked for.
    is_refilled: bool,
}

impl OwnPosts {
    pub(super) fn has_work(&self) -> bool {
        !self.waiting.is_empty() || !self.is_refilled
    }

    /// Remembers what a digest told of.
    pub(super) fn keep(&mut self, handlers: &HandlerDeps, notices: &[Notice]) {
        for notice in notices {
            let StaffMessage::Order(notification) = &notice.message else { continue };
            let id = notification.order_id;
            let html = || texts::digest(handlers.config.staff_language, &[&notice.message]).0;
            match notification.subject {
                Subject::OrderPaid { stock_settled, .. } => self.push(OwnPost::Paid { id, stock_settled }),
                Subject::RefundUndecided { .. } => self.push(OwnPost::RefundUndecided { id, html: html() }),
                Subject::PaymentQuestioned {
                    anomaly: Anomaly::ReportedPaid,
                    merchant_prepare_id: Some(prepare_id),
                    ..
                } => self.push(OwnPost::ReportedPaid { id, prepare_id, html: html() }),
                Subject::OrderExpired
                | Subject::PaymentQuestioned { .. }
                | Subject::MoneyReturned { .. }
                | Subject::ReceiptIssued { .. } => {}
            }
        }
    }

    fn push(&mut self, post: OwnPost) {
        let is_full = self.waiting.len() >= usize::try_from(MAX).unwrap_or(usize::MAX);
        if !is_full && !self.waiting.contains(&post) {
            self.waiting.push_back(post);
        }
    }

    /// Posts the next one, and puts it back where Telegram or the store may do it later.
    pub(super) async fn post_next(&mut self, handlers: &Arc<HandlerDeps>, deadline: Instant, stop: &Stop) {
        if !self.is_refilled {
            match self.refill(handlers).await {
                Ok(()) => self.is_refilled = true,
                Err(error) => {
                    tracing::debug!(%error, "orders without a post of their own cannot be read yet");
                }
            }
        }
        let Some(next) = self.waiting.pop_front() else { return };
        if !post(handlers, &next, deadline, stop).await {
            self.waiting.push_back(next);
        }
    }

    /// Looks for paid orders that were posted, in a digest, and have no post of their own.
    async fn refill(&mut self, handlers: &HandlerDeps) -> Result<(), PortError> {
        let documents = handlers.documents();
        for stage in [Stage::Paid, Stage::Preparing, Stage::Ready, Stage::OnTheWay] {
            let orders = orders_in(documents, stage, MAX).await?;
            let ids = orders.iter().map(|order| order.id.get());
            let messages: Vec<OrderMessages> = records::read_many(documents, ids).await?;
            for ShopOrder { id, .. } in orders {
                let has_post =
                    messages.iter().any(|messages| messages.id == id && messages.staff_post.is_some());
                if !has_post && was_posted(handlers, id).await? {
                    self.push(OwnPost::Paid { id, stock_settled: true });
                }
            }
        }
        Ok(())
    }
}

async fn was_posted(handlers: &HandlerDeps, id: OrderId) -> Result<bool, PortError> {
    let event = EventId::new(format!("payment.completed:{id}"));
    let outcome = handlers.shop.outcome(&id_of(&event, Recipient::Staff)).await?;
    Ok(matches!(outcome, Some(SendOutcome::Sent { .. })))
}

/// `false`: it has to be tried again.
async fn post(handlers: &Arc<HandlerDeps>, own: &OwnPost, deadline: Instant, stop: &Stop) -> bool {
    let (OwnPost::Paid { id, .. } | OwnPost::RefundUndecided { id, .. } | OwnPost::ReportedPaid { id, .. }) =
        *own;
    let documents = handlers.documents();
    let (Ok(messages), Ok(found)) = (messages_of(documents, id).await, order(documents, id).await) else {
        return false;
    };
    let Some(mut order) = found else { return true };
    let language = handlers.config.staff_language;
    let screen = match own {
        OwnPost::Paid { .. } if messages.staff_post.is_some() || !order.stage().is_in_work() => return true,
        OwnPost::Paid { stock_settled, .. } => {
            order = late_money::apply(handlers, order).await;
            order_post::screen(handlers, &order, *stock_settled).await
        }
        OwnPost::RefundUndecided { html, .. } => {
            Screen::new(html.clone()).row(refund::decide_row(language, id))
        }
        OwnPost::ReportedPaid { prepare_id, html, .. } => {
            Screen::new(html.clone()).row(accept::row(language, id, *prepare_id))
        }
    };
    if handlers.staff_chat.rate_limiter.acquire(deadline, stop).await != Turn::Granted {
        return false;
    }
    handlers.rate_limiter.reserve_priority();
    let (html, markup) = (screen.fitting_html(), screen.markup());
    match handlers.staff_chat.post(&handlers.telegram, &html, &markup).await {
        Ok(message) => {
            if matches!(own, OwnPost::Paid { .. }) {
                record(handlers, &order, message).await;
            }
            true
        }
        Err(SendError::Wait(wait)) => {
            handlers.staff_chat.rate_limiter.pause_until(Instant::now() + wait);
            false
        }
        Err(
            error @ (SendError::ServerFailed { .. } | SendError::NotConnected(_) | SendError::Unknown(_)),
        ) => {
            tracing::debug!(order.id = %id, %error, "an order of a digest gets its own post later");
            false
        }
        Err(
            error @ (SendError::ChatClosed(_)
            | SendError::Refused(_)
            | SendError::Migrated(_)
            | SendError::TokenRefused),
        ) => {
            tracing::warn!(order.id = %id, %error, "an order of a digest gets no post of its own");
            true
        }
    }
}

/// Records the post of an order, which somebody may have changed before.
pub(super) async fn record(handlers: &Arc<HandlerDeps>, posted: &ShopOrder, message: MessageRef) {
    order_post::record_post(handlers, posted.id, message).await;
    let now = order(handlers.documents(), posted.id).await;
    if now.is_ok_and(|now| now.is_some_and(|now| now.history != posted.history)) {
        order_post::refresh(handlers, posted.id).await;
    }
}
