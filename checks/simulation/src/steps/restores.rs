//! Lost stores: the ledger, or the shop store, is put back from an older copy, and an operator does what docs/operations.md
//! says.

use anyhow::Result;
use tolov_domain::{Event, event::Reversal, ports::bus::Queue};
use tolov_kit::clock::Clock;
use tolov_shop::order::{ShopOrder, next_order_id};
use tolov_webhook::ledger::{KnownRefund, LedgerReader, PaidOrder};

use crate::{
    faults::Process,
    world::{ShopCopy, World, order_id},
};

/// `tolov replay --since`: longer than any run.
const SINCE: time::Duration = time::Duration::days(2);

impl World {
    /// A dump of the shop store: dialogues are in it too.
    pub(super) fn back_up_shop(&mut self) {
        self.shop_copy = Some(ShopCopy { store: self.store.copy(), drafts: self.drafts.clone() });
    }

    /// The shop store is lost and put back from the dump while the ledger goes on.
    pub(super) fn restore_shop(&mut self) -> Result<()> {
        let Some(ShopCopy { store, drafts }) = self.shop_copy.clone() else { return Ok(()) };
        for process in [Process::Webhook, Process::Projector, Process::Bot] {
            self.kill(process);
        }
        self.store.put_back(&store);
        self.drafts = drafts;
        self.is_shop_put_back = true;
        self.carts.store_put_back(&self.shoppers()?);
        self.replay_all()?;
        self.lift_order_numbers()
    }

    /// As `tolov replay --since` does it while the webhook service is stopped.
    fn replay_all(&mut self) -> Result<()> {
        let (path, now) = (self.webhook.ledger_path().to_owned(), self.clock.now());
        let replayed = self.webhook.read(async |ledger| {
            let reader = LedgerReader::open(&path).await?;
            // A clock that was ahead may have written them.
            let changed = reader.changed_orders(0, (now - SINCE, now + SINCE), 500).await?;
            reader.close().await;
            ledger.replay(&changed).await?;
            Ok(changed.len())
        })?;
        self.note(format!("  the events of {replayed} orders are replayed"));
        Ok(())
    }

    /// As the bot does it when it starts.
    fn lift_order_numbers(&mut self) -> Result<()> {
        let highest = self.webhook.read(async |ledger| Ok(ledger.highest_order_id().await?))?;
        if let Ok(highest) = order_id(highest) {
            self.look(next_order_id(&self.store, Some(highest)))?;
        }
        Ok(())
    }

    /// As `tolov restore` does it: the bus and the shop store are asked what they know to be paid and to have gone back.
    pub(super) fn restore(&mut self) -> Result<()> {
        let before = self.all_refunds()?;
        let (mut paid, mut refunds) = (Vec::new(), Vec::new());
        let events = self.bus.bodies(Queue::ProjectorPayments);
        for event in events.iter().filter_map(|body| Event::from_json(body).ok()) {
            refunds.extend(KnownRefund::of_event(event.clone()));
            paid.extend(PaidOrder::of_event(event));
        }
        for order in self.orders()? {
            refunds.extend(refunds_of_order(&order));
            paid.extend(paid_by_order(&order));
        }
        paid.sort_by_key(|paid| (paid.order_id, paid.click_trans_id));
        paid.dedup_by_key(|paid| (paid.order_id, paid.click_trans_id));
        refunds.sort_by_key(|refund| refund.reversal.refund_id);
        refunds.dedup_by_key(|refund| refund.reversal.refund_id);
        if !self.webhook.restore(paid, refunds.clone())? {
            return Ok(());
        }
        // Questions that were not sent yet are lost with the ledger.
        self.unplaced.clear();
        if self.is_shop_put_back {
            // What was to be sent again is not any more: the audit finds what the shop store lacks.
            self.replay_all()?;
        }
        for order in self.confirmed.keys().copied().collect::<Vec<_>>() {
            let id = order_id(order)?;
            let found = self.webhook.read(async |ledger| Ok(ledger.order(id).await?))?;
            if found.is_none_or(|order| order.paid_by.is_none()) {
                self.note(format!("  the payment of order {order} is lost"));
                self.confirmed.remove(&order);
                self.lost.insert(order);
            }
        }
        self.check_restored(&refunds)?;
        self.compare_refunds(before)
    }
}

fn paid_by_order(order: &ShopOrder) -> Option<PaidOrder> {
    let payment = order.payment()?;
    Some(PaidOrder {
        order_id: order.id,
        user_id: order.user_id,
        products: order.products(),
        amount: order.total,
        click_trans_id: payment.click_trans_id,
        click_paydoc_id: payment.click_paydoc_id,
        merchant_prepare_id: None,
        paid_at: payment.paid_at,
        late: payment.late,
        known_by: "shop",
        receipt: None,
    })
}

fn refunds_of_order(order: &ShopOrder) -> Vec<KnownRefund> {
    let numbered = order.refunds.iter().filter_map(|refund| {
        let reversal = Reversal {
            refund_id: refund.refund_id?,
            refunded: refund.amount,
            by_hand: refund.by_hand,
            returned: refund.returned.clone(),
        };
        Some(KnownRefund { order_id: order.id, reversal, at: refund.at, known_by: "shop" })
    });
    numbered.collect()
}
