//! From /start to "delivered", in each language.

use super::{
    habits::{comes_in, takes, types_quantity},
    person::Person,
    staff::owner_comes_in,
    story,
    world::World,
};

/// Where the things go.
#[derive(Debug, Clone, Copy)]
enum Place {
    Location,
    Address(&'static str),
    Pickup,
}

#[derive(Debug, Clone, Copy)]
struct Shopper {
    name: &'static str,
    language: &'static str,
    place: Place,
    landmark: &'static str,
    comment: Option<&'static str>,
}

async fn uzbek(world: &World) {
    let dilnoza = Shopper {
        name: "Dilnoza",
        language: "uz",
        place: Place::Location,
        landmark: "Chorsu metrosi yonida, 2-kirish <o'ngda>",
        comment: Some("Kechqurun 6 dan keyin, iltimos"),
    };
    buys(world, dilnoza).await;
}

async fn russian(world: &World) {
    let sergey = Shopper {
        name: "Сергей",
        language: "ru",
        place: Place::Address("Мирабадский район, ул. Нукус, 12"),
        landmark: "Напротив школы",
        comment: None,
    };
    buys(world, sergey).await;
}

async fn english(world: &World) {
    let emma = Shopper { name: "Emma", language: "en", place: Place::Pickup, landmark: "", comment: None };
    buys(world, emma).await;
}

async fn buys(world: &World, who: Shopper) {
    let shopper = world.person(who.name, who.language).await;
    shopper.says("/start").await;
    fills_the_cart(&shopper).await;
    checks_out(&shopper, who).await;
    let payment = shopper.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    shopper.sees_text("state-paid").await;
    is_handed_out(world, &shopper, who).await;
    shopper.says("/orders").await;
    shopper.taps("1001").await;
    shopper.taps_on("order-again").await;
}

async fn fills_the_cart(shopper: &Person<'_>) {
    shopper.taps("Kiyim").await;
    shopper.taps("Paxta futbolka").await;
    shopper.taps("XL").await;
    shopper.taps_on("card-add").await;
    // Two of this size are left.
    types_quantity(shopper, 1, 11).await;
    shopper.taps_on("menu-cart").await;
    shopper.taps_on("menu-catalogue").await;
    shopper.taps("Choy").await;
    shopper.taps("Ko‘k choy").await;
    shopper.taps_on("card-add").await;
    types_quantity(shopper, 1, 10).await;
    shopper.taps("−1").await;
    shopper.taps_on("menu-cart").await;
    shopper.taps_on("promo-enter").await;
    shopper.says("xush 11").await;
    shopper.says("xush10").await;
}

async fn checks_out(shopper: &Person<'_>, who: Shopper) {
    shopper.taps_on("cart-check-out").await;
    shopper.taps_on("phone-share").await;
    match who.place {
        // What is filled in for who has not ordered yet.
        Place::Pickup => {}
        Place::Location => {
            shopper.taps_on("checkout-deliver-for").await;
            shopper.taps_on("checkout-share-location").await;
        }
        Place::Address(address) => {
            shopper.taps_on("checkout-deliver-for").await;
            shopper.says(address).await;
        }
    }
    if !who.landmark.is_empty() {
        shopper.taps_on("checkout-change-landmark").await;
        shopper.says(who.landmark).await;
    }
    if let Some(comment) = who.comment {
        shopper.says(comment).await;
    }
    shopper.taps_on("checkout-pay").await;
}

/// Staff work on the order by the buttons under its post, and the shopper sees each state.
async fn is_handed_out(world: &World, shopper: &Person<'_>, who: Shopper) {
    let aziz = owner_comes_in(world).await;
    let is_delivered = !matches!(who.place, Place::Pickup);
    let ready = if is_delivered { "told-ready" } else { "told-ready-for-pickup" };
    let mut way = vec![("action-accept", "told-accepted"), ("action-make-ready", ready)];
    if is_delivered {
        way.push(("action-send-off", "told-sent-off"));
    }
    way.push(if is_delivered {
        ("action-deliver", "told-delivered")
    } else {
        ("action-hand-over", "told-picked-up")
    });
    world.staff_see("№").await;
    for (deed, told) in way {
        aziz.taps_in_channel("№", &aziz.words(deed)).await;
        shopper.sees_text(told).await;
    }
}

/// Up to the summary: the rest is as with an address.
async fn has_it_brought_to_a_location(world: &World, name: &str, language: &str) {
    let shopper = comes_in(world, name, language).await;
    takes(&shopper, "Choy", "Qora choy").await;
    shopper.taps_on("menu-cart").await;
    shopper.taps_on("cart-check-out").await;
    shopper.taps_on("phone-share").await;
    shopper.taps_on("checkout-deliver-for").await;
    shopper.taps_on("checkout-share-location").await;
}

async fn russian_location(world: &World) {
    has_it_brought_to_a_location(world, "Сергей", "ru").await;
}

async fn english_location(world: &World) {
    has_it_brought_to_a_location(world, "Emma", "en").await;
}

story!(purchase_in_uzbek, uzbek, |_settings| {});
story!(purchase_in_russian, russian, |_settings| {});
story!(purchase_in_english, english, |_settings| {});
story!(location_in_russian, russian_location, |_settings| {});
story!(location_in_english, english_location, |_settings| {});
