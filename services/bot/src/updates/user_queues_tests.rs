//! The queues on a store in memory, with work that a test defines.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use teloxide::types::{Update, UpdateKind};
use time::macros::datetime;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tolov_contract::memory::MemoryDocuments;
use tolov_kit::{clock::ManualClock, lifecycle::Stop};

use crate::{
    telegram::membership::PollingLease,
    updates::{answering::Work, inbox::Inbox, sweeper, user_queues::UserQueues},
};

/// What was done, in order, with the second of the test.
#[derive(Debug, Clone, Default)]
struct Stage(Arc<Mutex<Vec<(String, u64)>>>, Option<Instant>);

impl Stage {
    fn note(&self, what: String) {
        let at = self.1.map_or(0, |start| start.elapsed().as_secs());
        self.0.lock().unwrap().push((what, at));
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Work for Stage {
    /// The text of the message says what the handler does.
    async fn answer(&self, update: Update) {
        let words = if let UpdateKind::CallbackQuery(query) = &update.kind {
            query.data.clone().unwrap()
        } else if let UpdateKind::Message(message) = &update.kind {
            message.text().unwrap().to_owned()
        } else {
            panic!("{update:?}")
        };
        match words.as_str() {
            "panic" => panic!("as the test wants"),
            "hang" => std::future::pending().await,
            "slow" => sleep(Duration::from_secs(5)).await,
            "lasting" => sleep(Duration::from_secs(29)).await,
            _ => {}
        }
        self.note(format!("{} {words}", update.id.0));
    }

    async fn end_tap(&self, update: &Update) {
        self.note(format!("{} ended", update.id.0));
    }

    async fn apologise(&self, update: &Update) {
        self.note(format!("{} sorry", update.id.0));
    }

    async fn slow_down(&self, person_id: i64) {
        self.note(format!("slow down, {person_id}"));
    }
}

struct World {
    documents: MemoryDocuments,
    clock: ManualClock,
    stage: Stage,
}

struct Bot {
    queues: Arc<UserQueues<Stage>>,
    stop: Stop,
    task: JoinHandle<()>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new(datetime!(2026-11-25 07:00 UTC));
        let stage = Stage(Arc::default(), Some(Instant::now()));
        Self { documents: MemoryDocuments::default(), clock, stage }
    }

    fn inbox(&self) -> Inbox {
        Inbox::new(Arc::new(self.documents.clone()), Arc::new(self.clock.clone()))
    }

    fn run(&self) -> Bot {
        let queues = Arc::new(UserQueues::new(self.stage.clone(), self.inbox(), PollingLease::new().1));
        let stop = Stop::new();
        let (running, told) = (Arc::clone(&queues), stop.clone());
        let task = tokio::spawn(async move {
            tokio::join!(running.run(&told), sweeper::run(&running, &told));
        });
        Bot { queues, stop, task }
    }

    async fn has(&self, person: i64, raw: &Value) {
        let id = raw["update_id"].as_i64().unwrap();
        self.inbox().store(id, person, raw.to_string(), false).await.unwrap();
    }

    /// Waits until no update waits, and compares what was done with this order.
    async fn until_done(&self, wanted: &[&str]) {
        let wait = async {
            while self.inbox().count_waiting().await.unwrap() > 0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_mins(5), wait).await.expect("something waits still");
        assert_eq!(self.stage.names(), wanted);
    }
}

impl Bot {
    async fn gets(&self, person: i64, raw: Value) {
        let id = raw["update_id"].as_i64().unwrap();
        if self.queues.inbox.store(id, person, raw.to_string(), false).await.unwrap().is_new() {
            self.queues.throttle.record_arrival(person);
        }
        self.queues.wake(person);
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

fn message(id: i64, person: i64, text: &str) -> Value {
    json!({
        "update_id": id,
        "message": {
            "message_id": id, "date": 1_763_881_506, "text": text,
            "from": {"id": person, "is_bot": false, "first_name": "A"},
            "chat": {"id": person, "type": "private", "first_name": "A"},
        },
    })
}

fn tap(id: i64, person: i64, data: &str) -> Value {
    let mut shown = message(7, person, "screen")["message"].take();
    shown["from"] = json!({"id": 1, "is_bot": true, "first_name": "Shop"});
    json!({
        "update_id": id,
        "callback_query": {
            "id": id.to_string(), "chat_instance": "1", "data": data, "message": shown,
            "from": {"id": person, "is_bot": false, "first_name": "A"},
        },
    })
}

#[tokio::test(start_paused = true)]
async fn updates_of_a_user_are_handled_in_order_and_users_in_parallel() {
    let world = World::new();
    let bot = world.run();
    bot.gets(1, message(1, 1, "slow")).await;
    bot.gets(1, message(2, 1, "b")).await;
    bot.gets(2, message(3, 2, "c")).await;
    bot.gets(1, message(4, 1, "d")).await;
    world.until_done(&["3 c", "1 slow", "2 b", "4 d"]).await;
    bot.gets(1, message(5, 1, "e")).await;
    world.until_done(&["3 c", "1 slow", "2 b", "4 d", "5 e"]).await;
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_delivered_again_is_not_handled_again() {
    let world = World::new();
    let bot = world.run();
    for _ in 0..3 {
        bot.gets(1, message(1, 1, "a")).await;
        world.until_done(&["1 a"]).await;
    }
    bot.stop().await;
    let bot = world.run();
    bot.gets(1, message(1, 1, "a")).await;
    sleep(Duration::from_mins(1)).await;
    world.until_done(&["1 a"]).await;
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_or_an_endless_handler_does_not_block_the_queue() {
    let world = World::new();
    let bot = world.run();
    bot.gets(1, message(1, 1, "panic")).await;
    bot.gets(1, message(2, 1, "hang")).await;
    bot.gets(1, message(3, 1, "lasting")).await;
    bot.gets(2, message(4, 2, "d")).await;
    while world.inbox().count_waiting().await.unwrap() > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    let (others, of_first): (Vec<_>, Vec<_>) =
        world.stage.names().into_iter().partition(|name| name.starts_with('4'));
    assert_eq!(
        (others, of_first),
        (vec!["4 d".to_owned()], ["1 sorry", "2 sorry", "3 lasting"].map(String::from).to_vec())
    );
    assert_eq!(world.stage.0.lock().unwrap().iter().find(|(name, _)| name == "4 d").unwrap().1, 0, "at once");
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_update_that_ends_the_process_each_time_is_given_up() {
    let world = World::new();
    world.has(1, &message(1, 1, "hang")).await;
    world.has(1, &message(2, 1, "b")).await;
    // Each sees the claim of the one before, and takes it for given up when it has not changed for long enough.
    let begins = async || {
        let bot = world.run();
        sleep(Duration::from_secs(2)).await;
        world.clock.advance(time::Duration::minutes(1));
        bot
    };
    for _ in 0..3 {
        let bot = begins().await;
        sleep(Duration::from_secs(10)).await;
        bot.kill().await;
    }
    let bot = begins().await;
    world.until_done(&["1 sorry", "2 b"]).await;
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn updates_of_a_dead_bot_are_taken_over_in_order_when_its_lease_ends() {
    let world = World::new();
    let dead = world.run();
    dead.gets(1, message(1, 1, "slow")).await;
    dead.gets(1, message(2, 1, "b")).await;
    sleep(Duration::from_secs(1)).await;
    dead.kill().await;
    let bot = world.run();
    bot.gets(1, message(3, 1, "c")).await;
    bot.gets(2, message(4, 2, "d")).await;
    sleep(Duration::from_mins(1)).await;
    assert_eq!(world.stage.names(), ["4 d"]);
    world.clock.advance(time::Duration::seconds(21));
    world.until_done(&["4 d", "1 slow", "2 b", "3 c"]).await;
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_bots_answer_each_update_once_and_in_order() {
    let world = World::new();
    let bots = [world.run(), world.run()];
    for id in 1..=200 {
        let person = id % 5;
        let text = if id % 40 == person { "slow" } else { "a" };
        for bot in &bots {
            bot.gets(person, message(id, person, text)).await;
        }
        if id % 10 == 0 {
            sleep(Duration::from_secs(6)).await;
        }
    }
    let wait = async {
        while world.inbox().count_waiting().await.unwrap() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_mins(5), wait).await.expect("something waits still");
    for bot in bots {
        bot.stop().await;
    }
    let id = |name: &String| name.split(' ').next().unwrap().parse::<i64>().unwrap();
    let answered: Vec<i64> = world.stage.names().iter().map(id).collect();
    assert_eq!(answered.len(), 200);
    for person in 0..5 {
        let of_person: Vec<i64> = answered.iter().copied().filter(|id| id % 5 == person).collect();
        assert!(of_person.is_sorted() && of_person.len() == 40, "{of_person:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_the_update_in_hand_and_leaves_the_rest_for_the_next_start() {
    let world = World::new();
    let bot = world.run();
    bot.gets(1, message(1, 1, "slow")).await;
    bot.gets(1, message(2, 1, "b")).await;
    bot.gets(2, message(3, 2, "hang")).await;
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    bot.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(world.stage.names(), ["1 slow"]);
    assert_eq!(world.inbox().count_waiting().await.unwrap(), 2);
    // The updates were released: no lease has to end, as the clock stands still.
    let bot = world.run();
    world.until_done(&["1 slow", "2 b", "3 sorry"]).await;
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_flooding_user_is_throttled_and_told_once_and_others_are_not_affected() {
    let world = World::new();
    let bot = world.run();
    for id in 1..=60 {
        bot.gets(1, message(id, 1, "a")).await;
    }
    bot.gets(2, message(100, 2, "b")).await;
    let began = Instant::now();
    while !world.stage.names().contains(&"100 b".to_owned()) {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() < Duration::from_millis(100));
    let wait = async {
        while world.inbox().count_waiting().await.unwrap() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_mins(5), wait).await.unwrap();
    let done = world.stage.0.lock().unwrap().clone();
    assert_eq!(done.iter().filter(|(name, _)| name.starts_with("slow down")).count(), 1);
    for second in 1..50 {
        assert!(done.iter().filter(|(_, at)| *at == second).count() <= 1, "second {second}: {done:?}");
    }
    assert_eq!(done.len(), 62);
    assert!(done.last().unwrap().1 >= 39, "a burst of 20, then one a second: {done:?}");
    bot.stop().await;
}

#[tokio::test(start_paused = true)]
async fn of_equal_taps_in_a_flood_only_the_last_is_handled() {
    let world = World::new();
    let bot = world.run();
    bot.gets(1, message(1, 1, "slow")).await;
    sleep(Duration::from_millis(10)).await;
    for id in 2..=30 {
        bot.gets(1, tap(id, 1, if id == 10 { "other" } else { "same" })).await;
    }
    bot.gets(1, message(31, 1, "word")).await;
    bot.gets(1, tap(32, 1, "same")).await;
    let wait = async {
        while world.inbox().count_waiting().await.unwrap() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_mins(5), wait).await.unwrap();
    bot.stop().await;
    let names = world.stage.names();
    let answered: Vec<_> = names.iter().filter(|name| !name.ends_with("ended")).collect();
    assert_eq!(answered, ["1 slow", "slow down, 1", "10 other", "30 same", "31 word", "32 same"]);
    assert_eq!(names.len() - answered.len(), 27);
}

#[tokio::test(start_paused = true)]
async fn a_user_without_a_free_queue_waits_in_the_inbox_and_is_answered() {
    let world = World::new();
    let bot = world.run();
    for id in 1..=1_020 {
        world.has(id, &message(id, id, "a")).await;
    }
    for id in 1..=1_020 {
        bot.queues.wake(id);
    }
    let wait = async {
        while world.inbox().count_waiting().await.unwrap() > 0 {
            sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(Duration::from_mins(5), wait).await.expect("something waits still");
    assert_eq!(world.stage.names().len(), 1_020);
    bot.stop().await;
}

/// A person, an update, and whether it was begun or ended.
type Step = (i64, u32, &'static str);

/// What two bots did, in order.
#[derive(Debug, Clone, Default)]
struct Together(Arc<Mutex<Vec<Step>>>);

impl Work for Together {
    async fn answer(&self, update: Update) {
        let person = i64::try_from(update.from().unwrap().id.0).unwrap();
        self.0.lock().unwrap().push((person, update.id.0, "begun"));
        sleep(Duration::from_millis(u64::from(update.id.0 * 37 % 200))).await;
        self.0.lock().unwrap().push((person, update.id.0, "ended"));
    }

    async fn end_tap(&self, _: &Update) {}

    async fn apologise(&self, _: &Update) {}

    async fn slow_down(&self, _: i64) {}
}

#[tokio::test(start_paused = true)]
async fn updates_of_a_user_are_handled_in_order_by_two_bots_on_one_store() {
    const PEOPLE: i64 = 12;
    const EACH: i64 = 15;
    let world = World::new();
    let work = Together::default();
    let stop = Stop::new();
    let bots = [(); 2].map(|()| {
        let queues = Arc::new(UserQueues::new(work.clone(), world.inbox(), PollingLease::new().1));
        let (running, told) = (Arc::clone(&queues), stop.clone());
        let task =
            tokio::spawn(async move { tokio::join!(running.run(&told), sweeper::run(&running, &told)) });
        (queues, task)
    });
    for id in 1..=PEOPLE * EACH {
        let person = 1 + id % PEOPLE;
        world.has(person, &message(id, person, "a")).await;
        // Both hear of it, in either order, and of some neither does.
        for place in [id % 2, 1 - id % 2].into_iter().filter(|_| id % 5 != 0) {
            bots[usize::try_from(place).unwrap()].0.wake(person);
        }
        if id % 3 == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    }
    while world.inbox().count_waiting().await.unwrap() > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    for (_, task) in bots {
        task.await.unwrap();
    }
    let done = work.0.lock().unwrap().clone();
    for person in 1..=PEOPLE {
        let of_person = done.iter().filter(|(of, ..)| *of == person).map(|(_, id, what)| (*id, *what));
        let of_person: Vec<(u32, &str)> = of_person.collect();
        let mut in_order = of_person.clone();
        in_order.sort_unstable();
        assert_eq!(of_person, in_order, "one after the other, and in order");
        assert_eq!(of_person.len(), 2 * usize::try_from(EACH).unwrap(), "each once");
    }
}
