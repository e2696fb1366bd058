//! The queue of notifications that wait for a post. It is bounded: what finds no room is told when to come again.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use tolov_domain::{
    EventId, OrderId, UnplacedPayment, notification::Notification, ports::bus::Delivery, time::Timestamp,
};
use tolov_kit::in_flight::{InFlight, InFlightGuard};

use crate::{config::Config, notify::claims::STOP_AFTER};

const MINUTE: Duration = Duration::from_mins(1);
/// The longest time for which a notification is given back because there is no room.
pub(super) const NO_ROOM_MAX: Duration = Duration::from_mins(10);

/// What staff are told.
#[derive(Debug, Clone)]
pub(super) enum StaffMessage {
    /// Of an order.
    Order(Notification),
    /// Of money that belongs to no order.
    Unplaced(UnplacedPayment),
}

impl StaffMessage {
    pub(super) fn id(&self) -> EventId {
        match self {
            Self::Order(notification) => notification.notification_id.clone(),
            Self::Unplaced(payment) => payment.notification_id(),
        }
    }

    /// The order that it names, whether the shop has it or not.
    pub(super) fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::Order(notification) => Some(notification.order_id),
            Self::Unplaced(payment) => payment.order_id(),
        }
    }

    const fn occurred_at(&self) -> Timestamp {
        match self {
            Self::Order(notification) => notification.occurred_at,
            Self::Unplaced(payment) => payment.occurred_at,
        }
    }
}

/// A notification that waits for a post.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) delivery: Delivery,
    pub(super) message: StaffMessage,
    /// A digest with it failed: it is posted by itself, so that only the failing one is retried.
    pub(super) alone: bool,
    _place: OwnedSemaphorePermit,
    _held: InFlightGuard,
}

#[derive(Debug)]
pub(super) struct PostQueue {
    places: Arc<Semaphore>,
    notices: mpsc::Sender<Notice>,
    /// When there will be room for those that were refused so far.
    booked_until: Mutex<Instant>,
    /// How long a notification of a full queue takes.
    per_notice: Duration,
}

impl PostQueue {
    pub(super) fn new(config: &Config, notices: mpsc::Sender<Notice>) -> Self {
        let max = config.staff_waiting_max;
        let post_every = MINUTE / config.channel_posts_per_min;
        Self {
            places: Arc::new(Semaphore::new(max)),
            notices,
            booked_until: Mutex::new(Instant::now()),
            per_notice: post_every / u32::try_from(max).unwrap_or(u32::MAX),
        }
    }

    /// Takes a notification in. Where there is no room it comes back, with the time after which there may be some.
    pub(super) fn enqueue(
        &self,
        delivery: Delivery,
        message: StaffMessage,
        in_hand: &InFlight,
    ) -> Option<(Delivery, Duration)> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Some((delivery, self.next_room()));
        };
        let held = in_hand.enter(message.occurred_at());
        let notice = Notice { delivery, message, alone: false, _place: place, _held: held };
        // The channel holds as many as there are places; it is closed only when the other side has ended.
        let refused = self.notices.try_send(notice).err()?;
        Some((refused.into_inner().delivery, STOP_AFTER))
    }

    /// Each refused notification comes back one notification's time after the one before.
    fn next_room(&self) -> Duration {
        let now = Instant::now();
        let mut booked_until = self.booked_until.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*booked_until).max(now) + self.per_notice;
        *booked_until = at.min(now + NO_ROOM_MAX);
        (at - now).clamp(STOP_AFTER, NO_ROOM_MAX)
    }
}
