"""Parts that are lost and put back, as docs/operations.md says."""

import subprocess
import time

from .compose import PROJECT, SERVICES
from .table import row

BACKUP = "/backups/before-the-loss.tar.gz"
PASSWORD = "sandbox-only-password"


def check_backup(compose):
    listing = compose("exec", "-T", "backup", "ls", "-l", "/backups").stdout
    row("a backup was made at the start", "tolov-" in listing, " ".join(listing.split()[-5:]))


def lose(compose, services, volume):
    compose("stop", *services, timeout=200)
    compose("rm", "-f", "-s", *services, timeout=120)
    subprocess.run(["docker", "volume", "rm", f"{PROJECT}_{volume}"], check=True, capture_output=True)


def come_back(compose):
    compose("up", "-d", timeout=600)
    compose.wait_healthy(SERVICES, 240)


def line_with(done, word, otherwise):
    return next((line.strip() for line in done.stdout.split("\n") if word in line), otherwise)


def check_restore(compose, shop, purchases):
    """The ledger's volume. That everybody was told once is looked at later, with all the rest."""
    compose("exec", "-T", "backup", "tolov", "backup", BACKUP)
    before = sorted(shop.orders)
    lose(compose, ["webhook", "projector", "bot", "backup", "audit", "seed"], "ledger")
    restored = compose("run", "--rm", "-T", "tools", "restore", BACKUP)
    come_back(compose)
    lost = [order for order in before if shop.status(order) != "paid"]
    problems = purchases(shop, 122001, 4)
    good = bool(before) and not lost and not problems
    said = line_with(restored, "checked", "it does not say what it checked")
    row("restore of the ledger into a new volume", good, f"{len(lost)} of {len(before)} orders lost; {said}")


def check_broker_lost(compose, shop, purchases):
    """RabbitMQ's volume, with paid orders on it that nobody has read."""
    compose("stop", "projector", timeout=120)
    problems = purchases(shop, 123001, 4)
    # The relay has published them when it is asked again.
    time.sleep(5)
    lose(compose, ["rabbitmq"], "rabbitmq-data")
    compose("stop", "webhook", timeout=120)
    compose("up", "-d", "rabbitmq", timeout=300)
    compose.wait_healthy(["rabbitmq"], 180)
    published = compose("run", "--rm", "-T", "--no-deps", "tools", "replay", "--since", "1h")
    come_back(compose)
    # The shop goes on; besides, services that were started anew count from zero, and their counters are looked at later.
    problems += purchases(shop, 123101, 2)
    row("RabbitMQ's volume lost, events published again", not problems, line_with(published, "events", "; ".join(problems)))


def check_dump(compose, shop, purchases):
    """MongoDB from a dump that is older than some orders: the store must count them again."""
    dump = compose(
        "exec", "-T", "mongo", "mongodump", "-u", "root", "-p", PASSWORD, "--archive=/tmp/dump", "--gzip", check=False
    )
    if dump.returncode != 0:
        row("MongoDB from a dump", None, "there is no mongodump in this image")
        return
    problems = purchases(shop, 124001, 4)
    time.sleep(5)
    compose("stop", "webhook", "projector", "bot", timeout=120)
    restore = ["mongorestore", "-u", "root", "-p", PASSWORD, "--archive=/tmp/dump", "--gzip", "--drop"]
    compose("exec", "-T", "mongo", *restore)
    published = compose("run", "--rm", "-T", "--no-deps", "tools", "replay", "--since", "1h")
    come_back(compose)
    script = "print(db.getSiblingDB('tolov').orders.countDocuments({status: 'paid', _id: {$gte: 124001, $lt: 125000}}))"
    login = ["-u", "root", "-p", PASSWORD, "--authenticationDatabase", "admin"]
    end, paid = time.monotonic() + 120, "0"
    while time.monotonic() < end and paid != "4":
        paid = compose("exec", "-T", "mongo", "mongosh", "--quiet", *login, "--eval", script, check=False).stdout.strip()[-1:]
        time.sleep(2)
    problems += purchases(shop, 125001, 2)
    said = line_with(published, "events", "it says nothing")
    row("MongoDB from a dump, orders since applied again", not problems and paid == "4", f"{paid} of 4; {said}")


def check_doctor(compose):
    """The line of docs/operations.md, with everything up."""
    codes = {}
    for role in ("webhook", "projector", "bot"):
        done = compose("run", "--rm", "-T", role, "doctor", "--role", role, "--language", "en", check=False, timeout=180)
        last = done.stdout.strip().split("\n")[-1]
        codes[role] = f"{done.returncode} ({last})"
    good = all(code.startswith("0 ") for code in codes.values())
    row("tolov doctor of each service", good, "; ".join(f"{role}: {code}" for role, code in codes.items()))
