use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const TICK: Duration = Duration::from_millis(100);
/// In ticks.
const RENEW_EVERY: u32 = 20;
const LIMITS: [(u32, Duration); 2] = [(30, Duration::from_secs(1)), (20, Duration::from_secs(12))];

/// Several bots on one store, in steps of a tenth of a second. Each sends as much as it may.
struct Sea {
    start: Instant,
    tick: u32,
    store: (i64, Roster),
    bots: Vec<Bot>,
    started: i64,
    /// When each message left, by limit.
    sent: [VecDeque<u32>; 2],
    /// Nobody sends anything.
    is_idle: bool,
}

struct Bot {
    member: Member,
    permit: Option<Permit>,
    shares: [u32; 2],
    sent: [VecDeque<u32>; 2],
    /// What it sent before this was sent by an earlier process.
    started_at: u32,
    next_at: u32,
    /// It does not reach the store until then.
    cut_until: u32,
    under_way: Option<UnderWay>,
}

/// A renewal between its read and its write.
struct UnderWay {
    write_at: u32,
    seen: i64,
    renewal: Renewal,
    began: Instant,
    answer_is_lost: bool,
}

#[derive(Debug, Clone)]
enum Event {
    Start,
    Kill,
    /// Killed, and started again at once with its number.
    Restart,
    Leave,
    Cut(u32),
    LoseAnswer,
}

impl Sea {
    fn new() -> Self {
        Self {
            start: Instant::now() + Duration::from_hours(1),
            tick: 0,
            store: (0, Roster::default()),
            bots: Vec::new(),
            started: 0,
            sent: Default::default(),
            is_idle: false,
        }
    }

    fn now(&self) -> Instant {
        self.start + TICK * self.tick
    }

    fn start(&mut self) {
        self.started += 1;
        let member = Member::new(self.started, RenewalInterval(TICK * RENEW_EVERY), true, LIMITS);
        self.bots.push(Bot {
            member,
            permit: None,
            shares: [0; 2],
            sent: Default::default(),
            started_at: self.tick,
            next_at: self.tick,
            cut_until: 0,
            under_way: None,
        });
    }

    fn happens(&mut self, place: usize, event: &Event) {
        if matches!(event, Event::Start) {
            if self.bots.len() < 4 {
                self.start();
            }
            return;
        }
        if self.bots.is_empty() {
            return;
        }
        let place = place % self.bots.len();
        match event {
            Event::Start => {}
            Event::Kill => drop(self.bots.remove(place)),
            Event::Restart => self.restart(place),
            Event::Leave => {
                let mut bot = self.bots.remove(place);
                for ((_, window), sent) in LIMITS.into_iter().zip(&mut bot.sent) {
                    evict(sent, self.tick, window);
                }
                let used = bot.sent.map(|sent| u32::try_from(sent.len()).unwrap());
                let (version, roster) = &self.store;
                self.store = (version + 1, bot.member.leave(roster, used));
            }
            Event::Cut(ticks) => self.bots[place].cut_until = self.tick + ticks,
            Event::LoseAnswer => {
                if let Some(under_way) = &mut self.bots[place].under_way {
                    under_way.answer_is_lost = true;
                }
            }
        }
    }

    fn restart(&mut self, place: usize) {
        let mut bot = self.bots.remove(place);
        // A renewal may reach the store after the end of its process.
        if let Some(under_way) = bot.under_way.take_if(|under_way| under_way.seen == self.store.0) {
            self.store = (self.store.0 + 1, under_way.renewal.roster);
        }
        self.start();
        let number = bot.member.number;
        if let (Some(beat), Some(next)) = (self.store.1.beat_of(number), self.bots.last_mut()) {
            self.started -= 1;
            let member = Member::new(number, RenewalInterval(TICK * RENEW_EVERY), true, LIMITS);
            next.member = member.following(beat);
            // The limiter counts what the earlier process has sent.
            next.sent = bot.sent;
        }
    }

    fn pass(&mut self, ticks: u32, latency: u32) {
        for _ in 0..ticks {
            let now = self.now();
            for bot in &mut self.bots {
                bot.renew(&mut self.store, self.tick, now, latency);
            }
            for bot in self.bots.iter_mut().filter(|_| !self.is_idle) {
                bot.send(self.tick, now, &mut self.sent);
            }
            for ((max, window), sent) in LIMITS.into_iter().zip(&mut self.sent) {
                evict(sent, self.tick, window);
                assert!(
                    sent.len() <= usize::try_from(max).unwrap(),
                    "{} of {max} at {}",
                    sent.len(),
                    self.tick
                );
            }
            let pollers = self.bots.iter().filter(|bot| bot.may_poll(now)).count();
            assert!(pollers <= 1, "{pollers} bots poll at {}", self.tick);
            self.tick += 1;
        }
    }
}

fn evict(sent: &mut VecDeque<u32>, tick: u32, window: Duration) {
    while sent.front().is_some_and(|at| TICK * (tick - at) >= window) {
        sent.pop_front();
    }
}

impl Bot {
    fn may_poll(&self, now: Instant) -> bool {
        self.permit.is_some_and(|permit| permit.polls && now < permit.until)
    }

    fn renew(&mut self, store: &mut (i64, Roster), tick: u32, now: Instant, latency: u32) {
        if tick < self.cut_until {
            return;
        }
        if self.under_way.is_none() && tick >= self.next_at {
            for ((_, window), sent) in LIMITS.into_iter().zip(&mut self.sent) {
                evict(sent, tick, window);
            }
            let own = |sent: &VecDeque<u32>| sent.iter().filter(|at| **at >= self.started_at).count();
            let used = self.sent.each_ref().map(|sent| u32::try_from(own(sent)).unwrap());
            let sending = Sending { used, ..Sending::default() };
            let renewal = self.member.renew(&store.1, (now, now), sending);
            for (share, lowered) in self.shares.iter_mut().zip(renewal.shares) {
                *share = (*share).min(lowered);
            }
            let write_at = tick + latency;
            self.under_way =
                Some(UnderWay { write_at, seen: store.0, renewal, began: now, answer_is_lost: false });
        }
        let Some(under_way) = self.under_way.take_if(|under_way| tick >= under_way.write_at) else { return };
        if under_way.seen != store.0 {
            return;
        }
        *store = (store.0 + 1, under_way.renewal.roster.clone());
        if under_way.answer_is_lost {
            return;
        }
        let permit = self.member.written(&under_way.renewal.roster, under_way.began);
        self.shares = permit.shares;
        self.permit = Some(permit);
        self.next_at = tick + RENEW_EVERY;
    }

    fn send(&mut self, tick: u32, now: Instant, all: &mut [VecDeque<u32>; 2]) {
        if self.permit.is_none_or(|permit| now >= permit.until) {
            return;
        }
        for (((_, window), share), (own, all)) in
            LIMITS.into_iter().zip(self.shares).zip(self.sent.iter_mut().zip(all))
        {
            evict(own, tick, window);
            while own.len() < usize::try_from(share).unwrap() {
                own.push_back(tick);
                all.push_back(tick);
            }
        }
    }
}

fn shares_of(sea: &Sea) -> Vec<[u32; 2]> {
    sea.bots.iter().map(|bot| bot.shares).collect()
}

#[test]
fn a_bot_that_joins_begins_with_what_is_spare_and_soon_has_its_part() {
    let mut sea = Sea::new();
    sea.start();
    sea.pass(1, 0);
    assert_eq!(shares_of(&sea), [[27, 18]], "alone it begins at once");
    sea.start();
    sea.pass(1, 0);
    assert_eq!(shares_of(&sea), [[27, 18], [2, 1]]);
    sea.pass(200, 0);
    assert_eq!(shares_of(&sea), [[14, 9], [13, 9]]);
}

#[test]
fn what_a_bot_has_not_used_is_free_for_one_that_joins_after_two_renewals() {
    let mut sea = Sea::new();
    sea.start();
    sea.is_idle = true;
    sea.pass(1, 0);
    sea.start();
    // The first lowers its rates, then gives back what it has not used, and then the second takes it.
    sea.pass(3 * RENEW_EVERY, 0);
    assert_eq!(shares_of(&sea), [[14, 9], [13, 9]]);
}

#[test]
fn a_bot_that_ends_is_followed_by_another_within_15_seconds_and_at_once_when_it_says_so() {
    for (event, ticks) in [(Event::Kill, 120), (Event::Leave, RENEW_EVERY)] {
        let mut sea = Sea::new();
        sea.start();
        sea.pass(7, 0);
        sea.start();
        sea.pass(200, 0);
        assert!(sea.bots[0].may_poll(sea.now()));
        sea.happens(0, &event);
        sea.pass(ticks, 0);
        assert!(sea.bots[0].may_poll(sea.now()), "{event:?}");
        sea.pass(300, 0);
        assert_eq!(shares_of(&sea), [[27, 18]], "{event:?}");
        assert_eq!(sea.store.1.bots.len(), 1, "{event:?}");
    }
}

#[test]
fn a_lone_bot_that_is_killed_and_started_again_polls_at_once_with_all_that_it_had() {
    let mut sea = Sea::new();
    sea.start();
    sea.pass(100, 1);
    sea.happens(0, &Event::Restart);
    sea.pass(2, 1);
    assert!(sea.bots[0].may_poll(sea.now()));
    assert_eq!(shares_of(&sea), [[27, 18]]);
    // Among two it has its part and no more.
    sea.start();
    sea.pass(200, 1);
    sea.happens(0, &Event::Restart);
    sea.pass(2, 1);
    assert_eq!(shares_of(&sea), [[13, 9], [14, 9]]);
    assert!(sea.bots[1].may_poll(sea.now()), "the one that polled goes on");
}

#[test]
fn what_a_bot_that_stopped_has_not_used_is_free_at_once() {
    let mut sea = Sea::new();
    sea.start();
    sea.pass(1, 0);
    let (version, roster) = sea.store.clone();
    sea.store = (version + 1, sea.bots.remove(0).member.leave(&roster, [0, 4]));
    sea.sent = Default::default();
    sea.start();
    sea.pass(1, 0);
    assert_eq!(shares_of(&sea), [[27, 16]]);
}

#[test]
fn a_bot_that_dies_at_once_and_is_started_again_and_again_leaves_a_bounded_record() {
    let mut sea = Sea::new();
    for _ in 0..200 {
        sea.start();
        sea.pass(1, 0);
        sea.bots.clear();
        sea.pass(9, 0);
    }
    assert!(sea.store.1.bots.len() <= 40, "{}", sea.store.1.bots.len());
    sea.start();
    sea.pass(400, 0);
    assert_eq!(shares_of(&sea), [[27, 18]], "one that lives has everything in the end");
}

#[test]
fn a_bot_that_does_not_reach_the_store_stops_before_another_takes_its_place() {
    let mut sea = Sea::new();
    sea.start();
    sea.start();
    sea.pass(200, 0);
    sea.happens(0, &Event::Cut(400));
    sea.pass(400, 0);
    assert!(sea.bots[0].permit.unwrap().until < sea.now() && sea.bots[1].may_poll(sea.now()));
    sea.pass(300, 0);
    assert_eq!(shares_of(&sea), [[14, 9], [13, 9]], "it is back");
}

#[test]
fn what_telegram_asks_one_bot_for_holds_the_others_once() {
    let limits = LIMITS;
    let mut one = Member::new(1, RenewalInterval(TICK), true, limits);
    let mut other = Member::new(2, RenewalInterval(TICK), true, limits);
    let now = Instant::now();
    let asked = [Duration::from_secs(30), Duration::ZERO];
    let sending = Sending { pauses: asked, ..Sending::default() };
    let roster = one.renew(&Roster::default(), (now, now), sending).roster;
    let heard = other.renew(&roster, (now, now), Sending::default());
    assert_eq!(heard.pauses, asked);
    let again = other.renew(&heard.roster, (now, now), Sending::default());
    assert_eq!(again.pauses, [Duration::ZERO; 2], "the same entry is not heard twice");
}

#[test]
fn one_whose_entry_was_removed_while_it_was_started_again_is_not_taken_for_its_earlier_process() {
    let mut sea = Sea::new();
    let events = [
        (4, 0, 0, Event::Leave),
        (0, 0, 0, Event::Start),
        (23, 2, 0, Event::Start),
        (13, 1, 0, Event::Start),
        (41, 0, 2, Event::Cut(112)),
        (49, 1, 1, Event::Cut(110)),
        (51, 0, 0, Event::Start),
        (12, 3, 2, Event::Restart),
    ];
    sea.start();
    for (ticks, latency, place, event) in events {
        sea.pass(ticks, latency);
        sea.happens(place, &event);
    }
    sea.start();
    sea.pass(900, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However bots start, end, lose the store or its answers: all together keep Telegram's limits at every moment, and never do
    /// two poll. Left alone, they share all of it.
    #[test]
    fn all_bots_together_keep_the_limits(
        events in prop::collection::vec(
            (
                0u32..60,
                0u32..4,
                0usize..4,
                prop_oneof![
                    4 => Just(Event::Start),
                    1 => Just(Event::Kill),
                    2 => Just(Event::Restart),
                    1 => Just(Event::Leave),
                    1 => (1u32..150).prop_map(Event::Cut),
                    1 => Just(Event::LoseAnswer),
                ],
            ),
            1..40,
        ),
    ) {
        let mut sea = Sea::new();
        sea.start();
        for (ticks, latency, place, event) in events {
            sea.pass(ticks, latency);
            sea.happens(place, &event);
        }
        sea.pass(900, 1);
        if !sea.bots.is_empty() {
            prop_assert_eq!(sea.bots.iter().filter(|bot| bot.may_poll(sea.now())).count(), 1);
            for (place, all) in [27, 18].into_iter().enumerate() {
                let sum: u32 = shares_of(&sea).iter().filter_map(|shares| shares.get(place)).sum();
                prop_assert_eq!(sum, all);
            }
        }
    }
}
