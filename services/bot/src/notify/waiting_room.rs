//! Where notices wait for a post: bounded, and whoever finds no room is told when to come again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use tolov_domain::{notification::Notification, ports::bus::Delivery};
use tolov_kit::in_flight::{InFlight, InFlightGuard};

use super::journal::STOP_AFTER;
use crate::BotConfig;

const MINUTE: Duration = Duration::from_mins(1);
/// The longest for which a notice is given back because there is no room.
pub(super) const NO_ROOM_LONGEST: Duration = Duration::from_mins(10);

/// A notice that waits for a post.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) delivery: Delivery,
    pub(super) notification: Notification,
    /// Telegram did not take a digest with it: it may be the culprit, so it is posted by itself.
    pub(super) alone: bool,
    _place: OwnedSemaphorePermit,
    _held: InFlightGuard,
}

/// Room for a bounded number of notices.
#[derive(Debug)]
pub(super) struct WaitingRoom {
    places: Arc<Semaphore>,
    notices: mpsc::Sender<Notice>,
    /// When the notices that found no room so far will have found some.
    booked_until: Mutex<Instant>,
    /// How long a post takes, for each notice of a full one.
    per_notice: Duration,
}

impl WaitingRoom {
    pub(super) fn new(config: &BotConfig, notices: mpsc::Sender<Notice>) -> Self {
        let max = config.staff_waiting_max;
        let post_every = MINUTE / config.channel_posts_per_min;
        Self {
            places: Arc::new(Semaphore::new(max)),
            notices,
            booked_until: Mutex::new(Instant::now()),
            per_notice: post_every / u32::try_from(max).unwrap_or(u32::MAX),
        }
    }

    /// Lets a notice in; what there is no place for comes back, with the time after which there may be one.
    pub(super) fn admit(
        &self,
        delivery: Delivery,
        notification: Notification,
        in_hand: &InFlight,
    ) -> Option<(Delivery, Duration)> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Some((delivery, self.book()));
        };
        let held = in_hand.enter(notification.occurred_at);
        let notice = Notice { delivery, notification, alone: false, _place: place, _held: held };
        // There are as many places as the way there is long; it is closed only when the other side has ended.
        let refused = self.notices.try_send(notice).err()?;
        Some((refused.into_inner().delivery, STOP_AFTER))
    }

    /// Each notice that finds no room is wanted back one notice's time after the one before.
    fn book(&self) -> Duration {
        let now = Instant::now();
        let mut booked_until = self.booked_until.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*booked_until).max(now) + self.per_notice;
        *booked_until = at.min(now + NO_ROOM_LONGEST);
        (at - now).clamp(STOP_AFTER, NO_ROOM_LONGEST)
    }
}
