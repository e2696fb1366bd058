//! Ways into the shop from outside: links to products, links of friends, `@the_bot` in another chat.

use super::{habits::comes_in, story, world::World};

/// A friend is sent a product, and its link opens it, for who has come before and for who is new.
async fn a_product_is_shared(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    dilnoza.asks_inline("osh").await;
    dilnoza.asks_inline("KO’K").await;
    let offered = dilnoza.asks_inline("#21").await;
    let result = &offered[0];
    assert_eq!(result["title"], "Rishton piyolalari, 6 dona", "{offered}");
    let link = result["reply_markup"]["inline_keyboard"][0][0]["url"].as_str().unwrap();
    let payload = link.split_once("?start=").unwrap().1;
    world.meanwhile(&format!("Dilnoza sends it to Сергей, who follows {link}"));
    let sergey = world.person("Сергей", "ru").await;
    sergey.says(&format!("/start {payload}")).await;
    sergey.taps("O‘zbekcha").await;
    sergey.reads_in("uz");
    sergey.taps_on("card-add").await;
    dilnoza.says(&format!("/start {payload}")).await;
    dilnoza.says("/start product_999").await;
}

/// A friend comes by a shopper's own link: both hear of it, once.
async fn a_friend_is_invited(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    dilnoza.says("/profile").await;
    dilnoza.taps_on("profile-invite").await;
    let emma = world.person("Emma <3", "en").await;
    let link = format!("/start ref_{}", dilnoza.id);
    emma.says(&link).await;
    dilnoza.sees_text("friend-joined").await;
    emma.says(&link).await;
    dilnoza.says(&link).await;
    dilnoza.says("/profile").await;
}

story!(shared_product, a_product_is_shared, |_settings| {});
story!(invited_friend, a_friend_is_invited, |_settings| {});
