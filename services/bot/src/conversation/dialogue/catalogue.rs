//! What the bot waits for while the catalogue is edited.

use serde::{Deserialize, Serialize};
use tolov_domain::ProductId;
use tolov_shop::catalogue::{Product, Variant};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CatalogueStep {
    /// The title of a category that will have this number.
    NewCategory {
        id: i64,
    },
    RenameCategory {
        id: i64,
    },
    CategoryPhoto {
        id: i64,
    },
    /// A product that is being created.
    NewProduct {
        draft: Box<Product>,
        asked: Asked,
    },
    EditProduct {
        id: ProductId,
        field: Field,
    },
    NewVariant {
        product_id: ProductId,
        draft: Variant,
        field: VariantField,
    },
    EditVariant {
        product_id: ProductId,
        id: ProductId,
        field: VariantField,
    },
    /// A CSV file to import.
    ImportFile,
}

/// What a new product is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Asked {
    Field(Field),
    /// Everything is answered and shown.
    Review,
}

/// A field of a product that is typed or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Field {
    Title,
    Description,
    /// How it is sold: by the piece, or in portions of this. Asked for once.
    Portion,
    Price,
    Stock,
    Photo,
    Mxik,
    PackageCode,
    Vat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VariantField {
    Label,
    Price,
    Stock,
}

impl Field {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Title,
        Self::Description,
        Self::Portion,
        Self::Price,
        Self::Stock,
        Self::Photo,
        Self::Mxik,
        Self::PackageCode,
        Self::Vat,
    ];

    /// What a new product is asked for after this one.
    pub(crate) const fn next(self) -> Asked {
        match self {
            Self::Title => Asked::Field(Self::Description),
            Self::Description => Asked::Field(Self::Portion),
            Self::Portion => Asked::Field(Self::Price),
            Self::Price => Asked::Field(Self::Stock),
            Self::Stock => Asked::Field(Self::Photo),
            Self::Photo | Self::Mxik | Self::PackageCode | Self::Vat => Asked::Review,
        }
    }

    /// Whether it may be empty.
    pub(crate) const fn may_be_empty(self) -> bool {
        !matches!(self, Self::Title | Self::Price)
    }
}

impl VariantField {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Label, Self::Price, Self::Stock];
}
