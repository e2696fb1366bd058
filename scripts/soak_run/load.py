"""Shoppers who buy, one order after another, until they are told to stop."""

import itertools
import threading
import time

from compose_check.shop import Shop
from compose_check.table import Failed
from compose_check.web import call

# A fault may last, and another may follow it.
PATIENCE_S = 600
PAUSE_S = 0.5
# Of more, the server that speaks MongoDB's protocol needs longer for a page than the audit waits.
ORDERS_MAX = 10_000


class Load:
    def __init__(self, world, shoppers, seconds):
        self.world = world
        self.pause_s = max(PAUSE_S, seconds * shoppers / ORDERS_MAX)
        self.shop = Shop(world)
        self.numbers = itertools.count(1001)
        self.lock = threading.Lock()
        self.begun, self.failed = [], []
        self.over = threading.Event()
        self.shoppers = [threading.Thread(target=self.buy_all_the_time, daemon=True) for _ in range(shoppers)]
        for shopper in self.shoppers:
            shopper.start()

    def next_order(self):
        with self.lock:
            order = next(self.numbers)
            self.begun.append(order)
            return order

    def buy(self):
        """One purchase. Returns its order, and nothing when it never came to its end."""
        order = self.next_order()
        try:
            self.shop.register(order, PATIENCE_S)
            self.shop.pay(order, PATIENCE_S)
        except Failed as error:
            self.failed.append(str(error))
            return None
        self.shop.orders[order] = time.time()
        return order

    def buy_all_the_time(self):
        while not self.over.wait(self.pause_s):
            self.buy()

    def stop(self):
        self.over.set()
        for shopper in self.shoppers:
            shopper.join(PATIENCE_S * 2)

    def told(self):
        """Order → how often its shopper was told, by the number of messages in the chat. `None`: no answer."""
        try:
            status, counts = call("GET", f"{self.world.url('sandbox')}/sandbox/telegram/counts", timeout=60)
        except OSError:
            return None
        if status != 200:
            return None
        return {int(chat) - 700_000_000: count for chat, count in counts.items() if int(chat) > 700_000_000}

    def is_told(self, order):
        return (self.told() or {}).get(order, 0) > 0
