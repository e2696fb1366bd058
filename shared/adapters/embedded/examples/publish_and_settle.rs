//! Publishes and settles until it is killed by tests/it/killed.rs, and writes down what it has done.
#![expect(clippy::unwrap_used, reason = "a process that cannot go on has failed the test that started it")]

#[path = "../tests/it/notes.rs"]
mod notes;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tolov_contract::bus::payment_route;
use tolov_domain::{
    EventId,
    ports::bus::{OutgoingMessage, Queue, Verdict},
};
use tolov_embedded::EmbeddedBus;
use tolov_kit::clock::SystemClock;

use crate::notes::Note;

/// It ends by itself in case its parent died.
const LIFE_MAX: Duration = Duration::from_mins(2);

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap());
    let bus = EmbeddedBus::open(&folder, Arc::new(SystemClock), [50, 100, 100, 100]).await.unwrap();
    let both = async { tokio::join!(publish(&bus, &folder), settle(&bus, &folder)) };
    drop(tokio::time::timeout(LIFE_MAX, both).await);
}

async fn publish(bus: &EmbeddedBus, folder: &Path) {
    let (publisher, run) = (bus.publisher(), std::process::id());
    for window in 0.. {
        let names: Vec<String> = (0..20).map(|place| format!("{run}/{window}/{place}")).collect();
        let messages: Vec<OutgoingMessage> = names.iter().map(|name| message(name)).collect();
        publisher.publish(&messages).await.unwrap();
        write(Note::Confirmed, folder, &names);
    }
}

async fn settle(bus: &EmbeddedBus, folder: &Path) {
    let consumer = bus.consumer(Queue::ProjectorPayments);
    loop {
        let deliveries = consumer.receive(15).await.unwrap();
        let names: Vec<String> = deliveries.iter().map(|delivery| delivery.id.to_string()).collect();
        write(Note::Settling, folder, &names);
        let verdicts = deliveries.into_iter().map(|delivery| (delivery, Verdict::Done)).collect();
        assert_eq!(consumer.settle(verdicts).await.unwrap(), names.len());
        write(Note::Done, folder, &names);
    }
}

fn write(note: Note, folder: &Path, names: &[String]) {
    let mut file = File::options().create(true).append(true).open(note.path(folder)).unwrap();
    file.write_all((names.join("\n") + "\n").as_bytes()).unwrap();
}

fn message(name: &str) -> OutgoingMessage {
    OutgoingMessage {
        id: EventId::new(name),
        route: payment_route("payment.completed"),
        schema: "payment.completed/1".to_owned(),
        body: name.as_bytes().to_vec(),
        traceparent: None,
    }
}
