//! Which queues a message goes to.

use tolov_domain::ports::bus::{Queue, Route};

/// The queues whose binding takes the route, as a topic exchange decides it.
pub(super) fn queues_for(route: &Route) -> impl Iterator<Item = Queue> + '_ {
    Queue::ALL.into_iter().filter(|queue| {
        let is_bound = |pattern: &&str| matches(pattern, route.routing_key());
        queue.exchange() == route.exchange() && queue.binding_keys().iter().any(is_bound)
    })
}

/// Words are parted by dots; `*` stands for exactly one of them.
fn matches(pattern: &str, key: &str) -> bool {
    let (mut pattern, mut key) = (pattern.split('.'), key.split('.'));
    loop {
        match (pattern.next(), key.next()) {
            (None, None) => return true,
            (Some(expected), Some(word)) if expected == "*" || expected == word => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_word() {
        for (pattern, key) in [("notify", "notify"), ("payment.*", "payment.completed"), ("*.*", "a.b")] {
            assert!(matches(pattern, key), "{pattern} takes {key}");
        }
        for (pattern, key) in [
            ("notify", "notify.now"),
            ("payment.*", "payment"),
            ("payment.*", "payment.a.b"),
            ("payment.*", "order.expired"),
            ("notify", ""),
        ] {
            assert!(!matches(pattern, key), "{pattern} does not take {key}");
        }
    }

    #[test]
    fn a_key_without_a_binding_has_no_queue() {
        let queues = |route| queues_for(&route).collect::<Vec<_>>();
        assert_eq!(queues(Route::Payments("payment.cancelled".to_owned())), [Queue::ProjectorPayments]);
        assert_eq!(queues(Route::Notifications), [Queue::BotNotifications]);
        assert_eq!(queues(Route::Payments("notify".to_owned())), []);
    }
}
