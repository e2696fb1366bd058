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
    assert!(inbox.store(9, 7, raw(9), false).await.unwrap().is_new());
    assert!(!inbox.store(9, 7, "{}".to_owned(), true).await.unwrap().is_new());
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
        inbox.store(9, 7, raw(9), false).await.unwrap();
        let seen = seen_by_other().await;
        let Claimed::Ours(mut taken) = inbox.claim(&seen, None).await.unwrap() else { panic!() };
        assert!(matches!(other.claim(&seen, None).await.unwrap(), Claimed::Theirs), "an older version");
        pass(60);
        let seen = seen_by_other().await;
        assert!(other.is_leased(&seen), "it was not seen before, and may have been renewed a moment ago");
        pass(19);
        inbox.renew(&mut taken).await;
        pass(19);
        let seen = seen_by_other().await;
        assert!(other.is_leased(&seen) && matches!(other.claim(&seen, None).await.unwrap(), Claimed::Theirs));
        pass(19);
        other_clock.jump(time::Duration::hours(5));
        assert!(other.is_leased(&seen_by_other().await), "a clock that is set ends no lease");
        pass(1);
        assert!(
            matches!(other.claim(&seen_by_other().await, None).await.unwrap(), Claimed::Ours(_)),
            "{apart}"
        );
        // The first bot was slow, but it has answered.
        inbox.done(&taken).await.unwrap();
        assert_eq!(other.count_waiting().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_done_update_is_known_for_48_hours_without_its_content() {
    let (inbox, documents, clock) = inbox();
    for id in 1..=5 {
        inbox.store(id, 7, raw(id), false).await.unwrap();
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
    inbox.store(2, 7, raw(2), false).await.unwrap();
    let waiting = inbox.waiting_of(7, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|entry| entry.stored.id).collect::<Vec<_>>(), [2]);
    assert_eq!(inbox.count_waiting().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_was_claimed_as_it_was_stored_is_claimed_again_where_that_is_long_ago() {
    let (inbox, documents, _) = inbox();
    let store = async |id| {
        let stored = inbox.store(id, 7, raw(id), true).await.unwrap();
        let Stored::Claimed(own) = stored else { panic!("{stored:?}") };
        (inbox.waiting_of(7, 10).await.unwrap().pop().unwrap(), own)
    };
    let version = async |id: i64| documents.get(UPDATES, &id.into()).await.unwrap().unwrap().version;
    let (seen, own) = store(1).await;
    assert!(matches!(inbox.claim(&seen, None).await.unwrap(), Claimed::Theirs), "for everybody else");
    assert!(matches!(inbox.claim(&seen, Some(own)).await.unwrap(), Claimed::Ours(_)));
    let (seen, own) = store(2).await;
    let (seen_before, own_of_lost) = store(3).await;
    records::change(&documents, 3, |stored: &mut StoredUpdate| stored.tries += 1).await.unwrap();
    tokio::time::advance(LEASE).await;
    assert!(matches!(inbox.claim(&seen, Some(own)).await.unwrap(), Claimed::Ours(_)));
    assert_eq!((version(1).await, version(2).await), (1, 2));
    let lost = inbox.claim(&seen_before, Some(own_of_lost)).await.unwrap();
    assert!(matches!(lost, Claimed::Theirs), "another bot has taken it over");
}

#[tokio::test]
async fn whoever_waits_beside_somebody_with_many_updates_is_read_too() {
    let (inbox, ..) = inbox();
    for id in 1..=30 {
        inbox.store(id, 7, raw(id), false).await.unwrap();
    }
    inbox.store(31, 8, raw(31), false).await.unwrap();
    let read = futures_util::future::join_all([7, 8, 9].map(|person| inbox.waiting_of(person, 10))).await;
    let ids = |read: &Result<Vec<Entry>, PortError>| -> Vec<i64> {
        read.as_ref().unwrap().iter().map(|entry| entry.stored.id).collect()
    };
    assert_eq!(ids(&read[0]), (1..=10).collect::<Vec<_>>());
    assert_eq!((ids(&read[1]), ids(&read[2])), (vec![31], vec![]));
}
