"""Strangers at the webhook service's port: forged callbacks without end, and clients that never read."""

import http.client
import multiprocessing
import re
import socket
import threading
import time

from .shop import API_TOKEN
from .table import row

CLICK_PATH = "/payments/click/webhook"
FLOOD_S = 20
FLOOD_CONNECTIONS = 128
# Each answer beyond the budget waits half a second.
FORGED_AT_LEAST = FLOOD_CONNECTIONS * 5
# 20 rows a minute are kept of one address: 40 KB. The rest is what genuine purchases write meanwhile.
GROWTH_MAX_MB = 2
NEVER_READING = 30
# Of each: their answers are more than all buffers on the way hold.
REQUESTS_MAX = 2000
# The service cuts a client off that has taken nothing for 10 s; until the buffers are full it answers.
HELD_AT_MOST_S = 240
# Connections of the payers and of the other services, which come and go.
OTHERS = 15


def forged_body():
    """Fields as large as the service takes, which grow when they are written as JSON."""
    long = "%01" * 240
    names = ("click_trans_id", "service_id", "click_paydoc_id", "merchant_trans_id", "amount", "action", "error")
    fields = [f"{name}={long}" for name in (*names, "error_note", "sign_time")]
    return "&".join([*fields, f"sign_string={'0' * 32}"])


def flood(host, over, sent):
    """Many connections of one address."""
    forgers = [threading.Thread(target=forge, args=(host, over, sent)) for _ in range(FLOOD_CONNECTIONS)]
    for forger in forgers:
        forger.start()
    for forger in forgers:
        forger.join()


def forge(host, over, sent):
    """One forged callback after the other over one connection, each as soon as the one before is answered."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body, connection = forged_body(), http.client.HTTPConnection(host, timeout=10)
    while not over.is_set():
        try:
            connection.request("POST", CLICK_PATH, body, headers)
            connection.getresponse().read()
            with sent.get_lock():
                sent.value += 1
        except (OSError, http.client.HTTPException):
            connection.close()
            time.sleep(0.01)


def ledger_mb(compose):
    used = compose("exec", "-T", "webhook", "du", "-sk", "/data").stdout.split()
    return int(used[0]) / 1024 if used else 0.0


def answered(compose):
    """How many genuine callbacks the service has answered, and the milliseconds that it took for them in all."""
    metrics = compose.inside("projector", "webhook:9000", "/metrics") or ""
    found = re.findall(r'^tolov_callback_seconds_(count|sum)\{[^}]*action="(?:prepare|complete)"[^}]*\} (\S+)$', metrics, re.M)
    total = {"count": 0.0, "sum": 0.0}
    for what, value in found:
        total[what] += float(value)
    return total["count"], total["sum"] * 1000


def measured_purchases(compose, shop, purchases, first, count):
    """What the service took for a genuine callback, in milliseconds: the callers here share its machine with the flood."""
    before = answered(compose)
    problems = purchases(shop, first, count)
    after = answered(compose)
    calls = after[0] - before[0]
    return (after[1] - before[1]) / calls if calls else 0.0, problems


def check_flood(compose, shop, purchases):
    """One address sends forged callbacks as fast as it can while people pay."""
    alone, problems = measured_purchases(compose, shop, purchases, 107_001, 40)
    before, over, sent = ledger_mb(compose), multiprocessing.Event(), multiprocessing.Value("q", 0)
    host = shop.webhook.split("//")[1]
    # A process of its own, which takes nothing from the payers' but its share of the processors.
    forger = multiprocessing.Process(target=flood, args=(host, over, sent), daemon=True)
    started = time.monotonic()
    forger.start()
    flooded, more = measured_purchases(compose, shop, purchases, 108_001, 40)
    time.sleep(max(0, FLOOD_S - (time.monotonic() - started)))
    over.set()
    forger.join(15)
    took, grown = time.monotonic() - started, ledger_mb(compose) - before
    # How much slower is told and not judged: services, payers and the sender share the processors here, and whatever else
    # runs. `scripts/bench flood` measures it (docs/operations.md, "TLS and the public address").
    is_flood = sent.value >= FORGED_AT_LEAST
    good = is_flood and not problems and not more and grown <= GROWTH_MAX_MB and alone and flooded
    seen = f"{sent.value} forged, the ledger grew by {grown:.1f} MB, a genuine callback took {flooded:.1f} ms, {alone:.1f} ms without"
    row(f"a flood of forged callbacks for {took:.0f} s", bool(good), "; ".join((problems + more)[:2] + [seen]))


def check_never_reading(compose, shop, purchases):
    """Clients that send one request after the other and read no answer: each is cut off, and people pay meanwhile."""
    host, port = shop.webhook.split("//")[1].split(":")
    # Long answers, so that the buffers on the way are full soon.
    request = (f"GET /orders?limit=100 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {API_TOKEN}\r\n\r\n" * 20).encode()
    before, clients = connections(compose), []
    for _ in range(NEVER_READING):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(1)
        try:
            client.connect((host, int(port)))
            for _ in range(REQUESTS_MAX // 20):
                client.sendall(request)
        except OSError:
            # Full buffers, or refused: this is as much as it can send.
            pass
        clients.append(client)
    held = most = connections(compose)
    problems = purchases(shop, 109_001, 8)
    end = time.monotonic() + HELD_AT_MOST_S
    while time.monotonic() < end and held > before + OTHERS:
        time.sleep(2)
        held = connections(compose)
    for client in clients:
        client.close()
    good = not problems and held <= before + OTHERS and most > before + OTHERS
    seen = f"{NEVER_READING} clients: the service held {before} connections before, {most} with them, {held} at the end"
    row("clients that never read", good, "; ".join([*problems[:2], seen]))


def connections(compose):
    """How many connections to its port the service holds. Docker's proxy stands between, so a client cannot tell."""
    table = compose("exec", "-T", "webhook", "cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
    established = "01"
    lines = [line.split() for line in table.splitlines() if ":" in line]
    return sum(line[1].endswith(f":{8000:04X}") and line[3] == established for line in lines)
