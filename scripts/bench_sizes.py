"""scripts/bench sizes [ledger] [ORDERS...]: callbacks and purchases with so many orders in the ledger and the shop store.

A few orders are bought; one of them is then copied in both stores, each copy with a shopper of its own. Callbacks are not
copied. With `ledger`, the ledger alone is filled and callbacks alone are measured. The files are in TMPDIR.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

from bench_audit import ROOT, fill_ledger, fill_shop  # noqa: E402

SIZES = (10_000, 1_000_000)
# What `path` buys first has lower numbers.
COPIES_FROM = 10_000
# The shopper of order 1 (checks/src/purchases/placing.rs).
SHOPPER = 5_001
CALLBACKS_OF = 10_000


def measure(folder, size, is_ledger_alone):
    bench, path = ROOT / "target/release/bench", ROOT / "target/release/path"
    subprocess.run([path, "1", folder, "1"], check=True, stdout=subprocess.DEVNULL)
    begun = time.monotonic()
    stores = {folder / "payments.db": fill_ledger, folder / "shop.db": fill_shop}
    if is_ledger_alone:
        del stores[folder / "shop.db"]
    for file, fill in stores.items():
        fill(file, range(COPIES_FROM, COPIES_FROM + size), order=1, shopper=SHOPPER)
    sizes = ", ".join(f"{file.name} has {file.stat().st_size / 1e9:.2f} GB" for file in stores)
    print(f"{size:,} orders: {sizes}; filled in {time.monotonic() - begun:.0f} s\n", flush=True)
    first = COPIES_FROM + size + 1_000
    subprocess.run([bench, "ledger", str(CALLBACKS_OF), "64", folder / "payments.db", str(first)], check=True)
    if not is_ledger_alone:
        subprocess.run([path, "2000", folder, str(first + CALLBACKS_OF)], check=True)


def main():
    arguments = sys.argv[1:]
    is_ledger_alone = arguments[:1] == ["ledger"]
    sizes = [int(size) for size in arguments[is_ledger_alone:]] or SIZES
    build = ["cargo", "build", "--quiet", "--release", "--package", "tolov-checks", "--features", "purchases"]
    subprocess.run([*build, "--bin", "bench", "--bin", "path"], cwd=ROOT, check=True)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), size, is_ledger_alone)


if __name__ == "__main__":
    main()
