//! The contract suites.

use crate::world::World;

tolov_contract::documents_contract!(World::fresh);
tolov_contract::notifications_contract!(World::fresh);
