//! Money goes back: owners ask for it, the reconciler has CLICK reverse it, people decide what waits for them.

mod after_restore;
mod bridge;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tolov_contract::random::Random;
use tolov_domain::{
    OrderId, OrderedProduct,
    refund::{ManualReason, Refund, RefundState},
};
use tolov_kit::lifecycle::Stop;
use tolov_reconciler::{Deps, Service};

use self::bridge::{Bridge, Request};
use crate::{
    faults::{Faults, Process},
    models::{click::SERVICE_ID, merchant::Merchant},
    webhook::Asked,
    world::{World, order_id},
};

/// What is known of refunds outside the shop.
#[derive(Debug)]
pub(crate) struct Refunds {
    pub(crate) merchant: Merchant,
    /// The reconciler's process, while it runs.
    reconciler: Option<Arc<Service>>,
    requests: mpsc::Receiver<Request>,
    to_webhook: mpsc::Sender<Request>,
    /// How many refunds were asked for.
    asked: u32,
    /// Requests that nobody heard an answer to.
    unheard: Vec<(String, String)>,
    /// What people have transferred by hand: the refund, its order, the sum.
    transfers: BTreeMap<i64, (i64, i64)>,
    /// Refunds that people have withdrawn.
    withdrawn: BTreeSet<i64>,
    /// Refunds that a restored ledger did not know as done, and that people may have to record again.
    forgotten: Vec<Refund>,
}

impl Refunds {
    pub(crate) fn new(faults: Faults) -> Self {
        let (to_webhook, requests) = mpsc::channel(1);
        Self {
            merchant: Merchant::new(faults),
            reconciler: None,
            requests,
            to_webhook,
            asked: 0,
            unheard: Vec::new(),
            transfers: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            forgotten: Vec::new(),
        }
    }
}

impl World {
    /// An owner asks for a refund; sometimes two do at the same moment, or the same one again.
    pub(crate) fn ask_for_refund(&mut self, random: &mut Random) -> Result<()> {
        if random.per_mille(500) {
            self.ask_again()?;
        }
        let paid: Vec<i64> = self.confirmed.keys().copied().collect();
        let Some(order) = random.pick(&paid) else { return Ok(()) };
        let path = format!("/orders/{order}/refunds");
        let found = self.webhook.read(async |ledger| Ok(ledger.order(order_id(order)?).await?))?;
        let found = found.context("a paid order without a record")?;
        let products: Vec<OrderedProduct> = serde_json::from_str(&found.products)?;
        let count = if random.per_mille(300) { 2 } else { 1 };
        let mut bodies = Vec::new();
        for _ in 0..count {
            self.refunds.asked += 1;
            let body = request(self.refunds.asked, found.amount_tiyin, &products, random);
            self.note(format!("  order {order}: {body}"));
            bodies.push(body.to_string());
        }
        let asked = self.webhook.ask_all("POST", &path, &bodies)?;
        for (body, asked) in bodies.into_iter().zip(asked) {
            let status = asked.answer.as_ref().map(|answer| answer.status);
            self.note(format!("  {status:?}"));
            ensure!(status.is_none_or(|status| status < 500), "{body} is answered {status:?}");
            if !asked.is_heard {
                self.refunds.unheard.push((path.clone(), body));
            }
        }
        self.check_refunds()
    }

    /// Whoever heard no answer asks again.
    fn ask_again(&mut self) -> Result<()> {
        for (path, body) in std::mem::take(&mut self.refunds.unheard) {
            let asked = self.webhook.ask("POST", &path, body.clone())?;
            match asked.heard() {
                Some(answer) => ensure!(answer.status < 500, "{body} is answered {}", answer.status),
                None => self.refunds.unheard.push((path, body)),
            }
        }
        Ok(())
    }

    /// A round of the reconciler, which may die of it. Now and then a person is faster.
    pub(crate) fn reconcile(&mut self, random: &mut Random) -> Result<()> {
        let service = self.reconciler();
        let round = self.runtime.spawn(async move { service.refunds_round(&Stop::new()).await });
        tokio::pin!(round);
        let (clock, faults) = (self.clock.clone(), self.faults.clone());
        loop {
            let asked = {
                let requests = &mut self.refunds.requests;
                let next = clock.run(async {
                    tokio::select! {
                        biased;
                        asked = requests.recv() => asked,
                        _ = &mut round => None,
                        () = faults.death_of(Process::Reconciler) => None,
                    }
                });
                self.runtime.block_on(next)
            };
            let Some(Request { method, path, body, answer }) = asked else { break };
            if random.per_mille(50) {
                self.withdraw(random)?;
            }
            let asked = self.webhook.ask(method, &path, body)?;
            drop(answer.send(asked.heard()));
        }
        if self.faults.bury(Process::Reconciler) {
            self.note("  the reconciler died");
            round.abort();
            self.refunds.reconciler = None;
            while self.refunds.requests.try_recv().is_ok() {}
        }
        self.check_refunds()
    }

    fn reconciler(&mut self) -> Arc<Service> {
        let deps = Deps {
            api: Arc::new(self.refunds.merchant.clone()),
            ledger: Arc::new(Bridge(self.refunds.to_webhook.clone())),
            clock: Arc::new(self.clock.clone()),
        };
        let new = || Arc::new(Service::new(deps, SERVICE_ID, false));
        Arc::clone(self.refunds.reconciler.get_or_insert_with(new))
    }

    /// Refunds of the orders that were answered as paid.
    pub(crate) fn all_refunds(&mut self) -> Result<Vec<Refund>> {
        let ids = self.confirmed.keys().map(|order| order_id(*order)).collect::<Result<Vec<OrderId>>>()?;
        self.webhook.read(async |ledger| {
            let mut refunds = Vec::new();
            for id in ids {
                refunds.extend(ledger.refunds(id).await?);
            }
            Ok(refunds)
        })
    }

    /// Somebody changes their mind before anything was sent.
    fn withdraw(&mut self, random: &mut Random) -> Result<()> {
        let mut refunds = self.all_refunds()?;
        refunds.retain(|refund| matches!(refund.state, RefundState::Requested | RefundState::Checked { .. }));
        let Some(refund) = random.pick(&refunds) else { return Ok(()) };
        self.note(format!("  refund {} is withdrawn", refund.refund_id));
        let by = json!({ "by": "502" }).to_string();
        let asked = self.webhook.ask("POST", &format!("/refunds/{}/withdraw", refund.refund_id), by)?;
        self.note_withdrawal(&refund, &asked);
        Ok(())
    }

    fn note_withdrawal(&mut self, refund: &Refund, asked: &Asked) {
        if asked.answer.as_ref().is_some_and(|answer| answer.status == 200) {
            self.refunds.withdrawn.insert(refund.refund_id.get());
        }
    }

    /// People look into CLICK's cabinet and decide about what waits for them. Without `random` nothing is tried again.
    pub(crate) fn decide_refunds(&mut self, mut random: Option<&mut Random>) -> Result<()> {
        let mut waiting = self.all_refunds()?;
        waiting.retain(|refund| refund.undecided().is_some());
        for refund in waiting {
            let (id, order) = (refund.refund_id, refund.order_id.get());
            let is_reversed =
                self.refunds.merchant.of_order(order).is_some_and(|payment| payment.is_reversed);
            // A restored ledger may have it as open again.
            let was_withdrawn = self.refunds.withdrawn.contains(&id.get());
            let is_paid_out = is_reversed || self.refunds.transfers.contains_key(&id.get());
            let choice = random.as_deref_mut().map_or(2, |random| random.below(4));
            let (decision, body) = match choice {
                _ if was_withdrawn => ("withdraw", json!({ "by": "501" })),
                0 if !is_paid_out => ("withdraw", json!({ "by": "501" })),
                1 if !is_paid_out && may_be_sent(&refund) => {
                    self.refunds.merchant.allow_again(order);
                    ("retry", json!({ "by": "501" }))
                }
                _ => {
                    if !is_paid_out {
                        self.refunds.transfers.insert(id.get(), (order, refund.amount_tiyin.get()));
                    }
                    ("by-hand", json!({ "by": "501", "document": "cabinet" }))
                }
            };
            self.note(format!("  refund {id} of order {order}: {decision}"));
            let asked = self.webhook.ask("POST", &format!("/refunds/{id}/{decision}"), body.to_string())?;
            if decision == "withdraw" {
                self.note_withdrawal(&refund, &asked);
            }
        }
        self.record_forgotten()?;
        self.check_refunds()
    }

    /// Brings refunds to their end. `true`: all are over.
    pub(crate) fn end_refunds(&mut self) -> Result<bool> {
        if self.refunds.asked == 0 {
            return Ok(true);
        }
        self.ask_again()?;
        self.reconcile(&mut Random::new(0))?;
        self.decide_refunds(None)?;
        let refunds = self.all_refunds()?;
        let (unheard, forgotten) = (&self.refunds.unheard, &self.refunds.forgotten);
        let is_over = refunds.iter().all(|refund| !refund.status().is_open());
        Ok(unheard.is_empty() && forgotten.is_empty() && is_over)
    }
}

/// All that is left, or a part; goods come back with it, or not.
fn request(number: u32, tiyin: i64, products: &[OrderedProduct], random: &mut Random) -> Value {
    let returned: Vec<Value> = products
        .iter()
        .filter_map(|product| {
            let count = random.below(u64::from(product.count) + 1);
            (count > 0).then(|| json!({ "product_id": product.product_id, "count": count }))
        })
        .collect();
    let part = 1 + i64::try_from(random.below(u64::try_from(tiyin).unwrap_or(1))).unwrap_or(0);
    let amount = (!random.per_mille(600)).then_some(part);
    json!({ "request_id": format!("r{number}"), "requested_by": "501", "amount_tiyin": amount, "returned": returned })
}

/// Whether the ledger lets a person send it once more.
const fn may_be_sent(refund: &Refund) -> bool {
    let RefundState::Manual { why, .. } = refund.state else { return true };
    !matches!(why, ManualReason::PartialByHand | ManualReason::MerchantApiOff | ManualReason::PaidInTelegram)
}
