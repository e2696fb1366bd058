//! The buttons with which the catalogue is edited.

use tolov_domain::ProductId;

use crate::conversation::{
    callback::argument::callbacks,
    dialogue::{Field, VariantField},
};

callbacks! {
    /// The buttons with which the catalogue is edited. All of them need that right.
    CatalogueCallback {
        /// All categories, hidden ones too.
        Categories { page: u32 } = "gc",
        NewCategory = "gcn",
        /// The products of a category.
        Category { id: i64, page: u32 } = "gci",
        CategorySettings { id: i64 } = "gcs",
        RenameCategory { id: i64 } = "gct",
        AskCategoryPhoto { id: i64 } = "gcp",
        /// Moves it to this place of the menu, from 0.
        PlaceCategory { id: i64, place: u32 } = "gcm",
        HideCategory { id: i64, hidden: bool } = "gch",
        RemoveCategory { id: i64 } = "gcr",
        RemoveCategoryConfirmed { id: i64 } = "gcrs",

        NewProduct { category_id: i64 } = "gpn",
        /// Creates the product of the draft.
        AddProduct { id: ProductId, hidden: bool } = "gpa",
        Product { id: ProductId } = "gpi",
        /// Asks for a new value.
        EditProduct { id: ProductId, field: Field } = "gpe",
        /// Leaves or makes the field that is asked for empty.
        LeaveEmpty { field: Field } = "gpl",
        Fiscal { id: ProductId } = "gpf",
        HideProduct { id: ProductId, hidden: bool } = "gph",
        RemoveProduct { id: ProductId } = "gpr",
        RemoveProductConfirmed { id: ProductId } = "gprs",
        /// Asks for the category to move it to.
        MoveProduct { id: ProductId, page: u32 } = "gpm",
        MoveProductTo { id: ProductId, category_id: i64 } = "gpmt",

        Variants { id: ProductId, page: u32 } = "gv",
        NewVariant { product_id: ProductId } = "gvn",
        Variant { product_id: ProductId, id: ProductId } = "gvi",
        EditVariant { product_id: ProductId, id: ProductId, field: VariantField } = "gve",
        RemoveVariant { product_id: ProductId, id: ProductId } = "gvr",
        RemoveVariantConfirmed { product_id: ProductId, id: ProductId } = "gvrs",

        /// Export and import of the catalogue as CSV.
        Exchange = "gx",
        Export = "gxo",
        AskImport = "gxi",
        /// Confirms the plan of the import.
        Import = "gxs",
    }
}
