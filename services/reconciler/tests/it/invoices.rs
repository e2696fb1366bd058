//! Invoices to a phone number: made once, whatever is lost, and followed to their end.

use tolov_click::Call;
use tolov_domain::phone_invoice::InvoiceState;

use crate::world::{Fault, World};

fn created(world: &World) -> usize {
    world.click.state().calls.iter().filter(|call| matches!(call, Call::CreateInvoice(_))).count()
}

#[tokio::test]
async fn an_invoice_is_made_and_followed_until_its_order_is_paid() {
    let mut world = World::new();
    world.ask_for_invoice();
    world.round().await;
    assert!(matches!(world.invoice().state, InvoiceState::Sent { .. }), "{:?}", world.invoice());
    let Some(Call::CreateInvoice(made)) = world.click.state().calls.first().cloned() else { panic!("none") };
    assert_eq!((made.phone_number.as_str(), made.merchant_trans_id.as_str()), ("998901234567", "1001"));
    world.clock.advance(time::Duration::minutes(1));
    world.round().await;
    assert!(matches!(world.invoice().state, InvoiceState::Sent { .. }), "it still waits");
    world.ledger.state().is_payable = false;
    world.clock.advance(time::Duration::minutes(1));
    world.round().await;
    assert_eq!(world.invoice().state, InvoiceState::Over);
    assert_eq!(created(&world), 1);
}

#[tokio::test]
async fn an_invoice_whose_outcome_is_not_known_is_never_made_again() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::Empty, Fault::Code(-3)] {
        let mut world = World::new();
        world.ask_for_invoice();
        world.click.state().faults.push_back(fault);
        for _ in 0..5 {
            world.round().await;
            world.clock.advance(time::Duration::hours(1));
        }
        assert!(matches!(world.invoice().state, InvoiceState::Unknown { .. }), "{fault:?}");
        assert_eq!(created(&world), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_crash_at_any_step_makes_one_invoice_at_most() {
    for nth in 1..=8 {
        for after_the_effect in [false, true] {
            let mut world = World::new();
            world.ask_for_invoice();
            world.dies_at(nth, after_the_effect);
            world.round().await;
            world.restart();
            for _ in 0..4 {
                world.clock.advance(time::Duration::minutes(3));
                world.round().await;
            }
            assert!(created(&world) <= 1, "call {nth}, after: {after_the_effect}");
            let state = world.invoice().state;
            assert!(
                matches!(state, InvoiceState::Sent { .. } | InvoiceState::Unknown { .. }),
                "call {nth}, after: {after_the_effect}: {state:?}"
            );
        }
    }
}

#[tokio::test]
async fn two_reconcilers_make_one_invoice() {
    for waits in 0..4 {
        let mut world = World::new();
        world.ask_for_invoice();
        world.round_of_two(waits).await;
        assert!(matches!(world.invoice().state, InvoiceState::Sent { .. }), "{waits}: {:?}", world.invoice());
        assert_eq!(created(&world), 1, "{waits}");
    }
}

#[tokio::test]
async fn what_click_refuses_and_what_the_payer_deletes_is_over() {
    let mut world = World::new();
    world.ask_for_invoice();
    world.click.state().faults.push_back(Fault::Code(-514));
    world.round().await;
    let state = world.invoice().state;
    assert!(matches!(state, InvoiceState::Refused { click_code: -514, .. }), "{state:?}");

    for status in [Some(-99), None] {
        let mut world = World::new();
        world.ask_for_invoice();
        world.round().await;
        world.click.state().invoices.values_mut().for_each(|known| *known = status);
        world.clock.advance(time::Duration::minutes(1));
        world.round().await;
        assert!(matches!(world.invoice().state, InvoiceState::Deleted { .. }), "{status:?}");
    }
}

#[tokio::test]
async fn no_invoice_is_made_for_an_order_that_is_over_and_none_with_keys_that_click_refuses() {
    let mut world = World::new();
    world.ask_for_invoice();
    world.ledger.state().is_payable = false;
    world.round().await;
    assert_eq!((world.invoice().state, created(&world)), (InvoiceState::Over, 0));

    let mut world = World::new();
    world.ask_for_invoice();
    world.click.state().always = Some(Fault::Code(-12));
    world.round().await;
    assert!(matches!(world.invoice().state, InvoiceState::Refused { .. }));
}
