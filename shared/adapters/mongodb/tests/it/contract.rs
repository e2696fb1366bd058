//! The contract suites, on a server that stands alone and on a replica set, where the driver opens sessions and retries
//! writes by itself.

use crate::world::World;

mod on_a_standalone {
    use super::World;

    tolov_contract::documents_contract!(World::fresh);
    tolov_contract::notifications_contract!(World::fresh);
}

mod on_a_replica_set {
    use super::World;

    tolov_contract::documents_contract!(World::fresh_on_a_replica_set);
    tolov_contract::notifications_contract!(World::fresh_on_a_replica_set);
}

#[tokio::test]
async fn each_suite_runs_on_the_server_that_it_names() -> anyhow::Result<()> {
    for (world, is_replica_set) in
        [(World::fresh().await?, false), (World::fresh_on_a_replica_set().await?, true)]
    {
        let diagnosis = world.shop().await.diagnose().await?;
        assert_eq!(diagnosis.is_replica_set, is_replica_set, "{diagnosis:?}");
        world.remove().await?;
    }
    Ok(())
}
