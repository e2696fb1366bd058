//! "Accept as paid", on the question about a payment that CLICK shows and of which no Complete has come.

use tolov_domain::{OrderId, PrepareId, refund::api::SeenOutcome};
use tolov_shop::staff::{self, Action};

use crate::{
    conversation::{callback::StaffCallback, context::Ctx, error::HandlerResult, screen::Button},
    texts::l,
};

pub(crate) fn row(language: tolov_domain::Language, id: OrderId, prepare_id: PrepareId) -> [Button; 1] {
    let accept = StaffCallback::AcceptPayment { id, prepare_id: prepare_id.get() };
    [Button::callback(l!(language, "accept-payment"), accept)]
}

/// The ledger accepts only what CLICK has shown, keeps who accepted it, and takes the first of two.
pub(crate) async fn accept(ctx: Ctx, (id, prepare_id): (OrderId, i64)) -> HandlerResult {
    let Ok(prepare_id) = PrepareId::try_new(prepare_id) else { return ctx.stale().await };
    let outcome = ctx.deps.ledger.accept_attempt(prepare_id, ctx.id().to_string()).await?;
    match outcome {
        Some(SeenOutcome::Paid) => {
            ctx.toast(l!(ctx.language, "accept-payment-done", order = id)).await?;
            let action = Action::PaymentAccepted { order_id: id };
            Ok(staff::record(ctx.documents(), ctx.id(), ctx.now(), action).await.map(drop)?)
        }
        Some(SeenOutcome::AlreadyPaid) => {
            ctx.alert(l!(ctx.language, "accept-payment-already", order = id)).await
        }
        Some(SeenOutcome::Questioned | SeenOutcome::Unchanged) | None => {
            ctx.alert(l!(ctx.language, "accept-payment-refused", order = id)).await
        }
    }
}
