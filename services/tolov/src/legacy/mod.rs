//! `tolov import-legacy`: brings a shop over from the Python system that this one replaces (docs/moving.md).
//!
//! Everything is read and decided before anything is written. What is written may be written again: a record that is there
//! is left as it is.

mod catalogue;
mod fields;
mod orders;
mod payments;
mod people;
mod report;
mod source;
mod write;

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use time::Duration;
use tolov_domain::{OrderId, Tiyin, UserId, time::Timestamp};
use tolov_kit::{
    clock::{Clock, SystemClock},
    env::Env,
    secret::Secret,
};
use tolov_shop::{shopper::Shopper, staff::StaffMember};
use tolov_webhook::ledger::{ImportedState, Ledger, UnverifiedLimits};

use self::{catalogue::Catalogue, orders::Order, report::Remarks, source::OldShop};
use crate::{
    adapters::{Embedded, Shop, ShopAddress},
    cli::ImportLegacy,
    commands::journal::Journal,
    data_folder::{DataFolder, Part},
};

/// All that will be written.
#[derive(Debug, Default)]
struct Plan {
    catalogue: Catalogue,
    shoppers: BTreeMap<UserId, Shopper>,
    owners: Vec<StaffMember>,
    orders: BTreeMap<OrderId, Order>,
}

impl Plan {
    fn of(old: &OldShop, options: &ImportLegacy, now: Timestamp, remarks: &mut Remarks) -> Result<Self> {
        let catalogue = catalogue::convert(old, !options.other_bot, remarks)?;
        let payments = payments::of_orders(old, now, remarks);
        let payable_since = options.payable_hours.map(|hours| now - Duration::hours(hours.into()));
        let rules = orders::Rules { catalogue: &catalogue, payable_since, now };
        let orders = orders::convert(old, &payments, &rules, remarks);
        let mut paid: BTreeMap<UserId, Vec<OrderId>> = BTreeMap::new();
        for order in orders.values().filter(|order| order.shop.is_paid()) {
            paid.entry(order.shop.user_id).or_default().push(order.shop.id);
        }
        let shoppers = people::shoppers(old, &catalogue::numbers(&catalogue), &paid, now, remarks);
        let owners = people::owners(old, now, remarks);
        Ok(Self { catalogue, shoppers, owners, orders })
    }

    fn print(&self) {
        let of_state = |wanted: fn(&ImportedState) -> bool| {
            self.orders.values().filter(|order| wanted(&order.ledger.state)).count()
        };
        let paid = self.orders.values().filter(|order| order.shop.is_paid());
        let sum = paid.map(|order| order.shop.total.get()).fold(0_i64, i64::saturating_add);
        let sum = Tiyin::try_new(sum).map_or_else(|_| "more than can be shown".to_owned(), Tiyin::grouped);
        println!("categories  {}", self.catalogue.categories.len());
        println!("products    {}", self.catalogue.products.len());
        println!("shoppers    {}", self.shoppers.len());
        println!("owners      {}", self.owners.len());
        println!(
            "orders      {}: {} paid ({sum} so'm), {} can still be paid, {} over",
            self.orders.len(),
            of_state(|state| matches!(state, ImportedState::Paid(_))),
            of_state(|state| matches!(state, ImportedState::Payable { .. })),
            of_state(|state| matches!(state, ImportedState::Over)),
        );
    }
}

pub(crate) async fn run(env: &Env, options: &ImportLegacy) -> Result<()> {
    let address = ShopAddress::from_env(env, Embedded::Allowed);
    let data = DataFolder::from_env(env);
    env.finish()?;
    refuse_the_same_file(data.ledger_path(), options.payments.as_deref())?;
    let now = SystemClock.now();
    let mongo = Secret::new(options.mongo.clone());
    refuse_the_same_database(&address, &mongo).await?;
    let old = OldShop::read(&mongo, options.payments.as_deref()).await?;
    let mut remarks = Remarks::default();
    if options.payments.is_none() {
        println!("without --payments nothing is known of money: no order is carried over as paid");
    }
    let plan = Plan::of(&old, options, now, &mut remarks)?;
    plan.print();
    remarks.print();
    if let Some(path) = &options.report {
        remarks.write(path)?;
    }
    if options.dry_run {
        println!("\nnothing was changed; without --dry-run this is what will be done");
        return Ok(());
    }
    let parts: Vec<Part> =
        [Part::Ledger, Part::Shop].into_iter().filter(|part| data.file(*part).is_some()).collect();
    let _lock = data.share(&parts)?;
    let shop = Shop::open(&address).await?;
    let written = write_all(&shop, &data, &plan, options, now).await;
    shop.close().await;
    let written = written?;
    println!("\ndone: {written}");
    ensure!(
        written.refused() == 0,
        "{} orders are not as in the old system: look at each that is named above, before the services start",
        written.refused()
    );
    println!("next: `tolov doctor`, start the services, and point CLICK's addresses here");
    Ok(())
}

async fn write_all(
    shop: &Shop,
    data: &DataFolder,
    plan: &Plan,
    options: &ImportLegacy,
    now: Timestamp,
) -> Result<write::Written> {
    let store = shop.store();
    if !options.into_existing
        && let Some(found) = write::foreign_record(store.as_ref(), plan).await?
    {
        bail!(
            "this shop has records of its own ({found}): --into-existing mixes the two; nothing was changed"
        );
    }
    let details = json!({
        "orders": plan.orders.len(), "shoppers": plan.shoppers.len(), "products": plan.catalogue.products.len(),
    });
    Journal::beside(data.ledger_path()).record("import-legacy", details)?;
    let (ledger, writer) = Ledger::open(data.ledger(), UnverifiedLimits::default())
        .await
        .context("the ledger cannot be opened: stop the services first")?;
    let written = write::all(&store, &ledger, plan, now).await;
    drop(ledger);
    writer.close().await;
    written
}

/// Both are called payments.db by default.
fn refuse_the_same_file(ledger: &Path, old: Option<&Path>) -> Result<()> {
    let Some(old) = old.and_then(|path| path.canonicalize().ok()) else { return Ok(()) };
    if ledger.canonicalize().is_ok_and(|ledger| ledger == old) {
        bail!(
            "--payments and LEDGER_PATH name the same file: run this in another folder, or set LEDGER_PATH"
        );
    }
    Ok(())
}

/// Both systems call their collections alike.
async fn refuse_the_same_database(address: &ShopAddress, old: &Secret) -> Result<()> {
    let ShopAddress::MongoDb(url) = address else { return Ok(()) };
    if tolov_mongodb::is_same_database(url, old).await {
        bail!(
            "--mongo and MONGO_URL name the same database: give the new shop one of its own, such as …/tolov"
        );
    }
    Ok(())
}
