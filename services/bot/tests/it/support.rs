//! Shoppers and staff write to each other, without Telegram's "reply".

use serde_json::json;
use tolov_domain::UserId;

use crate::{
    shopfront::{Chat, text},
    telegram::Arrived,
    world::World,
};

const OWNER: i64 = 5;
const SHOPPER: i64 = 6;
/// What shows a message of the shopper's to the owner.
const COPY: &str = "copymessage 6:";

async fn with_an_owner() -> World {
    let mut world = World::new().await;
    world.config.owners = vec![UserId::try_new(OWNER).unwrap()];
    world
}

/// The numbers of the messages under which the owner can answer.
fn headers(world: &World) -> Vec<i64> {
    let arrived = world.telegram.arrived("5");
    let headers = arrived.iter().filter(|message| message.buttons.to_string().contains("1:asu"));
    headers.map(|message| world.telegram.number_of(&message.text)).collect()
}

#[tokio::test]
async fn a_conversation_with_staff_goes_both_ways_without_reply() {
    let world = with_an_owner().await;
    let bot = world.run_bot();
    let (owner, ali) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: SHOPPER });
    ali.tap("1:su").await;
    ali.write("Do you gift-wrap?").await;
    let arrived = world.telegram.arrived("5");
    let header = arrived.iter().find(|message| message.buttons.to_string().contains("1:asu")).unwrap();
    let all = world.telegram.arrived("5").len();
    assert!(header.text.contains("Ali"), "{}", header.text);
    // The fake Bot API numbers messages in the order of their arrival in all chats.
    let header_id = world.telegram.number_of(&header.text);
    owner.tap_on(header_id, "1:asu").await;
    owner.write("Yes, for free.").await;
    let answer = world.telegram.arrived("6");
    assert!(answer.iter().any(|message| message.buttons.to_string().contains("1:sur")), "{answer:?}");
    assert!(answer.iter().any(|message| message.text.starts_with("copymessage 5:")), "{answer:?}");
    // A plain message is for staff now.
    ali.tap("1:m").await;
    owner.tap_on(header_id, "1:asu").await;
    owner.write("Anything else?").await;
    let told = ali.write("Thank you!").await;
    let copies = world.telegram.arrived("5").iter().filter(|message| message.text.starts_with(COPY)).count();
    assert_eq!(copies, 2, "{told:?}");
    assert!(world.telegram.arrived("5").len() > all);
    // What the owner writes next is no answer.
    let said = owner.write("choy").await;
    assert!(said.iter().all(|call| !text(call).contains("sent to the customer")), "{said:?}");
    bot.stop().await;
    let to_ali = world.telegram.arrived("6");
    assert_eq!(to_ali.iter().filter(|message| message.text.starts_with("copymessage 5:")).count(), 2);
}

/// Telegram asks for both before a bot takes real payments.
#[tokio::test]
async fn the_terms_and_a_way_to_staff_are_commands() {
    let world = with_an_owner().await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: SHOPPER };
    let terms = ali.write("/terms").await;
    assert!(text(&terms[0]).contains("back to the card"), "{terms:?}");
    let buttons = terms[0]["reply_markup"]["inline_keyboard"].to_string();
    assert!(buttons.contains("1:su"), "{buttons}");
    ali.write("/support").await;
    ali.write("Do you gift-wrap?").await;
    bot.stop().await;
    let arrived = world.telegram.arrived("5");
    assert!(arrived.iter().any(|message| message.text.starts_with(COPY)), "{arrived:?}");
}

#[tokio::test]
async fn who_does_not_want_to_answer_a_shopper_can_leave_it() {
    let world = with_an_owner().await;
    let bot = world.run_bot();
    let (owner, ali) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: SHOPPER });
    ali.tap("1:su").await;
    ali.write("Do you gift-wrap?").await;
    let asked = owner.tap_on(headers(&world)[0], "1:asu").await;
    let buttons = &asked[0]["reply_markup"]["inline_keyboard"];
    assert_eq!(buttons[0][0]["callback_data"], "1:a", "{asked:?}");
    owner.tap("1:a").await;
    owner.write("choy").await;
    bot.stop().await;
    let to_ali = world.telegram.arrived("6");
    assert!(to_ali.iter().all(|message| !message.text.starts_with("copymessage 5:")), "{to_ali:?}");
}

#[tokio::test]
async fn who_answers_another_shopper_first_answers_nobody_by_mistake() {
    let world = with_an_owner().await;
    let bot = world.run_bot();
    let owner = Chat { world: &world, id: OWNER };
    for shopper in [SHOPPER, 7] {
        let shopper = Chat { world: &world, id: shopper };
        shopper.tap("1:su").await;
        shopper.write("Are you open?").await;
    }
    let headers = headers(&world);
    let [first, second] = headers[..] else { panic!("{headers:?}") };
    owner.tap_on(first, "1:asu").await;
    let replied =
        json!({"message_id": second, "date": 1_763_881_506, "chat": {"id": OWNER, "type": "private"}});
    owner.send(json!({"text": "Yes, we are.", "reply_to_message": replied})).await;
    owner.write("Until nine.").await;
    bot.stop().await;
    let answers = |shopper: &str| {
        let arrived = world.telegram.arrived(shopper);
        arrived.iter().filter(|message| message.text.starts_with("copymessage 5:")).count()
    };
    assert_eq!((answers("6"), answers("7")), (0, 1));
}

#[tokio::test]
async fn what_is_typed_long_after_a_conversation_with_staff_is_a_search() {
    let world = with_an_owner().await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: SHOPPER };
    let copies =
        || world.telegram.arrived("5").iter().filter(|message| message.text.starts_with(COPY)).count();
    ali.tap("1:su").await;
    ali.write("Do you gift-wrap?").await;
    world.clock.advance(time::Duration::hours(6));
    let second = world.telegram.brought() + 1;
    ali.write("And how much is it?").await;
    assert_eq!(copies(), 2);
    ali.edit(second, "And how much does it cost?").await;
    assert_eq!(copies(), 3, "an edit is sent too");
    let edited = |message: &&Arrived| message.text.contains("✏️ <b>Xaridor xabarini tuzatdi");
    assert_eq!(world.telegram.arrived("5").iter().filter(edited).count(), 1, "staff see that it is one");
    world.clock.advance(time::Duration::hours(13));
    let said = ali.write("choy").await;
    bot.stop().await;
    assert_eq!(copies(), 3);
    assert!(said.iter().any(|call| text(call).contains("“choy”")), "{said:?}");
}

#[tokio::test]
async fn who_edits_a_message_that_was_passed_on_before_the_last_one_hears_that_it_was_not_taken() {
    let world = with_an_owner().await;
    let bot = world.run_bot();
    let (owner, ali) = (Chat { world: &world, id: OWNER }, Chat { world: &world, id: SHOPPER });
    ali.tap("1:su").await;
    let first = world.telegram.brought() + 1;
    ali.write("Size M, please").await;
    ali.write("In blue").await;
    let told = ali.edit(first, "Size L, please").await;
    assert!(text(&told[0]).contains("not taken into account"), "{told:?}");
    // So does a member of staff, whose answer cannot be taken back.
    let arrived = world.telegram.arrived("5");
    let header = arrived.iter().find(|message| message.buttons.to_string().contains("1:asu")).unwrap();
    let header_id = world.telegram.number_of(&header.text);
    owner.tap_on(header_id, "1:asu").await;
    let answer = world.telegram.brought() + 1;
    owner.write("It costs 50,000").await;
    let told = owner.edit(answer, "It costs 60,000").await;
    assert!(text(&told[0]).contains("not taken into account"), "{told:?}");
    bot.stop().await;
}
