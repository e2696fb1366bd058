//! Durable callbacks a second, against a bare warp server that parses and verifies the same forms and stores
//! nothing; with `spread`, of orders all over a large ledger; with `flood`, genuine callbacks beside a flood of forged ones; with
//! `postgres`, on the database of LEDGER_URL beside SQLite; with `ledger`, of new orders in a ledger that is there (`bench ledger
//! ORDERS CONNECTIONS FILE FIRST`).
//! Prints numbers and asserts none: `scripts/bench`.
#![expect(clippy::print_stdout, reason = "the numbers are this program's answer")]

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tolov_checks::{
    load::{Report, Shop, Way, flood, pay_orders},
    service::{SECRET_KEY, Server},
};
use tolov_click::{CallbackForm, Reply, SecretKey};
use tolov_domain::{
    PrepareId,
    ports::{
        PortError,
        bus::{OutgoingMessage, Published, Publisher},
    },
};
use tolov_kit::{
    http::{Limits, RefusedRequest, serve},
    lifecycle::Stop,
    secret::Secret,
};
use tolov_webhook::ledger::LedgerPlace;
use warp::{Filter, filters::BoxedFilter, reply::Response};

const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];
/// How many orders of the ledger there are for each one that is paid, with `spread`.
const SPREAD: i64 = 20;
/// Of this machine.
const ANOTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
/// As a proxy names them.
const CLICK: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let mode = arguments.next_if(|argument| argument.parse::<i64>().is_err());
    let orders: i64 = arguments.next().map_or(Ok(10_000), |count| count.parse())?;
    let rows: Vec<usize> = match arguments.next() {
        Some(connections) => vec![connections.parse()?],
        None => CONNECTIONS.to_vec(),
    };
    let servers = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let clients = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match mode.as_deref() {
        None => compared(&servers, &clients, orders, 1, &rows),
        Some("spread") => compared(&servers, &clients, orders, SPREAD, &rows),
        Some("flood") => flooded(&servers, &clients, orders, &rows),
        Some("postgres") => on_postgres(&servers, &clients, orders, &rows),
        Some("ledger") => {
            let file = PathBuf::from(arguments.next().context("FILE is missing")?);
            let first = arguments.next().context("FIRST is missing")?.parse()?;
            in_a_ledger(&servers, &clients, orders, &rows, &file, first)
        }
        Some(other) => anyhow::bail!("{other:?} is neither `spread`, `flood`, `postgres` nor `ledger`"),
    }
}

/// Pays orders of which each is `spread` numbers from the others.
fn compared(servers: &Runtime, clients: &Runtime, orders: i64, spread: i64, rows: &[usize]) -> Result<()> {
    println!(
        "{} callbacks a row (Prepare and Complete of {orders} of {} orders; a tenth of them at 1 connection)\n",
        orders * 2,
        orders * spread,
    );
    for &connections in rows {
        let count = if connections == 1 { orders / 10 } else { orders };
        let paid = shuffled(count, spread);
        let bare = measure(servers, clients, bare_server(), &paid, connections)?;
        let ledger = measure(servers, clients, in_a_file(count * spread), &paid, connections)?;
        compare(connections, &bare, &ledger);
    }
    Ok(())
}

/// Pays new orders of a ledger that is there, with numbers from `first` on.
fn in_a_ledger(
    servers: &Runtime,
    clients: &Runtime,
    orders: i64,
    rows: &[usize],
    file: &Path,
    mut first: i64,
) -> Result<()> {
    for &connections in rows {
        let numbers = first..=first + orders - 1;
        first += orders;
        let paid: Vec<i64> = numbers.clone().collect();
        let bare = measure(servers, clients, bare_server(), &paid, connections)?;
        let server = Server::with_orders(file.to_owned().into(), Arc::new(Instantly), numbers);
        let ledger = measure(servers, clients, server, &paid, connections)?;
        compare(connections, &bare, &ledger);
    }
    Ok(())
}

fn compare(connections: usize, bare: &Report, ledger: &Report) {
    println!("{connections:>3} connections   bare    {bare}");
    println!("                  ledger  {ledger}");
    println!("                  ratio   {:>7}%\n", ledger.rate() * 100 / bare.rate().max(1));
}

/// Order numbers in the order of their payment: as they come, or each far from the one before.
fn shuffled(count: i64, spread: i64) -> Vec<i64> {
    let mut orders: Vec<i64> = (0..count).map(|n| n * spread + 1).collect();
    if spread > 1 {
        // Reversed digits of the position are as good as random, and the same in every run.
        orders.sort_by_key(|order| (order / spread).reverse_bits());
    }
    orders
}

/// The client of the flood shares the machine with the service: of what it takes, its own work is a part.
fn flooded(servers: &Runtime, clients: &Runtime, orders: i64, rows: &[usize]) -> Result<()> {
    // As many as one address may have; and twice of it, where a proxy brings them.
    let floods = [
        ("direct", 256, [Ipv4Addr::LOCALHOST, ANOTHER].map(Way::Direct)),
        ("proxied", 512, [CLICK, STRANGER].map(Way::Proxied)),
    ];
    println!("{} genuine callbacks a row, alone and beside forged ones\n", orders * 2);
    for &connections in rows {
        for (how, forging, [of_click, of_a_stranger]) in floods {
            let paid = shuffled(orders, 1);
            let pay = async |server: &Server| {
                pay_orders(&Shop { way: of_click, ..server.shop() }, &paid, connections).await
            };
            let server = servers.block_on(in_a_file(orders))?;
            let alone = clients.block_on(pay(&server))?;
            servers.block_on(server.close())?;
            let server = servers.block_on(in_a_file(orders))?;
            let stop = Stop::new();
            let flood = clients.spawn(flood(server.addr, of_a_stranger, forging, stop.clone()));
            let beside = clients.block_on(pay(&server))?;
            stop.cancel();
            let forged = clients.block_on(flood)??;
            servers.block_on(server.close())?;
            println!("{connections:>3} connections, {how:<8} alone   {alone}");
            println!(
                "                           beside  {beside}   {forged} forged over {forging} connections"
            );
            println!(
                "                           ratio   {:>7}%\n",
                beside.rate() * 100 / alone.rate().max(1)
            );
        }
    }
    Ok(())
}

/// Each row pays other orders of the same ledger. Two services are two writers, as two processes are.
fn on_postgres(servers: &Runtime, clients: &Runtime, orders: i64, rows: &[usize]) -> Result<()> {
    let url = std::env::var("LEDGER_URL").context("LEDGER_URL names no empty database")?;
    let place = || LedgerPlace::Postgres(Secret::new(url.clone()));
    println!("{} callbacks a row; a tenth of them at 1 connection\n", orders * 2);
    let mut next = 1;
    let mut some = |count: i64| {
        let numbers = next..=next + count - 1;
        next += count;
        numbers
    };
    for &connections in rows {
        let count = if connections == 1 { orders / 10 } else { orders };
        let file = measure(servers, clients, in_a_file(count), &shuffled(count, 1), connections)?;
        println!("{connections:>3} connections   SQLite                    {file}");
        let paid = some(count);
        let numbers: Vec<i64> = paid.clone().collect();
        let one = measure(
            servers,
            clients,
            Server::with_orders(place(), Arc::new(Instantly), paid),
            &numbers,
            connections,
        )?;
        println!("                  PostgreSQL, one service   {one}");
        if connections > 1 {
            let paid = some(count);
            let (first, second): (Vec<i64>, Vec<i64>) = paid.clone().partition(|order| order % 2 == 0);
            let a = servers.block_on(Server::with_orders(place(), Arc::new(Instantly), paid))?;
            let b = servers.block_on(Server::with_orders(place(), Arc::new(Instantly), some(1)))?;
            let (to_a, to_b) = (a.shop(), b.shop());
            let (a_paid, b_paid) = clients.block_on(async {
                tokio::try_join!(
                    pay_orders(&to_a, &first, connections / 2),
                    pay_orders(&to_b, &second, connections / 2)
                )
            })?;
            println!("                  PostgreSQL, two services  {a_paid}");
            println!("                                            {b_paid}");
            for server in [a, b] {
                servers.block_on(server.close())?;
            }
        }
        println!();
    }
    Ok(())
}

fn measure(
    servers: &Runtime,
    clients: &Runtime,
    server: impl Future<Output = Result<Server>>,
    orders: &[i64],
    connections: usize,
) -> Result<Report> {
    let server = servers.block_on(server)?;
    let report = clients.block_on(pay_orders(&server.shop(), orders, connections))?;
    servers.block_on(server.close())?;
    Ok(report)
}

/// Parses, verifies, answers: all of the HTTP and nothing of the ledger.
async fn bare_server() -> Result<Server> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let secret_key = SecretKey::new(SECRET_KEY);
    let routes: BoxedFilter<(Response,)> = warp::path!("payments" / "click" / "webhook")
        .and(warp::post())
        .and(warp::body::bytes())
        .map(move |body: bytes::Bytes| {
            let (form, outcome) = CallbackForm::parse(&body);
            let known = outcome.is_ok() && form.is_signed_by(&secret_key);
            let prepare_id = PrepareId::try_new(77).ok().filter(|_| known);
            let reply =
                prepare_id.map_or(Reply::code(tolov_click::ClickCode::SignCheckFailed), Reply::prepared);
            warp::reply::Response::new(reply.to_json().into())
        })
        .boxed();
    let stop = Stop::new();
    let refuse = |_: RefusedRequest| std::future::ready(Response::default());
    let ended = tokio::spawn(serve(listener, routes, refuse, Limits::default(), stop.clone()));
    Ok(Server { addr, stop, ended })
}

/// The webhook service on a fresh ledger in a file, with orders from 1 on registered.
async fn in_a_file(orders: i64) -> Result<Server> {
    let folder = tempfile::tempdir()?;
    let server =
        Server::with_orders(folder.path().join("payments.db").into(), Arc::new(Instantly), 1..=orders)
            .await?;
    let ended = tokio::spawn(async move {
        let ended = server.ended.await.map_err(std::io::Error::other)?;
        drop(folder);
        ended
    });
    Ok(Server { ended, ..server })
}

/// Confirms at once: what is measured is acceptance; the bus has a bench of its own.
#[derive(Debug)]
struct Instantly;

#[async_trait::async_trait]
impl Publisher for Instantly {
    async fn publish(&self, window: &[OutgoingMessage]) -> Result<Vec<Published>, PortError> {
        Ok(vec![Published::Confirmed; window.len()])
    }

    async fn is_reachable(&self) -> bool {
        true
    }
}
