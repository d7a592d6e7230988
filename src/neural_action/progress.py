"""Progress reporting of long stages: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import Self, TypeVar

from tqdm import tqdm

#: Seconds between lines without a terminal, so that the log of an hour stays readable (our choice).
EVERY = 20.0

Item = TypeVar("Item")


class Progress:
    """A context manager that reports steps done of ``total``. Work shorter than ``EVERY`` seconds gives no log line.

    Args:
        total: number of steps.
        what: description of the work, at the start of the bar or line.
        unit: name of a step, in the singular.
    """

    def __init__(self, total: int, what: str, unit: str):
        self.total, self.what, self.unit, self.done = total, what, unit, 0
        self.began = self.said = time.monotonic()
        quiet = not sys.stderr.isatty()
        self.bar = tqdm(total=total, desc=what, unit=f" {unit}", leave=False, disable=quiet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def update(self, steps: int = 1) -> None:
        """Add ``steps`` to the steps done."""
        self.done += steps
        self.bar.update(steps)
        now = time.monotonic()
        if self.bar.disable and now - self.said >= EVERY and self.done < self.total:
            self.said = now
            left = (now - self.began) / self.done * (self.total - self.done)
            print(
                f"{self.what}: {self.done} of {self.total} {self.unit}s, {tqdm.format_interval(left)} left",
                file=sys.stderr,
                flush=True,
            )


def progress(items: Collection[Item], what: str, unit: str) -> Iterator[Item]:
    """Iterate over ``items`` with progress reporting; see ``Progress``."""
    with Progress(len(items), what, unit) as shown:
        for item in items:
            yield item
            shown.update()
