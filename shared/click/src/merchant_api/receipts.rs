//! The body of `submit_items`, made of what was agreed with the order, and the address of a receipt.

use tolov_domain::{
    Tiyin,
    receipt::{Content, ContentLine},
};

use super::{CommissionInfo, FiscalItem, FiscalItems};

/// Where the tax committee shows receipts.
const RECEIPT_ADDRESS: &str = "https://ofd.soliq.uz/";
const ADDRESS_MAX: usize = 500;

impl CommissionInfo {
    /// A TIN of 9 digits or a PINFL of 14.
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.len() {
            9 if is_number => Some(Self::Tin(text.to_owned())),
            14 if is_number => Some(Self::Pinfl(text.to_owned())),
            _ => None,
        }
    }
}

impl FiscalItems {
    /// All of it is received by card, as CLICK's own receipts have it. The same content always makes the same body.
    /// `None`: a line has no codes.
    pub fn new(service_id: i64, payment_id: i64, content: &Content, seller: &CommissionInfo) -> Option<Self> {
        let items = content.lines.iter().map(|line| item(line, seller)).collect::<Option<_>>()?;
        let received_card = tiyin(content.paid()?);
        Some(Self { service_id, payment_id, items, received_ecash: 0, received_cash: 0, received_card })
    }
}

fn item(line: &ContentLine, seller: &CommissionInfo) -> Option<FiscalItem> {
    let discount = tiyin(line.discount);
    Some(FiscalItem {
        name: line.name.clone(),
        barcode: None,
        labels: Vec::new(),
        spic: line.fiscal.mxik.clone()?,
        // The unit is in the name and in the package: CLICK's own items have no other.
        units: None,
        package_code: line.fiscal.package_code.clone()?,
        good_price: Some(tiyin(line.good_price)),
        price: tiyin(line.price),
        amount: line.amount,
        vat: tiyin(line.vat),
        vat_percent: line.fiscal.vat_percent?,
        discount: (discount > 0).then_some(discount),
        other: None,
        commission_info: seller.clone(),
    })
}

/// Amounts are never negative.
fn tiyin(amount: Tiyin) -> u64 {
    amount.get().unsigned_abs()
}

/// Whether it is an address of the tax committee's: it is shown to shoppers.
pub(super) fn is_receipt_address(url: &str) -> bool {
    url.starts_with(RECEIPT_ADDRESS)
        && url.len() <= ADDRESS_MAX
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'".contains(&byte))
}

#[cfg(test)]
mod tests {
    use tolov_domain::receipt::Fiscal;

    use super::*;

    fn line() -> ContentLine {
        let of = |amount| Tiyin::try_new(amount).unwrap();
        ContentLine {
            name: "Zaytun 0,5 kg".to_owned(),
            fiscal: Fiscal {
                mxik: Some("01234567890123456".to_owned()),
                package_code: Some("1506113".to_owned()),
                vat_percent: Some(12),
            },
            amount: 1_500,
            good_price: of(1_200_000),
            price: of(3_600_000),
            discount: of(40_000),
            vat: of(381_429),
        }
    }

    #[test]
    fn the_body_is_what_was_agreed_in_tiyin() {
        let seller = CommissionInfo::parse("123456789").unwrap();
        let content = Content { lines: vec![line()] };
        let items = FiscalItems::new(1, 4_710_103_925, &content, &seller).unwrap();
        items.check().unwrap();
        assert_eq!((items.received(), items.received_card), (Some(3_560_000), 3_560_000));
        assert_eq!(
            serde_json::to_value(&items.items[0]).unwrap(),
            serde_json::json!({
                "Name": "Zaytun 0,5 kg", "SPIC": "01234567890123456", "PackageCode": "1506113",
                "GoodPrice": 1_200_000, "Price": 3_600_000, "Amount": 1_500, "VAT": 381_429, "VATPercent": 12,
                "Discount": 40_000, "CommissionInfo": {"TIN": "123456789"}
            })
        );
        let bare = ContentLine { fiscal: Fiscal::default(), ..line() };
        assert_eq!(FiscalItems::new(1, 1, &Content { lines: vec![bare] }, &seller), None);
    }

    #[test]
    fn a_seller_is_a_tin_or_a_pinfl() {
        assert_eq!(
            CommissionInfo::parse("12345678901234"),
            Some(CommissionInfo::Pinfl("12345678901234".into()))
        );
        for text in ["", "12345678", "12345678a", "1234567890"] {
            assert_eq!(CommissionInfo::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_addresses_of_the_tax_committee_are_receipts() {
        assert!(is_receipt_address("https://ofd.soliq.uz/check?t=UZ1&r=2&c=20261123&s=4"));
        for url in [
            "http://ofd.soliq.uz/check",
            "https://ofd.soliq.uz.example/check",
            "https://ofd.soliq.uz/<b>",
            "https://ofd.soliq.uz/a b",
            "",
        ] {
            assert!(!is_receipt_address(url), "{url}");
        }
    }
}
