//! The message with an order in the shopper's chat. It follows the order.

use teloxide::types::ChatId;
use time::Duration;
use tolov_domain::{Language, OrderId, Phone, Tiyin, ports::documents::Documents, time::Timestamp};
use tolov_shop::{
    order::{Delivery, ShopOrder, Stage, Terms, order},
    records,
};
use url::Url;

use crate::{
    conversation::{
        callback::ShopCallback,
        dialogue::{Dialogue, ShownMessage},
        error::HandlerError,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    invoices::{bills, offer},
    orders::{
        messages::{OrderMessages, SentMessage, change_messages, messages_of},
        order_lines,
        texts::stage_for_shopper,
    },
    telegram::client::MessageRef,
    texts::{Html, date_time, l, money, t},
};

/// An order as its shopper sees it, with what can be done about it now.
pub(crate) fn screen(language: Language, order: &ShopOrder, now: Timestamp, deps: &HandlerDeps) -> Screen {
    let id = order.id;
    let mut rows = Vec::new();
    if order.stage() == Stage::AwaitingPayment {
        rows.extend(pay_button(language, order).map(|button| vec![button]));
        rows.extend(bills::button(language, order).map(|button| vec![button]));
        rows.extend(offer::button(language, order, &deps.config).map(|button| vec![button]));
        rows.push(vec![
            Button::callback(l!(language, "order-check"), ShopCallback::CheckPayment { id }),
            Button::callback(l!(language, "order-cancel"), ShopCallback::CancelOrder { id }),
        ]);
    } else if order.stage() != Stage::Creating {
        rows.push(vec![Button::callback(l!(language, "order-again"), ShopCallback::OrderAgain { id })]);
    }
    Screen::new(text(language, order, now, deps.config.pickup_address.as_deref())).rows(rows)
}

/// The link to CLICK's page, where the order has one.
pub(crate) fn pay_button(language: Language, order: &ShopOrder) -> Option<Button> {
    let url = Url::parse(&order.link()?.url).ok()?;
    Some(Button::Link { label: l!(language, "order-pay", total = money(language, order.total)), url })
}

fn text(language: Language, order: &ShopOrder, now: Timestamp, pickup: Option<&str>) -> String {
    let mut parts = vec![
        headline(language, order, now),
        format!("{}\n{}", order_lines::priced_lines(language, &order.lines), sums(language, order)),
    ];
    if let Some(Terms { delivery, phone, comment, .. }) = &order.terms {
        parts.push(terms(language, delivery, phone, comment.as_deref(), pickup));
    }
    if let Some(payment) = order.payment() {
        parts.push(t!(language, "paid-payment", payment = payment.click_paydoc_id.to_string()));
    }
    if let Some(url) = &order.receipt_url {
        parts.push(t!(language, "order-receipt", url = url));
    }
    parts.join("\n\n")
}

/// The number of the order, and where it stands.
fn headline(language: Language, order: &ShopOrder, now: Timestamp) -> String {
    format!("{}\n{}", t!(language, "order-title", order = order.id), state_line(language, order, now))
}

/// The price of the goods, the discount, the delivery, and the total.
fn sums(language: Language, order: &ShopOrder) -> String {
    let mut sums = Vec::new();
    if let Some(Terms { goods, discount, delivery_price, promo_code, .. }) = &order.terms {
        if *discount > Tiyin::ZERO || *delivery_price > Tiyin::ZERO {
            sums.push(t!(language, "sum-goods", sum = money(language, *goods)));
        }
        if *discount > Tiyin::ZERO {
            let code = promo_code.as_deref().unwrap_or_default();
            sums.push(t!(language, "sum-discount", code = code, sum = money(language, *discount)));
        }
        if *delivery_price > Tiyin::ZERO {
            sums.push(t!(language, "sum-delivery", sum = money(language, *delivery_price)));
        }
    }
    sums.push(t!(language, "sum-total", sum = money(language, order.total)));
    if order.is_paid() && !order.refunds.is_empty() {
        sums.push(t!(language, "sum-refunded", sum = money(language, order.refunded())));
    }
    sums.join("\n")
}

/// Where the order goes, whom to call, and the shopper's comment.
pub(crate) fn terms(
    language: Language,
    delivery: &Delivery,
    phone: &Phone,
    comment: Option<&str>,
    pickup: Option<&str>,
) -> String {
    let mut terms =
        vec![place(language, delivery, pickup), t!(language, "term-phone", phone = phone.spaced())];
    terms.extend(comment.map(|comment| t!(language, "term-comment", comment = comment)));
    terms.join("\n")
}

fn place(language: Language, delivery: &Delivery, pickup: Option<&str>) -> String {
    let with_landmark = |place: String, landmark: &Option<String>| match landmark {
        Some(landmark) => format!("{place}\n{}", t!(language, "term-landmark", landmark = landmark)),
        None => place,
    };
    match delivery {
        Delivery::Pickup => t!(language, "term-pickup", place = pickup.unwrap_or_default()),
        Delivery::Address { text, landmark } => {
            with_landmark(t!(language, "term-address", place = text), landmark)
        }
        Delivery::Location { latitude, longitude, landmark } => {
            let link = format!(
                "<a href=\"https://maps.google.com/?q={latitude},{longitude}\">{}</a>",
                t!(language, "term-on-the-map")
            );
            with_landmark(t!(language, "term-location", place = Html(link)), landmark)
        }
    }
}

fn pay_until(order: &ShopOrder) -> Option<Timestamp> {
    order.link()?.pay_until
}

fn state_line(language: Language, order: &ShopOrder, now: Timestamp) -> String {
    match pay_until(order) {
        Some(until) if until > now => {
            t!(language, "state-waiting-until", left = left(language, until - now), until = date_time(until))
        }
        Some(_) | None => stage_for_shopper(language, order),
    }
}

/// The longer the time, the coarser it is shown, so that a message need not change every minute.
fn shown_minutes(left: Duration) -> i64 {
    // To the nearest minute, so that an order of 24 hours does not begin with 23; a last minute is not rounded up.
    let rounded = if left >= Duration::minutes(15) { left + Duration::seconds(30) } else { left };
    let minutes = rounded.whole_minutes();
    let step = match minutes {
        ..15 => 1,
        15..60 => 5,
        60..240 => 15,
        240.. => 60,
    };
    minutes / step * step
}

pub(crate) fn left(language: Language, left: Duration) -> String {
    let minutes = shown_minutes(left);
    match (minutes / 60, minutes % 60) {
        (0, 0) => t!(language, "left-moment"),
        (0, minutes) => t!(language, "left-minutes", count = minutes),
        (hours, 0) => t!(language, "left-hours", count = hours),
        (hours, minutes) => format!(
            "{} {}",
            t!(language, "left-hours", count = hours),
            t!(language, "left-minutes", count = minutes)
        ),
    }
}

/// Whether the time that is left is shown differently now.
pub(crate) fn countdown_changed(order: &ShopOrder, before: Timestamp, now: Timestamp) -> bool {
    let Some(until) = pay_until(order).filter(|until| *until > now) else { return false };
    shown_minutes(until - before) != shown_minutes(until - now)
}

/// What an order's message is shown with.
struct Showing<'a> {
    deps: &'a HandlerDeps,
    documents: &'a dyn Documents,
    /// The shopper's, where it was read already.
    language: Option<Language>,
    /// Whether a message that was deleted is sent anew.
    resends: bool,
}

/// Brings the order's message up to date; one that was deleted is sent anew. `None`: there is no such order.
pub(crate) async fn refresh(deps: &HandlerDeps, id: OrderId) -> Result<Option<ShopOrder>, HandlerError> {
    Showing { deps, documents: deps.documents(), language: None, resends: true }.show(id).await
}

/// The same for a shopper who was written to in this language just now. `documents` reads for several orders at a time.
pub(crate) async fn refresh_among_others(
    deps: &HandlerDeps,
    documents: &dyn Documents,
    id: OrderId,
    language: Language,
) -> Result<(), HandlerError> {
    let showing = Showing { deps, documents, language: Some(language), resends: true };
    showing.show(id).await.map(drop)
}

/// The same for the clock, which does not send a message that the shopper has deleted.
pub(crate) async fn count_down(deps: &HandlerDeps, id: OrderId) -> Result<(), HandlerError> {
    Showing { deps, documents: deps.documents(), language: None, resends: false }.show(id).await.map(drop)
}

/// Of an order that can no longer be paid, no message keeps a button that pays it: the reminder says how the order stands, and
/// so does a screen of the conversation that offered to pay. Telegram's invoices stay: before it takes any money Telegram asks
/// the bot, which answers in words.
pub(crate) async fn take_pay_buttons_away(deps: &HandlerDeps, order: &ShopOrder) -> Result<(), HandlerError> {
    let showing = Showing { deps, documents: deps.documents(), language: None, resends: false };
    let messages = messages_of(deps.documents(), order.id).await?;
    showing.take_pay_buttons_away(order, &messages, deps.language_of(order.user_id).await).await
}

impl Showing<'_> {
    async fn show(&self, id: OrderId) -> Result<Option<ShopOrder>, HandlerError> {
        // An order changes at most a few times while Telegram takes an edit.
        const TRIES: u32 = 4;
        let Some(mut shown) = order(self.documents, id).await? else { return Ok(None) };
        let language = match self.language {
            Some(language) => language,
            None => self.deps.language_of(shown.user_id).await,
        };
        for _ in 0..TRIES {
            // After the order: whoever adds a button to it looks at the order once more afterwards.
            let messages = messages_of(self.documents, id).await?;
            self.show_once(&shown, &messages, language).await?;
            let Some(now) = order(self.documents, id).await? else { return Ok(None) };
            // Whoever showed a newer state while this edit waited was overwritten by it.
            if shown.state == now.state && shown.refunds == now.refunds {
                self.take_pay_buttons_away(&now, &messages, language).await?;
                return Ok(Some(now));
            }
            shown = now;
        }
        Ok(Some(shown))
    }

    async fn take_pay_buttons_away(
        &self,
        order: &ShopOrder,
        messages: &OrderMessages,
        language: Language,
    ) -> Result<(), HandlerError> {
        let Self { deps, documents, .. } = *self;
        if matches!(order.stage(), Stage::Creating | Stage::AwaitingPayment) {
            return Ok(());
        }
        let id = order.id;
        if let Some(reminder) = messages.reminder_message {
            let shown = ShownMessage { message_id: reminder.message_id, has_photo: false };
            let over = Screen::new(headline(language, order, deps.now()));
            deps.telegram.change(reminder.chat, shown, &over).await?;
            change_messages(documents, id, |messages| messages.reminder_message = None).await?;
        }
        let dialogue: Option<Dialogue> = records::read(documents, order.user_id.get()).await?;
        let offering = dialogue.filter(|dialogue| dialogue.payable == Some(id));
        if let Some(shown) = offering.and_then(|dialogue| dialogue.screen) {
            let over = screen(language, order, deps.now(), deps)
                .row([Button::callback(l!(language, "back-to-menu"), ShopCallback::Menu)]);
            deps.telegram.change(ChatId(order.user_id.get()), shown, &over).await?;
            let forget = |dialogue: &mut Dialogue| {
                dialogue.payable = dialogue.payable.filter(|payable| *payable != id);
            };
            records::change(documents, order.user_id.get(), forget).await?;
        }
        Ok(())
    }

    async fn show_once(
        &self,
        order: &ShopOrder,
        messages: &OrderMessages,
        language: Language,
    ) -> Result<(), HandlerError> {
        let Self { deps, documents, .. } = *self;
        let screen = screen(language, order, deps.now(), deps);
        if let Some(SentMessage { place: MessageRef { chat, message_id }, .. }) = messages.shopper {
            let shown = ShownMessage { message_id, has_photo: false };
            if deps.telegram.change(chat, shown, &screen).await? {
                return Ok(());
            }
        }
        // An order that was made from its event never had a message: its notification is all that the shopper gets.
        if !self.resends || (messages.shopper.is_none() && order.terms.is_none()) {
            return Ok(());
        }
        let shown = deps.send_to(order.user_id, &screen).await?;
        let place = MessageRef { chat: ChatId(order.user_id.get()), message_id: shown.message_id };
        let sent = SentMessage { place, sent_at: Some(deps.now()) };
        change_messages(documents, order.id, |messages| messages.shopper = Some(sent)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_takes_the_plural_forms_of_each_language() {
        let said = |language, minutes| left(language, Duration::minutes(minutes));
        assert_eq!(left(Language::Uz, Duration::hours(24) - Duration::seconds(1)), "24\u{a0}soat");
        assert_eq!(left(Language::Uz, Duration::minutes(45) - Duration::seconds(1)), "45\u{a0}daqiqa");
        assert_eq!(said(Language::Uz, 24 * 60 - 1), "23\u{a0}soat");
        assert_eq!(said(Language::Ru, 24 * 60 - 1), "23\u{a0}часа");
        assert_eq!(said(Language::Ru, 21 * 60), "21\u{a0}час");
        assert_eq!(said(Language::En, 119), "1\u{a0}hour 45\u{a0}minutes");
        assert_eq!(said(Language::Uz, 59), "55\u{a0}daqiqa");
        assert_eq!(said(Language::Ru, 1), "1\u{a0}минута");
        assert_eq!(left(Language::En, Duration::seconds(59)), "less than a minute");
    }

    #[test]
    fn a_long_remaining_time_does_not_change_every_minute() {
        let changes = (0..24 * 60).filter(|minute| {
            shown_minutes(Duration::minutes(*minute)) != shown_minutes(Duration::minutes(minute + 1))
        });
        assert!(changes.count() < 60);
    }
}
