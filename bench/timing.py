"""Paired timing: every contender in turn in each round, so that a slow moment of the machine hits all alike."""

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter


def medians(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of one call for each contender; the collector rests as it does in a frozen worker."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, call in contenders.items():
            begun = perf_counter()
            call()
            taken[name].append(perf_counter() - begun)
    gc.unfreeze()
    return {name: median(times) for name, times in taken.items()}
