"""Jobs that the clock starts."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class PeriodicJob:
    """`run` is called without arguments, inside the application, whenever `cron` (UTC, five fields) says so."""

    name: str
    cron: str
    run: Callable[[], None]
