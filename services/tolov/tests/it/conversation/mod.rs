//! A test that shops as a person would: the real processes, real HTTP, and at the other end the pretend Telegram and
//! CLICK of `tolov sandbox`. What was said is compared, as a chat that a reader can read, with `snapshots/`.
//!
//! A story is one function; it runs once on files (`tolov all`) and once on RabbitMQ and MongoDB (three processes), and
//! both must be the same chat to the letter.

mod broadcast;
mod expiry;
mod figures;
mod habits;
mod invoices;
mod labels;
mod links;
mod manners;
mod one_trace;
mod person;
mod profile;
mod promo;
mod purchase;
mod receipts;
mod refunds;
mod reliability;
mod search;
mod staff;
mod support;
mod taps;
mod team;
mod trace;
mod transcript;
mod waiting;
mod world;

/// A story on both kinds of stores, against one snapshot.
macro_rules! story {
    ($story:ident) => {
        story!($story, $story, |_settings| {});
    };
    ($name:ident, $story:expr, $settings:expr) => {
        mod $name {
            use super::*;
            use crate::conversation::world::{Stores, World};

            #[tokio::test(flavor = "multi_thread")]
            async fn on_files() {
                let world = World::start(Stores::Files, $settings).await;
                $story(&world).await;
                world.ends_as(stringify!($name)).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_rabbitmq_and_mongodb() {
                let world = World::start(Stores::Servers, $settings).await;
                $story(&world).await;
                world.ends_as(stringify!($name)).await;
            }
        }
    };
}
use story;
