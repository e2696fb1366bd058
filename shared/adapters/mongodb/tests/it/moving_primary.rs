//! The members of a replica set, played by proxies before one server, so that the driver itself follows an election.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use mongodb::bson::{Document, doc, oid::ObjectId};
use tokio::{
    io::{AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tolov_domain::ports::documents::{
    Body, Collection, Documents, Key, Put, Query, Sequence, Write, Written,
};
use tolov_mongodb::{MongoOptions, MongoShop};

use crate::{
    faults::SLACK,
    primary_change::{command, message, name, refusal, reply, write_when_there},
    world::{Server, World, shop_at},
};

const ORDERS: Collection = Collection::new("orders", &["status"]);
const NUMBERS: Sequence = Sequence::new("orders");
const SET: &str = "moving";
const A: usize = 0;
const B: usize = 1;

/// A call may take as long as an election and a busy machine need.
const PATIENT: MongoOptions =
    MongoOptions { call_timeout: Duration::from_secs(30), server_selection_timeout: Duration::from_secs(15) };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Secondary,
    /// Takes itself for the primary, whoever else does.
    Primary {
        term: u32,
    },
    /// The same; makes one write more, and is dead before the answer, whereupon the other is elected.
    DyingPrimary {
        term: u32,
    },
    Dead,
}

/// What the members were asked.
#[derive(Debug, Default)]
struct Asked {
    greetings: usize,
    /// The writes that were passed on to the server.
    writes: Vec<Document>,
}

#[derive(Clone)]
struct ReplicaSet {
    server: SocketAddr,
    members: [SocketAddr; 2],
    roles: watch::Sender<[Role; 2]>,
    asked: Arc<Mutex<[Asked; 2]>>,
}

impl ReplicaSet {
    async fn start(world: &World, roles: [Role; 2]) -> Self {
        let listeners = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let set = Self {
            server: world.server().await,
            members: [A, B].map(|member| listeners[member].local_addr().unwrap()),
            roles: watch::Sender::new(roles),
            asked: Arc::default(),
        };
        for (member, listener) in listeners.into_iter().enumerate() {
            let set = set.clone();
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let set = set.clone();
                    tokio::spawn(async move {
                        let mut roles = set.roles.subscribe();
                        tokio::select! {
                            _ = roles.wait_for(|roles| roles[member] == Role::Dead) => {}
                            _ = set.serve(member, client) => {}
                        }
                    });
                }
            });
        }
        set
    }

    async fn shop(&self, world: &World, options: MongoOptions) -> MongoShop {
        let url = world.url_of_set(SET, &self.members);
        shop_at(&format!("{url}&heartbeatFrequencyMS=500"), options).await
    }

    /// One connection. The driver waits for an answer before it sends the next request on it.
    async fn serve(&self, member: usize, client: TcpStream) -> std::io::Result<()> {
        let mut client = BufStream::new(client);
        let mut server = BufStream::new(TcpStream::connect(self.server).await?);
        loop {
            let request = message(&mut client).await?;
            let command = command(&request);
            let answer = if let Some(own) = self.own_answer(member, &command) {
                reply(&request, &own)
            } else {
                server.write_all(&request).await?;
                server.flush().await?;
                message(&mut server).await?
            };
            if is_write(&command) && self.dies(member) {
                return Ok(());
            }
            client.write_all(&answer).await?;
            client.flush().await?;
        }
    }

    /// The answer to what is not passed on to the server.
    fn own_answer(&self, member: usize, command: &Document) -> Option<Document> {
        let is_primary = match self.roles.borrow()[member] {
            Role::Primary { .. } | Role::DyingPrimary { .. } => true,
            Role::Secondary | Role::Dead => false,
        };
        let mut asked = self.asked.lock().unwrap();
        match name(command) {
            "hello" | "isMaster" | "ismaster" => {
                asked[member].greetings += 1;
                Some(self.hello(member))
            }
            "endSessions" | "saslStart" | "saslContinue" => None,
            _ if is_primary => {
                if is_write(command) {
                    asked[member].writes.push(command.clone());
                }
                None
            }
            _ if is_write(command) => Some(refusal(command, 10_107, "NotWritablePrimary")),
            _ => Some(refusal(command, 13_435, "NotPrimaryNoSecondaryOk")),
        }
    }

    /// Without a `topologyVersion`, so that the driver asks again and again.
    fn hello(&self, member: usize) -> Document {
        let roles = *self.roles.borrow();
        let terms = roles.map(Role::term);
        let mut hello = doc! {
            "ok": 1.0,
            "helloOk": true,
            "isWritablePrimary": terms[member].is_some(),
            "ismaster": terms[member].is_some(),
            "secondary": terms[member].is_none(),
            "setName": SET,
            "setVersion": 1,
            "hosts": self.members.map(|member| member.to_string()).to_vec(),
            "me": self.members[member].to_string(),
            "minWireVersion": 0,
            "maxWireVersion": 25,
            "maxBsonObjectSize": 16_777_216,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
            "readOnly": false,
        };
        let known =
            if terms[member].is_some() { Some(member) } else { (0..2).find(|it| terms[*it].is_some()) };
        if let Some(primary) = known {
            hello.insert("primary", self.members[primary].to_string());
        }
        if let Some(term) = terms[member] {
            hello.insert("electionId", ObjectId::parse_str(format!("7fffffff{term:016x}")).unwrap());
        }
        hello
    }

    /// Whether the member is to die of its first write. The other is elected then.
    fn dies(&self, member: usize) -> bool {
        self.roles.send_if_modified(|roles| {
            let Role::DyingPrimary { term } = roles[member] else { return false };
            *roles = [Role::Primary { term: term + 1 }; 2];
            roles[member] = Role::Dead;
            true
        })
    }

    fn writes(&self) -> [Vec<Document>; 2] {
        let asked = self.asked.lock().unwrap();
        [A, B].map(|member| asked[member].writes.clone())
    }

    async fn wait_for_greetings(&self, member: usize, more: usize) {
        let greetings = || self.asked.lock().unwrap()[member].greetings;
        let enough = greetings() + more;
        while greetings() < enough {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Role {
    fn term(self) -> Option<u32> {
        match self {
            Self::Primary { term } | Self::DyingPrimary { term } => Some(term),
            Self::Secondary | Self::Dead => None,
        }
    }
}

fn is_write(command: &Document) -> bool {
    ["bulkWrite", "findAndModify", "insert", "update", "delete", "createIndexes"].contains(&name(command))
}

/// What a server knows a repetition by.
fn number(write: &Document) -> Document {
    doc! { "session": write.get("lsid").unwrap(), "number": write.get("txnNumber").unwrap() }
}

async fn put(shop: &MongoShop, key: i64) -> anyhow::Result<Put> {
    Ok(shop.put(ORDERS, &Key::Number(key), None, &Body::new()).await?)
}

pub(crate) async fn a_write_begun_without_a_primary_is_made_by_the_one_that_is_elected_meanwhile(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let set = ReplicaSet::start(&world, [Role::Secondary; 2]).await;
    let shop = set.shop(&world, PATIENT).await;
    let elected = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        set.roles.send_replace([Role::Secondary, Role::Primary { term: 1 }]);
    };
    let (written, ()) = tokio::join!(put(&shop, 1), elected);
    assert_eq!(written?, Put::Done(1));
    let [by_a, by_b] = set.writes();
    assert!(by_a.is_empty() && by_b.iter().any(|write| name(write) == "bulkWrite"), "{by_a:?}");
    world.remove().await
}

pub(crate) async fn a_write_whose_primary_dies_before_its_answer_is_stored_once(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let set = ReplicaSet::start(&world, [Role::Primary { term: 1 }, Role::Secondary]).await;
    let shop = set.shop(&world, PATIENT).await;
    assert_eq!(put(&shop, 1).await?, Put::Done(1));
    let before = set.writes()[A].len();
    set.roles.send_replace([Role::DyingPrimary { term: 1 }, Role::Secondary]);
    let written = put(&shop, 2).await?;
    assert!(matches!(written, Put::Done(1) | Put::Conflict), "{written:?}");
    let [by_a, by_b] = set.writes();
    // Where the repetition was another write to the server, the driver tells of the death, and the adapter asks once more.
    assert_eq!((by_a.len() - before, number(by_a.last().unwrap())), (1, number(&by_b[0])));
    let stored = shop.find(&Query::all(ORDERS, 10)).await?;
    let versions: Vec<_> = stored.into_iter().map(|stored| stored.unwrap().version).collect();
    assert_eq!(versions, [1, 1]);
    world.remove().await
}

/// The adapter's own repetition would be another command, which takes another number.
pub(crate) async fn a_number_whose_primary_dies_before_its_answer_is_taken_once(
    server: Server,
) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let set = ReplicaSet::start(&world, [Role::Primary { term: 1 }, Role::Secondary]).await;
    let shop = set.shop(&world, PATIENT).await;
    assert_eq!(shop.next_number(NUMBERS, 1_000).await?, 1_001);
    set.roles.send_replace([Role::DyingPrimary { term: 1 }, Role::Secondary]);
    assert_eq!(shop.next_number(NUMBERS, 1_000).await?, 1_002);
    let [by_a, by_b] = set.writes();
    assert_eq!(by_b.len(), 1, "{by_b:?}");
    assert_eq!(number(by_a.last().unwrap()), number(&by_b[0]));
    assert_eq!(shop.next_number(NUMBERS, 1_000).await?, 1_003);
    world.remove().await
}

pub(crate) async fn a_primary_of_an_old_term_gets_no_write(server: Server) -> anyhow::Result<()> {
    let world = World::fresh(server).await?;
    let set = ReplicaSet::start(&world, [Role::Primary { term: 1 }, Role::Secondary]).await;
    let shop = set.shop(&world, PATIENT).await;
    assert_eq!(put(&shop, 1).await?, Put::Done(1));
    let by_a = set.writes()[A].len();
    set.roles.send_replace([Role::Dead, Role::Primary { term: 2 }]);
    assert_eq!(put(&shop, 2).await?, Put::Done(1));
    set.roles.send_replace([Role::Primary { term: 1 }, Role::Primary { term: 2 }]);
    for key in 3..8 {
        set.wait_for_greetings(A, 1).await;
        assert_eq!(put(&shop, key).await?, Put::Done(1));
    }
    assert_eq!(set.writes().map(|writes| writes.len()), [by_a, 6]);
    world.remove().await
}

pub(crate) async fn without_a_primary_a_call_ends_in_time_and_the_store_is_used_again_after_the_election(
    server: Server,
) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_secs(4);
    let world = World::fresh(server).await?;
    let set = ReplicaSet::start(&world, [Role::Primary { term: 1 }, Role::Secondary]).await;
    let shop = set.shop(&world, MongoOptions { call_timeout: LIMIT, ..MongoOptions::default() }).await;
    let order = [Write { key: Key::Number(1), seen: None, body: Body::new() }];
    assert_eq!(write_when_there(&shop, &order).await?, [Written::Done(1)]);
    set.roles.send_replace([Role::Secondary; 2]);
    for _ in 0..2 {
        let begun = Instant::now();
        let error = shop.put(ORDERS, &Key::Number(1), Some(1), &Body::new()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        assert!(begun.elapsed() < LIMIT + SLACK, "{:?}", begun.elapsed());
    }
    let by_a = set.writes()[A].len();
    set.roles.send_replace([Role::Secondary, Role::Primary { term: 2 }]);
    let again = [Write { key: Key::Number(1), seen: Some(1), body: Body::new() }];
    assert_eq!(write_when_there(&shop, &again).await?, [Written::Done(2)]);
    assert_eq!(set.writes()[A].len(), by_a);
    world.remove().await
}
