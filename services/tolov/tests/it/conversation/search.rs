//! Names as people write them: other apostrophes, other cases, parts of words.

use super::{habits::comes_in, story, world::World};

async fn spelled_otherwise(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    dilnoza.says("so`zana").await;
    dilnoza.says("KOʻYLAK").await;
    dilnoza.taps("Adras").await;
    dilnoza.taps_on("back-to-found").await;
    dilnoza.says("/search choy").await;
    dilnoza.taps_on("search-again").await;
    dilnoza.says("g’oz <pishgan>").await;
}

/// What is not there can be looked at, and not taken.
async fn nothing_is_left(world: &World) {
    let emma = comes_in(world, "Emma", "en").await;
    emma.says("holva").await;
    emma.taps("Samarqand holvasi").await;
    emma.says("adras").await;
    emma.taps("Adras").await;
    emma.taps("L · ").await;
    emma.taps_on("card-add").await;
    emma.taps("+1").await;
}

story!(search_spelled_otherwise, spelled_otherwise, |_settings| {});
story!(sold_out_in_english, nothing_is_left, |_settings| {});
