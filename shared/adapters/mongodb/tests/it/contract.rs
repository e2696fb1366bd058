//! The promises of the ports, as every adapter keeps them.

use crate::world::World;

tolov_contract::shop_contract!(World::fresh);
