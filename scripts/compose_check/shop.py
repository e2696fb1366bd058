"""Purchases over HTTP, and what Telegram saw of them."""

import re
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from .table import Failed
from .web import call

API_TOKEN = "sandbox-only-api-token"
STAFF_CHANNEL = -1001000000001


class TelegramLog(threading.Thread):
    """Reads the sandbox's list of sent messages all the time, so that it outlives the sandbox."""

    def __init__(self, sandbox_url):
        super().__init__(daemon=True)
        self.url = f"{sandbox_url}/sandbox/telegram/sends"
        self.earlier, self.now = [], []
        # Orders of a person who shops in the chat: there the order is shown before it is paid, and often.
        self.of_a_person = {}
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def look(self):
        # One at a time: an older list that comes later would be taken for that of a new sandbox.
        with self.lock:
            try:
                status, calls = call("GET", self.url, timeout=10)
            except OSError:
                return False
            if status != 200:
                return False
            # A list that does not begin as the one before is that of a new sandbox.
            if self.now and (len(calls) < len(self.now) or calls[0] != self.now[0]):
                self.earlier += self.now
            self.now = calls
        return True

    def run(self):
        while not self.stopped.wait(0.1):
            self.look()

    def told(self, staff):
        """Order number → how often it was told."""
        with self.lock:
            calls = self.earlier + self.now
        told, in_digests = {}, {}
        for sent in calls:
            if sent["outcome"] != "done" or (sent["chat_id"] == STAFF_CHANNEL) != staff:
                continue
            if not staff and sent["chat_id"] in self.of_a_person.values():
                for order, chat_id in self.of_a_person.items():
                    if sent["chat_id"] == chat_id and f"№{order} buyurtma to‘landi" in (sent["text"] or ""):
                        told[order] = told.get(order, 0) + 1
                continue
            # When a rush is over, orders of a digest get posts of their own.
            counted = in_digests if "Bitta postda" in (sent["text"] or "") else told
            # Products have numbers too: "№7 mahsulot".
            for number in re.findall(r"№(\d+)\b(?!\s+mahsulot)", sent["text"] or ""):
                counted[int(number)] = counted.get(int(number), 0) + 1
        return {order: max(told.get(order, 0), in_digests.get(order, 0)) for order in told | in_digests}



class Shop:
    def __init__(self, compose):
        self.webhook = compose.url("WEBHOOK_PORT")
        self.sandbox = compose.url("SANDBOX_PORT")
        self.orders = {}
        self.lock = threading.Lock()
        self.repeats = 0

    def register(self, order_id, within_s=180):
        """POST /api/create_order until it is answered, as the bot does. Returns the pay link."""
        body = {
            "order_id": order_id,
            "user_id": 700_000_000 + order_id,
            # Of no catalogue: stock must not end a run.
            "products": [{"product_id": 777_777, "count": 2}],
            "total_amount": 30000,
            "payment_method": "click",
        }
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            try:
                status, answer = call("POST", f"{self.webhook}/api/create_order", body, API_TOKEN, timeout=15)
                if status in (200, 201):
                    return answer["payment_url"]
                if status < 500:
                    raise Failed(f"order {order_id} was refused: {status} {answer}")
            except OSError:
                pass
            time.sleep(0.3)
        raise Failed(f"order {order_id} was not taken within {within_s} s")

    def status(self, order_id):
        try:
            status, answer = call("GET", f"{self.webhook}/orders/{order_id}", token=API_TOKEN, timeout=15)
        except OSError:
            return None
        return answer["status"] if status == 200 else None

    def pay(self, order_id, within_s=240):
        """Pays until the ledger says that it is paid: a payer tries again when a page breaks off."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            try:
                body = {"order_id": str(order_id), "amount": "30000"}
                status, _ = call("POST", f"{self.sandbox}/sandbox/click/pay", body, timeout=60)
            except OSError:
                status = 0
            # Paid or not is the ledger's word, and it is asked after every try: who has paid does not pay again.
            while time.monotonic() < end and (known := self.status(order_id)) is None:
                time.sleep(0.3)
            if known == "paid":
                return
            with self.lock:
                self.repeats += 1
            time.sleep(0.5)
        raise Failed(f"order {order_id} was not paid within {within_s} s")

    def buy(self, order_id):
        self.register(order_id)
        self.pay(order_id)
        with self.lock:
            self.orders[order_id] = time.time()

    def pay_on_the_page(self, order_id, link):
        """The pay link in a browser: card, code from the SMS."""
        if not link.startswith(self.sandbox):
            raise Failed(f"the pay link leads to {link}")
        status, page = call("GET", link)
        fields = {"link": urllib.parse.urlsplit(link).query, "card": "8600 4954 0000 0094", "expiry": "03/99"}
        status, page = call("POST", f"{self.sandbox}/services/pay/card", fields, form=True)
        found = re.search(r'name="session" value="([^"]+)"', page)
        if not found:
            raise Failed(f"the page asks for no code: {status}")
        fields = {"session": found.group(1), "code": "666666"}
        status, page = call("POST", f"{self.sandbox}/services/pay/sms", fields, form=True)
        if "Paid" not in page:
            raise Failed(f"the page does not say that it is paid: {status}")
        self.orders[order_id] = time.time()


def purchases(shop, first, count, meanwhile=None):
    """`count` purchases, four a second begun; `meanwhile(done)` is called while they go on."""
    started = time.monotonic()

    def buy(number):
        time.sleep(max(0, started + number * 0.25 - time.monotonic()))
        shop.buy(first + number)

    with ThreadPoolExecutor(12) as pool:
        running = [pool.submit(buy, number) for number in range(count)]
        if meanwhile:
            meanwhile(lambda: sum(future.done() for future in running))
        return [str(error) for future in running if (error := future.exception())]


def wait_told(shop, log, within_s):
    """Until everybody was told of every order, or the time is over."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        log.look()
        if all(set(shop.orders) <= set(log.told(staff)) for staff in (False, True)):
            return
        time.sleep(1)
