//! The state of the conversation with a person. It is stored, so that a restart changes nothing.

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use tolov_domain::{
    OrderId, Phone, ProductId, Tiyin, UserId,
    ports::documents::{Collection, Key},
    time::{Timestamp, millis},
};
use tolov_shop::{order::Delivery, records::Record};

mod catalogue;
mod session;
mod staff;
mod step;

pub(crate) use self::{
    catalogue::{Asked, CatalogueStep, Field, VariantField},
    session::Session,
    staff::{MemberStep, PromoField, PromoStep, StaffStep},
    step::Step,
};

pub(crate) const DIALOGUES: Collection = Collection::new("dialogues", &[]);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialogue {
    pub(crate) id: UserId,
    /// What the next message is an answer to.
    #[serde(deserialize_with = "readable_or_default")]
    pub(crate) step: Step,
    /// The message that is edited in place.
    pub(crate) screen: Option<ShownMessage>,
    /// The order that can be paid from the screen.
    #[serde(default)]
    pub(crate) payable: Option<OrderId>,
    /// The checkout under way.
    #[serde(default, deserialize_with = "readable_or_default")]
    pub(crate) draft: Option<Draft>,
    /// The search that the shopper is looking through: where "back" on a product's card leads.
    #[serde(default)]
    pub(crate) search: Option<SearchResults>,
    /// The name that Telegram showed when a member of staff last changed an order. Whoever taps in the channel may never
    /// have written to the bot, and then has no record as a shopper.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The last message that answered a question of the checkout or went to staff: an edit of it counts.
    #[serde(default, deserialize_with = "readable_or_default")]
    pub(crate) last_answer: Option<LastAnswer>,
    /// The album of which a part was taken last: its other parts come as messages of their own, whatever is waited for.
    #[serde(default, deserialize_with = "readable_or_default")]
    pub(crate) album: Option<Album>,
    /// Until when [`Step::Support`] lasts: what is typed much later is a search again.
    #[serde(default, with = "millis::option")]
    pub(crate) support_until: Option<Timestamp>,
}

/// An album that comes part by part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Album {
    pub(crate) media_group_id: String,
    pub(crate) of: AlbumOf,
}

/// What the parts of an album are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlbumOf {
    /// Photos of the product that is being created.
    NewProduct,
    /// Photos of a product.
    Product { id: ProductId },
    /// A message of support, gathered under this number.
    Support { id: i64 },
    /// Nothing: its first part was answered otherwise, and the others are no answers.
    Answered,
}

/// A message and the step that it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastAnswer {
    pub(crate) message_id: i32,
    pub(crate) step: Step,
}

/// What an edited message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EditOf {
    /// The last answer, to a question that is still open.
    LastAnswer,
    /// An earlier answer, or one that was acted upon: it counts as it was.
    TakenAnswer,
    Other,
}

/// A search and the page of its results that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SearchResults {
    pub(crate) query: String,
    pub(crate) page: u32,
}

/// A message of the bot's in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownMessage {
    pub(crate) message_id: i32,
    pub(crate) has_photo: bool,
}

/// What an order would be placed with: what is known of the shopper, and what the shopper has answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// Assigned when the shopper pays, and used by every repetition.
    pub(crate) order_id: Option<OrderId>,
    pub(crate) phone: Option<Phone>,
    pub(crate) delivery: Option<Delivery>,
    /// The address that delivery goes back to after pickup was chosen.
    #[serde(default)]
    pub(crate) address: Option<Delivery>,
    pub(crate) comment: Option<String>,
    /// The total that was shown with all this. `None`: something has changed since.
    pub(crate) shown_total: Option<Tiyin>,
}

impl Record for Dialogue {
    const COLLECTION: Collection = DIALOGUES;

    fn key(&self) -> Key {
        Key::Number(self.id.get())
    }
}

impl Dialogue {
    pub(crate) fn new(id: UserId) -> Self {
        Self {
            id,
            step: Step::Idle,
            screen: None,
            payable: None,
            draft: None,
            search: None,
            name: None,
            last_answer: None,
            album: None,
            support_until: None,
        }
    }

    /// Goes back to the step that an edited message answered, where that answer still counts.
    pub(crate) fn reopen_answer(&mut self, message_id: i32) -> EditOf {
        let last = self.last_answer.as_ref().filter(|last| last.message_id == message_id);
        let Some(step) = last.map(|last| last.step.clone()) else {
            return if self.step.takes_edits() { EditOf::TakenAnswer } else { EditOf::Other };
        };
        let is_open = if step == Step::Support { self.step == step } else { self.step.is_in_checkout() };
        if !is_open {
            return EditOf::TakenAnswer;
        }
        self.step = step;
        EditOf::LastAnswer
    }
}

/// A step that another version of the bot wrote must not lock a person out: what cannot be read counts as absent.
fn readable_or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
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
    fn an_unknown_step_counts_as_none() {
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
    fn a_step_with_data_is_read_back() {
        let id = ProductId::try_new(9).unwrap();
        let draft = Variant { id, label: "M".to_owned(), price: Tiyin::ZERO, stock: None };
        let step = Step::Staff(StaffStep::Catalogue(CatalogueStep::NewVariant {
            product_id: id,
            draft,
            field: VariantField::Price,
        }));
        assert_eq!(read_back(&serde_json::to_value(&step).unwrap()).step, step);
    }
}
