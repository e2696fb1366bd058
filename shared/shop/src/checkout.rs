//! From a cart to an order that can be paid.
//!
//! Step by step, each of which may be repeated: the fulfilment is put down, stock is held, the promo code is counted, the
//! order is placed beside the projection's. Then the bot registers it with the webhook service and calls [`registered`].
//! What is left lying half way (the process died) is taken up by the next try with the same number, or cleared away by
//! [`crate::settling::abandon_old`].

use tolov_domain::{
    OrderId, Phone, Tiyin, UserId,
    ports::{
        PortError,
        documents::Documents,
        shop::{NewOrder, Recorded, ShopStore},
    },
    time::Timestamp,
};

use crate::{
    cart::Quote,
    fulfilment::{By, Deed, Delivery, Fulfilment, Moved, Stage, StockState, TimelineEntry, fulfilment},
    promo::{PromoCode, PromoRefusal, Use},
    records, settling,
    stock::{self, Short},
};

/// What a shopper has agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    pub user_id: UserId,
    pub quote: Quote,
    pub delivery: Delivery,
    /// For delivery; nothing for pickup.
    pub delivery_price: Tiyin,
    pub phone: Phone,
    pub comment: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It is put down, now or by an earlier try; stock is held.
    Order(Box<Fulfilment>),
    /// Somebody else was faster: nothing is held.
    Short(Vec<Short>),
    /// The promo code was used up in the meantime: nothing is held.
    Promo(PromoRefusal),
    /// It took too long, or somebody cancelled it in the making: nothing is held, and the number is used up.
    GivenUp,
}

impl Agreement {
    pub fn total(&self) -> Tiyin {
        self.quote.total().checked_add(self.delivery_price).unwrap_or(Tiyin::MAX)
    }

    fn fulfilment(&self, id: OrderId, now: Timestamp) -> Fulfilment {
        Fulfilment {
            id,
            user_id: self.user_id,
            lines: self.quote.order_lines(),
            goods: self.quote.goods,
            discount: self.quote.discount(),
            promo_code: self.quote.promo_code().map(str::to_owned),
            delivery_price: self.delivery_price,
            total: self.total(),
            delivery: self.delivery.clone(),
            phone: self.phone.as_str().to_owned(),
            comment: self.comment.clone(),
            stage: Stage::Placing,
            stock: StockState::Held,
            placed_at: now,
            pay_until_at: None,
            payment_url: None,
            click_paydoc_id: None,
            paid_at: None,
            late: false,
            missing: Vec::new(),
            cancel_asked_by: None,
            timeline: vec![TimelineEntry { at: now, deed: Deed::Placed, by: By::Shopper }],
            shopper_message_id: None,
            staff_message_id: None,
        }
    }
}

/// Puts an order down under a number that was drawn for it.
pub async fn place(
    shop: &dyn ShopStore,
    id: OrderId,
    agreed: &Agreement,
    now: Timestamp,
) -> Result<Placed, PortError> {
    let new = agreed.fulfilment(id, now);
    let order = match records::insert(shop, &new).await? {
        Recorded::Now => new,
        // An earlier try got so far: what it froze counts.
        Recorded::Before => fulfilment(shop, id).await?.unwrap_or(new),
    };
    if order.stage != Stage::Placing {
        return Ok(if order.stage == Stage::Cancelled {
            Placed::GivenUp
        } else {
            Placed::Order(Box::new(order))
        });
    }
    let short = stock::hold(shop, id, &order.articles()).await?.short;
    if !short.is_empty() {
        undo(shop, &order).await?;
        return Ok(Placed::Short(short));
    }
    if let Some(code) = &order.promo_code
        && let Err(refusal) = claim_promo(shop, code, &order, now).await?
    {
        undo(shop, &order).await?;
        return Ok(Placed::Promo(refusal));
    }
    // Whoever gave it up meanwhile has released what was held by then, perhaps not what was held since.
    match fulfilment(shop, id).await? {
        Some(now) if now.stage == Stage::Placing && now.cancel_asked_by.is_none() => {}
        Some(now) if now.is_paid() => return Ok(Placed::Order(Box::new(now))),
        Some(_) | None => {
            settling::release(shop, &order).await?;
            return Ok(Placed::GivenUp);
        }
    }
    let placed = NewOrder {
        id,
        user_id: order.user_id,
        lines: order.lines.clone(),
        total: order.total,
        created_at: order.placed_at,
    };
    shop.place_order(&placed).await?;
    Ok(Placed::Order(Box::new(order)))
}

async fn claim_promo(
    documents: &dyn Documents,
    code: &str,
    order: &Fulfilment,
    now: Timestamp,
) -> Result<Result<Tiyin, PromoRefusal>, PortError> {
    let used = Use { order_id: order.id, user_id: order.user_id };
    let claimed =
        records::change(documents, code, |promo: &mut PromoCode| promo.claim(used, order.goods, now)).await?;
    Ok(claimed.map_or(Err(PromoRefusal::Unknown), |(_, claimed)| claimed))
}

/// Nothing is left of an order that never came to be.
async fn undo(documents: &dyn Documents, order: &Fulfilment) -> Result<(), PortError> {
    settling::release(documents, order).await?;
    records::remove::<Fulfilment>(documents, order.id.get()).await?;
    Ok(())
}

/// The ledger knows the order: it can be paid at this address until then. Refused for one that was given up in the making:
/// whoever registered it has to end it in the ledger too.
pub async fn registered(
    documents: &dyn Documents,
    id: OrderId,
    payment_url: &str,
    pay_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<(Fulfilment, Moved)>, PortError> {
    records::change(documents, id.get(), |order: &mut Fulfilment| {
        if order.stage == Stage::Placing && order.cancel_asked_by.is_some() {
            return Moved::Refused(order.stage);
        }
        order.payment_url = Some(payment_url.to_owned());
        order.pay_until_at = pay_until;
        order.advance(Deed::Registered, By::Shopper, now)
    })
    .await
}
