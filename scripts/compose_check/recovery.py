"""The volume with the ledger is lost, and comes back from a backup."""

import subprocess

from .compose import PROJECT, SERVICES
from .table import row

BACKUP = "/backups/before-the-loss.tar"


def check_backup(compose):
    listing = compose("exec", "-T", "backup", "ls", "-l", "/backups").stdout
    row("a backup was made at the start", "tolov-" in listing, " ".join(listing.split()[-5:]))


def check_restore(compose, shop, purchases):
    """As docs/operations.md has it, but that the volume is a new one. Told once each is looked at later, with all the rest."""
    compose("exec", "-T", "backup", "tolov", "backup", BACKUP)
    before = sorted(shop.orders)
    compose("stop", "webhook", "projector", "bot", "backup", timeout=120)
    compose("rm", "-f", "-s", "webhook", "projector", "bot", "backup", timeout=120)
    subprocess.run(["docker", "volume", "rm", f"{PROJECT}_ledger"], check=True, capture_output=True)
    restored = compose("run", "--rm", "-T", "--no-deps", "backup", f"tolov restore {BACKUP}")
    compose("up", "-d", timeout=600)
    compose.wait_healthy(SERVICES, 240)
    lost = [order for order in before if shop.status(order) != "paid"]
    problems = purchases(shop, 122001, 4)
    good = bool(before) and not lost and not problems
    said = next((line.strip() for line in restored.stdout.split("\n") if "checked" in line), "it does not say what it checked")
    row("restore in compose, into a fresh volume", good, f"{len(lost)} of {len(before)} orders lost; {said}")


def check_doctor(compose):
    """The line of docs/operations.md, with everything up."""
    codes = {}
    for role in ("webhook", "projector", "bot"):
        done = compose("run", "--rm", "-T", role, "doctor", "--role", role, "--language", "en", check=False, timeout=180)
        codes[role] = done.returncode
        last = done.stdout.strip().split("\n")[-1]
        codes[role] = f"{done.returncode} ({last})"
    good = all(code.startswith("0 ") for code in codes.values())
    row("tolov doctor of each service", good, "; ".join(f"{role}: {code}" for role, code in codes.items()))
