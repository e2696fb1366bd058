use std::sync::Arc;

use serde_json::json;
use time::OffsetDateTime;
use tolov_contract::{counting::CountingDocuments, memory::MemoryDocuments};

use super::*;
use crate::shopper;

fn broadcast() -> Broadcast {
    Broadcast {
        source_message_ids: vec![5],
        state: BroadcastState::Draft,
        total: 3,
        ..Broadcast::gathering(1, user(1), 1, OffsetDateTime::UNIX_EPOCH)
    }
}

fn user(id: i64) -> UserId {
    UserId::try_new(id).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

#[test]
fn commands_apply_once_and_only_in_the_states_that_allow_them() {
    let mut broadcast = broadcast();
    assert!(!broadcast.apply(Command::Pause));
    assert!(broadcast.apply(Command::Start) && !broadcast.apply(Command::Start));
    assert!(broadcast.apply(Command::Pause) && broadcast.apply(Command::Resume));
    assert!(broadcast.apply(Command::Stop) && !broadcast.apply(Command::Resume));
}

#[test]
fn one_process_sends_it_and_another_one_takes_over_when_the_lease_has_ended() {
    let mut broadcast = broadcast();
    broadcast.apply(Command::Start);
    assert!(broadcast.lease(at(0), at(60)));
    assert!(!broadcast.lease(at(59), at(119)));
    let mut tally = broadcast.tally();
    tally.count(user(7), Reached::Sent);
    assert!(broadcast.record(&tally, at(60), Some(at(70))));
    assert!(broadcast.record(&tally, at(60), Some(at(70))), "the same again after a lost answer");
    assert!(broadcast.lease(at(70), at(130)));
    let theirs = Tally { sent: 9, ..tally.clone() };
    assert!(!broadcast.record(&theirs, at(70), Some(at(80))), "another process has it now");
    assert_eq!(broadcast.tally(), tally);
}

#[test]
fn whoever_blocked_the_bot_is_counted_only_if_the_total_has_them() {
    let broadcast = Broadcast { created_at: at(10), ..broadcast() };
    let unreached = |registered_at, blocked_at| {
        broadcast.unreached(&Shopper { registered_at, blocked_at, ..Shopper::new(user(1)) })
    };
    assert_eq!(unreached(Some(at(1)), Some(at(9))), Some(Reached::LeftOut));
    assert_eq!(unreached(Some(at(1)), Some(at(11))), Some(Reached::Blocked));
    assert_eq!(unreached(Some(at(1)), None), None);
    assert_eq!(unreached(None, None), Some(Reached::LeftOut), "never wrote");
}

#[test]
fn the_parts_of_an_album_are_gathered_in_order_until_it_is_quiet() {
    let mut album = Broadcast::gathering(1, user(1), 1, at(0));
    assert!(album.add_part(8, at(0)) && album.add_part(7, at(0)) && album.add_part(9, at(1)));
    assert!(album.add_part(7, at(1)), "handled again after a restart");
    assert_eq!(album.source_message_ids, [7, 8, 9]);
    assert!(!album.apply(Command::Start), "it has not been shown");
    assert!(!album.lease_preview(at(1), at(60)), "more may come");
    assert!(album.lease_preview(at(2), at(60)) && !album.lease_preview(at(3), at(61)));
    album.record_preview(&[7, 8, 9], 4, at(60));
    assert_eq!((album.state, album.total, album.leased_until_at), (BroadcastState::Draft, 4, None));
    assert!(album.add_part(10, at(5)), "a part that came late");
    assert!(!album.apply(Command::Start), "the preview is due again");
    assert!(album.lease_preview(at(6), at(66)) && album.add_part(11, at(6)));
    album.record_preview(&[7, 8, 9, 10], 4, at(66));
    assert_eq!(album.state, BroadcastState::Gathering, "one more has come meanwhile");
    assert!(album.lease_preview(at(7), at(67)));
    album.postpone_preview(at(12), at(67));
    assert!(!album.lease_preview(at(11), at(71)));
    assert!(album.clone().lease_preview(at(-3600), at(-3540)), "the clock was set back");
    assert!(album.lease_preview(at(12), at(72)));
    album.record_preview(&[7, 8, 9, 10, 11], 4, at(72));
    assert!(album.apply(Command::Start) && !album.add_part(12, at(13)));
}

#[test]
fn an_album_is_not_larger_than_one_call_carries() {
    let mut album = Broadcast::gathering(1, user(1), 1, at(0));
    assert!((1..=100).all(|id| album.add_part(id, at(0))));
    assert!(!album.add_part(101, at(0)));
}

#[test]
fn a_broadcast_of_an_earlier_version_is_read() {
    let mut stored = serde_json::to_value(broadcast()).unwrap();
    let fields = stored.as_object_mut().unwrap();
    fields.remove("source_message_ids");
    fields.remove("quiet_until_at");
    fields.insert("source_message_id".to_owned(), json!(5));
    assert_eq!(serde_json::from_value::<Broadcast>(stored).unwrap(), broadcast());
}

#[tokio::test]
async fn the_audience_is_counted_without_reading_profiles() {
    let documents = CountingDocuments::new(Arc::new(MemoryDocuments::default()));
    for id in 1..=5 {
        let registered_at = (id != 5).then(|| at(1));
        let shopper = Shopper { registered_at, ..Shopper::new(user(id)) };
        records::insert(&documents, &shopper).await.unwrap();
    }
    for id in 4..=6 {
        shopper::mark_blocked(&documents, user(id), at(2)).await.unwrap();
    }
    documents.reset();
    assert_eq!(audience_size(&documents).await, Ok(3));
    assert_eq!((documents.calls().total(), documents.calls().of("count")), (2, 2));
}

#[test]
fn a_pause_survives_the_end_of_a_batch() {
    let mut broadcast = broadcast();
    broadcast.apply(Command::Start);
    broadcast.lease(at(0), at(60));
    broadcast.apply(Command::Pause);
    broadcast.finish();
    assert_eq!(broadcast.state, BroadcastState::Paused);
}
