//! A bill to the shopper's phone: CLICK shows it in its app, and the payment comes as one on its page does. The ledger keeps it
//! and the reconciler makes it; here the shopper asks for it, and hears what becomes of it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tolov_domain::{
    Language, OrderId, UserId,
    phone_invoice::{InvoiceRefusal, InvoiceRequest, InvoiceState, PhoneInvoice},
    ports::{
        PortError,
        documents::{Collection, Key, Query},
    },
};
use tolov_kit::{
    availability::Availability,
    lifecycle::{Stop, pause},
};
use tolov_shop::{
    order::{ShopOrder, Stage, order},
    records::{self, Record},
};
use url::Url;

use crate::{
    conversation::{
        callback::ShopCallback,
        context::Ctx,
        error::HandlerResult,
        screen::{Button, Screen},
    },
    deps::HandlerDeps,
    invoices::payments::State,
    orders::{ledger_client::BillReply, texts::stage_for_shopper},
    texts::{l, t},
};

pub(crate) const BILLS: Collection = Collection::new("phone_bills", &["state"]);

/// How often the ledger is asked about bills that are under way.
const EVERY: Duration = Duration::from_secs(5);
/// The most bills that are asked about in one round.
const AT_ONCE: u32 = 100;
/// CLICK's code for a number that is no user's of it.
const NO_CLICK_USER: i64 = -514;

/// A bill of which the shopper has not heard the end. One an order: the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bill {
    order_id: OrderId,
    user_id: UserId,
    phone_invoice_id: i64,
    state: State,
    /// The shopper knows that it waits in the CLICK app.
    is_sent_told: bool,
}

impl Record for Bill {
    const COLLECTION: Collection = BILLS;

    fn key(&self) -> Key {
        Key::Number(self.order_id.get())
    }
}

/// "Bill to my phone", where the shop has the Merchant API: its user is in the pay link then.
pub(crate) fn button(language: Language, order: &ShopOrder) -> Option<Button> {
    order.terms.as_ref()?;
    let link = Url::parse(&order.link()?.url).ok()?;
    link.query_pairs().find(|(name, _)| name == "merchant_user_id")?;
    Some(Button::callback(l!(language, "order-bill-to-phone"), ShopCallback::BillToPhone { id: order.id }))
}

/// Has a bill sent to the number of the order.
pub(crate) async fn ask(ctx: Ctx, id: OrderId) -> HandlerResult {
    let order = order(ctx.documents(), id).await?.filter(|order| order.user_id == ctx.id());
    let Some((order, phone)) = order.and_then(|order| {
        let phone = order.terms.as_ref()?.phone.clone();
        Some((order, phone))
    }) else {
        return ctx.stale().await;
    };
    let language = ctx.language;
    if order.stage() != Stage::AwaitingPayment {
        return ctx.toast(stage_for_shopper(language, &order)).await;
    }
    let request = InvoiceRequest { user_id: ctx.id(), phone };
    match ctx.deps.ledger.ask_for_bill(id, &request).await? {
        BillReply::Asked(bill) => {
            follow(&ctx, &bill).await?;
            ctx.alert(l!(language, "bill-asked", phone = spaced(&bill.phone))).await
        }
        BillReply::Open(bill) => {
            follow(&ctx, &bill).await?;
            ctx.alert(l!(language, "bill-open", phone = spaced(&bill.phone))).await
        }
        BillReply::Refused(InvoiceRefusal::NotPayable) => {
            ctx.toast(stage_for_shopper(language, &order)).await
        }
        BillReply::Refused(InvoiceRefusal::OtherUser | InvoiceRefusal::Stale) | BillReply::UnknownOrder => {
            ctx.stale().await
        }
        BillReply::Refused(InvoiceRefusal::MerchantApiOff) => ctx.alert(l!(language, "bill-refused")).await,
    }
}

async fn follow(ctx: &Ctx, bill: &PhoneInvoice) -> Result<(), PortError> {
    let new = || Bill {
        order_id: bill.order_id,
        user_id: ctx.id(),
        phone_invoice_id: 0,
        state: State::Done,
        is_sent_told: false,
    };
    let follow = |known: &mut Bill| {
        if known.phone_invoice_id != bill.phone_invoice_id {
            known.phone_invoice_id = bill.phone_invoice_id;
            known.state = State::Waiting;
            known.is_sent_told = false;
        }
    };
    records::change_or_insert(ctx.documents(), bill.order_id.get(), new, follow).await.map(drop)
}

/// Tells shoppers what becomes of their bills, until `stop`. After a crash a message may come twice.
pub(crate) async fn run(deps: Arc<HandlerDeps>, stop: Stop) {
    let store = Availability::new("the shop store (bills)");
    while pause(&stop, EVERY).await {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            told = tell(&deps) => store.mark(told),
        }
    }
}

async fn tell(deps: &HandlerDeps) -> Result<(), PortError> {
    let waiting: Vec<Bill> =
        records::find(deps.documents(), &Query::is(BILLS, "state", "waiting", AT_ONCE)).await?;
    for bill in waiting {
        let bills = match deps.ledger.bills(bill.order_id).await {
            Ok(bills) => bills,
            Err(error) => {
                tracing::debug!(%error, "the ledger was not asked about a bill");
                return Ok(());
            }
        };
        let known = bills.into_iter().find(|known| known.phone_invoice_id == bill.phone_invoice_id);
        tell_of(deps, &bill, known.as_ref()).await?;
    }
    Ok(())
}

async fn tell_of(deps: &HandlerDeps, bill: &Bill, known: Option<&PhoneInvoice>) -> Result<(), PortError> {
    let language = deps.language_of(bill.user_id).await;
    let id = bill.order_id;
    let (text, is_over) = match known.map(|known| (&known.state, &known.phone)) {
        Some((InvoiceState::Requested | InvoiceState::Sending, _)) => return Ok(()),
        Some((InvoiceState::Sent { .. }, _)) if bill.is_sent_told => return Ok(()),
        Some((InvoiceState::Sent { .. }, phone)) => {
            (Some(t!(language, "bill-sent", order = id, phone = spaced(phone))), false)
        }
        Some((InvoiceState::Unknown { .. }, _)) => (Some(t!(language, "bill-unknown", order = id)), true),
        Some((InvoiceState::Refused { click_code: NO_CLICK_USER, .. }, phone)) => {
            (Some(t!(language, "bill-no-click-user", order = id, phone = spaced(phone))), true)
        }
        Some((InvoiceState::Refused { .. }, _)) => (Some(t!(language, "bill-not-made", order = id)), true),
        Some((InvoiceState::Deleted { .. }, _)) => (Some(t!(language, "bill-deleted", order = id)), true),
        Some((InvoiceState::Over, _)) | None => (None, true),
    };
    if let Some(text) = text
        && let Err(error) = deps.send_to(bill.user_id, &Screen::new(text)).await
    {
        tracing::info!(order.id = %id, %error, "a shopper could not be told of a bill");
    }
    let told = |known: &mut Bill| {
        if known.phone_invoice_id == bill.phone_invoice_id {
            known.is_sent_told = true;
            if is_over {
                known.state = State::Done;
            }
        }
    };
    records::change(deps.documents(), id.get(), told).await.map(drop)
}

/// `998901234567` as people write it.
fn spaced(phone: &str) -> String {
    tolov_domain::Phone::parse(phone).map_or_else(|_| phone.to_owned(), |phone| phone.spaced())
}
