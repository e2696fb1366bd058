//! What each kind of step does.

mod restores;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use serde_json::{Value, json, value::RawValue};
use tolov_contract::random::Random;
use tolov_domain::{
    OrderId, OrderedProduct, Outcome, Phone, ProductId, Tiyin, UserId,
    ports::{PortError, documents::Documents},
    time::Timestamp,
};
use tolov_kit::clock::Clock;
use tolov_shop::{
    order::{Actor, Delivery, OrderAction, PaymentLink, ShopOrder, Stage, next_order_id},
    records, settling,
    shopper::{
        cart,
        checkout::{self, Agreement, Placed},
    },
};
use tolov_webhook::relay::Relayed;

use crate::{
    faults::{Part, Process},
    faulty::FaultyStore,
    models::click::Callback,
    plan::{Kind, Step},
    world::World,
};

impl World {
    pub(crate) fn step(&mut self, step: Step) -> Result<()> {
        self.faults.begin(step.seed, self.rates);
        let mut random = Random::new(step.seed ^ 0x0057_E900);
        let random = &mut random;
        self.note(format!("{:?}", step.kind));
        match step.kind {
            Kind::Purchase => self.purchase(random),
            Kind::Checkout => self.check_out(random),
            Kind::Register => self.register(random),
            Kind::Pay => self.pay(random),
            Kind::Callback => {
                let callback = self.click.next(random);
                self.call_back(callback)
            }
            Kind::Repeat => {
                let callback = self.click.repeat(random);
                self.call_back(callback)
            }
            Kind::CancelLate => {
                let callback = self.click.cancel_late(random);
                self.call_back(callback)
            }
            Kind::Forge => {
                let callback = self.click.forge(random);
                self.call_back(callback)
            }
            Kind::CancelOrder => self.cancel(random),
            Kind::Relay => self.relay(),
            Kind::Maintain => self.webhook.maintain(),
            Kind::Upkeep => self.keep_up(),
            Kind::Run => self.run(Duration::from_millis(1 + random.below(5_000))),
            Kind::Wait => self.run(Duration::from_secs(30 + random.below(1_200))),
            Kind::Outage => {
                let part = random.pick(&[Part::Store, Part::Bus, Part::Telegram]).unwrap_or(Part::Bus);
                self.faults.out_for(part, Duration::from_secs(1 + random.below(400)));
                self.note(format!("  {part:?}"));
                Ok(())
            }
            Kind::Kill => {
                let processes = [Process::Webhook, Process::Projector, Process::Bot];
                let process = random.pick(&processes).unwrap_or(Process::Webhook);
                self.note(format!("  {process:?}"));
                self.kill(process);
                Ok(())
            }
            Kind::SetClock => {
                let seconds = i64::try_from(random.below(20_000))? - 10_000;
                self.clock.set_forward(time::Duration::seconds(seconds));
                Ok(())
            }
            Kind::Replay => self.replay(random),
            Kind::BackUp => self.webhook.back_up(),
            Kind::Restore => self.restore(),
            Kind::FillCart => self.fill_cart(random),
            Kind::BackUpShop => {
                self.back_up_shop();
                Ok(())
            }
            Kind::RestoreShop => self.restore_shop(),
            Kind::Refund => self.ask_for_refund(random),
            Kind::Reconcile => self.reconcile(random),
            Kind::Decide => self.decide_refunds(Some(random)),
            Kind::Block => {
                self.telegram.block(Self::shopper(random)?);
                Ok(())
            }
        }
    }

    fn check_out(&mut self, random: &mut Random) -> Result<()> {
        let user_id = Self::shopper(random)?;
        let products: Vec<ProductId> = self.stock.keys().copied().collect();
        let mut lines = Vec::new();
        for _ in 0..=random.below(2) {
            let product_id = random.pick(&products).context("a shop without products")?;
            lines.push(OrderedProduct { product_id, count: u32::try_from(1 + random.below(3))? });
        }
        let (store, clock) = (self.bots_store(), self.clock.clone());
        let drafted = self.in_bot(async move { draft(&*store, user_id, &lines, clock.now()).await })?;
        let Some(Ok(Some((id, agreement)))) = drafted else { return Ok(()) };
        self.note(format!("  order {id} of shopper {user_id}"));
        self.drafts.insert(id, agreement);
        if random.per_mille(700) { self.place(id).map(drop) } else { Ok(()) }
    }

    fn fill_cart(&mut self, random: &mut Random) -> Result<()> {
        let user_id = Self::shopper(random)?;
        let products: Vec<ProductId> = self.stock.keys().copied().collect();
        let product_id = random.pick(&products).context("a shop without products")?;
        let wanted = OrderedProduct { product_id, count: u32::try_from(random.below(6))? };
        self.note(format!("  shopper {user_id}: {} of product {product_id}", wanted.count));
        let store = self.bots_store();
        self.in_bot(async move { cart::set(&*store, user_id, wanted).await })?;
        Ok(())
    }

    /// As the bot does it, also when the tap is repeated. `None`: the shopper has to try again, or cannot have it.
    fn place(&mut self, id: OrderId) -> Result<Option<ShopOrder>> {
        let Some(agreement) = self.drafts.get(&id).cloned() else { return Ok(None) };
        let (store, now) = (self.bots_store(), self.clock.now());
        let placed = self.in_bot(async move { checkout::place(&*store, id, &agreement, now).await })?;
        match placed {
            Some(Ok(Placed::Order(order))) => return Ok(Some(*order)),
            Some(Ok(Placed::Short(_) | Placed::Promo(_) | Placed::GivenUp)) => drop(self.drafts.remove(&id)),
            Some(Err(_)) | None => {}
        }
        Ok(None)
    }

    fn register(&mut self, random: &mut Random) -> Result<()> {
        let drafts: Vec<OrderId> = self.drafts.keys().copied().collect();
        let Some(id) = random.pick(&drafts) else { return Ok(()) };
        match self.place(id)? {
            Some(order) if order.stage() == Stage::Creating => self.register_order(&order),
            Some(_) | None => Ok(()),
        }
    }

    /// A whole purchase, as most are.
    fn purchase(&mut self, random: &mut Random) -> Result<()> {
        let before = self.drafts.keys().copied().max();
        self.check_out(random)?;
        let Some(id) = self.drafts.keys().copied().max().filter(|id| Some(*id) != before) else {
            return Ok(());
        };
        if let Some(order) = self.place(id)?.filter(|order| order.stage() == Stage::Creating) {
            self.register_order(&order)?;
        }
        let order = self.look(records::read::<ShopOrder>(&self.store, id.get()))?;
        let Some(order) = order.filter(|order| order.stage() == Stage::AwaitingPayment) else {
            return Ok(());
        };
        self.click.begin(id.get(), order.total.get(), random);
        let place = self.click.transactions.len() - 1;
        for _ in 0..2 {
            let callback = self.click.next_of(place, true);
            self.call_back(callback)?;
        }
        Ok(())
    }

    /// As the bot does it at checkout.
    pub(crate) fn register_order(&mut self, order: &ShopOrder) -> Result<()> {
        let id = order.id;
        let asked = self.webhook.ask("POST", "/api/create_order", create_order(order)?)?;
        self.note(format!("  order {id}: {:?}", asked.answer.as_ref().map(|answer| answer.status)));
        let Some(answer) = asked.heard() else { return Ok(()) };
        let (store, now) = (self.bots_store(), self.clock.now());
        let is_pending = answer.body["status"] == "pending";
        match answer.status {
            200 | 201 if is_pending => {
                let url = answer.body["payment_url"].as_str().unwrap_or_default().to_owned();
                let link = PaymentLink { url, pay_until: None };
                let registered =
                    self.in_bot(async move { checkout::registered(&*store, id, &link, now).await })?;
                if let Some(Ok(None | Some((_, Outcome::Refused(_))))) = registered {
                    self.webhook.ask("POST", &format!("/orders/{id}/cancel"), String::new())?;
                }
                self.drafts.remove(&id);
            }
            200 | 201 => {
                self.drafts.remove(&id);
                let closed = settling_close(store, id, OrderAction::Cancelled, Actor::Clock, now);
                self.in_bot(closed)?;
            }
            409 => {
                self.drafts.remove(&id);
                let order = order.clone();
                self.in_bot(async move { checkout::discard(&*store, &order).await })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn pay(&mut self, random: &mut Random) -> Result<()> {
        let mut orders = self.orders()?;
        // Somebody may have kept the link of an order that is over, but an order without a link cannot be paid.
        orders.retain(|order| order.stage() != Stage::Creating);
        let Some(order) = random.pick(&orders) else { return Ok(()) };
        self.note(format!("  order {}", order.id));
        self.click.begin(order.id.get(), order.total.get(), random);
        Ok(())
    }

    pub(crate) fn call_back(&mut self, callback: Option<Callback>) -> Result<()> {
        let Some(callback) = callback else { return Ok(()) };
        let asked = self.webhook.ask("POST", "/payments/click/webhook", callback.body.clone())?;
        let transaction = self.click.transactions.get(callback.of).context("a payment without a record")?;
        let (trans_id, order) = (transaction.trans_id, transaction.order_id);
        let Some(answer) = asked.answer.clone() else {
            self.note(format!("  order {order}, transaction {trans_id}: no answer"));
            return Ok(());
        };
        let error = answer.body["error"].as_i64().context("an answer without an error code")?;
        let action = if callback.is_complete { "Complete" } else { "Prepare" };
        let (forged, heard) = (if callback.is_forged { "forged " } else { "" }, asked.is_heard);
        let sent = callback.error;
        self.note(format!(
            "  order {order}, transaction {trans_id}: {forged}{action} {sent} -> {error}, heard: {heard}"
        ));
        self.judge(&callback, error)?;
        if asked.is_heard {
            self.click.hear(&callback, error, answer.body["merchant_prepare_id"].as_i64());
        }
        Ok(())
    }

    /// As the bot does it: what is wanted is recorded, the ledger decides, the record follows.
    fn cancel(&mut self, random: &mut Random) -> Result<()> {
        let mut orders = self.orders()?;
        orders.retain(|order| order.stage() == Stage::AwaitingPayment);
        let Some(ShopOrder { id, .. }) = random.pick(&orders) else { return Ok(()) };
        self.note(format!("  order {id}"));
        let (store, now) = (self.bots_store(), self.clock.now());
        let request = move |order: &mut ShopOrder| order.request_cancel(Actor::Shopper);
        let requested = self.in_bot(async move { records::change(&*store, id.get(), request).await })?;
        let Some(Ok(Some((_, true)))) = requested else { return Ok(()) };
        let asked = self.webhook.ask("POST", &format!("/orders/{id}/cancel"), String::new())?;
        let store = self.bots_store();
        if matches!(asked.heard().map(|answer| answer.status), Some(200 | 404)) {
            let closed = settling_close(store, id, OrderAction::Cancelled, Actor::Shopper, now);
            self.in_bot(closed)?;
        } else {
            let withdrawn =
                async move { records::change(&*store, id.get(), ShopOrder::withdraw_cancel_request).await };
            self.in_bot(withdrawn)?;
        }
        Ok(())
    }

    pub(crate) fn relay(&mut self) -> Result<()> {
        let relayed = self.webhook.relay()?;
        if relayed != Some(Relayed::Idle) {
            self.note(format!("  {relayed:?}"));
        }
        Ok(())
    }

    /// What the bot does periodically.
    pub(crate) fn keep_up(&mut self) -> Result<()> {
        let (store, now) = (self.bots_store(), self.clock.now());
        self.in_bot(async move {
            let (mut met, before) = (settling::MetInCreation::default(), now - settling::CREATING_LIMIT);
            drop(settling::abandon_old(&*store, &mut met, Some(before), Duration::ZERO, now).await);
            drop(settling::settle_left(&*store, 0, std::future::ready(())).await);
            drop(settling::release_strays(&*store, None).await);
        })?;
        for order in self.orders()?.into_iter().filter(|order| order.stage() == Stage::AwaitingPayment) {
            let asked = self.webhook.ask("GET", &format!("/orders/{}", order.id), String::new())?;
            if asked.heard().is_some_and(|answer| answer.status == 404) && order.terms.is_some() {
                self.note(format!("  order {} is unknown to the ledger", order.id));
                self.register_order(&order)?;
            }
        }
        Ok(())
    }

    fn replay(&mut self, random: &mut Random) -> Result<()> {
        let Some(order) = random.pick(&self.orders()?) else { return Ok(()) };
        self.webhook.ask("POST", &format!("/orders/{}/replay", order.id), String::new())?;
        Ok(())
    }
}

/// Fills the cart and draws a number, which the dialogue remembers.
async fn draft(
    store: &dyn Documents,
    user_id: UserId,
    lines: &[OrderedProduct],
    now: Timestamp,
) -> Result<Option<(OrderId, Agreement)>, PortError> {
    for line in lines {
        cart::set(store, user_id, *line).await?;
    }
    let mut quote = cart::quote(store, user_id, now).await?;
    if !quote.is_sold() {
        cart::accept_news(store, user_id, now).await?;
        quote = cart::quote(store, user_id, now).await?;
    }
    if quote.is_empty() || !quote.is_sold() {
        return Ok(None);
    }
    let id = next_order_id(store, None).await?;
    let agreement = Agreement {
        user_id,
        quote,
        delivery: Delivery::Pickup,
        delivery_price: Tiyin::ZERO,
        phone: Phone::parse("+998901234567").map_err(|error| PortError::Refused(error.to_string()))?,
        comment: None,
    };
    Ok(Some((id, agreement)))
}

async fn settling_close(
    store: Arc<FaultyStore>,
    id: OrderId,
    action: OrderAction,
    by: Actor,
    now: Timestamp,
) -> Result<(), PortError> {
    settling::close(&*store, id, action, by, now).await.map(drop)
}

fn create_order(order: &ShopOrder) -> Result<String> {
    let mut body = json!({
        "order_id": order.id, "user_id": order.user_id, "products": order.products(), "payment_method": "click",
    });
    let amount = RawValue::from_string(order.total.soum_json())?;
    body["total_amount"] = Value::Null;
    Ok(body.to_string().replace("\"total_amount\":null", &format!("\"total_amount\":{}", amount.get())))
}
