//! What people say where something else was asked, and how the bot bears it.

use super::{
    habits::{comes_in, takes, types_quantity},
    staff::owner_comes_in,
    story,
    world::World,
};

/// Somebody else's number, half a number, a place where nobody asked, markup as a search.
async fn awkward_answers(world: &World) {
    let karim = world.person("Karim", "ru").await;
    karim.says("salom").await;
    karim.says("/start").await;
    karim.shares_contact().await;
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    dilnoza.says("/phone").await;
    dilnoza.shares_contact_of(&karim, "+998901112233").await;
    dilnoza.says("12345").await;
    dilnoza.says("90 123-45-67").await;
    dilnoza.shares_location().await;
    dilnoza.says("<b>salom & xayr</b>").await;
    dilnoza.says("KO‘K CHOY").await;
    dilnoza.says("/orders").await;
    dilnoza.says("/cancel").await;
}

/// A table goes in, and what is new in it is sold.
async fn a_table_is_imported(world: &World) {
    let aziz = owner_comes_in(world).await;
    aziz.says("/admin").await;
    aziz.taps_on("panel-catalogue").await;
    aziz.taps_on("exchange-open").await;
    aziz.taps_on("exchange-import").await;
    let faulty = "category;title;price;stock\nMevalar;Olma;tekin;50\n";
    aziz.sends_document("xato.csv", faulty.into()).await;
    aziz.sees("2-qator").await;
    let table = "category;title;price;stock\nMevalar;Olma, 1 kg;12000;50\nMevalar;Anor, 1 kg;25000;\n";
    aziz.sends_document("mevalar.csv", table.into()).await;
    aziz.sees_button(&aziz.words("import-do")).await;
    aziz.taps_on("import-do").await;
    aziz.sees_text("import-done").await;
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    takes(&dilnoza, "Mevalar", "Anor").await;
    types_quantity(&dilnoza, 1, 10).await;
}

story!(awkward, awkward_answers, |_settings| {});
story!(table_import, a_table_is_imported, |_settings| {});
