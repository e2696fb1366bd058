//! Shoppers and their carts.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use tolov_domain::{
    Language, OrderedProduct, Phone, UserId,
    order::User,
    ports::{
        PortError,
        shop::{Recorded, Shoppers},
    },
};

use crate::{
    document::{self, UserDocument},
    shop::{MongoShop, USERS},
    write::{field_of_each, insert_if_unknown, upsert},
};

#[async_trait]
impl Shoppers for MongoShop {
    async fn user(&self, id: UserId) -> Result<Option<User>, PortError> {
        self.call("reading a shopper", async {
            let found = self.collection(USERS).find_one(doc! { "_id": id.get() }).await?;
            let user = found.map(|raw| document::read::<UserDocument, _>(USERS, &raw, User::try_from));
            Ok(user.transpose()?)
        })
        .await
    }

    async fn meet(&self, id: UserId, language: Option<Language>) -> Result<Recorded, PortError> {
        let mut shopper = document::new_shopper();
        if let Some(language) = language {
            shopper.insert("language", language.as_str());
        }
        let met = insert_if_unknown(id.get(), shopper);
        let written = self.call("meeting a shopper", self.write(USERS, vec![met])).await?;
        Ok(written.recorded())
    }

    async fn set_language(&self, id: UserId, language: Language) -> Result<(), PortError> {
        let chosen = upsert(id.get(), doc! { "language": language.as_str() });
        self.call("keeping a shopper's language", self.write(USERS, vec![chosen])).await.map(|_| ())
    }

    async fn set_phone(&self, id: UserId, phone: &Phone) -> Result<(), PortError> {
        let given = upsert(id.get(), doc! { "phone": phone.as_str() });
        self.call("keeping a shopper's phone", self.write(USERS, vec![given])).await.map(|_| ())
    }

    async fn set_cart_line(&self, id: UserId, line: OrderedProduct) -> Result<(), PortError> {
        let changed = upsert(id.get(), doc! { "cart": cart_with(line) });
        self.call("changing a cart", self.write(USERS, vec![changed])).await.map(|_| ())
    }

    async fn clear_cart(&self, id: UserId) -> Result<(), PortError> {
        // No upsert: nobody becomes known by an empty cart.
        let emptied = doc! { "q": { "_id": id.get() }, "u": { "$set": { "cart": [] } } };
        self.call("emptying a cart", self.write(USERS, vec![emptied])).await.map(|_| ())
    }
}

/// The cart with this line in the place that its product has, at the end where it has none, and without it for a
/// count of 0.
fn cart_with(line: OrderedProduct) -> Document {
    let product_id = line.product_id.get();
    let cart = doc! { "$ifNull": ["$cart", []] };
    if line.count == 0 {
        let other = doc! { "$ne": ["$$line.product_id", product_id] };
        return doc! { "$filter": { "input": cart, "as": "line", "cond": other } };
    }
    let stored = document::cart_line(line);
    let replaced = doc! { "$cond": [{ "$eq": ["$$line.product_id", product_id] }, stored.clone(), "$$line"] };
    doc! { "$cond": [
        { "$in": [product_id, field_of_each("cart", "product_id")] },
        { "$map": { "input": cart.clone(), "as": "line", "in": replaced } },
        { "$concatArrays": [cart, [stored]] },
    ] }
}
