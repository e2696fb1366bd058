//! What staff do in the bot, and what shoppers see of it.

use super::{
    habits::{comes_in, orders, takes},
    person::Person,
    story,
    world::World,
};

/// A PNG of one white point.
pub(super) const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc\xf8\x0f\0\x01\x01\x01\0\
    \x1b\xb6\xeeV\0\0\0\0IEND\xaeB`\x82";

pub(super) async fn owner_comes_in(world: &World) -> Person<'_> {
    let aziz = world.owner().await;
    aziz.says("/start").await;
    aziz
}

/// An owner gives a role to a person whose number they know.
pub(super) async fn becomes_staff(person: &Person<'_>, owner: &Person<'_>, role: &str) {
    owner.says("/admin").await;
    owner.taps_on("panel-staff").await;
    owner.taps_on("member-add").await;
    owner.says(&person.id.to_string()).await;
    owner.taps_on(role).await;
    person.sees_text("member-welcome").await;
}

/// A new category and a product with a photo, and a shopper who buys it.
async fn a_product_is_added_and_bought(world: &World) {
    let aziz = owner_comes_in(world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-catalogue").await;
    aziz.taps_on("edit-category-add").await;
    aziz.says("Kitoblar").await;
    aziz.taps_on("edit-skip").await;
    aziz.taps_on("edit-back").await;
    aziz.taps_on("edit-product-add").await;
    aziz.says("O'tkan kunlar <nashr>").await;
    aziz.says("Abdulla Qodiriy. Qattiq muqova & xatcho'p.").await;
    aziz.taps_on("edit-by-the-piece").await;
    aziz.says("arzon").await;
    aziz.says("45 000").await;
    aziz.says("3").await;
    aziz.sends_photo(PICTURE.to_vec(), "").await;
    aziz.taps_on("edit-publish").await;
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Kitoblar", "O'tkan kunlar").await;
    orders(&dilnoza).await;
    let payment = dilnoza.pays().await;
    assert_eq!(payment["status"]["status"], "paid", "{payment}");
    dilnoza.sees_text("state-paid").await;
    world.staff_see("Dilnoza").await;
}

/// Between cart and order a price rises, the last piece goes, and a product is taken out: each is said in words.
async fn the_cart_has_news(world: &World) {
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Non va shirinliklar", "Toshkent noni").await;
    takes(&dilnoza, "Non va shirinliklar", "Qatlama patir").await;
    takes(&dilnoza, "Non va shirinliklar", "Novvot").await;
    takes(&dilnoza, "Choy", "Qora choy").await;
    dilnoza.taps_on("menu-cart").await;

    let aziz = owner_comes_in(world).await;
    opens_product(&aziz, "Toshkent noni").await;
    aziz.taps_on("edit-remove").await;
    aziz.taps_on("edit-remove-surely").await;
    opens_product(&aziz, "Qatlama patir").await;
    aziz.taps_on("edit-field-stock").await;
    aziz.says("0").await;
    opens_product(&aziz, "Novvot").await;
    aziz.taps_on("edit-field-price").await;
    aziz.says("31 000").await;

    dilnoza.taps_on("cart-check-out").await;
    dilnoza.hears_text("checkout-look-at-news");
    dilnoza.taps_on("cart-accept-news").await;
    dilnoza.taps_on("cart-check-out").await;
    dilnoza.taps_on("phone-share").await;
    // Once more while the order is shown.
    opens_product(&aziz, "Novvot").await;
    aziz.taps_on("edit-field-price").await;
    aziz.says("33 000").await;
    dilnoza.taps_on("checkout-pay").await;
    dilnoza.hears_text("checkout-look-at-news");
}

pub(super) async fn opens_product(aziz: &Person<'_>, title: &str) {
    aziz.says("/admin").await;
    aziz.taps_on("panel-catalogue").await;
    aziz.taps("Non va shirinliklar").await;
    aziz.taps(title).await;
}

story!(new_product, a_product_is_added_and_bought, |_settings| {});
story!(news_in_the_cart, the_cart_has_news, |_settings| {});
