//! The pay link of section 2. It is not signed: a payer can change it, and only the Prepare check protects.

use tolov_domain::{OrderId, Tiyin};
use url::form_urlencoded;

/// Where CLICK's own payment page is.
pub const CLICK_PAY_PAGE: &str = "https://my.click.uz/services/pay";

/// What the payment page needs to know.
#[derive(Debug, Clone)]
pub struct PayLink {
    /// CLICK's page, or the sandbox's while CLICK_TEST_MODE is on. Without a query.
    pub pay_page: String,
    pub service_id: i64,
    pub merchant_id: i64,
    pub merchant_user_id: Option<i64>,
    /// Opened after success and after failure alike; proves nothing.
    pub return_url: Option<String>,
}

impl PayLink {
    /// The address that the pay button opens. Every value is percent-encoded, so none can add a parameter.
    pub fn for_order(&self, order_id: OrderId, amount: Tiyin) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("service_id", &self.service_id.to_string())
            .append_pair("merchant_id", &self.merchant_id.to_string())
            .append_pair("amount", &amount.soum_text())
            .append_pair("transaction_param", &order_id.to_string());
        if let Some(merchant_user_id) = self.merchant_user_id {
            query.append_pair("merchant_user_id", &merchant_user_id.to_string());
        }
        if let Some(return_url) = &self.return_url {
            query.append_pair("return_url", return_url);
        }
        format!("{}?{}", self.pay_page, query.finish())
    }
}
