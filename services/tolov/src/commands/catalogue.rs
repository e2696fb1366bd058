//! `tolov seed` and `tolov catalogue`: the example catalogue, and the catalogue as CSV.

use std::{
    fs::File,
    io::{ErrorKind, Read, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tolov_domain::ports::ShopStore;
use tolov_kit::env::Env;
use tolov_shop::{
    catalogue::Catalogue,
    csv::{self, Plan, RowError},
    seed::{self, Planned, Seeded},
};

use super::journal::Journal;
use crate::{
    adapters::{Embedded, Shop, ShopAddress},
    cli::{CatalogueAction, Seed},
    data_folder::{DataFolder, DataLock, Part},
    environment::local_defaults,
};

/// The most changes, or mistakes, that are shown of one file.
const SHOWN_MAX: usize = 100;

/// The shop store, the lock that keeps a restore out while it is open, and the operators' journal.
async fn opened(env: &Env) -> Result<(Shop, Option<DataLock>, Journal)> {
    let address = ShopAddress::from_env(env, Embedded::Allowed);
    let data = DataFolder::from_env(env);
    env.finish()?;
    let lock = data.file(Part::Shop).map(|_| data.share(&[Part::Shop])).transpose()?;
    Ok((Shop::open(&address).await?, lock, Journal::beside(data.ledger_path())))
}

/// `tolov seed`
pub(crate) async fn seed(env: &Env, options: &Seed) -> Result<()> {
    if options.sandbox_only {
        // Before MONGO_URL is used: the store of a real shop is not opened.
        let signs = local_defaults::signs_of_production(env);
        if !signs.is_empty() {
            println!(
                "this is more than the sandbox ({}): the example catalogue is not needed, nothing was changed",
                signs.join(", ")
            );
            return Ok(());
        }
    }
    let (shop, _lock, journal) = opened(env).await?;
    let seeded = import_example(shop.store().as_ref(), &journal).await;
    shop.close().await;
    match seeded? {
        Seeded::Applied { products, categories } => println!(
            "{products} products in {categories} new categories, and the promo code {}; photos are sent to the bot",
            seed::PROMO_CODE
        ),
        Seeded::AlreadyApplied => println!("the example is there already; nothing was changed"),
        Seeded::HasOwnCatalogue => {
            println!(
                "the shop has a catalogue of its own; nothing was changed (`tolov catalogue import` adds to it)"
            );
        }
    }
    Ok(())
}

async fn import_example(shop: &dyn ShopStore, journal: &Journal) -> Result<Seeded> {
    let plan = match seed::plan(shop).await? {
        Planned::Nothing(why) => return Ok(why),
        Planned::Import(plan) => plan,
    };
    journal.record("seed", json!({ "products_new": plan.counts().products_new }))?;
    Ok(seed::apply(shop, &plan).await?)
}

/// `tolov catalogue`
pub(crate) async fn run(env: &Env, action: CatalogueAction) -> Result<()> {
    let (shop, _lock, journal) = opened(env).await?;
    let store = shop.store();
    let outcome = match action {
        CatalogueAction::Export { file } => export(store.as_ref(), file.as_deref()).await,
        CatalogueAction::Import { file, dry_run } => import(store.as_ref(), &journal, &file, dry_run).await,
    };
    shop.close().await;
    outcome
}

async fn export(shop: &dyn ShopStore, file: Option<&Path>) -> Result<()> {
    let catalogue = Catalogue::read(shop).await?;
    let table = csv::export(&catalogue);
    let Some(file) = file else {
        crate::output::write_bytes(&table);
        return Ok(());
    };
    let mut written = match File::create_new(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; an export never replaces a file: name another", file.display())
        }
        opened => opened.with_context(|| format!("cannot write {}", file.display()))?,
    };
    written.write_all(&table).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}: {} products", file.display(), catalogue.products.len());
    Ok(())
}

async fn import(shop: &dyn ShopStore, journal: &Journal, file: &Path, dry_run: bool) -> Result<()> {
    let table = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let catalogue = Catalogue::read(shop).await?;
    let plan = match csv::plan(&table, &catalogue) {
        Ok(plan) => plan,
        Err(errors) => bail!("{} is not imported, nothing was changed:\n{}", file.display(), told(&errors)),
    };
    show(&plan);
    if dry_run || plan.is_empty() {
        println!("nothing was changed");
        return Ok(());
    }
    let counts = plan.counts();
    let details = json!({
        "file": file, "products_new": counts.products_new, "products_changed": counts.products_changed,
    });
    journal.record("catalogue import", details)?;
    let applied = csv::apply(shop, &plan).await?;
    println!(
        "done: {} products created, {} changed, {} categories created",
        applied.products_new, applied.products_changed, applied.categories_new
    );
    for id in applied.gone {
        println!("product {id} was removed meanwhile and stays removed");
    }
    Ok(())
}

/// At most one byte more than an import takes: enough to see that the file is too large.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let most = u64::try_from(csv::FILE_MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut table = Vec::new();
    File::open(file)?.take(most).read_to_end(&mut table)?;
    Ok(table)
}

fn told(errors: &[RowError]) -> String {
    let mut lines: Vec<String> = errors.iter().take(SHOWN_MAX).map(|error| format!("  {error}")).collect();
    if errors.len() > SHOWN_MAX {
        lines.push(format!("  and {} more", errors.len() - SHOWN_MAX));
    }
    lines.join("\n")
}

fn show(plan: &Plan) {
    let counts = plan.counts();
    println!(
        "{} new products, {} changed, {} the same; {} new variants of known products, {} new categories",
        counts.products_new,
        counts.products_changed,
        counts.products_same,
        counts.variants_new,
        counts.categories_new
    );
    for title in plan.new_categories() {
        println!("  new category: {title}");
    }
    for change in plan.changes().take(SHOWN_MAX) {
        match change.product_id {
            None => println!("  new: {}", change.title),
            Some(id) => {
                println!("  {id} {}:", change.title);
                for cell in change.cells {
                    println!("    {cell}");
                }
            }
        }
    }
    let changes = counts.products_new.saturating_add(counts.products_changed);
    if changes > SHOWN_MAX {
        println!("  and {} more", changes - SHOWN_MAX);
    }
}
