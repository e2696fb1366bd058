//! The command line: one binary, roles as subcommands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tolov_domain::{Language, ports::bus::Queue};
use url::Url;

/// Tolov: a Telegram shop that is paid through CLICK.
#[derive(Debug, Parser)]
#[command(version, after_help = "Settings come from the environment; .env.example explains each one.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process, with a pretend Telegram and a pretend CLICK: needs no token and no server (default)
    Demo(Demo),
    /// Webhook service, projector and bot in one process, for a small server
    All,
    /// Takes CLICK's callbacks, keeps the ledger, publishes events
    Webhook,
    /// Marks orders as paid in the shop store
    Projector,
    /// Talks to shoppers and staff in Telegram
    Bot,
    /// A simulated CLICK and a simulated Telegram, for trying and testing
    Sandbox(Sandbox),
    /// Messages that could not be handled: list, show, requeue or drop them
    Parked(Parked),
    /// A small example catalogue for a shop that has none
    Seed(Seed),
    /// The catalogue as CSV, out and in
    Catalogue(Catalogue),
    /// Looks at everything that this installation needs; says what is wrong and what to do
    Doctor(Doctor),
    /// Copies the ledger, and the embedded stores where they are used, to one checked file; services may run
    Backup { file: PathBuf },
    /// Puts a backup in the place of what is there now, which is kept; the webhook service must be stopped
    Restore { file: PathBuf },
    /// Asks /health on METRICS_ADDR, or another address: 0 when the service is alive
    Healthcheck { url: Option<Url> },
    /// CLICK's own test suites and harder cases, against any merchant's Prepare and Complete
    ClickTest(Box<ClickTest>),
}

impl Command {
    /// RUST_LOG where it is not given: a service tells what it does, a tool prints its answer.
    pub(crate) const fn default_log(&self) -> &'static str {
        match self {
            Self::All | Self::Webhook | Self::Projector | Self::Bot | Self::Sandbox(_) => "info",
            // What goes wrong is the doctor's own answer; lapin would tell it once more.
            Self::Doctor(_) => "off",
            Self::Demo(_)
            | Self::Parked(_)
            | Self::Seed(_)
            | Self::Catalogue(_)
            | Self::Backup { .. }
            | Self::Restore { .. }
            | Self::Healthcheck { .. }
            | Self::ClickTest(_) => "warn",
        }
    }
}

#[derive(Debug, Args, Default)]
pub(crate) struct Demo {
    /// Leave after one purchase: 0 when it was paid and told, 1 with the reason when not
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Sign with a CLICK_SECRET_KEY that is not marked sandbox-only: whoever reaches the sandbox can then pay real
    /// orders without money
    #[arg(long)]
    pub(crate) real_key: bool,
    /// Let the control API send callbacks to any address, not only to WEBHOOK_URL
    #[arg(long)]
    pub(crate) any_merchant: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    pub(crate) language: Option<Language>,
    /// Look only at what one service needs, where each has its own settings
    #[arg(long, value_enum, default_value_t = DoctorRole::All)]
    pub(crate) role: DoctorRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorRole {
    All,
    Webhook,
    Projector,
    Bot,
}

fn language(tag: &str) -> Result<Language, &'static str> {
    Language::from_tag(tag).ok_or("write uz, ru or en")
}

#[derive(Debug, Args)]
pub(crate) struct Parked {
    #[command(subcommand)]
    pub(crate) deed: ParkedDeed,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ParkedDeed {
    /// What is parked, and how full the queues are
    List,
    /// One parked message with its body
    Show { queue: ParkedQueue, id: String },
    /// Put a message back to work
    Requeue { queue: ParkedQueue, id: String },
    /// Delete a message for good
    Drop { queue: ParkedQueue, id: String },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ParkedQueue {
    #[value(name = "projector.payments")]
    ProjectorPayments,
    #[value(name = "bot.notifications")]
    BotNotifications,
}

impl From<ParkedQueue> for Queue {
    fn from(queue: ParkedQueue) -> Self {
        match queue {
            ParkedQueue::ProjectorPayments => Self::ProjectorPayments,
            ParkedQueue::BotNotifications => Self::BotNotifications,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// Only where everything is the sandbox's: with any secret of one's own, or CLICK_TEST_MODE off, it does nothing
    #[arg(long)]
    pub(crate) sandbox_only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    #[command(subcommand)]
    pub(crate) deed: CatalogueDeed,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueDeed {
    /// Writes the catalogue, to standard output where no file is named
    Export { file: Option<PathBuf> },
    /// Takes a table like that of an export: what it names is changed or made, the rest stays
    Import {
        file: PathBuf,
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
    },
}

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
    /// An unpaid order that the merchant has; give several
    #[arg(long = "order", value_name = "ID=AMOUNT", conflicts_with = "create_url")]
    pub(crate) orders: Vec<String>,
    /// A POST here makes a new unpaid order
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
    /// So'm of the orders that are created
    #[arg(long, default_value = "1500.00", value_name = "AMOUNT")]
    pub(crate) create_amount: String,
    /// An order that the merchant does not have
    #[arg(long, default_value = "918273645", value_name = "ID")]
    pub(crate) unknown_order: String,
    /// Run only these: a case, a group (signature), must or should
    #[arg(long, value_delimiter = ',', value_name = "CASE")]
    pub(crate) only: Vec<String>,
    /// Seconds that one answer may take
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120), value_name = "SECONDS")]
    pub(crate) timeout: u64,
    /// Seconds that everything may take
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    pub(crate) deadline: u64,
    /// How many equal calls a race sends at once
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=500), value_name = "CALLS")]
    pub(crate) parallel: u16,
    /// What to print
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
