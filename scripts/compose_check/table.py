"""What was seen, as a table."""

import sys


def say(text):
    print(f"compose-check: {text}", file=sys.stderr, flush=True)


class Failed(Exception):
    pass


ROWS = []


def row(what, good, seen):
    ROWS.append((what, {True: "ok", False: "FAILED", None: "not seen"}[good], seen))
    say(f"{ROWS[-1][1]}: {what}: {seen}")


def print_table():
    widths = [max(len(line[column]) for line in ROWS) for column in range(2)]
    rule = f"+{'-' * (widths[0] + 2)}+{'-' * (widths[1] + 2)}+{'-' * 60}"
    print(rule)
    for what, verdict, seen in ROWS:
        print(f"| {what:<{widths[0]}} | {verdict:<{widths[1]}} | {seen}")
    print(rule)
    return all(verdict != "FAILED" for _, verdict, _ in ROWS)
