//! The columns of the catalogue's table.

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    ProductId,
    Category,
    Title,
    Description,
    Variant,
    VariantId,
    /// What it is sold in, `0.5 kg`; empty: by the piece.
    Portion,
    /// So'm; of one piece, or of one kilogram, litre or metre.
    Price,
    /// Pieces, or kilograms, litres or metres.
    Stock,
    Hidden,
    Mxik,
    PackageCode,
    VatPercent,
    /// One or several, with blanks between them.
    Photo,
}

impl Column {
    pub const ALL: [Self; 14] = [
        Self::ProductId,
        Self::Category,
        Self::Title,
        Self::Description,
        Self::Variant,
        Self::VariantId,
        Self::Portion,
        Self::Price,
        Self::Stock,
        Self::Hidden,
        Self::Mxik,
        Self::PackageCode,
        Self::VatPercent,
        Self::Photo,
    ];

    /// Its name in the heading.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProductId => "product_id",
            Self::Category => "category",
            Self::Title => "title",
            Self::Description => "description",
            Self::Variant => "variant",
            Self::VariantId => "variant_id",
            Self::Portion => "portion",
            Self::Price => "price",
            Self::Stock => "stock",
            Self::Hidden => "hidden",
            Self::Mxik => "mxik",
            Self::PackageCode => "package_code",
            Self::VatPercent => "vat_percent",
            Self::Photo => "photo",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}
