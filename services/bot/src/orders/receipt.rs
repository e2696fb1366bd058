//! What an order tells the tax committee, where the shop has CLICK make its receipts.

use tolov_domain::{
    Tiyin,
    receipt::{self, Content, DeliveryLine, Fiscal},
};
use tolov_kit::env::Env;
use tolov_shop::order::ShopOrder;

/// As receipts name it: they are in Uzbek.
const DELIVERY: &str = "Yetkazib berish";
const MXIK_DIGITS: usize = 17;
const PACKAGE_MAX_CHARS: usize = 20;
const VAT_MAX: u8 = 100;

/// What stands in where a product has no code, package or rate of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptDefaults {
    pub goods: Fiscal,
    /// Of a delivery that is paid for.
    pub delivery: Fiscal,
}

impl ReceiptDefaults {
    /// CLICK_RECEIPTS, RECEIPT_MXIK, RECEIPT_PACKAGE, RECEIPT_VAT, RECEIPT_DELIVERY_MXIK and RECEIPT_DELIVERY_PACKAGE.
    /// `None`: the shop does not have CLICK make receipts.
    pub fn from_env(env: &Env) -> Option<Self> {
        if !env.flag("CLICK_RECEIPTS", false) {
            return None;
        }
        let vat_percent = env.parsed("RECEIPT_VAT").filter(|percent: &u8| *percent <= VAT_MAX);
        if vat_percent.is_none() && env.text("RECEIPT_VAT").is_some() {
            env.problem("RECEIPT_VAT", "must be a whole percentage from 0 to 100");
        }
        let fiscal = |mxik, package| Fiscal {
            mxik: code(env, mxik, MXIK_DIGITS..=MXIK_DIGITS),
            package_code: code(env, package, 1..=PACKAGE_MAX_CHARS),
            vat_percent,
        };
        Some(Self {
            goods: fiscal("RECEIPT_MXIK", "RECEIPT_PACKAGE"),
            delivery: fiscal("RECEIPT_DELIVERY_MXIK", "RECEIPT_DELIVERY_PACKAGE"),
        })
    }

    /// Whether a product can be on a receipt.
    pub fn completes(&self, product: &Fiscal) -> bool {
        product.or(&self.goods).is_complete()
    }

    /// What the order sells; `None` where it does not add up, which is a defect.
    pub fn content(&self, order: &ShopOrder) -> Option<Content> {
        let terms = order.terms.as_ref()?;
        let delivery = (terms.delivery_price > Tiyin::ZERO).then(|| DeliveryLine {
            name: DELIVERY.to_owned(),
            fiscal: self.delivery.clone(),
            price: terms.delivery_price,
        });
        match receipt::content(&order.lines, delivery, terms.discount, order.total, &self.goods) {
            Ok(content) => Some(content),
            Err(error) => {
                tracing::error!(order.id = %order.id, %error, "an order is registered without its receipt");
                None
            }
        }
    }
}

fn code(env: &Env, name: &str, length: std::ops::RangeInclusive<usize>) -> Option<String> {
    let text = env.text(name)?;
    if !length.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        env.problem(name, format_args!("must be {} digits", length.end()));
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "01234567890123456";

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn receipts_are_off_unless_they_are_switched_on() {
        assert_eq!(ReceiptDefaults::from_env(&env(&[("RECEIPT_MXIK", CODE)])), None);
        let on = env(&[("CLICK_RECEIPTS", "on"), ("RECEIPT_MXIK", CODE), ("RECEIPT_VAT", "12")]);
        let defaults = ReceiptDefaults::from_env(&on).unwrap();
        on.finish().unwrap();
        assert!(!defaults.completes(&Fiscal::default()), "the package is missing");
        let product = Fiscal { package_code: Some("1506113".to_owned()), ..Fiscal::default() };
        assert!(defaults.completes(&product));
    }

    #[test]
    fn codes_and_rates_of_another_form_are_named() {
        let env = env(&[("CLICK_RECEIPTS", "on"), ("RECEIPT_MXIK", "123"), ("RECEIPT_VAT", "101")]);
        ReceiptDefaults::from_env(&env).unwrap();
        let problems = env.finish().unwrap_err().to_string();
        assert!(problems.contains("RECEIPT_MXIK") && problems.contains("RECEIPT_VAT"), "{problems}");
    }
}
