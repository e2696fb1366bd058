use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tolov_domain::UserId;

use crate::shop_world::{Purchase, STAFF_CHANNEL, ShopWorld};

const PURCHASES: i64 = 1_000;
const SHOPPERS_AT_ONCE: usize = 16;

/// Every shopper checks out and pays, some at once.
async fn shop(world: &Arc<ShopWorld>) -> Vec<Purchase> {
    let mut shoppers = JoinSet::new();
    let mut purchases = Vec::new();
    for number in 1..=PURCHASES {
        if shoppers.len() == SHOPPERS_AT_ONCE {
            purchases.push(shoppers.join_next().await.unwrap().unwrap());
        }
        let world = Arc::clone(world);
        shoppers.spawn(async move {
            let purchase = world.check_out(UserId::try_new(5_000_000 + number).unwrap()).await;
            world.pay(purchase).await;
            purchase
        });
    }
    purchases.extend(shoppers.join_all().await);
    purchases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_purchases_arrive_once_through_four_processes() {
    let world = Arc::new(ShopWorld::start().await);
    let purchases = shop(&world).await;
    world.settle(&purchases).await;
    let staff = world.messages(STAFF_CHANNEL).await.join("\n");
    for purchase in &purchases {
        let told = world.messages(purchase.user_id.get()).await;
        assert_eq!(told.len(), 1, "shopper {}: {told:?}", purchase.user_id);
        assert!(
            told[0].contains("30 000 so'm") && told[0].contains(&purchase.order_id.to_string()),
            "{told:?}"
        );
        let number = format!("№{}", purchase.order_id);
        let is_whole = |(at, found): &(usize, &str)| {
            !staff[at + found.len()..].starts_with(|next: char| next.is_ascii_digit())
        };
        let posts = staff.match_indices(&number).filter(is_whole).count();
        assert_eq!(posts, 1, "staff post of order {}", purchase.order_id);
    }
    for role in world.roles.values() {
        let mut role = role.lock().unwrap();
        let status = role.stop();
        assert!(status.success(), "{status}: {}", role.log_tail());
        let log = std::fs::read_to_string(role.log_path()).unwrap();
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// The order in which things are killed: drawn once from a seed, so that a failure can be played again.
struct Fate(u64);

impl Fate {
    fn draw(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

const VICTIMS: [&str; 5] = ["webhook", "projector", "bot", "sandbox", "broker"];

/// Kills one thing after the other, each at a moment of fate, until told that the shopping is over. Every victim dies
/// at least once, also when the shoppers were quicker.
async fn kill_at_random(
    world: Arc<ShopWorld>,
    mut fate: Fate,
    over: tokio::sync::watch::Receiver<bool>,
) -> [u32; 5] {
    let mut deaths = [0; 5];
    while !*over.borrow() || deaths.contains(&0) {
        tokio::time::sleep(Duration::from_millis(500 + fate.draw(2_000))).await;
        let victim = usize::try_from(fate.draw(5)).unwrap();
        let down = Duration::from_millis(fate.draw(1_500));
        tokio::task::block_in_place(|| world.kill(VICTIMS[victim], down));
        deaths[victim] += 1;
    }
    deaths
}

impl ShopWorld {
    fn kill(&self, victim: &str, down: Duration) {
        if victim == "broker" {
            self.broker.kill_9();
            std::thread::sleep(down);
            self.broker.spawn();
            return;
        }
        let mut role = self.roles[victim].lock().unwrap();
        role.kill_9();
        std::thread::sleep(down);
        role.spawn();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_purchases_arrive_though_every_process_and_the_broker_are_killed_at_random() {
    let seed = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_123);
    println!("TEST_SEED={seed}");
    let world = Arc::new(ShopWorld::start().await);
    let (over, is_over) = tokio::sync::watch::channel(false);
    let killer = tokio::spawn(kill_at_random(Arc::clone(&world), Fate(seed), is_over));
    let purchases = shop(&world).await;
    over.send(true).unwrap();
    let deaths = killer.await.unwrap();
    println!("killed: {VICTIMS:?} {deaths:?}");
    world.settle(&purchases).await;
}
