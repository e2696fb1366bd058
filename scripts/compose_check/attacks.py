"""Strangers at the webhook service's port: forged callbacks without end, and clients that never read."""

import http.client
import socket
import statistics
import threading
import time

from .table import row

CLICK_PATH = "/payments/click/webhook"
FLOOD_S = 20
# A few MB, and what genuine purchases write meanwhile.
GROWTH_MAX_MB = 16
SLOWER_MAX = 1.3
NEVER_READING = 200
HELD_AT_MOST_S = 120


def forged_body():
    """Fields as large as the service takes, which grow when they are written as JSON."""
    long = "%01" * 240
    names = ("click_trans_id", "service_id", "click_paydoc_id", "merchant_trans_id", "amount", "action", "error")
    fields = [f"{name}={long}" for name in (*names, "error_note", "sign_time")]
    return "&".join([*fields, f"sign_string={'0' * 32}"])


def ledger_mb(compose):
    used = compose("exec", "-T", "webhook", "du", "-sm", "/data").stdout.split()
    return int(used[0]) if used else 0


def timed_purchases(shop, purchases, first, count):
    """The median of what a payer waits, in seconds."""
    taken = []

    def pay(order_id, plain=shop.pay):
        started = time.monotonic()
        plain(order_id)
        taken.append(time.monotonic() - started)

    shop.pay = pay
    try:
        problems = purchases(shop, first, count)
    finally:
        del shop.pay
    return statistics.median(taken) if taken else 0.0, problems


def check_flood(compose, shop, purchases):
    """One address sends forged callbacks as fast as it can while people pay."""
    alone, problems = timed_purchases(shop, purchases, 130_001, 12)
    before, sent, over = ledger_mb(compose), [], threading.Event()

    def forge():
        host = shop.webhook.split("//")[1]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body, connection = forged_body(), http.client.HTTPConnection(host, timeout=10)
        while not over.is_set():
            try:
                connection.request("POST", CLICK_PATH, body, headers)
                connection.getresponse().read()
                sent.append(1)
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.01)

    callers = [threading.Thread(target=forge, daemon=True) for _ in range(4)]
    for caller in callers:
        caller.start()
    started = time.monotonic()
    flooded, more = timed_purchases(shop, purchases, 131_001, 12)
    time.sleep(max(0, FLOOD_S - (time.monotonic() - started)))
    over.set()
    for caller in callers:
        caller.join(15)
    grown = ledger_mb(compose) - before
    good = not problems and not more and grown <= GROWTH_MAX_MB and flooded <= alone * SLOWER_MAX + 0.1
    seen = f"{len(sent)} forged, the ledger grew by {grown} MB, a payer waits {flooded:.2f} s, {alone:.2f} s without"
    row(f"a flood of forged callbacks for {FLOOD_S} s", good, "; ".join((problems + more)[:2]) or seen)


def check_never_reading(compose, shop, purchases):
    """Clients that send one request after the other and read no answer: each is cut off, and people pay meanwhile."""
    host, port = shop.webhook.split("//")[1].split(":")
    request = (f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n" * 200).encode()
    clients = []
    for _ in range(NEVER_READING):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(1)
        try:
            client.connect((host, int(port)))
            for _ in range(50):
                client.sendall(request)
        except OSError:
            # Full buffers, or refused: this is as much as it can send.
            pass
        clients.append(client)
    problems = purchases(shop, 132_001, 8)
    end, left = time.monotonic() + HELD_AT_MOST_S, len(clients)
    while time.monotonic() < end and left:
        left = sum(is_held(client) for client in clients)
        time.sleep(1)
    for client in clients:
        client.close()
    seen = f"{NEVER_READING - left} of {NEVER_READING} cut off"
    row("clients that never read", not problems and not left, "; ".join(problems[:2]) or seen)


def is_held(client):
    """Whether the service still keeps the connection: a byte can be sent into one that it has closed only once."""
    try:
        client.setblocking(False)
        client.send(b"\r")
        return True
    except BlockingIOError:
        return True
    except OSError:
        return False
