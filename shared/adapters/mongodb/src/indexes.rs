//! The indexes that queries need. They are made at the first reach of the server.

use mongodb::{IndexModel, bson::doc};
use tolov_domain::ports::documents::Collection;

use crate::{
    failure::Failure,
    shop::{MongoShop, ORDERS},
};

/// The indexes of one collection beside `_id`, each by a field, then by `_id` in the given direction.
struct Indexes {
    collection: &'static str,
    fields: &'static [&'static str],
    id_direction: i32,
}

impl Indexes {
    /// The name that servers and drivers give an index by its keys.
    fn name(&self, field: &str) -> String {
        format!("{field}_1__id_{}", self.id_direction)
    }
}

fn wanted() -> Vec<Indexes> {
    // A shopper's orders, newest first.
    let orders = Indexes { collection: ORDERS, fields: &["user_id"], id_direction: -1 };
    let of_documents = Collection::ALL.into_iter().map(|collection| Indexes {
        collection: collection.name(),
        fields: collection.indexed(),
        id_direction: 1,
    });
    std::iter::once(orders).chain(of_documents).filter(|indexes| !indexes.fields.is_empty()).collect()
}

impl MongoShop {
    /// Repeating it changes nothing.
    pub(crate) async fn make_indexes(&self) -> Result<(), Failure> {
        for indexes in wanted() {
            let model = |field: &&str| {
                IndexModel::builder().keys(doc! { *field: 1, "_id": indexes.id_direction }).build()
            };
            let models: Vec<_> = indexes.fields.iter().map(model).collect();
            self.collection(indexes.collection).create_indexes(models).await?;
        }
        Ok(())
    }

    /// `collection.field` of each index that is not there.
    pub(crate) async fn missing_indexes(&self) -> Result<Vec<String>, Failure> {
        let mut missing = Vec::new();
        for indexes in wanted() {
            let names = self.collection(indexes.collection).list_index_names().await?;
            let absent = indexes.fields.iter().filter(|field| !names.contains(&indexes.name(field)));
            missing.extend(absent.map(|field| format!("{}.{field}", indexes.collection)));
        }
        Ok(missing)
    }
}
