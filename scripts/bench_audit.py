"""scripts/bench audit [ORDERS [BINARY]]: how long `tolov audit` takes, and its memory, with so many orders on files.

One order is bought of real services; its rows are then multiplied in both stores, each with a shopper of its own.
"""

import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from compose_check.shop import API_TOKEN, STAFF_CHANNEL, Shop  # noqa: E402
from compose_check.web import call  # noqa: E402
from soak_run.world import free_port  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
ORDER = 1000
SHOPPER = 700_000_000 + ORDER
NUMBERS = "WITH RECURSIVE number (n) AS (SELECT {} UNION ALL SELECT n + 1 FROM number WHERE n < {}) "


def documents(order, shopper):
    """What differs in the nth copy of a document."""
    return {
        "orders": (
            order,
            f"'$.id', {order} + n, '$.user_id', {shopper} + n, '$.click_trans_id', (t.body ->> 'click_trans_id') + n, "
            f"'$.click_paydoc_id', (t.body ->> 'click_paydoc_id') + n, "
            f"'$.history[0].event_id', 'payment.completed:' || ({order} + n)",
        ),
        "users": (shopper, f"'$.id', {shopper} + n, '$.paid_orders', json_array({order} + n)"),
        "order_messages": (order, f"'$.id', {order} + n"),
    }


class Address:
    def __init__(self):
        self.ports = {"webhook": free_port(14_000), "sandbox": free_port(15_000)}

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name.removesuffix('_PORT').lower()]}"

    def environment(self):
        return {
            "API_TOKEN": API_TOKEN, "BOT_TOKEN": "1000000001:sandbox-only-token-in-the-right-form",
            "WEBHOOK_ADDR": self.url("webhook").removeprefix("http://"), "WEBHOOK_URL": self.url("webhook"),
            "SANDBOX_ADDR": self.url("sandbox").removeprefix("http://"), "SANDBOX_URL": self.url("sandbox"),
            "BOT_API_URL": self.url("sandbox"), "DB_CHANNEL": str(STAFF_CHANNEL), "CLICK_SERVICE_ID": "12345",
            "CLICK_MERCHANT_ID": "6789", "CLICK_SECRET_KEY": "sandbox-only-secret", "CLICK_TEST_MODE": "true",
            "RUST_LOG": "warn",
        }


def buy_one(binary, folder, address):
    """A purchase of real services, which then stop."""
    start = lambda role: subprocess.Popen([binary, role], cwd=folder, env=address.environment(), stdout=sys.stderr)
    services = [start("sandbox"), start("all")]
    try:
        Shop(address).buy(ORDER)
        deadline = time.monotonic() + 60
        while call("GET", f"{address.url('sandbox')}/sandbox/telegram/counts")[1].get(str(SHOPPER), 0) < 1:
            if time.monotonic() > deadline:
                raise OSError("the shopper was not told")
            time.sleep(0.1)
    finally:
        for service in services:
            service.terminate()
        for service in services:
            service.wait(30)


def multiply(database, table, numbers, changes, where="1"):
    """Copies rows once for each n of `numbers`; `changes` says which columns depend on n."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changes.get(column, f"t.{column}") for column in columns)
    database.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS.format(numbers.start, numbers.stop - 1)} SELECT {values} FROM {table} AS t, number WHERE {where}"
    )


def open_for_filling(file):
    database = sqlite3.connect(file)
    for setting in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -500000"):
        database.execute(f"PRAGMA {setting}").fetchall()
    return database


def close(database):
    database.commit()
    database.execute("PRAGMA journal_mode = WAL").fetchall()
    database.close()


def fill_ledger(file, numbers, order=ORDER, shopper=SHOPPER):
    """Copies an order that is paid once for each n of `numbers`."""
    ledger = open_for_filling(file)
    # Orders and attempts name each other; what is copied is consistent.
    ledger.execute("PRAGMA foreign_keys = OFF")
    of_it = f"t.order_id = {order}"
    multiply(ledger, "orders", numbers, {
        "order_id": f"{order} + n", "user_id": f"{shopper} + n", "paid_by": "t.paid_by + n",
    }, of_it)
    multiply(ledger, "attempts", numbers, {
        "prepare_id": "t.prepare_id + n", "order_id": f"{order} + n", "click_trans_id": "t.click_trans_id + n",
        "click_paydoc_id": "t.click_paydoc_id + n", "paid_trans_id": "t.paid_trans_id + n",
        "paid_paydoc_id": "t.paid_paydoc_id + n",
    }, of_it)
    close(ledger)


def fill_shop(file, numbers, order=ORDER, shopper=SHOPPER):
    """The same with what the shop store has of it."""
    shop = open_for_filling(file)
    for collection, (number, changes) in documents(order, shopper).items():
        of_it = f"t.collection = '{collection}' AND t.key = {number}"
        body = f"json_set(t.body, {changes})"
        multiply(shop, "documents", numbers, {"key": f"{number} + n", "body": body}, of_it)
        value = "iif(t.field IN ('user_id', 'click_paydoc_id'), t.value + n, t.value)"
        multiply(shop, "document_index", numbers, {"key": f"{number} + n", "value": value}, of_it)
    of_it = f"t.id LIKE '%:{order}/%'"
    multiply(shop, "notifications", numbers, {"id": f"replace(t.id, ':{order}/', ':' || ({order} + n) || '/')"}, of_it)
    close(shop)


def fill(folder, numbers):
    fill_ledger(folder / "payments.db", numbers)
    fill_shop(folder / "tolov-data/shop.db", numbers)


def audit(binary, folder, address):
    """Seconds, the highest memory in MB, and what was printed."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [binary, "audit", "--settle-for", "0"], cwd=folder, env=address.environment(), stdout=subprocess.PIPE, text=True
    )
    highest = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        found = re.search(r"VmHWM:\s+(\d+)", status)
        highest = max(highest, int(found.group(1)) if found else 0)
        time.sleep(0.05)
    told = process.communicate()[0]
    return time.monotonic() - begun, highest / 1024, told.strip(), process.returncode


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        binary = Path(sys.argv[2]).resolve()
    else:
        subprocess.run(["cargo", "build", "--quiet", "--release", "--package", "tolov"], cwd=ROOT, check=True)
        binary = ROOT / "target/release/tolov"
    folder = ROOT / "target/bench-audit"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    address = Address()
    buy_one(binary, folder, address)
    size = lambda: sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9
    # What a hundred orders need is what the program itself needs.
    fill(folder, range(1, 100))
    took, few_mb, told, code = audit(binary, folder, address)
    if code:
        sys.exit(told[:400])
    shutil.rmtree(folder)
    folder.mkdir()
    buy_one(binary, folder, address)
    fill(folder, range(1, count))
    took, many_mb, told, code = audit(binary, folder, address)
    print(f"{count} orders, {size():.1f} GB on disk: {took:.1f} s, {count / took:.0f} orders/s")
    print(f"memory: {many_mb:.0f} MB at most, {few_mb:.0f} MB of a hundred orders")
    print(told[:400])
    shutil.rmtree(folder)
    sys.exit(code)


if __name__ == "__main__":
    main()
