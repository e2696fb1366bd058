//! Shoppers and their carts.

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};
use tolov_domain::{
    Language, OrderedProduct, Phone, ProductId, UserId,
    order::User,
    ports::{
        PortError,
        shop::{Recorded, Shoppers},
    },
};

use super::EmbeddedShop;
use crate::sqlite::BEGIN_WRITING;

#[async_trait]
impl Shoppers for EmbeddedShop {
    async fn user(&self, id: UserId) -> Result<Option<User>, PortError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT phone, language, order_count,
                    (SELECT json_group_array(json_array(product_id, count) ORDER BY seq)
                     FROM cart_lines WHERE user_id = users.id) AS cart
             FROM users WHERE id = ?1",
        )
        .bind(id.get())
        .fetch_optional(self.file.readers())
        .await
        .map_err(|error| self.file.failed(&error))?;
        let damaged = || self.file.damaged(format_args!("user {id}"));
        row.map(|row| row.into_user(id).ok_or_else(damaged)).transpose()
    }

    async fn meet(&self, id: UserId, language: Option<Language>) -> Result<Recorded, PortError> {
        let mut writer = self.file.writer().await?;
        let met = sqlx::query("INSERT INTO users (id, language) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING")
            .bind(id.get())
            .bind(language.map(Language::as_str))
            .execute(&mut *writer)
            .await
            .map_err(|error| self.file.failed(&error))?;
        Ok(if met.rows_affected() > 0 { Recorded::Now } else { Recorded::Before })
    }

    async fn set_language(&self, id: UserId, language: Language) -> Result<(), PortError> {
        let mut writer = self.file.writer().await?;
        sqlx::query(
            "INSERT INTO users (id, language) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET language = excluded.language",
        )
        .bind(id.get())
        .bind(language.as_str())
        .execute(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        Ok(())
    }

    async fn set_phone(&self, id: UserId, phone: &Phone) -> Result<(), PortError> {
        let mut writer = self.file.writer().await?;
        sqlx::query(
            "INSERT INTO users (id, phone) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET phone = excluded.phone",
        )
        .bind(id.get())
        .bind(phone.as_str())
        .execute(&mut *writer)
        .await
        .map_err(|error| self.file.failed(&error))?;
        Ok(())
    }

    async fn set_cart_line(&self, id: UserId, line: OrderedProduct) -> Result<(), PortError> {
        let mut writer = self.file.writer().await?;
        write_cart_line(&mut writer, id, line).await.map_err(|error| self.file.failed(&error))
    }

    async fn clear_cart(&self, id: UserId) -> Result<(), PortError> {
        let mut writer = self.file.writer().await?;
        sqlx::query("DELETE FROM cart_lines WHERE user_id = ?1")
            .bind(id.get())
            .execute(&mut *writer)
            .await
            .map_err(|error| self.file.failed(&error))?;
        Ok(())
    }
}

async fn write_cart_line(
    writer: &mut SqliteConnection,
    id: UserId,
    line: OrderedProduct,
) -> sqlx::Result<()> {
    let mut transaction = writer.begin_with(BEGIN_WRITING).await?;
    sqlx::query("INSERT INTO users (id) VALUES (?1) ON CONFLICT (id) DO NOTHING")
        .bind(id.get())
        .execute(&mut *transaction)
        .await?;
    let change = if line.count == 0 {
        "DELETE FROM cart_lines WHERE user_id = ?1 AND product_id = ?2"
    } else {
        "INSERT INTO cart_lines (user_id, product_id, count) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id, product_id) DO UPDATE SET count = excluded.count"
    };
    // The first one has no use for the count, which does no harm.
    sqlx::query(change)
        .bind(id.get())
        .bind(line.product_id.get())
        .bind(line.count)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

#[derive(sqlx::FromRow)]
struct Row {
    phone: Option<String>,
    language: Option<String>,
    order_count: u32,
    /// JSON: pairs of product and count.
    cart: String,
}

impl Row {
    fn into_user(self, id: UserId) -> Option<User> {
        let lines: Vec<(ProductId, u32)> = serde_json::from_str(&self.cart).ok()?;
        let cart =
            lines.into_iter().map(|(product_id, count)| OrderedProduct { product_id, count }).collect();
        let language = match self.language {
            Some(tag) => Some(Language::from_tag(&tag)?),
            None => None,
        };
        Some(User { id, phone: self.phone, language, cart, order_count: self.order_count })
    }
}
