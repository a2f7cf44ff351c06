"""What a worker holds in memory while it answers thousands of large requests."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import servers
from bench.charts import moment, request
from bench.http import PATH
from bench.load import post

REQUESTS, RESOURCES, CONNECTIONS, STEP_S = 10_000, 1_000, 4, 10


def growth(requests: int = REQUESTS) -> Iterator[tuple[int, float]]:
    """Requests answered so far, and megabytes of the largest worker; the first line is before any."""
    body = request("card", RESOURCES, moment())
    with servers.service() as ours:
        yield 0, largest()
        answered = 0
        while answered < requests:
            answered += int(post(ours + PATH, body, CONNECTIONS, STEP_S).rate * STEP_S)
            yield answered, largest()


def largest() -> float:
    """Resident megabytes of the largest process below this one."""
    return max(map(_resident, _below(os.getpid())))


def _below(pid: int) -> list[int]:
    children = [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in _below(child))]


def _resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Prints a line for each step."""
    for answered, megabytes in growth(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS):
        print(f"{answered:>8,} requests of {RESOURCES:,} resources: {megabytes:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
