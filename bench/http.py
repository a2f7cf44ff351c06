"""What a request costs over HTTP, beside the bare Flask app on the same server with the same body."""

import time
from statistics import median
from urllib.request import Request, urlopen

from bench import servers
from bench.charts import Story, moment, request
from bench.load import Load, post
from bench.picture import latency_over_load

PATH = "/cds-services/ndm-order-sign"
ROUNDS = 3
CONNECTIONS = (1, 2, 4, 8, 16, 32)
STORIES: tuple[Story, ...] = ("out-of-scope", "silent", "card")


def against_bare() -> dict[str, tuple[Load, Load]]:
    """For a small request of each story: the service and the bare app, the middle of three rounds in turn."""
    found: dict[str, tuple[Load, Load]] = {}
    with servers.service() as ours, servers.bare() as theirs:
        for story in STORIES:
            body = request(story, 5, moment())
            rounds = [(post(ours + PATH, body, 1), post(theirs + PATH, body, 1)) for _ in range(ROUNDS)]
            found[story] = sorted(rounds, key=lambda pair: pair[0].rate / pair[1].rate)[ROUNDS // 2]
    return found


def under_load(resources: int = 100, workers: int = 2) -> dict[tuple[str, int], Load]:
    """Two workers and a usual chart, by story and number of connections."""
    with servers.service(workers) as ours:
        bodies = {story: request(story, resources, moment()) for story in STORIES}
        return {(story, many): post(ours + PATH, body, many) for story, body in bodies.items() for many in CONNECTIONS}


def cold_start(rounds: int = 5) -> float:
    """Seconds from the start of the process to its first card; the median, since the first start may compile the modules."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        with servers.service() as ours:
            urlopen(Request(ours + PATH, request("card", 5, moment()), {"Content-Type": "application/json"}))
            taken.append(time.perf_counter() - begun)
    return median(taken)


def main() -> None:
    """Prints all three."""
    print(f"start to first card: {cold_start():.2f} s\n")
    for story, (ours, theirs) in against_bare().items():
        print(
            f"small, {story:<14}{ours.rate:>8.0f}/s  bare {theirs.rate:>8.0f}/s  ratio {ours.rate / theirs.rate:.2f}  failed {ours.failed}"
        )
    print("\n100 resources, 2 workers")
    found = under_load()
    for (story, many), load in found.items():
        print(f"{story:<15}{many:>3} connections{load.rate:>8.0f}/s  p50 {load.p50:.1f} ms  p99 {load.p99:.1f} ms  failed {load.failed}")
    print(f"drawn: {latency_over_load([(story, many, load.p50, load.p99) for (story, many), load in found.items()])}")


if __name__ == "__main__":
    main()
