//! The comparison of a day: one short message to each owner, in the owner's language.

use tokio::time::Instant;
use tolov_domain::{
    DayCompared, EventId, Language, OrderId, UserId,
    ports::{PortError, bus::Verdict},
};
use tolov_kit::lifecycle::Stop;
use tolov_shop::staff::{self, Role};

use crate::{
    notify::{
        claims::AWAY_AFTER,
        notifier::Notifier,
        private::{self, Told, language_of},
    },
    texts::{money, number, t},
};

/// Tells every owner, each once. It is done when all are told or cannot be.
pub(super) async fn deliver(notifier: &Notifier, compared: &DayCompared, stop: &Stop) -> Verdict {
    let owners = match owners(notifier).await {
        Ok(owners) => owners,
        Err(error) => {
            tracing::warn!(%error, "the owners cannot be read");
            return Verdict::Later { after: AWAY_AFTER };
        }
    };
    let mut verdict = Verdict::Done;
    for owner in owners {
        match tell(notifier, owner, compared, stop).await {
            Told::Sent | Told::Undeliverable | Told::Not(Verdict::Done) => {}
            Told::Not(other) => verdict = other,
        }
    }
    verdict
}

/// Those of ADMIN_IDS, and those whom they made owners.
async fn owners(notifier: &Notifier) -> Result<Vec<UserId>, PortError> {
    let mut owners = notifier.config.owners.clone();
    let members = staff::members(notifier.handlers.documents()).await?;
    owners.extend(members.iter().filter(|member| member.role == Role::Owner).map(|member| member.id));
    owners.sort_unstable();
    owners.dedup();
    Ok(owners)
}

async fn tell(notifier: &Notifier, owner: UserId, compared: &DayCompared, stop: &Stop) -> Told {
    let deadline = Instant::now() + notifier.config.patience;
    let Some(language) = language_of(notifier, owner, deadline, stop).await else {
        return Told::Not(Verdict::Later { after: AWAY_AFTER });
    };
    let id = EventId::new(format!("{}-{owner}", compared.notification_id()));
    private::send(notifier, &id, (owner, &text(language, compared)), deadline, stop).await
}

/// A line each: what was paid, then what does not agree or could not be asked.
fn text(language: Language, compared: &DayCompared) -> String {
    let date = compared.day.date();
    let date = format!("{:02}.{:02}.{}", date.day(), u8::from(date.month()), date.year());
    let sum = money(language, compared.sum_tiyin);
    let mut lines = vec![t!(language, "day-title", date = date, orders = compared.orders, sum = sum)];
    if compared.agrees() {
        lines.push(match &compared.click {
            Some(_) => t!(language, "day-agrees"),
            None => t!(language, "day-agrees-without-click"),
        });
    }
    if let Some(click) = &compared.click {
        if !click.differing.is_empty() {
            lines.push(t!(language, "day-click-differs", orders = numbers(language, &click.differing)));
        }
        if click.unanswered > 0 {
            lines.push(t!(language, "day-click-unanswered", count = click.unanswered));
        }
    }
    if !compared.shop_differing.is_empty() {
        lines.push(t!(language, "day-shop-differs", orders = numbers(language, &compared.shop_differing)));
    }
    if compared.missing_receipts > 0 {
        lines.push(t!(language, "day-receipts-missing", count = compared.missing_receipts));
    }
    lines.join("\n")
}

fn numbers(language: Language, orders: &[OrderId]) -> String {
    orders.iter().map(|order| number(language, *order)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tolov_domain::{
        Day, Tiyin,
        day::{ClickComparison, SCHEMA},
    };

    use super::*;

    fn compared(click: Option<ClickComparison>, shop_differing: Vec<OrderId>) -> DayCompared {
        let day = Day::parse("2026-11-23").unwrap();
        DayCompared {
            schema: SCHEMA.to_owned(),
            event_id: DayCompared::id_of(day),
            day,
            orders: 2,
            sum_tiyin: Tiyin::from_soum(60_000).unwrap(),
            paid: Vec::new(),
            click,
            shop_differing,
            missing_receipts: 0,
            occurred_at: datetime!(2026-11-23 22:00 UTC),
        }
    }

    #[test]
    fn a_day_without_differences_is_two_lines_in_every_language() {
        for language in Language::ALL {
            let text = text(language, &compared(Some(ClickComparison::default()), Vec::new()));
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.contains("23.11.2026") && text.contains("60\u{a0}000"), "{text}");
        }
    }

    #[test]
    fn differences_are_named_by_their_orders() {
        let order = |id| OrderId::try_new(id).unwrap();
        let click = ClickComparison { agreed: 0, differing: vec![order(1001), order(1002)], unanswered: 3 };
        for language in Language::ALL {
            let text = text(language, &compared(Some(click.clone()), vec![order(1003)]));
            assert_eq!(text.lines().count(), 4, "{text}");
            let [first, second, third] = [1001, 1002, 1003].map(|id| number(language, id));
            assert!(text.contains(&format!("{first}, {second}")) && text.contains(&third), "{text}");
        }
    }
}
