use serde_json::json;
use time::macros::datetime;
use tolov_contract::memory::MemoryDocuments;
use tolov_domain::ports::documents::Body;
use tolov_kit::clock::ManualClock;

use super::*;

use crate::updates::inbox::{Entry, Inbox, UPDATES};

fn inbox() -> (Inbox, MemoryDocuments, ManualClock) {
    let documents = MemoryDocuments::default();
    let clock = ManualClock::new(datetime!(2026-11-25 07:00 UTC));
    (Inbox::new(Arc::new(documents.clone()), Arc::new(clock.clone())), documents, clock)
}

fn raw(id: i64) -> String {
    let raw = json!({
        "update_id": id,
        "message": {
            "message_id": 5, "date": 1_763_881_506,
            "location": {"latitude": 41.311_081, "longitude": 69.240_562, "horizontal_accuracy": 12.5},
            "from": {"id": 7, "is_bot": false, "first_name": "O'g'il 😀", "language_code": "uz"},
            "chat": {"id": 7, "type": "private", "first_name": "A"},
            "something_new": {"deep": [1, null]},
        },
    });
    raw.to_string()
}

#[tokio::test]
async fn an_update_is_stored_once_and_read_back_unchanged() {
    let (inbox, ..) = inbox();
    assert_eq!(inbox.store(9, 7, raw(9)).await.unwrap(), Outcome::Applied);
    assert_eq!(inbox.store(9, 7, "{}".to_owned()).await.unwrap(), Outcome::AlreadyApplied);
    let waiting = inbox.waiting_of(7, 10).await.unwrap();
    let came: Update = serde_json::from_str(&raw(9)).unwrap();
    assert_eq!(waiting.iter().map(Entry::update).collect::<Vec<_>>(), [Some(came)]);
    assert!(!format!("{waiting:?}").contains("O'g'il"));
}

#[tokio::test]
async fn an_update_is_claimed_by_one_bot_until_its_lease_ends_whatever_the_clocks_say() {
    for apart in [time::Duration::ZERO, time::Duration::hours(2), time::Duration::hours(-2)] {
        let (inbox, documents, clock) = inbox();
        let other_clock = ManualClock::new(clock.now() + apart);
        let other = Inbox::new(Arc::new(documents), Arc::new(other_clock.clone()));
        let pass = |seconds| {
            clock.advance(time::Duration::seconds(seconds));
            other_clock.advance(time::Duration::seconds(seconds));
        };
        let seen_by_other = async || other.waiting_of(7, 10).await.unwrap().remove(0);
        inbox.store(9, 7, raw(9)).await.unwrap();
        let seen = seen_by_other().await;
        let Claimed::Ours(mut taken) = inbox.claim(&seen).await.unwrap() else { panic!() };
        assert!(matches!(other.claim(&seen).await.unwrap(), Claimed::Theirs), "an older version");
        pass(60);
        let seen = seen_by_other().await;
        assert!(other.is_leased(&seen), "it was not seen before, and may have been renewed a moment ago");
        pass(19);
        inbox.renew(&mut taken).await;
        pass(19);
        let seen = seen_by_other().await;
        assert!(other.is_leased(&seen) && matches!(other.claim(&seen).await.unwrap(), Claimed::Theirs));
        pass(19);
        other_clock.jump(time::Duration::hours(5));
        assert!(other.is_leased(&seen_by_other().await), "a clock that is set ends no lease");
        pass(1);
        assert!(matches!(other.claim(&seen_by_other().await).await.unwrap(), Claimed::Ours(_)), "{apart}");
        // The first bot was slow, but it has answered.
        inbox.done(&taken).await.unwrap();
        assert_eq!(other.count_waiting().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_done_update_is_known_for_48_hours_without_its_content() {
    let (inbox, documents, clock) = inbox();
    for id in 1..=5 {
        inbox.store(id, 7, raw(id)).await.unwrap();
    }
    for entry in inbox.waiting_of(7, 4).await.unwrap() {
        assert!(inbox.finish(&entry).await.unwrap());
    }
    let kept = documents.get(UPDATES, &Key::Number(1)).await.unwrap().unwrap();
    assert_eq!((&kept.body["json"], kept.body.get("waiting_person_id")), (&json!(""), None));
    let mut watch = inbox.clock_watch();
    clock.advance(time::Duration::hours(47));
    assert!(!inbox.remove_old(&mut watch, 3).await.unwrap());
    clock.jump(time::Duration::days(30));
    assert!(!inbox.remove_old(&mut watch, 3).await.unwrap(), "a clock that is set makes nothing older");
    clock.advance(time::Duration::hours(2));
    assert!(inbox.remove_old(&mut watch, 3).await.unwrap(), "there are more");
    assert!(!inbox.remove_old(&mut watch, 3).await.unwrap());
    let left = documents.find(&Query::all(UPDATES, 10)).await.unwrap();
    assert_eq!(left.into_iter().map(|left| left.unwrap().key).collect::<Vec<_>>(), [Key::Number(5)]);
}

#[tokio::test]
async fn an_unreadable_record_does_not_block_the_inbox() {
    let (inbox, documents, _) = inbox();
    let strange =
        json!({"state": "waiting", "waiting_person_id": 7, "person_id": 7, "form": "of another time"});
    let body: Body = strange.as_object().unwrap().clone();
    documents.put(UPDATES, &Key::Number(1), None, &body).await.unwrap();
    inbox.store(2, 7, raw(2)).await.unwrap();
    let waiting = inbox.waiting_of(7, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|entry| entry.stored.id).collect::<Vec<_>>(), [2]);
    assert_eq!(inbox.count_waiting().await.unwrap(), 1);
}
