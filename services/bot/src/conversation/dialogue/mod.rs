//! Where the conversation with a person stands: kept in the shop store, so that a restart changes nothing.

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use tolov_domain::{
    OrderId, UserId,
    ports::{
        PortError,
        documents::{Collection, Documents, Key},
    },
};
use tolov_shop::{
    fulfilment::Delivery,
    records::{self, Record},
};

mod catalogue;
mod staff;
mod step;

pub(crate) use self::{
    catalogue::{Asked, CatalogueStep, Field, VariantField},
    staff::{MemberStep, PromoField, PromoStep, StaffStep},
    step::Step,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialogue {
    pub(crate) id: UserId,
    /// What the next message is an answer to.
    #[serde(deserialize_with = "readable_or_default")]
    pub(crate) step: Step,
    /// The message that is edited in place.
    pub(crate) screen: Option<ShownMessage>,
    /// What was agreed so far on the way to an order.
    #[serde(default, deserialize_with = "readable_or_default")]
    pub(crate) draft: Option<Draft>,
    /// The search whose results were shown last, for their other pages and for the way back to them.
    #[serde(default)]
    pub(crate) found: Option<Found>,
    /// As Telegram showed a member of staff at their last deed: who taps in the channel may never have written to the
    /// bot, and whoever has no profile gets no broadcasts.
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// Results of a search that are looked through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) query: String,
    pub(crate) page: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownMessage {
    pub(crate) message_id: i32,
    pub(crate) has_photo: bool,
}

/// A checkout under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// Drawn when the summary is agreed to, and used again by every repetition.
    pub(crate) order_id: Option<OrderId>,
    pub(crate) phone: Option<String>,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) comment: Option<String>,
    /// The total, in tiyin, that the summary showed.
    pub(crate) shown_total: Option<i64>,
}

impl Record for Dialogue {
    const COLLECTION: Collection = Collection::Dialogues;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl Dialogue {
    pub(crate) fn new(id: UserId) -> Self {
        Self { id, step: Step::Idle, screen: None, draft: None, found: None, name: None }
    }
}

/// A step of another version of the bot must not lock a person out: what cannot be read is as if it were not there.
fn readable_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

pub(crate) async fn read(documents: &dyn Documents, id: UserId) -> Result<Dialogue, PortError> {
    Ok(records::read(documents, id.get()).await?.unwrap_or_else(|| Dialogue::new(id)))
}

pub(crate) async fn change(
    documents: &dyn Documents,
    id: UserId,
    change: impl FnMut(&mut Dialogue),
) -> Result<Dialogue, PortError> {
    let changed = records::change_or_make(documents, id.get(), || Dialogue::new(id), change);
    Ok(changed.await?.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tolov_domain::{ProductId, Tiyin};
    use tolov_shop::catalogue::Variant;

    use super::*;

    fn read_back(step: &serde_json::Value) -> Dialogue {
        serde_json::from_value(json!({ "id": 7, "step": step, "screen": null, "draft": null })).unwrap()
    }

    #[test]
    fn a_step_that_nobody_knows_any_more_is_none() {
        for step in [
            json!("dancing"),
            json!({ "staff": "dancing" }),
            json!({ "staff": { "catalogue": { "x": 1 } } }),
            json!(null),
        ] {
            assert_eq!(read_back(&step).step, Step::Idle, "{step}");
        }
        let unknown_draft = json!({ "id": 7, "step": "search", "screen": null, "draft": { "phone": 5 } });
        let dialogue: Dialogue = serde_json::from_value(unknown_draft).unwrap();
        assert_eq!((dialogue.step, dialogue.draft), (Step::Search, None));
    }

    #[test]
    fn a_step_that_carries_something_is_read_back() {
        let id = ProductId::try_new(9).unwrap();
        let draft = Variant { id, label: "M".to_owned(), price: Tiyin::ZERO, stock: None };
        let step =
            Step::Staff(crate::conversation::dialogue::StaffStep::Catalogue(CatalogueStep::NewVariant {
                product_id: id,
                draft,
                field: VariantField::Price,
            }));
        assert_eq!(read_back(&serde_json::to_value(&step).unwrap()).step, step);
    }
}
