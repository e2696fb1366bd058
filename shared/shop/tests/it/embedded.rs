//! A shop store in a folder of its own, for rules that need carts and orders too.

use tempfile::TempDir;
use tolov_embedded::EmbeddedShop;

use crate::shelf::open_shop;

#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) store: EmbeddedShop,
    _folder: TempDir,
}

impl Shop {
    /// With the goods of [`open_shop`].
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedShop::open(folder.path()).await.unwrap();
        open_shop(&store).await;
        Self { store, _folder: folder }
    }
}
