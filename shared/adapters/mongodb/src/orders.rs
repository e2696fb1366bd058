//! Orders, as the bot places and shows them.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    bson::{RawDocumentBuf, doc},
    options::ReturnDocument,
};
use tolov_domain::{
    OrderId, UserId,
    order::Order,
    ports::{
        PortError,
        shop::{NewOrder, Orders, Recorded},
    },
};

use crate::{
    document::{self, OrderDocument},
    failure::Failure,
    shop::{COUNTERS, MongoShop, ORDERS},
    write::{again_after_a_break, insert_if_unknown},
};

/// The `_id` of the counter of order numbers.
const ORDER_COUNTER: &str = "orders";

/// The first order number of an empty shop is the one after this.
const NUMBER_BEFORE_THE_FIRST: i64 = 1_000;

#[async_trait]
impl Orders for MongoShop {
    async fn next_order_id(&self) -> Result<OrderId, PortError> {
        self.call("taking an order number", async {
            let mut number = self.count_up(ORDER_COUNTER).await?;
            if number.is_none() {
                // The counter was removed while this process ran.
                self.lift_order_counter_over_stored_orders().await?;
                number = self.count_up(ORDER_COUNTER).await?;
            }
            let number =
                number.ok_or_else(|| Failure::Vanished("the counter of order numbers".to_owned()))?;
            OrderId::try_new(number)
                .map_err(|error| Failure::Unexpected(format!("the counter of order numbers: {error}")))
        })
        .await
    }

    async fn place_order(&self, order: &NewOrder) -> Result<Recorded, PortError> {
        let insert = insert_if_unknown(order.id.get(), document::pending_order(order));
        let written = self.call("placing an order", self.write(ORDERS, vec![insert])).await?;
        Ok(written.recorded())
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        self.call("reading an order", async {
            let found = self.collection(ORDERS).find_one(doc! { "_id": id.get() }).await?;
            Ok(found.map(|raw| read_order(&raw)).transpose()?)
        })
        .await
    }

    async fn orders_of(&self, user_id: UserId, skip: u32, limit: u32) -> Result<Vec<Order>, PortError> {
        if limit == 0 {
            // To the server a limit of 0 is none.
            return Ok(Vec::new());
        }
        self.call("reading a shopper's orders", async {
            let found = self
                .collection(ORDERS)
                .find(doc! { "user_id": user_id.get() })
                .sort(doc! { "_id": -1 })
                .skip(u64::from(skip))
                .limit(i64::from(limit))
                .await?;
            let found: Vec<RawDocumentBuf> = found.try_collect().await?;
            Ok(found.iter().map(read_order).collect::<Result<_, _>>()?)
        })
        .await
    }
}

impl MongoShop {
    /// The next number, or none where the counter is not there. A number whose answer is lost is never used.
    pub(crate) async fn count_up(&self, counter: &str) -> Result<Option<i64>, Failure> {
        let counters = self.collection(COUNTERS);
        let count = || {
            counters
                .find_one_and_update(doc! { "_id": counter }, doc! { "$inc": { "value": 1_i64 } })
                .return_document(ReturnDocument::After)
        };
        let Some(after) = again_after_a_break(count).await? else { return Ok(None) };
        let value = after.get_i64("value").map_err(|error| Failure::Unexpected(error.to_string()))?;
        Ok(Some(value))
    }

    /// Lifts the counter so that `number` is not given out; a counter that is further stays.
    pub(crate) async fn lift_order_counter(&self, number: i64) -> Result<(), Failure> {
        let lift = doc! {
            "q": { "_id": ORDER_COUNTER },
            "u": { "$max": { "value": number.max(NUMBER_BEFORE_THE_FIRST) } },
            "upsert": true,
        };
        self.write(COUNTERS, vec![lift]).await.map(|_| ())
    }

    pub(crate) async fn lift_order_counter_over_stored_orders(&self) -> Result<(), Failure> {
        // Only numbers compare with a number, so a document with another kind of `_id` does not count.
        let orders = self.collection(ORDERS);
        let numbered = orders.find_one(doc! { "_id": { "$gte": 1_i64 } });
        let highest = numbered.sort(doc! { "_id": -1 }).projection(doc! { "_id": 1 }).await?;
        let highest = highest.and_then(|raw| raw.get_i64("_id").ok()).unwrap_or(NUMBER_BEFORE_THE_FIRST);
        self.lift_order_counter(highest).await
    }
}

pub(crate) fn read_order(raw: &RawDocumentBuf) -> Result<Order, document::Unreadable> {
    document::read::<OrderDocument, _>(ORDERS, raw, Order::try_from)
}
