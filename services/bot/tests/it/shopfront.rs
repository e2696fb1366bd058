//! What a shopper sees before the cart: first visit, catalogue, cards, search, inline mode.

use serde_json::{Value, json};
use tolov_domain::{
    Language, OrderedProduct, Phone, ProductId, Tiyin, UserId,
    ports::documents::{Collection, Documents, Query},
};
use tolov_shop::{
    catalogue::{self, Category, Product},
    order::{self, OrderState, PaymentLink, Stage},
    records,
    shopper::{self, cart},
};

use crate::{
    telegram::Answer,
    updates::until_done,
    world::{self, World},
};

/// One person's chat with the bot.
pub(crate) struct Chat<'a> {
    pub(crate) world: &'a World,
    pub(crate) id: i64,
}

impl Chat<'_> {
    pub(crate) fn user_id(&self) -> UserId {
        UserId::try_new(self.id).unwrap()
    }

    fn from(&self) -> Value {
        json!({"id": self.id, "is_bot": false, "first_name": "Ali", "language_code": "en"})
    }

    fn chat(&self) -> Value {
        json!({"id": self.id, "type": "private", "first_name": "Ali"})
    }

    /// The calls that an update led to, without answers to taps and deletions.
    async fn bring(&self, kind: &str, body: Value) -> Vec<Value> {
        let before = self.world.telegram.calls().len();
        self.world.telegram.bring(|number| {
            let mut body = body;
            body["message_id"] = json!(number);
            json!({kind: body})
        });
        until_done(self.world, u64::try_from(self.world.telegram.brought()).unwrap()).await;
        let calls = self.world.telegram.calls().split_off(before);
        let shows = |method: &str| ["sendmessage", "editmessagetext"].contains(&method);
        calls.into_iter().filter(|(method, _)| shows(method)).map(|(_, body)| body).collect()
    }

    pub(crate) async fn send(&self, mut message: Value) -> Vec<Value> {
        message["date"] = json!(1_763_881_506);
        message["from"] = self.from();
        message["chat"] = self.chat();
        self.bring("message", message).await
    }

    pub(crate) async fn write(&self, text: &str) -> Vec<Value> {
        self.send(json!({"text": text})).await
    }

    pub(crate) async fn tap(&self, data: &str) -> Vec<Value> {
        self.tap_on(1, data).await
    }

    /// Taps a button of this message.
    pub(crate) async fn tap_on(&self, message_id: i64, data: &str) -> Vec<Value> {
        self.bring("callback_query", self.query(message_id, data)).await
    }

    /// A tap, as Telegram tells of it.
    pub(crate) fn query(&self, message_id: i64, data: &str) -> Value {
        let bot = json!({"id": 1, "is_bot": true, "first_name": "Shop"});
        let message = json!({
            "message_id": message_id, "date": 1_763_881_506, "text": "…", "chat": self.chat(), "from": bot,
        });
        json!({"id": "1", "from": self.from(), "chat_instance": "1", "data": data, "message": message})
    }

    /// Edits a message of this person's, given by its number.
    pub(crate) async fn edit(&self, message_id: usize, text: &str) -> Vec<Value> {
        let before = self.world.telegram.calls().len();
        let edited = json!({
            "message_id": message_id, "date": 1_763_881_506, "edit_date": 1_763_881_507, "text": text,
            "from": self.from(), "chat": self.chat(),
        });
        self.world.telegram.bring(|_| json!({ "edited_message": edited }));
        until_done(self.world, u64::try_from(self.world.telegram.brought()).unwrap()).await;
        let calls = self.world.telegram.calls().split_off(before);
        calls.into_iter().filter(|(method, _)| method == "sendmessage").map(|(_, body)| body).collect()
    }

    /// Puts a product into the cart, and goes to the question for the address: there is no pickup.
    pub(crate) async fn checks_out(&self, product: i64) {
        let wanted = OrderedProduct { product_id: id(product), count: 1 };
        cart::set(&self.world.shop.documents, self.user_id(), wanted).await.unwrap();
        let phone = Phone::parse("+998901234567").unwrap();
        let known = shopper::change(&self.world.shop.documents, self.user_id(), |shopper| {
            shopper.phone = Some(phone.clone());
        });
        known.await.unwrap();
        self.tap("1:co").await;
    }

    async fn phone(&self) -> Option<String> {
        let phone = self.world.shop.shopper(self.user_id()).await?.phone?;
        Some(phone.as_str().to_owned())
    }
}

pub(crate) fn text(call: &Value) -> &str {
    call["text"].as_str().unwrap()
}

fn id(number: i64) -> ProductId {
    ProductId::try_new(number).unwrap()
}

pub(crate) async fn sells(world: &World, number: i64, title: &str, stock: Option<u32>) {
    let category = Category { id: 1, title: "Uy uchun".to_owned(), photo: None, position: 1, hidden: false };
    catalogue::insert(&world.shop.documents, &category).await.unwrap();
    let product = Product {
        title: title.to_owned(),
        price: Tiyin::from_soum(12_000).unwrap(),
        stock,
        ..Product::new(id(number), 1)
    };
    catalogue::insert(&world.shop.documents, &product.seal()).await.unwrap();
}

/// What the buttons of a row send.
fn callbacks(shown: &Value, row: usize) -> Vec<&str> {
    let row = shown["reply_markup"]["inline_keyboard"][row].as_array().unwrap();
    row.iter().map(|button| button["callback_data"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_new_shopper_is_asked_nothing_and_sees_the_product_of_the_link() {
    let world = World::new().await;
    sells(&world, 7, "Choy qo'shiq", None).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    let card = ali.write("/start product_7").await;
    let [card] = card.as_slice() else { panic!("{card:?}") };
    assert!(text(card).starts_with("<b>Choy qo'shiq</b>"), "{card}");
    assert_eq!(card["reply_markup"]["inline_keyboard"][0][0]["text"], "🛒 Add to cart");
    assert_eq!(callbacks(card, 3), ["1:pi:7:uz", "1:pi:7:ru"]);
    let russian = ali.tap("1:pi:7:ru").await;
    assert_eq!(russian[0]["reply_markup"]["inline_keyboard"][0][0]["text"], "🛒 В корзину");
    assert_eq!(callbacks(&russian[0], 3), ["1:pi:7:uz", "1:pi:7:en"]);
    // Known from now on.
    assert!(text(&ali.write("/start").await[0]).contains("Главное меню"));
    let again = ali.write("/start product_7").await;
    assert_eq!(again[0]["reply_markup"]["inline_keyboard"].as_array().unwrap().len(), 3, "{again:?}");
    bot.stop().await;
}

#[tokio::test]
async fn a_new_shopper_sees_the_catalogue_in_the_language_of_telegram_and_may_switch_it() {
    let world = World::new().await;
    sells(&world, 7, "Choy qo'shiq", None).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    let shop = ali.write("/start").await;
    assert!(text(&shop[0]).starts_with("Hello, <b>Ali</b>"), "{shop:?}");
    assert_eq!(callbacks(&shop[0], 0), ["1:c:1:0"]);
    assert_eq!(callbacks(&shop[0], 2), ["1:li:uz", "1:li:ru"]);
    let language = async || world.shop.shopper(ali.user_id()).await.unwrap().language;
    assert_eq!(language().await, Some(Language::En));
    assert!(text(&ali.tap("1:li:uz").await[0]).starts_with("Assalomu alaykum, <b>Ali</b>"));
    assert_eq!(language().await, Some(Language::Uz));
    bot.stop().await;
}

#[tokio::test]
async fn a_referral_counts_once() {
    let world = World::new().await;
    world.shop.has_language(UserId::try_new(9).unwrap(), Language::En).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    let first = ali.write("/start ref_9").await;
    assert_eq!((first[0]["chat_id"].as_i64(), first.len()), (Some(9), 2), "{first:?}");
    assert!(text(&first[0]).contains("Ali has joined"));
    assert_eq!(ali.write("/start ref_9").await.len(), 1);
    let nine = UserId::try_new(9).unwrap();
    assert_eq!(shopper::invited_by(&world.shop.documents, nine).await.unwrap(), 1);
    assert_eq!(Chat { world: &world, id: 9 }.write("/start ref_9").await.len(), 1);
    assert_eq!(shopper::invited_by(&world.shop.documents, nine).await.unwrap(), 1);
    bot.stop().await;
}

#[tokio::test]
async fn the_number_of_the_profile_is_shared_or_typed_and_may_be_of_another_country() {
    let world = World::new().await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    let asked = ali.write("/phone").await;
    assert_eq!(asked[0]["reply_markup"]["keyboard"][0][0]["request_contact"], true);
    let anothers = json!({"contact": {"phone_number": "998901112233", "first_name": "B", "user_id": 6}});
    assert!(text(&ali.send(anothers).await[0]).contains("someone else"));
    let unclear = ali.write("who are you?").await;
    assert_eq!(unclear[0]["reply_markup"]["keyboard"][0][0]["request_contact"], true);
    assert_eq!(ali.phone().await, None);
    let cart = ali.write("/cart").await;
    assert_eq!(cart[0]["reply_markup"]["remove_keyboard"], true);
    ali.write("/phone").await;
    assert!(text(&ali.write("⬅️ Back").await[1]).contains("not given yet"));
    let own = json!({"contact": {"phone_number": "998901234567", "first_name": "Ali", "user_id": 5}});
    for (answer, number) in [(own, "+998901234567"), (json!({"text": "+7 900 123-45-67"}), "+79001234567")] {
        ali.write("/phone").await;
        let kept = ali.send(answer).await;
        assert_eq!(kept[0]["reply_markup"]["remove_keyboard"], true);
        assert_eq!(ali.phone().await.as_deref(), Some(number));
    }
    bot.stop().await;
}

#[tokio::test]
async fn checkout_asks_for_what_it_does_not_know_and_then_shows_everything_on_one_screen() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.tap("1:sc:7:1").await;
    let asked = ali.tap("1:co").await;
    assert_eq!(asked[0]["reply_markup"]["keyboard"][0][0]["request_contact"], true, "{asked:?}");
    let own = json!({"contact": {"phone_number": "821012345678", "first_name": "Ali", "user_id": 5}});
    let asked = ali.send(own).await;
    assert_eq!(asked[0]["reply_markup"]["remove_keyboard"], true);
    assert_eq!(asked[1]["reply_markup"]["keyboard"][0][0]["request_location"], true, "{asked:?}");
    let order = &ali.write("Chilonzor 5").await[1];
    for part in ["Choy × 1", "+821012345678", "Chilonzor 5"] {
        assert!(text(order).contains(part), "{order}");
    }
    assert_eq!(callbacks(order, 0), ["1:cog"]);
    assert_eq!([callbacks(order, 1), callbacks(order, 2)].concat(), ["1:coa", "1:col", "1:cop", "1:coc"]);
    assert_eq!(ali.phone().await.as_deref(), Some("+821012345678"));
    // Each part is changed on its own; the number of an order is not that of the profile.
    ali.tap("1:col").await;
    ali.write("Blue gate").await;
    ali.tap("1:cop").await;
    let changed = ali.write("90 123 45 67").await;
    for part in ["Chilonzor 5", "Blue gate", "+998 90 123 45 67"] {
        assert!(text(&changed[1]).contains(part), "{changed:?}");
    }
    assert_eq!(ali.phone().await.as_deref(), Some("+821012345678"));
    bot.stop().await;
}

#[tokio::test]
async fn delivery_goes_back_to_the_address_that_was_given_before_pickup_was_chosen() {
    let mut world = World::new().await;
    world.config.pickup_address = Some("Bozor 1".to_owned());
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.checks_out(7).await;
    let asked = ali.tap("1:cod").await;
    assert_eq!(asked[0]["reply_markup"]["keyboard"][0][0]["request_location"], true, "{asked:?}");
    ali.write("Chilonzor 5").await;
    let pickup = ali.tap("1:cou").await;
    assert!(text(&pickup[0]).contains("Bozor 1") && !text(&pickup[0]).contains("Chilonzor"), "{pickup:?}");
    assert!(text(&ali.tap("1:cod").await[0]).contains("Chilonzor 5"));
    // From the cart and back, nothing has to be answered again.
    ali.tap("1:cox").await;
    assert!(text(&ali.tap("1:co").await[0]).contains("Chilonzor 5"));
    bot.stop().await;
}

#[tokio::test]
async fn the_screen_is_below_the_message_that_takes_a_keyboard_away() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.checks_out(7).await;
    ali.write("Chilonzor 5").await;
    ali.tap("1:coa").await;
    let back = ali.tap("1:cob").await;
    assert_eq!(back[0]["reply_markup"]["remove_keyboard"], true);
    assert!(back[1]["message_id"].is_null() && text(&back[1]).contains("Chilonzor 5"), "{back:?}");
    bot.stop().await;
}

#[tokio::test]
async fn a_quantity_can_be_typed() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    sells(&world, 8, "Qahva", Some(12)).await;
    let bot = world.run_bot();
    for (product, typed, shown) in [(7, "250", "250\u{a0}pcs"), (8, "25 pcs", "12\u{a0}pcs")] {
        assert!(text(&ali.tap(&format!("1:sq:{product}")).await[0]).contains("How many"));
        assert!(text(&ali.write("a few").await[0]).contains("1 to 999"), "it goes on asking");
        let card = ali.write(typed).await;
        let count = &card.last().unwrap()["reply_markup"]["inline_keyboard"][0][1]["text"];
        assert_eq!(count, shown, "{card:?}");
    }
    ali.tap("1:sq:7").await;
    ali.write("0").await;
    bot.stop().await;
    let cart = world.shop.shopper(ali.user_id()).await.unwrap().cart;
    assert_eq!(cart, [OrderedProduct { product_id: id(8), count: 12 }]);
}

#[tokio::test]
async fn a_search_leads_to_a_card_and_a_double_tap_adds_once() {
    let world = World::new().await;
    world.shop.has_language(UserId::try_new(5).unwrap(), Language::En).await;
    sells(&world, 7, "Choy qo'shiq", Some(12)).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    assert!(text(&ali.write("CHOY QO‘SHIQ").await[0]).contains("1 product found"));
    let card = ali.tap("1:p:7").await;
    assert_eq!(card[0]["reply_markup"]["inline_keyboard"][2][0]["callback_data"], "1:fp:0");
    ali.tap("1:sc:7:10").await;
    ali.tap("1:sc:7:10").await;
    // No more are in stock.
    let most = ali.tap("1:sc:7:20").await;
    assert_eq!(most[0]["reply_markup"]["inline_keyboard"][0][1]["text"], "12\u{a0}pcs");
    let cart = world.shop.shopper(ali.user_id()).await.unwrap().cart;
    assert_eq!((cart.len(), cart[0].count), (1, 12));
    assert!(text(&ali.tap("1:fp:0").await[0]).contains("CHOY QO‘SHIQ"));
    assert!(text(&ali.write("zzz").await[0]).contains("Nothing was found"));
    for odd in ["/nothing", "👍"] {
        assert!(text(&ali.write(odd).await[0]).starts_with("Sorry"), "{odd}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn a_hidden_or_removed_product_is_answered_with_a_way_back() {
    let world = World::new().await;
    world.shop.has_language(UserId::try_new(5).unwrap(), Language::En).await;
    sells(&world, 7, "Choy", None).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    let categories = ali.tap("1:cs:0").await;
    assert_eq!(categories[0]["reply_markup"]["inline_keyboard"][0][0]["text"], "Uy uchun");
    for tap in ["1:c:1:9", "1:cp:7"] {
        assert!(text(&ali.tap(tap).await[0]).contains("1 product"), "{tap}");
    }
    catalogue::change(&world.shop.documents, 7, |product: &mut Product| product.hidden = true).await.unwrap();
    for tap in ["1:p:7", "1:p:8", "1:v:7:7"] {
        assert!(text(&ali.tap(tap).await[0]).contains("no longer sold"), "{tap}");
    }
    assert!(text(&ali.tap("1:c:2:0").await[0]).contains("category is gone"));
    assert!(text(&ali.tap("1:cs:0").await[0]).contains("empty for now"));
    bot.stop().await;
}

#[tokio::test]
async fn inline_mode_offers_products_and_a_block_is_recorded_until_it_ends() {
    let world = World::new().await;
    world.shop.has_language(UserId::try_new(5).unwrap(), Language::En).await;
    for number in 1..=25 {
        sells(&world, number, "Choy", None).await;
    }
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    ali.write("/menu").await;
    let member = |status: &str| {
        let user = json!({"id": 1, "is_bot": true, "first_name": "Shop"});
        let of = |status: &str| json!({"user": user, "status": status, "until_date": 0});
        json!({
            "chat": ali.chat(), "from": ali.from(), "date": 1_763_881_506,
            "old_chat_member": of("member"), "new_chat_member": of(status),
        })
    };
    for (status, is_blocked) in [("kicked", true), ("member", false)] {
        ali.bring("my_chat_member", member(status)).await;
        let known = world.shop.shopper(ali.user_id()).await.unwrap();
        assert_eq!(known.blocked_at.is_some(), is_blocked, "{status}");
    }
    for (offset, count, next) in [("", 20, "20"), ("20", 5, "")] {
        let before = world.telegram.calls().len();
        world.telegram.bring(
            |_| json!({"inline_query": {"id": "1", "from": ali.from(), "query": "choy", "offset": offset}}),
        );
        let answer = loop {
            let calls = world.telegram.calls().split_off(before);
            match calls.into_iter().find(|(method, _)| method == "answerinlinequery") {
                Some((_, answer)) => break answer,
                None => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        };
        assert_eq!(answer["results"].as_array().unwrap().len(), count);
        assert_eq!(answer["next_offset"], next);
    }
    bot.stop().await;
    let commands = world.telegram.calls().into_iter().filter(|(method, _)| method == "setmycommands");
    assert_eq!(commands.count(), 4);
}

#[tokio::test]
async fn the_panel_ends_a_question_and_the_order_search_says_what_it_expects() {
    let mut world = World::new().await;
    let owner = UserId::try_new(5).unwrap();
    world.config.owners = vec![owner];
    world.shop.has_language(owner, Language::En).await;
    let bot = world.run_bot();
    let ali = Chat { world: &world, id: 5 };
    ali.write("/phone").await;
    let panel = ali.write("/admin").await;
    assert_eq!(
        (panel[0]["reply_markup"]["remove_keyboard"].as_bool(), panel.len()),
        (Some(true), 2),
        "{panel:?}"
    );
    assert_eq!(ali.write("/admin").await.len(), 1, "there is no keyboard any more");
    ali.tap("1:aof").await;
    let photo = json!({"file_id": "p", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9});
    let said = ali.send(json!({"photo": [photo]})).await;
    assert!(text(&said[0]).contains("as text") && text(&said[0]).contains("order number"), "{said:?}");
    assert!(text(&ali.write("1024").await[0]).contains("1024"), "the search goes on");
    bot.stop().await;
}

async fn ali_sees_tea(world: &World) -> Chat<'_> {
    world.shop.has_language(UserId::try_new(5).unwrap(), Language::En).await;
    sells(world, 7, "Choy", None).await;
    Chat { world, id: 5 }
}

#[tokio::test]
async fn whoever_has_an_unpaid_order_pays_or_replaces_it_before_the_next_one() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let link = PaymentLink { url: "https://my.click.uz/services/pay".to_owned(), pay_until: None };
    let awaiting = OrderState::AwaitingPayment { link: Some(link), cancel_requested_by: None };
    let unpaid = world::order(1024, ali.user_id(), awaiting);
    records::insert(&world.shop.documents, &unpaid).await.unwrap();
    let bot = world.run_bot();
    let wanted = OrderedProduct { product_id: id(7), count: 1 };
    cart::set(&world.shop.documents, ali.user_id(), wanted).await.unwrap();
    let offered = ali.tap("1:co").await;
    assert!(text(&offered[0]).contains("unpaid order #1024"), "{offered:?}");
    let buttons = &offered[0]["reply_markup"]["inline_keyboard"];
    assert_eq!(buttons[0][0]["url"], "https://my.click.uz/services/pay");
    assert_eq!(buttons[1][0]["callback_data"], "1:cor:1024");
    // The ledger cannot be asked, so the order stays.
    ali.tap("1:cor:1024").await;
    bot.stop().await;
    let stays = order::order(&world.shop.documents, unpaid.id).await.unwrap().unwrap();
    assert_eq!(stays.stage(), Stage::AwaitingPayment);
}

#[tokio::test]
async fn an_order_of_too_many_pieces_is_not_begun() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    sells(&world, 8, "Qahva", None).await;
    let bot = world.run_bot();
    for product in [7, 8] {
        let wanted = OrderedProduct { product_id: id(product), count: 600 };
        cart::set(&world.shop.documents, ali.user_id(), wanted).await.unwrap();
    }
    assert!(text(&ali.tap("1:co").await[0]).contains("Choy"), "the cart is shown");
    bot.stop().await;
    assert!(world.telegram.until_toasts(1).await[0].contains("1000 pieces"));
}

#[tokio::test]
async fn an_edit_of_the_last_answer_is_the_answer() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.checks_out(7).await;
    ali.write("Chilonzor 5").await;
    let address = world.telegram.brought();
    let order = ali.edit(address, "Chilonzor 15").await;
    assert!(text(order.last().unwrap()).contains("Chilonzor 15"), "{order:?}");
    // Only the last one counts.
    ali.write("call first").await;
    let told = ali.edit(address, "Chilonzor 25").await;
    assert!(text(&told[0]).contains("not taken into account"), "{told:?}");
    bot.stop().await;
}

#[tokio::test]
async fn a_place_of_telegrams_list_and_the_caption_of_a_photo_are_addresses() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.checks_out(7).await;
    let location = json!({"latitude": 41.326_5, "longitude": 69.228_5});
    let venue = json!({"location": location, "title": "Chorsu", "address": "Tashkent"});
    let order = ali.send(json!({"venue": venue, "location": location})).await;
    assert!(text(&order[1]).contains("Chorsu, Tashkent"), "{order:?}");
    ali.tap("1:coa").await;
    let photo = json!({"file_id": "p", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9});
    let order = ali.send(json!({"photo": [photo], "caption": "Navoiy 7"})).await;
    assert!(text(&order[1]).contains("Navoiy 7"), "{order:?}");
    bot.stop().await;
}

#[tokio::test]
async fn a_tap_that_telegram_holds_up_is_answered() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    world.telegram.is_gone(1);
    for (answer, heard) in [
        (Answer::RetryAfter(30), "very busy"),
        (Answer::Refuse(400, "Bad Request: inline keyboard button URL is invalid"), "try again"),
    ] {
        world.telegram.will_answer("5", [answer]);
        ali.tap("1:m").await;
        let toasts = world.telegram.until_toasts(1).await;
        assert!(toasts.iter().any(|toast| toast.contains(heard)), "{heard}: {toasts:?}");
    }
    bot.stop().await;
}

#[tokio::test]
async fn messages_in_groups_are_not_stored() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.write("/menu").await;
    world.telegram.bring(|number| {
        json!({"message": {
            "message_id": number, "date": 1_763_881_506, "text": "hello", "from": ali.from(),
            "chat": {"id": -77, "type": "group", "title": "Friends"},
        }})
    });
    let confirmed = async {
        while world.telegram.confirmed() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), confirmed).await.unwrap();
    bot.stop().await;
    let updates = Query::all(Collection::new("updates", &[]), 100);
    assert_eq!(world.shop.documents.count(&updates).await.unwrap(), 1);
}

#[tokio::test]
async fn start_in_a_group_is_answered_with_a_link_to_the_bot() {
    let world = World::new().await;
    let ali = ali_sees_tea(&world).await;
    let bot = world.run_bot();
    ali.write("/menu").await;
    for text in ["hello", "/start@shop_bot"] {
        world.telegram.bring(|number| {
            json!({"message": {
                "message_id": number, "date": 1_763_881_506, "text": text, "from": ali.from(),
                "chat": {"id": -77, "type": "group", "title": "Friends"},
            }})
        });
    }
    let answers = world.telegram.until("-77", |arrived| !arrived.is_empty()).await;
    bot.stop().await;
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(answer.buttons[0][0]["url"], "https://t.me/shop_bot");
}
