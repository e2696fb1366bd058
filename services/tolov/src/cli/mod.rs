//! The command line: one binary, roles as subcommands.

mod click_test;
pub(crate) mod ledger;
mod moment;
mod reconcile;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tolov_domain::{Language, OrderId, ports::bus::Queue};
use tolov_webhook::ledger::UnplacedBefore;
use url::Url;

pub(crate) use self::{
    click_test::{ClickTest, ClickTestFormat},
    moment::{Moment, SinceBackup},
    reconcile::Reconcile,
};
use crate::{
    commands::{receipts, refund},
    data_folder::Part,
};

/// Tolov: a Telegram shop that is paid through CLICK.
#[derive(Debug, Parser)]
#[command(version, after_help = "Settings come from the environment; .env.example explains each one.")]
pub(crate) struct Cli {
    /// Read settings from a file as well: NAME=value lines, as in /etc/tolov/tolov.env. The environment has precedence
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process, with a simulated Telegram and a simulated CLICK: no token, no server (default)
    Demo(Demo),
    /// Webhook service, projector, bot and reconciler in one process, for a small server
    All,
    /// Answer CLICK's callbacks, keep the ledger, publish events
    Webhook,
    /// Apply payment events to the shop store
    Projector,
    /// Serve shoppers and staff in Telegram
    Bot,
    /// Ask CLICK's Merchant API about silent payments, and give money back through it
    Reconciler,
    /// A simulated CLICK and a simulated Telegram, for trying and testing
    Sandbox(Sandbox),
    /// List, show, requeue or drop messages that could not be handled
    Parked(Parked),
    /// Write a small example catalogue into a shop that has none
    Seed(Seed),
    /// Export or import the catalogue as CSV
    Catalogue(Catalogue),
    /// Ask for the settings of a shop, check each answer, and write them to a new file
    Init(Init),
    /// Check settings, stores, Telegram and the public address; say what is wrong and what to do
    Doctor(Doctor),
    /// Back up the ledger and the embedded stores to one checked file; services may run
    Backup(Backup),
    /// Replace the ledger and the embedded stores with a backup, keeping what is replaced; services must be stopped
    Restore(Restore),
    /// Check that this release can open a backup, or the present data; changes nothing
    Verify(Verify),
    /// Compare ledger, bus, shop store and notifications with each other; services may run
    Audit(Audit),
    /// Everything that is known of an order, in the order of time; services may run
    Trace(Trace),
    /// Publish events of the ledger once more, for a broker or a shop store that lost them; services may run
    Replay(Replay),
    /// Give the money of an order back, or decide about its open refund; the webhook service has to run
    Refund(Box<refund::Options>),
    /// Orders without their fiscal receipt and why, or decide about one; the webhook service has to run
    Receipts(receipts::Options),
    /// Compare a statement of CLICK's cabinet with the ledger, both ways; the webhook service must run
    Reconcile(Box<Reconcile>),
    /// Make the payments of the shop store those of the ledger; services may run
    Rebuild(Rebuild),
    /// Move the ledger between a file and PostgreSQL; services must be stopped
    Ledger(ledger::Options),
    /// Bring a shop over from the Python system that this one replaces; services must be stopped
    ImportLegacy(ImportLegacy),
    /// Ask /health on METRICS_ADDR, or URL: exit code 0 when the service is alive
    Healthcheck { url: Option<Url> },
    /// CLICK's own test suites and harder cases, against any merchant's Prepare and Complete
    ClickTest(Box<ClickTest>),
    /// Print a script that completes the commands and options of this program in a shell
    Completions { shell: Shell },
    /// Write the manual pages, one for each command, into a folder
    Man { folder: PathBuf },
}

impl Command {
    /// What a service is called in its spans; `None` of a command.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are commands")]
    pub(crate) const fn service_name(&self) -> Option<&'static str> {
        match self {
            Self::Demo(_) | Self::All => Some("tolov"),
            Self::Webhook => Some("tolov-webhook"),
            Self::Projector => Some("tolov-projector"),
            Self::Bot => Some("tolov-bot"),
            Self::Reconciler => Some("tolov-reconciler"),
            _ => None,
        }
    }

    /// The log filter when RUST_LOG is not set: services log what they do, commands print their answer.
    pub(crate) const fn default_log(&self) -> &'static str {
        match self {
            Self::All
            | Self::Webhook
            | Self::Projector
            | Self::Bot
            | Self::Reconciler
            | Self::Sandbox(_)
            | Self::Audit(Audit { repeat: true, .. })
            | Self::Backup(Backup { repeat: true, .. }) => "info",
            // The doctor itself reports what goes wrong; the drivers would log it again.
            Self::Doctor(_) | Self::Init(_) => "off",
            Self::Demo(_)
            | Self::Parked(_)
            | Self::Seed(_)
            | Self::Catalogue(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::Verify(_)
            | Self::Audit(_)
            | Self::Trace(_)
            | Self::Replay(_)
            | Self::Refund(_)
            | Self::Receipts(_)
            | Self::Reconcile(_)
            | Self::Rebuild(_)
            | Self::ImportLegacy(_)
            | Self::Ledger(_)
            | Self::Healthcheck { .. }
            | Self::ClickTest(_)
            | Self::Completions { .. }
            | Self::Man { .. } => "warn",
        }
    }
}

#[derive(Debug, Args, Default)]
pub(crate) struct Demo {
    /// Exit after one purchase: 0 when it was paid and everybody was notified, 1 with the reason when not
    #[arg(long)]
    pub(crate) once: bool,
    /// Do not open the page in a browser; none is opened without a terminal, without a screen, over SSH or in CI
    #[arg(long)]
    pub(crate) no_open: bool,
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
pub(crate) struct Init {
    /// The file to write; without it .env beside docker-compose.yml, else tolov.env. One that is there is never replaced
    pub(crate) file: Option<PathBuf>,
    /// A setting that is not asked for, as are those of the environment. Other users of the machine see a command line:
    /// give secrets in the environment
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Read the answers from standard input though it is no terminal; without it nothing is asked there
    #[arg(long)]
    pub(crate) stdin: bool,
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    pub(crate) language: Option<Language>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    pub(crate) language: Option<Language>,
    /// Check only what one service needs, where each has its own settings
    #[arg(long, value_enum, default_value_t = DoctorRole::All)]
    pub(crate) role: DoctorRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorRole {
    All,
    Webhook,
    Projector,
    Bot,
    Reconciler,
}

pub(crate) fn language(tag: &str) -> Result<Language, &'static str> {
    Language::from_tag(tag).ok_or("write uz, ru or en")
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; an existing one is never replaced
    #[arg(required_unless_present = "into")]
    pub(crate) file: Option<PathBuf>,
    /// Write tolov-TIME.tar.gz into this folder, then delete what BACKUP_KEEP_DAYS does not keep
    #[arg(long, value_name = "FOLDER", conflicts_with = "file")]
    pub(crate) into: Option<PathBuf>,
    /// Keep running and make a backup every BACKUP_EVERY
    #[arg(long, requires = "into")]
    pub(crate) repeat: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    pub(crate) file: PathBuf,
    /// Restore these parts alone and leave the others as they are
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub(crate) only: Vec<Part>,
    /// The private key of an encrypted backup: a file with a line AGE-SECRET-KEY-1...
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) since: SinceBackup,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A backup; without it a copy of the present data is made and checked
    pub(crate) file: Option<PathBuf>,
    /// The private key of an encrypted backup: a file with a line AGE-SECRET-KEY-1...
    #[arg(long, value_name = "FILE", requires = "file")]
    pub(crate) identity: Option<PathBuf>,
}

/// Exit code: 0 no difference, 1 differences, 2 something could not be compared.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Mend what can be mended; each repair is written to the operators' journal
    #[arg(long, conflicts_with = "repeat")]
    pub(crate) repair: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep running and compare once a day
    #[arg(long)]
    pub(crate) repeat: bool,
    /// How long what is under way may take before it is looked at again
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=600), value_name = "SECONDS")]
    pub(crate) settle_for: u64,
    /// How long shopper and staff may wait for the message about a payment, as 30m, 24h or 7d; longer after the bot was off. A
    /// notification is tried for eleven minutes before it is parked
    #[arg(long, default_value = "15m", value_parser = moment::duration, value_name = "TIME")]
    pub(crate) told_within: Duration,
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    pub(crate) language: Option<Language>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportLegacy {
    /// The old bot's database, with its name: mongodb://localhost:27017/dbname
    #[arg(long, value_name = "URL")]
    pub(crate) mongo: String,
    /// The old payment server's file, payments.db; without it no order is carried over as paid
    #[arg(long, value_name = "FILE")]
    pub(crate) payments: Option<PathBuf>,
    /// Show what would be done and what cannot be carried over; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write every remark into a new CSV file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Unpaid orders of the last hours can still be paid by the link that the old bot sent; without it none can
    #[arg(long, value_name = "HOURS")]
    pub(crate) payable_hours: Option<u16>,
    /// BOT_TOKEN is another bot's, which cannot use the photos of the old one
    #[arg(long)]
    pub(crate) other_bot: bool,
    /// Import into a shop that has products or orders of its own
    #[arg(long)]
    pub(crate) into_existing: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The number of the order, CLICK's merchant_trans_id
    #[arg(required_unless_present = "unplaced")]
    pub(crate) order: Option<String>,
    /// Payments that CLICK or Telegram has taken and that belong to no order, whatever number they name, newest first
    #[arg(long, conflicts_with = "order")]
    pub(crate) unplaced: bool,
    /// With --unplaced: the next page, as the page before says
    #[arg(long, value_name = "ID", requires = "unplaced")]
    pub(crate) before: Option<UnplacedBefore>,
    /// uz, ru or en; without it the language of LANG
    #[arg(long, value_parser = language)]
    pub(crate) language: Option<Language>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Exit code: 0 all of it is published once more, 1 something is left out, as it says, or it failed.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// All events of this order; repeat it for several
    #[arg(long = "order", value_name = "NUMBER", value_parser = order_id, required_unless_present = "since")]
    pub(crate) orders: Vec<OrderId>,
    /// All events of the orders to which something happened since: 2026-11-23T07:05:00Z, or so long ago: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, conflicts_with = "orders")]
    pub(crate) since: Option<Moment>,
    /// Not what happened later than this
    #[arg(long, value_name = "TIME", value_parser = Moment::parse, requires = "since")]
    pub(crate) until: Option<Moment>,
}

#[derive(Debug, Args)]
pub(crate) struct Rebuild {
    /// Make these orders say what the ledger says, also where the shop store has another shopper, amount or payment; without
    /// numbers such orders are left as they are
    #[arg(value_name = "ORDER", value_parser = order_id)]
    pub(crate) orders: Vec<OrderId>,
    /// Show what would change and change nothing
    #[arg(long)]
    pub(crate) diff: bool,
}

fn order_id(text: &str) -> Result<OrderId, String> {
    OrderId::parse(text).map_err(|error| error.to_string())
}

#[derive(Debug, Args)]
pub(crate) struct Parked {
    #[command(subcommand)]
    pub(crate) action: ParkedAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ParkedAction {
    /// The parked messages, and how full the queues are
    List,
    /// One parked message with its body
    Show { queue: ParkedQueue, id: String },
    /// Give a message to its service again
    Requeue { queue: ParkedQueue, id: String },
    /// Delete a message for good, after asking; it is kept in the operators' journal
    Drop {
        queue: ParkedQueue,
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
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
    /// Do nothing unless everything is the sandbox's: with PRODUCTION, a secret of your own or real payments it exits
    #[arg(long)]
    pub(crate) sandbox_only: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    #[command(subcommand)]
    pub(crate) action: CatalogueAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueAction {
    /// Write the catalogue to a file, or to standard output
    Export { file: Option<PathBuf> },
    /// Create or update the products that a table lists; the rest stays
    Import {
        file: PathBuf,
        /// Show what would change and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}
