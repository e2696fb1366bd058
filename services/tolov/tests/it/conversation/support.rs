//! A question to the shop, and its answer.

use super::{habits::comes_in, story, world::World};

async fn a_question_is_answered(world: &World) {
    let aziz = world.owner().await;
    aziz.says("/start").await;
    let dilnoza = comes_in(world, "Dilnoza", "uz").await;
    dilnoza.says("/menu").await;
    dilnoza.taps_on("menu-support").await;
    dilnoza.says("Choyni <sovg'a> qilib o'rab berasizlarmi?").await;
    aziz.sees("<sovg'a>").await;
    aziz.replies("<sovg'a>", "Albatta! Lenta rangini ayting & bo'ldi.").await;
    dilnoza.sees("Lenta rangini ayting & bo'ldi.").await;
    dilnoza.replies("Lenta rangini", "Yashil").await;
    aziz.sees("Yashil").await;
}

story!(question_to_the_shop, a_question_is_answered, |_settings| {});
