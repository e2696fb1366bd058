//! How many commands of the store a tap costs, with everything that it causes.

use std::{sync::Arc, time::Duration};

use tolov_contract::counting::CountingDocuments;
use tolov_domain::{Language, UserId};

use crate::{
    shop::Shop,
    shopfront::{Chat, sells},
    world::World,
};

/// More than a page shows.
const PRODUCTS: i64 = 30;
const SHOPPER: i64 = 5;
/// The collections that these taps read and write.
const ABOUT: [&str; 7] =
    [" updates", " users", " dialogues", " staff", " products", " categories", " catalogue_changes"];

struct Counted {
    world: World,
    store: CountingDocuments<Shop>,
}

/// What a tap cost.
struct Cost {
    commands: u64,
    /// Each command, for who reads a failure.
    each: String,
}

impl Counted {
    async fn new() -> Self {
        let world = World::new().await;
        world.shop.has_language(UserId::try_new(SHOPPER).unwrap(), Language::En).await;
        for number in 1..=PRODUCTS {
            sells(&world, number, "Choy", Some(100)).await;
        }
        let store = CountingDocuments::new(Arc::clone(&world.shop));
        Self { world, store }
    }

    /// What a tap of a person leads to.
    async fn cost_of(&self, person: i64, tap: &str) -> Cost {
        self.store.reset();
        Chat { world: &self.world, id: person }.tap(tap).await;
        // The queue may look once more.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.cost()
    }

    /// What the bot does by itself is left out: it is about other collections, but for the rounds of the sweeper, each of which
    /// counts and finds.
    fn cost(&self) -> Cost {
        let calls = self.store.calls();
        let is_of_taps = |call: &str| ABOUT.iter().any(|about| call.ends_with(about));
        let of_taps: u64 = calls.each().filter(|(call, _)| is_of_taps(call)).map(|(_, count)| count).sum();
        let swept: u64 =
            calls.each().filter(|(call, _)| call == "count updates").map(|(_, count)| 2 * count).sum();
        Cost { commands: of_taps - swept, each: calls.to_string() }
    }
}

#[tokio::test]
async fn a_tap_costs_a_few_commands() {
    let counted = Counted::new().await;
    let bot = counted.world.run_bot_on(Arc::new(counted.store.clone()));
    // The first tap reads the catalogue.
    Chat { world: &counted.world, id: SHOPPER }.tap("1:cs:0").await;
    // The first round of maintenance looks at the products.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (what, tap, commands) in [
        ("a card", "1:p:7", 9),
        ("the first piece", "1:sc:7:1", 10),
        ("one more", "1:sc:7:2", 10),
        ("a page of a category", "1:c:1:0", 11),
        ("the cart", "1:k", 12),
        ("the menu", "1:m", 10),
    ] {
        let cost = counted.cost_of(SHOPPER, tap).await;
        assert_eq!(cost.commands, commands, "{what}: {}", cost.each);
    }
    bot.stop().await;
}
