"""Every kind of fault: how it begins, how long it lasts, and how it ends."""

import signal
import time

from compose_check.web import call

from .world import say

SERVICES = ["webhook", "projector", "bot"]
POINTS = {
    "webhook": ["wal-write", "wal-sync", "wal-synced", "answer", "publish", "published", "confirm"],
    "projector": ["delivery", "store-write", "store-written", "publish", "published", "confirm", "ack", "acked"],
    "bot": ["delivery", "store-write", "store-written", "telegram-send", "telegram-sent", "ack", "acked"],
}
# A fault of these can leave it unknown whether a shopper was told, who is then told once more. RabbitMQ only brings a message
# again, and the log of what was sent knows it.
CARRY_MESSAGES = ["bot", "sandbox", "mongodb", "answers of mongodb"]
# After this a shop that does not work again is broken.
HEAL_AT_MOST_S = 300


class Killed:
    def __init__(self, world, random):
        self.world, self.role = world, random.choice(SERVICES)
        self.target, self.lasts_s = self.role, random.uniform(0, 5)

    def begin(self):
        self.world.kill(self.role)

    def end(self):
        self.world.start_role(self.role)


class KilledAtPoint(Killed):
    """At a step of its work, which it may reach late or, while others are away, never."""

    def __init__(self, world, random):
        super().__init__(world, random)
        self.point, self.nth = random.choice(POINTS[self.role]), random.randint(1, 5)
        self.lasts_s = 10

    def begin(self):
        self.world.fault_file(self.role).write_text(f"kill {self.point} {self.nth}")

    def end(self):
        self.world.fault_file(self.role).unlink(missing_ok=True)
        if self.world.is_dead(self.role):
            self.world.deaths += 1
            self.world.start_role(self.role)


class Hung(Killed):
    def __init__(self, world, random):
        super().__init__(world, random)
        self.role = self.target = random.choice([*SERVICES, "sandbox"])
        self.lasts_s = random.uniform(1, 20)

    def begin(self):
        self.world.signal(self.role, signal.SIGSTOP)

    def end(self):
        self.world.signal(self.role, signal.SIGCONT)


class BrokerKilled:
    target = "rabbitmq"

    def __init__(self, world, random):
        self.world, self.lasts_s = world, random.uniform(0, 8)

    def begin(self):
        self.world.script("rabbitmq", "kill")

    def end(self):
        self.world.start_broker()


class BrokerAlarmed(BrokerKilled):
    """It takes no messages and goes on giving those that it has."""

    def __init__(self, world, random):
        super().__init__(world, random)
        self.lasts_s = random.uniform(1, 20)
        memory, disk = "set_vm_memory_high_watermark", "set_disk_free_limit"
        alarms = [([memory, "absolute", "1"], [memory, "0.4"]), ([disk, "1000000000000000"], [disk, "50MB"])]
        self.raising, self.clearing = random.choice(alarms)

    def begin(self):
        self.world.script("rabbitmq", "ctl", *self.raising)

    def end(self):
        self.world.script("rabbitmq", "ctl", *self.clearing)


class StoreStopped(BrokerKilled):
    target = "mongodb"

    def begin(self):
        self.world.script("mongodb", "stop")

    def end(self):
        self.world.start_store()


class ServerHung:
    def __init__(self, world, random):
        self.world, self.target = world, random.choice(["rabbitmq", "mongodb"])
        self.lasts_s = random.uniform(1, 20)

    def begin(self):
        self.world.signal_server(self.target, signal.SIGSTOP)

    def end(self):
        self.world.signal_server(self.target, signal.SIGCONT)


class AnswersLost:
    def __init__(self, world, random):
        self.name = random.choice(["webhook", "rabbitmq", "mongodb"])
        self.world, self.target, self.lasts_s = world, f"answers of {self.name}", random.uniform(1, 10)

    def begin(self):
        self.world.proxies[self.name].loses_answers = True

    def end(self):
        self.world.proxies[self.name].loses_answers = False


class DiskFails:
    target, error = "webhook", "EIO"

    def __init__(self, world, random):
        self.world, self.lasts_s = world, random.uniform(1, 10)
        self.point = random.choice(["wal-sync", "wal-write"])

    def begin(self):
        self.world.fault_file("webhook").write_text(f"{self.error} {self.point} 0")

    def end(self):
        self.world.fault_file("webhook").unlink(missing_ok=True)


class DiskFull(DiskFails):
    error = "ENOSPC"


class ClickFails:
    # The sandbox is asked to do it, so it must not be stopped at the same time.
    target = "sandbox"
    carries_messages = False
    path = "/sandbox/click/faults"

    def __init__(self, world, random):
        self.world, self.lasts_s = world, random.uniform(1, 10)
        effects = [{"effect": name} for name in ("lost_callback", "lost_answer", "twice", "out_of_order", "wrong_signature")]
        effects.append({"effect": "late", "delay_ms": 2000})
        self.fault = {"step": random.choice(["prepare", "complete"]), "times": 5, **random.choice(effects)}

    def begin(self):
        call("POST", self.world.url("sandbox") + self.path, self.fault, timeout=60)

    def end(self):
        call("DELETE", self.world.url("sandbox") + self.path, {}, timeout=60)


class TelegramFails(ClickFails):
    carries_messages = True
    path = "/sandbox/telegram/faults"

    def __init__(self, world, random):
        super().__init__(world, random)
        effects = [{"effect": name} for name in ("server_error", "lost_answer")]
        effects.append({"effect": "too_many_requests", "retry_after_s": 3})
        self.fault = {"method": "sendMessage", "times": 5, **random.choice(effects)}


KINDS = {
    "kill -9 of a service": Killed,
    "kill -9 of a service at a named step": KilledAtPoint,
    "SIGSTOP of a service, of CLICK and Telegram": Hung,
    "kill -9 of RabbitMQ": BrokerKilled,
    "memory or disk alarm of RabbitMQ": BrokerAlarmed,
    "store stopped": StoreStopped,
    "SIGSTOP of RabbitMQ or the store": ServerHung,
    "answers lost": AnswersLost,
    "ledger's disk fails": DiskFails,
    "ledger's disk full": DiskFull,
    "CLICK's callbacks lost, late, repeated, forged": ClickFails,
    "Telegram refuses or loses answers": TelegramFails,
}


def chosen(world, random, only):
    """One fault, or two at the same time of different parts."""
    names = [only] if only else random.sample(sorted(KINDS), 2 if random.random() < 0.3 else 1)
    faults = [(name, KINDS[name](world, random)) for name in names]
    return faults[:1] if len({fault.target for _, fault in faults}) < len(faults) else faults


def heal(world, load):
    """How long it takes until a new order is paid and told, in seconds. `None`: too long."""
    begun = time.monotonic()
    order = load.buy()
    while order and time.monotonic() < begun + HEAL_AT_MOST_S:
        if load.is_told(order):
            return time.monotonic() - begun
        time.sleep(0.1)
    return None


def carries_messages(fault):
    return getattr(fault, "carries_messages", fault.target in CARRY_MESSAGES)


def torment(world, load, random, seconds, only):
    """Fault after fault. Returns the name of each, how long it took to heal, and whether it may have shoppers told again."""
    healed = []
    end = time.monotonic() + seconds
    # Every kind once, in any order, as far as there is time.
    first = [only] if only else random.sample(sorted(KINDS), len(KINDS))
    while time.monotonic() < end:
        name = first.pop() if first else None
        faults = [(name, KINDS[name](world, random))] if name else chosen(world, random, only)
        for _, fault in faults:
            fault.begin()
        until = time.monotonic() + max(fault.lasts_s for _, fault in faults)
        while time.monotonic() < until and not any(
            isinstance(fault, KilledAtPoint) and world.is_dead(fault.role) for _, fault in faults
        ):
            time.sleep(0.05)
        for _, fault in faults:
            fault.end()
        took = heal(world, load)
        for name, fault in faults:
            say(f"{name} ({fault.target}): {f'works again after {took:.1f} s' if took is not None else 'NOT healed'}")
            healed.append((name, took, carries_messages(fault)))
        time.sleep(random.uniform(0, 3))
    return healed
