//! `tolov click-test` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

const CLICK_TEST_EXAMPLES: &str = r#"It needs several fresh unpaid orders; --list shows how many each case uses. Either they exist already
(--order 1001=1500.00 --order 1002=1500.00, and so on), or the merchant creates them on request.

Examples, for the webhook service that `docker compose up` starts with its local defaults:

Only the cases that need no order:
  tolov click-test http://127.0.0.1:8000/payments/click/webhook --service-id 12345 --secret sandbox-only-click-key

All cases:
  tolov click-test http://127.0.0.1:8000/payments/click/webhook --service-id 12345 --secret sandbox-only-click-key \
    --create-url http://127.0.0.1:8000/api/create_order --create-link-field payment_url \
    --create-header 'Authorization: Bearer sandbox-only-api-token' \
    --create-body '{"order_id": {order_id}, "user_id": 5551, "products": [{"product_id": 7, "count": 2}], "total_amount": {amount}, "payment_method": "click"}'

Exit code: 0 everything that was run has passed, 1 something has failed, 2 nothing could be tested."#;

/// clap replaces a plain `{n}` by a line break; the style code inside keeps it and prints nothing.
const CREATE_BODY_HELP: &str =
    "The body of the create call; {\u{1b}[0mn} is 1, 2, ..., {order_id} a new number, {amount} the amount";

/// Orders are paid and cancelled: run it against a test instance of the merchant.
#[derive(Debug, Args)]
#[command(after_help = CLICK_TEST_EXAMPLES)]
pub(crate) struct ClickTest {
    /// The merchant's address for both calls
    pub(crate) url: Option<Url>,
    /// Where Prepare goes, if not to URL
    #[arg(long, value_name = "URL")]
    pub(crate) prepare_url: Option<Url>,
    /// Where Complete goes, if not to URL
    #[arg(long, value_name = "URL")]
    pub(crate) complete_url: Option<Url>,
    #[arg(long, required_unless_present = "list")]
    pub(crate) service_id: Option<i64>,
    /// The SECRET_KEY of the service; other users of the machine can see it, with --secret-file they cannot
    #[arg(long, required_unless_present_any = ["list", "secret_file"], conflicts_with = "secret_file")]
    pub(crate) secret: Option<String>,
    /// A file with the SECRET_KEY
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// An unpaid order of the merchant; repeat it for several
    #[arg(long = "order", value_name = "ID=AMOUNT", conflicts_with = "create_url")]
    pub(crate) orders: Vec<String>,
    /// A POST here creates an unpaid order
    #[arg(long, value_name = "URL", requires = "create_body")]
    pub(crate) create_url: Option<Url>,
    /// A header of the create call, such as a token; it is never shown
    #[arg(long = "create-header", value_name = "NAME: VALUE", requires = "create_url")]
    pub(crate) create_headers: Vec<String>,
    #[arg(long, value_name = "TEMPLATE", requires = "create_url", help = CREATE_BODY_HELP)]
    pub(crate) create_body: Option<String>,
    /// Where the answer has the order's id, like id or data.0.id; without it {order_id} is the id
    #[arg(long, value_name = "FIELD", requires = "create_url")]
    pub(crate) create_id_field: Option<String>,
    /// Where the answer has the pay link, to test it too; a link that the create call does not return cannot be tested
    #[arg(long, value_name = "FIELD", requires = "create_url")]
    pub(crate) create_link_field: Option<String>,
    /// The amount of the orders that are created, in so'm
    #[arg(long, default_value = "1500.00", value_name = "AMOUNT")]
    pub(crate) create_amount: String,
    /// An order that the merchant does not have
    #[arg(long, default_value = "918273645", value_name = "ID")]
    pub(crate) unknown_order: String,
    /// Run only these: a case, a group (signature), must or should
    #[arg(long, value_delimiter = ',', value_name = "CASE")]
    pub(crate) only: Vec<String>,
    /// The longest that one answer may take
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120), value_name = "SECONDS")]
    pub(crate) timeout: u64,
    /// The longest that the whole run may take
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    pub(crate) deadline: u64,
    /// How many equal calls the race cases send at once
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=500), value_name = "CALLS")]
    pub(crate) parallel: u16,
    /// Output format
    #[arg(long, value_enum, default_value_t = ClickTestFormat::Table)]
    pub(crate) format: ClickTestFormat,
    /// Also write JUnit XML here
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Show every call with its raw answer, without the secret and signatures
    #[arg(long)]
    pub(crate) verbose: bool,
    /// List the cases, and how many orders each uses
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClickTestFormat {
    Table,
    Json,
}
