"""How a figure is taken and printed."""

import json
import statistics
import time
from collections.abc import Callable

WARM_UP = 5


def milliseconds(call: Callable[[], object], *, times: int) -> list[float]:
    """Durations in milliseconds after a few calls to warm up, in the order taken."""
    for _ in range(min(WARM_UP, times)):
        call()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append((time.perf_counter() - began) * 1000)
    return found


def median(values: list[float]) -> float:
    return statistics.median(values)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(name: str, value: float, unit: str, *, floor: float | None, n: int) -> None:
    """One JSON line; `ratio` is value over floor, so that figures of noisy machines can be compared."""
    line = {
        "name": name,
        "value": round(value, 2),
        "unit": unit,
        "floor": None if floor is None else round(floor, 3),
        "ratio": round(value / floor, 2) if floor else None,
        "n": n,
    }
    print(json.dumps(line), flush=True)
