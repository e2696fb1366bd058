//! Where the demo's orders come from: a filled cart, an order in the shop store, its registration with the webhook service
//! over HTTP.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use serde_json::{Value, json, value::RawValue};
use tolov_domain::{
    Language, OrderId, OrderedProduct, Tiyin, UserId, order::OrderLine, ports::ShopStore, receipt,
};
use tolov_sandbox::{
    Handle,
    load::{OrderSource, PlacedOrder},
    monitor::TraceEvent,
};
use tolov_shop::{
    catalogue::{self, Article, Product},
    order, shopper,
};
use url::Url;

use super::shop::{API_TOKEN, demo_codes};

/// The longest that the webhook service may take over an order.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// What is bought: how the article's title begins, and how many of it.
const LINES: [(&str, u32); 2] = [("Ko‘k choy 95", 2), ("Toshkent noni", 1)];

#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) store: Arc<dyn ShopStore>,
    pub(super) sandbox: Handle,
    pub(super) http: reqwest::Client,
    pub(super) webhook_url: Url,
}

pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) total: Tiyin,
    pub(super) payment_url: String,
}

impl Checkout {
    /// `with_receipt`: CLICK makes a fiscal receipt of it once it is paid.
    pub(super) async fn register(&self, shopper_id: i64, with_receipt: bool) -> Result<Order> {
        let user_id = UserId::try_new(shopper_id)?;
        let language = self.language_of(shopper_id);
        let lines = self.lines().await?;
        shopper::change(&*self.store, user_id, |shopper| {
            shopper.language.get_or_insert(language);
            for line in &lines {
                let in_cart = OrderedProduct { product_id: line.product_id, count: line.count };
                shopper.set_cart_line(in_cart);
            }
        })
        .await?;
        let total = total_of(&lines)?;
        let id = order::next_order_id(&*self.store, None).await?;
        let products: Vec<Value> =
            lines.iter().map(|line| json!({"product_id": line.product_id, "count": line.count})).collect();
        let total_amount = RawValue::from_string(total.soum_json())?;
        let mut body = json!({
            "order_id": id, "user_id": user_id, "products": products, "total_amount": total_amount,
            "payment_method": "click"
        });
        if with_receipt {
            let content = receipt::content(&lines, None, Tiyin::ZERO, total, &demo_codes())?;
            body["receipt"] = serde_json::to_value(content)?;
        }
        let answer = self
            .http
            .post(self.webhook_url.join("/api/create_order")?)
            .bearer_auth(API_TOKEN)
            .json(&body)
            .timeout(ANSWER_TIMEOUT)
            .send()
            .await?
            .error_for_status()?;
        let answer: Value = answer.json().await?;
        let payment_url = answer["payment_url"]
            .as_str()
            .context("the answer to create_order has no payment_url")?
            .to_owned();
        let facts = json!({ "shopper_id": shopper_id, "amount": total.grouped(), "link": payment_url });
        let event = TraceEvent::new("order", "POST /api/create_order → 201").of_order(&id).facts(facts);
        self.sandbox.trace().record(event.payload(&json!({ "request": body, "answer": answer })));
        Ok(Order { id, total, payment_url })
    }

    /// Articles of the example catalogue. Stock is not held, as with orders of other software: the page's load test buys
    /// by the thousand.
    async fn lines(&self) -> Result<Vec<OrderLine>> {
        let products = catalogue::products(self.store.as_ref()).await?;
        let articles: Vec<Article> = products.iter().flat_map(Product::articles).collect();
        let line = |(name, count): (&str, u32)| {
            let article = articles.iter().find(|article| article.title.starts_with(name));
            let article = article.with_context(|| format!("{name} is not in the example catalogue"))?;
            let (title, price) = (article.title.clone(), Some(article.price));
            let (portion, fiscal) = (article.portion, Some(article.fiscal.clone()));
            Ok(OrderLine { product_id: article.id, count, title, price, portion, fiscal })
        };
        LINES.into_iter().map(line).collect()
    }

    /// The language of the shopper's Telegram.
    fn language_of(&self, shopper_id: i64) -> Language {
        let shoppers = self.sandbox.telegram().shoppers();
        let shopper = shoppers.iter().find(|shopper| shopper.id == shopper_id);
        let tag = shopper.and_then(|shopper| shopper.language_code.as_deref());
        tag.and_then(Language::from_tag).unwrap_or_default()
    }
}

fn total_of(lines: &[OrderLine]) -> Result<Tiyin> {
    lines.iter().try_fold(Tiyin::ZERO, |total, line| {
        Ok(total.checked_add(line.price.unwrap_or(Tiyin::ZERO).checked_times(line.count)?)?)
    })
}

impl OrderSource for Checkout {
    fn place(
        &self,
        shopper_id: i64,
    ) -> Pin<Box<dyn Future<Output = Result<PlacedOrder, String>> + Send + '_>> {
        Box::pin(async move {
            let order = self.register(shopper_id, false).await.map_err(|error| format!("{error:#}"))?;
            Ok(PlacedOrder {
                order_id: order.id.to_string(),
                shopper_id,
                amount: order.total.soum_text(),
                payment_url: order.payment_url,
            })
        })
    }
}
