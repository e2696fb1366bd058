//! The command line: one binary, roles as subcommands.

use clap::{Args, Parser, Subcommand, ValueEnum};
use tolov_domain::ports::bus::Queue;

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
    /// A pretend CLICK and a pretend Telegram, for trying and testing
    Sandbox,
    /// Messages that could not be handled: list, show, requeue or drop them
    Parked(Parked),
}

#[derive(Debug, Args, Default)]
pub(crate) struct Demo {
    /// Leave after one purchase: 0 when it was paid and told, 1 with the reason when not
    #[arg(long)]
    pub(crate) once: bool,
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
