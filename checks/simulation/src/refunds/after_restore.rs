//! People after a restore: they compare the refunds of the ledger with what they did and with CLICK's cabinet, as
//! docs/operations.md says.

use anyhow::{Result, bail, ensure};
use tolov_domain::{
    Tiyin,
    refund::{Refund, RefundStatus, api::RefundRequest},
};
use tolov_kit::clock::Clock;
use tolov_webhook::ledger::{Asked, KnownRefund};

use crate::world::World;

impl World {
    /// Of what `tolov restore` leaves, before people compare. `elsewhere`: what the bus and the shop store know to have gone back.
    pub(crate) fn check_restored(&mut self, elsewhere: &[KnownRefund]) -> Result<()> {
        let known = self.all_refunds()?;
        for refund in &known {
            let goes_on = matches!(refund.status(), RefundStatus::Requested | RefundStatus::Checked);
            ensure!(!goes_on, "after a restore refund {} goes on by itself", refund.refund_id);
        }
        for KnownRefund { order_id, reversal, .. } in elsewhere {
            let is_same = |refund: &Refund| {
                refund.refund_id == reversal.refund_id && refund.amount_tiyin == reversal.refunded
            };
            let is_known = known.iter().any(|refund| is_same(refund) && refund.status().is_done());
            ensure!(
                is_known || !self.confirmed.contains_key(&order_id.get()),
                "a restore takes back no refund {} of order {order_id}",
                reversal.refund_id
            );
        }
        Ok(())
    }

    /// `before`: the refunds of the ledger that was lost.
    pub(crate) fn compare_refunds(&mut self, before: Vec<Refund>) -> Result<()> {
        for order in self.confirmed.keys() {
            // The ledger may have forgotten that a reversal was sent; one that was made it must see.
            if self.refunds.merchant.of_order(*order).is_some_and(|payment| !payment.is_reversed) {
                self.refunds.merchant.allow_again(*order);
            }
        }
        let known = self.all_refunds()?;
        let is_done = |refund: &Refund| {
            known.iter().any(|known| known.refund_id == refund.refund_id && known.status().is_done())
        };
        let forgotten = before.into_iter().filter(|refund| {
            self.confirmed.contains_key(&refund.order_id.get())
                && refund.status() != RefundStatus::Withdrawn
                && !is_done(refund)
        });
        let forgotten: Vec<Refund> = forgotten.collect();
        self.refunds.forgotten.extend(forgotten);
        self.record_forgotten()
    }

    /// Money that went back and that the ledger does not know of is recorded again, with its goods.
    pub(super) fn record_forgotten(&mut self) -> Result<()> {
        for refund in std::mem::take(&mut self.refunds.forgotten) {
            let order_id = refund.order_id;
            // A later restore may have lost its payment as well.
            if !self.confirmed.contains_key(&order_id.get()) {
                continue;
            }
            let known = self.webhook.read(async |ledger| Ok(ledger.refunds(order_id).await?))?;
            let done = known.iter().filter(|refund| refund.status().is_done());
            let said: i64 = done.map(|refund| refund.amount_tiyin.get()).sum();
            let missing = self.given_back(order_id) - said;
            if missing <= 0 && known.iter().all(|refund| !refund.status().is_open()) {
                continue;
            }
            if known.iter().any(|refund| refund.status().is_open()) {
                self.refunds.forgotten.push(refund);
                continue;
            }
            let asked = RefundRequest {
                request_id: format!("again-{}", refund.refund_id),
                amount_tiyin: Some(Tiyin::try_new(missing.min(refund.amount_tiyin.get()))?),
                returned: refund.returned.clone(),
                requested_by: "501".to_owned(),
                reason: String::new(),
                by_hand: Some("cabinet".to_owned()),
            };
            self.note(format!("  refund {} of order {order_id} is recorded again", refund.refund_id));
            let now = self.clock.now();
            match self
                .webhook
                .read(async |ledger| Ok(ledger.ask_for_refund(order_id, asked, true, now).await?))?
            {
                Asked::Opened(_) | Asked::Same(_) => {}
                Asked::Refused(refusal) => bail!("{refund:?} cannot be recorded again: {refusal:?}"),
            }
        }
        Ok(())
    }
}
