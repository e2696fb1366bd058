//! How many commands of the store a tap costs, with everything that it causes.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use time::macros::datetime;
use tolov_contract::counting::CountingDocuments;
use tolov_domain::{Language, UserId};
use tolov_shop::{
    records,
    staff::{Role, StaffMember},
};

use crate::{
    shop::Shop,
    shopfront::{Chat, sells},
    updates::until_done,
    world::World,
};

/// More than a page shows.
const PRODUCTS: i64 = 30;
const SHOPPER: i64 = 5;
const MANAGER: i64 = 6;
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
    products: usize,
    /// Each command, for who reads a failure.
    each: String,
}

impl Counted {
    async fn new() -> Self {
        let world = World::new().await;
        for id in [SHOPPER, MANAGER] {
            world.shop.has_language(UserId::try_new(id).unwrap(), Language::En).await;
        }
        let manager = StaffMember {
            id: UserId::try_new(MANAGER).unwrap(),
            name: "Vali".to_owned(),
            role: Role::Manager,
            added_by: UserId::try_new(1).unwrap(),
            added_at: datetime!(2026-11-23 07:00 UTC),
        };
        records::insert(&world.shop.documents, &manager).await.unwrap();
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
        Cost {
            commands: of_taps - swept,
            products: self.store.documents_read("products"),
            each: calls.to_string(),
        }
    }
}

#[tokio::test]
async fn a_tap_costs_a_few_commands_and_reads_what_it_shows() {
    let counted = Counted::new().await;
    let bot = counted.world.run_bot_on(Arc::new(counted.store.clone()));
    // The first tap reads the catalogue.
    Chat { world: &counted.world, id: SHOPPER }.tap("1:cs:0").await;
    // The first round of maintenance looks at the products.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (what, person, tap, commands, products) in [
        ("a card", SHOPPER, "1:p:7", 6, 1),
        ("the first piece", SHOPPER, "1:sc:7:1", 7, 1),
        ("one more", SHOPPER, "1:sc:7:2", 7, 1),
        ("one more in the cart", SHOPPER, "1:sk:7:3", 9, 2),
        ("a page of a category", SHOPPER, "1:c:1:0", 7, 8),
        ("back to the page", SHOPPER, "1:cp:17", 7, 8),
        ("the cart", SHOPPER, "1:k", 6, 1),
        ("the menu", SHOPPER, "1:m", 6, 0),
        ("staff's page of a category", MANAGER, "1:gci:1:1", 10, 8),
        ("the same again", MANAGER, "1:gci:1:2", 9, 8),
    ] {
        let cost = counted.cost_of(person, tap).await;
        assert_eq!((cost.commands, cost.products), (commands, products), "{what}: {}", cost.each);
    }
    bot.stop().await;
}

#[tokio::test]
async fn people_who_tap_at_the_same_time_share_the_commands() {
    const PEOPLE: i64 = 200;
    let counted = Counted::new().await;
    let bot = counted.world.run_bot_on(Arc::new(counted.store.clone()));
    Chat { world: &counted.world, id: SHOPPER }.tap("1:cs:0").await;
    let mut taps = 1;
    for (data, most) in [("1:p:7", 1), ("1:sc:7:1", 2)] {
        counted.store.reset();
        for id in 1_000..1_000 + PEOPLE {
            let query = Chat { world: &counted.world, id }.query(1, data);
            counted.world.telegram.bring(move |_| json!({ "callback_query": query }));
        }
        taps += u64::try_from(PEOPLE).unwrap();
        until_done(&counted.world, taps).await;
        let cost = counted.cost();
        assert!(cost.commands <= most * u64::try_from(PEOPLE).unwrap(), "{data}: {}", cost.each);
    }
    bot.stop().await;
}
