//! Users with their carts, and admins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tolov_domain::{OrderId, OrderedProduct, Phone, ProductId, UserId, time::Timestamp};
use tolov_shop::{
    shopper::{Shopper, cart::LINES_MAX},
    staff::{Role, StaffMember},
};

use super::{fields, report::Remarks, source::OldShop};

/// `paid`: the orders that each person has paid, by number.
pub(super) fn shoppers(
    old: &OldShop,
    products: &BTreeSet<ProductId>,
    paid: &BTreeMap<UserId, Vec<OrderId>>,
    now: Timestamp,
    remarks: &mut Remarks,
) -> BTreeMap<UserId, Shopper> {
    let mut shoppers = BTreeMap::new();
    for record in &old.users {
        let Some(id) = id_of(record) else {
            remarks.left_out(
                "user",
                fields::text(record, "id").unwrap_or_default(),
                "it is no Telegram user",
            );
            continue;
        };
        if shoppers.contains_key(&id) {
            remarks.left_out("user", id, "the user is there twice: the first is carried over");
            continue;
        }
        let mut shopper = shopper(record, id, products, now, remarks);
        count_orders(&mut shopper, paid);
        let counted = fields::whole(record, "order_count").unwrap_or_default();
        if counted != i64::from(shopper.order_count) {
            let paid = shopper.order_count;
            remarks.changed("user", id, format!("the old shop counted {counted} orders; {paid} are paid"));
        }
        shoppers.insert(id, shopper);
    }
    for user in paid.keys() {
        shoppers.entry(*user).or_insert_with(|| {
            remarks.changed("user", user, "has paid and is not among the users: known by the orders alone");
            let mut shopper = Shopper::new(*user);
            count_orders(&mut shopper, paid);
            shopper
        });
    }
    shoppers
}

fn shopper(
    record: &Value,
    id: UserId,
    products: &BTreeSet<ProductId>,
    now: Timestamp,
    remarks: &mut Remarks,
) -> Shopper {
    let mut shopper = Shopper::new(id);
    let registered_at = fields::date(record, "created_at").or_else(|| fields::made_at(record));
    shopper.registered_at = Some(registered_at.unwrap_or(now).min(now));
    shopper.referrer_id = fields::whole(record, "referrer_id")
        .and_then(|referrer| UserId::try_new(referrer).ok())
        .filter(|referrer| *referrer != id);
    if let Some(written) = fields::text(record, "phone_number") {
        shopper.phone = Phone::parse(&written).ok();
        if shopper.phone.is_none() {
            remarks.changed(
                "user",
                id,
                "the phone number is not readable: it is asked for at the next checkout",
            );
        }
    }
    if fields::amount(record, "balance").is_some_and(|balance| balance.amount.get() > 0) {
        let balance = fields::text(record, "balance").unwrap_or_default();
        remarks.changed(
            "user",
            id,
            format!("has a balance of {balance}, which this shop does not have: settle it by hand"),
        );
    }
    let cart = fields::products(record, "savat");
    let wanted = cart.len();
    for line in cart.into_iter().filter(|line: &OrderedProduct| products.contains(&line.product_id)) {
        if shopper.cart.len() < LINES_MAX {
            shopper.set_cart_line(line);
        }
    }
    if shopper.cart.len() < wanted {
        remarks.changed("user", id, "the cart had products that are gone: they are left out of it");
    }
    shopper
}

fn count_orders(shopper: &mut Shopper, paid: &BTreeMap<UserId, Vec<OrderId>>) {
    for order_id in paid.get(&shopper.id).into_iter().flatten() {
        shopper.record_purchase(*order_id, &[], None);
    }
}

/// Everybody whom the old bot let in, as an owner: who keeps the right is for the owner of ADMIN_IDS to say.
pub(super) fn owners(old: &OldShop, now: Timestamp, remarks: &mut Remarks) -> Vec<StaffMember> {
    let mut owners = BTreeMap::new();
    for record in &old.admins {
        match id_of(record) {
            Some(id) => {
                let member =
                    StaffMember { id, name: id.to_string(), role: Role::Owner, added_by: id, added_at: now };
                owners.insert(id, member);
            }
            None => remarks.left_out(
                "admin",
                fields::text(record, "id").unwrap_or_default(),
                "it is no Telegram user",
            ),
        }
    }
    owners.into_values().collect()
}

fn id_of(record: &Value) -> Option<UserId> {
    let id = fields::whole(record, "id").or_else(|| fields::whole(record, "_id"))?;
    UserId::try_new(id).ok()
}
