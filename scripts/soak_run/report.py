"""What is true when all faults are over."""

import time
from collections import Counter

from compose_check.web import call

from .faults import KINDS
from .world import say

SETTLE_AT_MOST_S = 300
# Messages that a bot has under way at a time; some faults leave their outcome unknown, and they are sent once more.
SENDS_AT_ONCE = 32
ROWS = []


def row(what, seen, good=None):
    ROWS.append((what, str(seen), {True: "ok", False: "WRONG", None: ""}[good]))


def wait_told(load):
    """Until every shopper was told. Returns order → times."""
    end = time.monotonic() + SETTLE_AT_MOST_S
    told = None
    while time.monotonic() < end:
        told = load.told()
        if told is not None and set(load.shop.orders) <= {order for order, times in told.items() if times}:
            break
        time.sleep(0.5)
    return told or {}


def wait_audit(world):
    """The first audit without a difference, or the last one."""
    end = time.monotonic() + SETTLE_AT_MOST_S
    while True:
        code, told = world.audit()
        if code == 0 or time.monotonic() > end:
            return code, told
        say("the audit finds differences; once more")


def payments_at_click(world):
    """How often CLICK took money for each order, as far as it remembers."""
    status, payments = call("GET", f"{world.url('sandbox')}/sandbox/click/payments", timeout=120)
    if status != 200:
        raise OSError(f"the sandbox answers {status}")
    return Counter(int(one["order_id"]) for one in payments if one["status"]["status"] in ("debited", "paid"))


def judge(world, load, healed):
    world.wait_ready(120)
    told = wait_told(load)
    code, audit = wait_audit(world)
    orders = sorted(load.shop.orders)
    unpaid = [order for order in orders if load.shop.status(order) != "paid"]
    untold = [order for order in orders if not told.get(order)]
    at_click = payments_at_click(world)
    twice = [order for order, times in at_click.items() if times > 1]
    again = {order: times - 1 for order, times in told.items() if times > 1}
    times = [took for _, took, _ in healed if took is not None]
    lost = sorted({*unpaid, *untold})
    row("purchases", f"{len(orders)} of {len(load.begun)}, {load.shop.repeats} payers tried again", not load.failed)
    faults = Counter(name for name, *_ in healed)
    for name in KINDS:
        if faults[name]:
            longest = max((took for kind, took, _ in healed if kind == name and took is not None), default=0)
            row(name, f"{faults[name]}, works again after {longest:.1f} s at most")
    row("processes killed", world.deaths)
    row("lost", f"{len(lost)} {lost[:5] if lost else ''}".strip(), not lost)
    seen = f"{len(twice)} of {len(at_click)} at CLICK {twice[:5] if twice else ''}".strip()
    row("doubled: paid twice", seen, bool(at_click) and not twice)
    unclear = sum(may_repeat for *_, may_repeat in healed)
    excused = SENDS_AT_ONCE * unclear
    seen = f"{sum(again.values())}, at most {excused} by {unclear} of {len(healed)} faults"
    row("told again, outcome of the first message unknown", seen, sum(again.values()) <= excused)
    row("wrong", audit.splitlines()[0] if audit else f"exit code {code}", code == 0)
    never = sum(took is None for _, took, _ in healed)
    row("longest time to heal", f"{max(times, default=0):.1f} s" + (f", {never} never" if never else ""), not never)
    for problem in load.failed[:5]:
        say(problem)
    if code:
        say(audit)
    return all(verdict != "WRONG" for _, _, verdict in ROWS)


def print_table(command):
    print(f"\n`{command}`\n\n| | | |\n|---|---|---|")
    for what, seen, verdict in ROWS:
        print(f"| {what} | {seen} | {verdict} |")
