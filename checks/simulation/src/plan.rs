//! What happens in a run: a list of steps, each with a seed of its own, so that a shorter list stays meaningful.

use tolov_contract::random::Random;

use crate::faults::Rates;

/// What happens in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A shopper orders and pays at once.
    Purchase,
    /// A shopper fills a cart and places an order.
    Checkout,
    /// The bot registers a placed order with the webhook service.
    Register,
    /// Somebody begins to pay an order.
    Pay,
    /// CLICK's next callback of a payment under way.
    Callback,
    /// CLICK repeats an old callback.
    Repeat,
    /// CLICK cancels a payment, whatever became of it.
    CancelLate,
    /// Somebody changes a callback after it was signed.
    Forge,
    /// A shopper cancels an order.
    CancelOrder,
    /// The relay takes one window.
    Relay,
    /// The webhook service's maintenance.
    Maintain,
    /// The bot's maintenance.
    Upkeep,
    /// Projector and notifier work for some time.
    Run,
    /// A long time passes.
    Wait,
    /// Something is out of order for a while.
    Outage,
    /// A process is killed.
    Kill,
    /// The clock is set.
    SetClock,
    /// An operator has an order's events published once more.
    Replay,
    /// The ledger is backed up.
    BackUp,
    /// The ledger is lost and restored.
    Restore,
    /// A shopper sets how many of a product are in the cart, whatever is being paid meanwhile.
    FillCart,
    /// The shop store is dumped.
    BackUpShop,
    /// The shop store is lost and put back from the dump.
    RestoreShop,
    /// A shopper blocks the bot.
    Block,
    /// An owner asks for a refund.
    Refund,
    /// The reconciler looks for refunds and asks CLICK.
    Reconcile,
    /// A person decides about refunds that wait for one.
    Decide,
}

impl Kind {
    /// Whether shop store and Telegram may be other than before.
    pub(crate) const fn concerns_the_shop(self) -> bool {
        !matches!(
            self,
            Self::Pay
                | Self::Callback
                | Self::Repeat
                | Self::CancelLate
                | Self::Forge
                | Self::Relay
                | Self::Maintain
                | Self::Outage
                | Self::Kill
                | Self::SetClock
                | Self::Replay
                | Self::BackUp
                | Self::BackUpShop
                | Self::Block
                | Self::Refund
                | Self::Reconcile
                | Self::Decide
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub kind: Kind,
    pub seed: u64,
}

/// A run from its beginning to the moment when everything is left to settle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of the shop.
    pub seed: u64,
    pub rates: Rates,
    pub steps: Vec<Step>,
}

/// How often each kind comes, and how often in runs with restores.
const WEIGHTS: [(Kind, u64); 21] = [
    (Kind::Purchase, 14),
    (Kind::Checkout, 8),
    (Kind::Register, 8),
    (Kind::Pay, 10),
    (Kind::Callback, 18),
    (Kind::Repeat, 6),
    (Kind::CancelLate, 2),
    (Kind::Forge, 2),
    (Kind::CancelOrder, 3),
    (Kind::Relay, 12),
    (Kind::Maintain, 3),
    (Kind::Upkeep, 2),
    (Kind::Run, 16),
    (Kind::Wait, 2),
    (Kind::Outage, 3),
    (Kind::Kill, 3),
    (Kind::SetClock, 1),
    (Kind::Replay, 2),
    (Kind::BackUp, 1),
    (Kind::Restore, 1),
    (Kind::Block, 1),
];

/// The same of refunds, in half of the runs. They have a seed of their own, so that the other runs stay what they were.
const REFUND_WEIGHTS: [Kind; 6] =
    [Kind::Refund, Kind::Refund, Kind::Reconcile, Kind::Reconcile, Kind::Decide, Kind::Run];

/// Of one run in this many the ledger may be lost.
const RESTORES_EVERY: u64 = 6;
/// Of one run in this many the shop store may be.
const SHOP_RESTORES_EVERY: u64 = 8;

impl Plan {
    pub fn of_seed(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let rates = match random.below(4) {
            0 => Rates::default(),
            1 => Rates { crash: 4, fail: 8, lose: 8 },
            2 => Rates { crash: 15, fail: 25, lose: 25 },
            _ => Rates { crash: 40, fail: 60, lose: 60 },
        };
        let has_restores = random.below(RESTORES_EVERY) == 0;
        let weights: Vec<(Kind, u64)> = WEIGHTS
            .into_iter()
            .filter(|(kind, _)| has_restores || !matches!(kind, Kind::BackUp | Kind::Restore))
            .collect();
        let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let count = 20 + random.below(25);
        let steps = (0..count).map(|_| {
            let mut place = random.below(sum);
            let found = weights.iter().find(|(_, weight)| {
                let is_here = place < *weight;
                place = place.saturating_sub(*weight);
                is_here
            });
            Step { kind: found.map_or(Kind::Run, |(kind, _)| *kind), seed: random.number() }
        });
        let mut steps: Vec<Step> = steps.collect();
        add_refunds(seed, has_restores, &mut steps);
        add_carts(seed, &mut steps);
        add_shop_restores(seed, &mut steps);
        Self { seed, rates, steps }
    }
}

/// After the first third, when something is paid as a rule. Where ledgers are lost, one is while refunds are under way.
fn add_refunds(seed: u64, has_restores: bool, steps: &mut Vec<Step>) {
    let mut random = Random::new(seed ^ 0x5EF0_0D00);
    if !random.per_mille(500) {
        return;
    }
    for _ in 0..6 + random.below(12) {
        let third = steps.len() / 3;
        let kind = |random: &mut Random| random.pick(&REFUND_WEIGHTS).unwrap_or(Kind::Refund);
        insert(steps, third, &mut random, kind);
    }
    if has_restores {
        let third = steps.len() / 3;
        let backed_up = insert(steps, third, &mut random, |_| Kind::BackUp);
        insert(steps, backed_up + 1, &mut random, |_| Kind::Restore);
        add_refund_that_ends_after_a_backup(&mut random, steps);
    }
}

/// In the copy it is open, and its end is known to the lost ledger alone, or to the bus and the shop store as well.
fn add_refund_that_ends_after_a_backup(random: &mut Random, steps: &mut Vec<Step>) {
    let mut course = vec![Kind::BackUp, Kind::Reconcile, Kind::Decide];
    course.extend([Kind::Relay, Kind::Run].into_iter().take(usize::try_from(random.below(3)).unwrap_or(0)));
    course.extend([Kind::Restore, Kind::Reconcile]);
    let first = insert(steps, steps.len() / 2, random, |_| Kind::Refund);
    let rest = course.into_iter().map(|kind| Step { kind, seed: random.number() });
    let at = first + 1;
    steps.splice(at..at, rest.collect::<Vec<_>>());
}

/// In half of the runs shoppers go on shopping while they pay.
fn add_carts(seed: u64, steps: &mut Vec<Step>) {
    let mut random = Random::new(seed ^ 0xCA27_5000);
    if random.per_mille(500) {
        for _ in 0..4 + random.below(6) {
            insert(steps, 0, &mut random, |_| Kind::FillCart);
        }
    }
}

/// The dump is made at any time, and put back at any time after it.
fn add_shop_restores(seed: u64, steps: &mut Vec<Step>) {
    let mut random = Random::new(seed ^ 0x5704_E000);
    if random.below(SHOP_RESTORES_EVERY) == 0 {
        let dumped = insert(steps, 0, &mut random, |_| Kind::BackUpShop);
        insert(steps, dumped + 1, &mut random, |_| Kind::RestoreShop);
    }
}

/// A step somewhere from this place on. Returns where.
fn insert(
    steps: &mut Vec<Step>,
    from: usize,
    random: &mut Random,
    kind: impl FnOnce(&mut Random) -> Kind,
) -> usize {
    let places = u64::try_from(steps.len().saturating_sub(from)).unwrap_or(1);
    let place = from + usize::try_from(random.below(places)).unwrap_or(0);
    let kind = kind(random);
    steps.insert(place, Step { kind, seed: random.number() });
    place
}
