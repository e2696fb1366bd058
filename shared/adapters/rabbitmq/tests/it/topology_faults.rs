//! A broker whose topology, users or vhosts differ from ours.

use lapin::{
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use tolov_domain::ports::{
    PortError,
    bus::{BusAdmin, Consumer, Publisher, Queue},
};
use tolov_rabbitmq::{RabbitBus, RabbitOptions};

use crate::world::{amqp_url, in_world, options, payment, raw_channel};

#[test]
fn a_queue_with_other_arguments_is_refused_with_its_name_and_the_remedy() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let (_connection, channel) = raw_channel().await?;
        let queue = world.named("bot.notifications");
        let classic = QueueDeclareOptions::durable();
        channel.queue_declare(queue.as_str().into(), classic, FieldTable::default()).await?;
        let refusals = [
            world.direct.declare().await.unwrap_err(),
            world.direct.consumer(Queue::BotNotifications).receive(1).await.unwrap_err(),
            world.direct.admin().depth(Queue::BotNotifications).await.unwrap_err(),
        ];
        for refusal in refusals {
            let PortError::Refused(reason) = refusal else { panic!("{refusal:?}") };
            assert!(reason.contains(&queue) && reason.contains("delete_queue"), "{reason}");
        }
        // No fault of the messages, so the publisher must keep them.
        let held = world.direct.publisher().publish(&[payment(1)]).await.unwrap_err();
        assert!(held.is_unavailable() && held.to_string().contains("delete_queue"), "{held:?}");
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await?;
        Ok(world.direct.declare().await?)
    })
}

#[test]
fn a_wrong_password_is_refused_and_not_repeated_in_the_error() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let mut uri: lapin::uri::AMQPUri = amqp_url()?.parse().map_err(anyhow::Error::msg)?;
        "hunter2".clone_into(&mut uri.authority.userinfo.password);
        let bus = RabbitBus::try_new(&uri.to_string(), world.options.clone())?;
        let PortError::Refused(reason) = bus.declare().await.unwrap_err() else {
            panic!("it must be refused")
        };
        assert!(reason.contains("password") && !reason.contains("hunter2"), "{reason}");
        Ok(())
    })
}

#[test]
fn a_vhost_that_is_not_there_is_refused() -> anyhow::Result<()> {
    in_world(options(), async |world| {
        let mut uri: lapin::uri::AMQPUri = amqp_url()?.parse().map_err(anyhow::Error::msg)?;
        "no such vhost".clone_into(&mut uri.vhost);
        let bus = RabbitBus::try_new(&uri.to_string(), world.options.clone())?;
        let refusal = bus.declare().await.unwrap_err();
        assert!(matches!(&refusal, PortError::Refused(reason) if reason.contains("vhost")), "{refusal:?}");
        Ok(())
    })
}

#[test]
fn queues_without_a_prefix_are_not_deleted() -> anyhow::Result<()> {
    in_world(options(), async |_| {
        let production = RabbitBus::try_new(&amqp_url()?, RabbitOptions::default())?;
        let refusal = production.delete_prefixed_topology().await.unwrap_err();
        assert!(matches!(refusal, PortError::Refused(_)), "{refusal:?}");
        Ok(())
    })
}
