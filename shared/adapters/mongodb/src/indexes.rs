//! The indexes that queries need. They are created when the server is reached for the first time.

use mongodb::{IndexModel, bson::doc};

use crate::{failure::Failure, shop::MongoShop};

impl MongoShop {
    /// Repeating it changes nothing.
    pub(crate) async fn create_indexes(&self) -> Result<(), Failure> {
        for collection in self.collections().iter().filter(|collection| !collection.indexed().is_empty()) {
            let model = |field: &&str| IndexModel::builder().keys(doc! { *field: 1, "_id": 1 }).build();
            let models: Vec<_> = collection.indexed().iter().map(model).collect();
            self.collection(collection.name()).create_indexes(models).await?;
        }
        Ok(())
    }

    /// `collection.field` of each index that is missing.
    pub(crate) async fn missing_indexes(&self) -> Result<Vec<String>, Failure> {
        let mut missing = Vec::new();
        for collection in self.collections().iter().filter(|collection| !collection.indexed().is_empty()) {
            let names = self.collection(collection.name()).list_index_names().await?;
            // The name that servers and drivers derive from the keys of an index.
            let is_missing = |field: &&&str| !names.contains(&format!("{field}_1__id_1"));
            let fields = collection.indexed().iter().filter(is_missing);
            missing.extend(fields.map(|field| format!("{}.{field}", collection.name())));
        }
        Ok(missing)
    }
}
