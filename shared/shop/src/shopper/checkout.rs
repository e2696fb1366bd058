//! From a cart to an order that can be paid.
//!
//! Step by step, each of which may be repeated: the order is stored, its stock is held, its promo code is counted. Then the
//! bot registers it with the webhook service and calls [`registered`]. What is left half done (the process died) is
//! continued by the next try with the same number, or cleared away by [`crate::settling::abandon_old`].

use tolov_domain::{
    OrderId, Outcome, Phone, Tiyin, UserId,
    ports::{PortError, documents::Documents},
    time::Timestamp,
};

use super::cart::Quote;
use crate::{
    catalogue::stock::{self, Goods, Settlement, Short},
    order::{
        Actor, Delivery, HistoryEntry, OrderAction, OrderState, PaymentLink, ShopOrder, Stage, Stock, Terms,
        order,
    },
    promo::{PromoCode, PromoRefusal, Use},
    records, settling,
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

/// What became of placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It is stored, now or by an earlier try; stock is held.
    Order(Box<ShopOrder>),
    /// Others have bought the goods meanwhile: nothing is held.
    Short(Vec<Short>),
    /// The promo code was used up in the meantime: nothing is held.
    Promo(PromoRefusal),
    /// It took too long, somebody cancelled it meanwhile, or another order has this number: nothing is held, and the number
    /// is used up.
    GivenUp,
}

impl Agreement {
    pub fn total(&self) -> Tiyin {
        self.quote.total().checked_add(self.delivery_price).unwrap_or(Tiyin::MAX)
    }

    fn order(&self, id: OrderId, now: Timestamp) -> ShopOrder {
        ShopOrder {
            id,
            user_id: self.user_id,
            lines: self.quote.order_lines(),
            total: self.total(),
            placed_at: now,
            terms: Some(Terms {
                goods: self.quote.goods,
                discount: self.quote.discount(),
                promo_code: self.quote.promo_code().map(str::to_owned),
                delivery_price: self.delivery_price,
                delivery: self.delivery.clone(),
                phone: self.phone.clone(),
                comment: self.comment.clone(),
            }),
            state: OrderState::Creating { cancel_requested_by: None },
            stock: Stock::Held,
            refunds: Vec::new(),
            receipt_url: None,
            history: vec![HistoryEntry::of_action(OrderAction::Placed, Actor::Shopper, now)],
        }
    }
}

/// Stores an order under a number that was drawn for it, and holds its stock.
pub async fn place(
    documents: &dyn Documents,
    id: OrderId,
    agreed: &Agreement,
    now: Timestamp,
) -> Result<Placed, PortError> {
    let new = agreed.order(id, now);
    // What an earlier try has stored counts.
    let order = match records::insert(documents, &new).await? {
        Outcome::AlreadyApplied => order(documents, id).await?.unwrap_or(new),
        Outcome::Applied | Outcome::Refused(_) => new,
    };
    if order.stage() != Stage::Creating || order.user_id != agreed.user_id {
        return Ok(placed_before(order, agreed));
    }
    let mut held = stock::hold(documents, &Goods::of(id, &order.products())).await?;
    if !held.failed.is_empty() {
        return Err(PortError::Refused(format!("a product of order {id} cannot be read: repair it")));
    }
    let short: Vec<Short> = held.of(id).into_iter().flat_map(|held| held.short).collect();
    if !short.is_empty() {
        discard(documents, &order).await?;
        return Ok(Placed::Short(short));
    }
    if let Some(code) = order.promo_code()
        && let Err(refusal) = claim_promo(documents, code, &order, now).await?
    {
        discard(documents, &order).await?;
        return Ok(Placed::Promo(refusal));
    }
    check_again(documents, order, agreed).await
}

/// Whoever gave the order up meanwhile has released what was held by then, perhaps not what was held since.
async fn check_again(
    documents: &dyn Documents,
    order: ShopOrder,
    agreed: &Agreement,
) -> Result<Placed, PortError> {
    match self::order(documents, order.id).await? {
        Some(now) if now.stage() == Stage::Creating && now.cancel_requested_by().is_none() => {
            Ok(Placed::Order(Box::new(order)))
        }
        Some(now) if now.stage() == Stage::AwaitingPayment => Ok(placed_before(now, agreed)),
        Some(now) if now.is_paid() => {
            if now.stock == Stock::Committed {
                let goods = Goods::of(now.id, &now.products());
                stock::settle(documents, &goods, |_| Settlement::Prune { is_released: false }).await?;
            }
            Ok(placed_before(now, agreed))
        }
        Some(_) | None => {
            settling::release(documents, &order).await?;
            Ok(Placed::GivenUp)
        }
    }
}

/// An order that has left its creation, or is somebody else's: a number may have been given out twice when the store was
/// restored from an old copy.
fn placed_before(order: ShopOrder, agreed: &Agreement) -> Placed {
    let is_theirs = order.user_id == agreed.user_id && order.terms.is_some();
    if is_theirs && order.stage() != Stage::Cancelled {
        Placed::Order(Box::new(order))
    } else {
        Placed::GivenUp
    }
}

async fn claim_promo(
    documents: &dyn Documents,
    code: &str,
    order: &ShopOrder,
    now: Timestamp,
) -> Result<Result<Tiyin, PromoRefusal>, PortError> {
    let used = Use { order_id: order.id, user_id: order.user_id };
    let goods = order.terms.as_ref().map_or(Tiyin::ZERO, |terms| terms.goods);
    let claimed =
        records::change(documents, code, |promo: &mut PromoCode| promo.claim(used, goods, now)).await?;
    Ok(claimed.map_or(Err(PromoRefusal::Unknown), |(_, claimed)| claimed))
}

/// Removes an order in creation with all that it holds: it was not placed, or cannot be registered. An event of the ledger
/// about another order of this number finds the number free then.
pub async fn discard(documents: &dyn Documents, order: &ShopOrder) -> Result<(), PortError> {
    settling::release(documents, order).await?;
    records::remove::<ShopOrder>(documents, order.id.get()).await?;
    Ok(())
}

/// The ledger knows the order: it can be paid at this address until then. Refused for one that was given up meanwhile:
/// whoever registered it has to end it in the ledger too.
pub async fn registered(
    documents: &dyn Documents,
    id: OrderId,
    link: &PaymentLink,
    now: Timestamp,
) -> Result<Option<(ShopOrder, Outcome<Stage>)>, PortError> {
    records::change(documents, id.get(), |order: &mut ShopOrder| order.register(link.clone(), now)).await
}
