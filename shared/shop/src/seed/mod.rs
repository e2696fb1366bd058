//! A small example catalogue to try the shop with. It is imported like any table: nothing is created twice, and an
//! interrupted import is finished by the next.

use tolov_domain::{
    Tiyin,
    ports::{PortError, documents::Documents},
};

use crate::{
    catalogue::Catalogue,
    csv::{self, Plan},
    promo::{Off, PromoCode},
    records,
};

/// Four categories of an Uzbek shop. There are no photos, because a file_id belongs to one bot, and no tax codes, because
/// each shop has its own.
pub const EXAMPLE: &[u8] = include_bytes!("seed.csv");
/// Ten percent off, once a shopper.
pub const PROMO_CODE: &str = "XUSH10";

/// What came of seeding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    Applied {
        products: usize,
        categories: usize,
    },
    /// The example is there, complete and unchanged.
    AlreadyApplied,
    /// The shop has products or categories of its own, or has changed the example: nothing was done.
    HasOwnCatalogue,
}

/// What is to be imported into a shop that has no other catalogue.
#[derive(Debug)]
pub enum Planned {
    Import(Plan),
    Nothing(Seeded),
}

/// Imports the example into a shop that has no other catalogue.
pub async fn seed(documents: &dyn Documents) -> Result<Seeded, PortError> {
    match plan(documents).await? {
        Planned::Import(plan) => apply(documents, &plan).await,
        Planned::Nothing(why) => Ok(why),
    }
}

/// The first half of [`seed`]: changes nothing.
pub async fn plan(documents: &dyn Documents) -> Result<Planned, PortError> {
    let catalogue = Catalogue::read(documents).await?;
    let plan = csv::plan(EXAMPLE, &catalogue).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        PortError::Refused(format!("the example catalogue is faulty ({first}): report it"))
    })?;
    let counts = plan.counts();
    let of_the_example =
        csv::plan(EXAMPLE, &Catalogue::default()).map_or(0, |plan| plan.new_categories().len());
    let own_categories = (catalogue.categories.len() + counts.categories_new).saturating_sub(of_the_example);
    if counts.products_changed > 0 || counts.products_same < catalogue.products.len() || own_categories > 0 {
        return Ok(Planned::Nothing(Seeded::HasOwnCatalogue));
    }
    Ok(if plan.is_empty() { Planned::Nothing(Seeded::AlreadyApplied) } else { Planned::Import(plan) })
}

/// The second half of [`seed`].
pub async fn apply(documents: &dyn Documents, plan: &Plan) -> Result<Seeded, PortError> {
    // First: a shop that has the whole example has it too.
    records::insert(documents, &promo_code()).await?;
    let applied = csv::apply(documents, plan).await?;
    Ok(Seeded::Applied { products: applied.products_new, categories: applied.categories_new })
}

fn promo_code() -> PromoCode {
    PromoCode {
        code: PROMO_CODE.to_owned(),
        off: Off::Percent(10),
        goods_min: Tiyin::ZERO,
        uses_max: 1_000,
        uses_per_shopper_max: 1,
        expires_at: None,
        active: true,
        uses: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_contract::memory::MemoryDocuments;
    use tolov_domain::UserId;

    use super::*;
    use crate::{
        catalogue::{self, Category, Product},
        promo,
    };

    const ALL: Seeded = Seeded::Applied { products: 13, categories: 4 };

    #[tokio::test]
    async fn the_example_is_imported_once() {
        let documents = MemoryDocuments::default();
        assert_eq!(seed(&documents).await, Ok(ALL));
        let seeded = Catalogue::read(&documents).await.unwrap();
        let titles: Vec<&str> = seeded.categories.iter().map(|category| category.title.as_str()).collect();
        assert_eq!(titles, ["Choy", "Non va shirinliklar", "Kiyim", "Sovg‘alar"]);
        assert_eq!(seeded.products.iter().filter(|product| product.is_sold_out()).count(), 1);
        assert_eq!(seeded.products.iter().filter(|product| !product.variants.is_empty()).count(), 3);
        assert!(seeded.products.iter().all(|product| !product.description.is_empty()));
        assert_eq!(seed(&documents).await, Ok(Seeded::AlreadyApplied));
        assert_eq!(Catalogue::read(&documents).await.unwrap(), seeded);
    }

    #[tokio::test]
    async fn its_promo_code_gives_ten_percent_off() {
        let documents = MemoryDocuments::default();
        seed(&documents).await.unwrap();
        let (shopper, now) = (UserId::try_new(7).unwrap(), datetime!(2026-03-04 12:00 UTC));
        let goods = Tiyin::from_soum(100_000).unwrap();
        let off = promo::discount(&documents, PROMO_CODE, shopper, goods, now).await.unwrap();
        assert_eq!(off, Ok(Tiyin::from_soum(10_000).unwrap()));
    }

    #[tokio::test]
    async fn an_interrupted_import_is_finished() {
        let documents = MemoryDocuments::default();
        seed(&documents).await.unwrap();
        for key in
            catalogue::products(&documents).await.unwrap().iter().skip(2).map(|product| product.id.get())
        {
            records::remove::<Product>(&documents, key).await.unwrap();
        }
        records::remove::<Category>(&documents, 4).await.unwrap();
        assert_eq!(seed(&documents).await, Ok(Seeded::Applied { products: 11, categories: 1 }));
        assert_eq!(seed(&documents).await, Ok(Seeded::AlreadyApplied));
    }

    #[tokio::test]
    async fn a_shop_with_a_catalogue_of_its_own_is_left_alone() {
        let own = Category { id: 1, title: "Kitoblar".to_owned(), photo: None, position: 1, hidden: false };
        let documents = MemoryDocuments::default();
        records::insert(&documents, &own).await.unwrap();
        assert_eq!(seed(&documents).await, Ok(Seeded::HasOwnCatalogue));
        assert_eq!(catalogue::products(&documents).await.unwrap(), []);
        let edited = MemoryDocuments::default();
        seed(&edited).await.unwrap();
        let first = catalogue::products(&edited).await.unwrap()[0].id;
        let dearer = |product: &mut Product| product.price = Tiyin::from_soum(20_000).unwrap();
        records::change(&edited, first.get(), dearer).await.unwrap();
        assert_eq!(seed(&edited).await, Ok(Seeded::HasOwnCatalogue));
    }
}
