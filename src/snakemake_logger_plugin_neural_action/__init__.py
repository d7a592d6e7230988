"""A logger plugin for Snakemake: one line for each finished job, warnings, and the end of the log of a failed job.

``profiles/default`` selects it. Snakemake's own output, with files, reasons and resources, is in ``.snakemake/log``;
the options ``--dry-run``, ``--verbose``, ``--printshellcmds`` and ``--debug-dag`` show it instead.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

#: Last lines of the log of a failed job that are shown (our choice).
_LAST = 15
#: Beginnings of messages about the internals of Snakemake, which are not shown.
_INTERNAL = (
    "Assuming unrestricted shared filesystem",
    "Building DAG of jobs",
    "Using shell",
    "Select jobs to execute",
    "Group jobs: inactive",
    "Conda environments: ignored",
    "Singularity containers: ignored",
    "Config file ",
    "Will exit after finishing currently running jobs (scheduler)",
    "Shutting down, this might take some time",
    "Exiting because a job execution failed",
)
#: Part of Snakemake's message with the whole failed command; the message about the job says more.
_COMMAND = "CalledProcessError in file"


class Jobs:
    """Names, counts and times of a run's jobs.

    Args:
        clock: function that returns seconds, such as ``time.monotonic``.
    """

    def __init__(self, clock: Any = time.monotonic):
        self._clock = clock
        self._began = clock()
        self._running: dict[int, tuple[str, str, float]] = {}
        self._seconds: dict[str, list[float]] = {}
        self._left: Counter[str] = Counter()
        self.done, self.total = 0, 0

    def plan(self, stats: dict[str, int]) -> str:
        """Store the number of jobs of each rule; returns the line that lists them."""
        self._left = Counter({rule: number for rule, number in stats.items() if rule not in ("total", "all")})
        self.total = self._left.total()
        self._began = self._clock()
        return f"{self.total} jobs: " + ", ".join(f"{number} {rule}" for rule, number in self._left.items())

    def start(self, job: int, rule: str, wildcards: dict[str, str]) -> None:
        """Store a job that starts, with its time."""
        values = (
            f"{key} {value}" if str(value).isdigit() else str(value) for key, value in wildcards.items()
        )
        self._running[job] = (rule, " ".join([rule, *values]), self._clock())

    def name(self, job: int, rule: str) -> str:
        """Rule and wildcards of a started job; ``rule`` for a job that has not started."""
        return self._running[job][1] if job in self._running else rule

    def finish(self, job: int) -> str | None:
        """The line of a finished job; None for rule ``all``, which runs nothing."""
        rule, name, began = self._running.pop(job, ("all", "all", 0.0))
        if rule == "all":
            return None
        seconds = self._clock() - began
        self._seconds.setdefault(rule, []).append(seconds)
        self._left[rule] -= 1
        self.done += 1
        count = f"{self.done:{len(str(self.total))}} of {self.total}"
        return "  ".join(part for part in (count, f"{name}, {seconds:.0f} s", self.remaining()) if part)

    def remaining(self) -> str:
        """Estimate of the remaining time from the mean time of each rule; a lower bound until every rule has run."""
        left = {rule: number for rule, number in self._left.items() if number > 0}
        means = {rule: sum(each) / len(each) for rule, each in self._seconds.items()}
        taken = sum(sum(each) for each in self._seconds.values())
        at_once = max(1.0, taken / max(self._clock() - self._began, 1e-3))
        minutes = sum(number * means.get(rule, 0.0) for rule, number in left.items()) / at_once / 60
        known = left.keys() <= means.keys()
        if minutes >= 1:
            return f"{'about' if known else 'more than'} {minutes:.0f} min left"
        return "less than 1 min left" if left and known else ""


def failure(record: dict[str, Any], name: str) -> str:
    """The text about a failed job: the last lines of its logs, and the paths of the logs."""
    lines = [f"FAILED  {name}"]
    for path in map(Path, record.get("log") or ()):
        try:
            with path.open(errors="replace") as file:
                last = deque(file, _LAST)
        except OSError as error:
            last = deque([f"(cannot be read: {error.strerror})"])
        lines += [f"    {line.rstrip()}" for line in last]
        lines.append(f"    the whole log: {path}")
    if record.get("rule_msg"):
        lines.append(f"    {record['rule_msg']}")
    return "\n".join(lines)


class Formatter(logging.Formatter):
    """Formats records of Snakemake as lines; records that are not shown give an empty text."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = Jobs()

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        event, content = getattr(record, "event", None), record.__dict__
        text = record.getMessage() if record.msg else ""
        if event == LogEvent.RUN_INFO:
            return self.jobs.plan(content["stats"])
        if event == LogEvent.JOB_INFO:
            self.jobs.start(content["jobid"], content["rule_name"], content["wildcards"] or {})
        elif event == LogEvent.JOB_FINISHED:
            return self.jobs.finish(content["job_id"]) or ""
        elif event == LogEvent.JOB_ERROR:
            return failure(content, self.jobs.name(content["jobid"], content["rule_name"]))
        elif event in (None, LogEvent.ERROR) or record.levelno >= logging.WARNING:
            return "" if text.startswith(_INTERNAL) or _COMMAND in text else text
        return ""


class LogHandler(LogHandlerBase):
    """Writes the lines to standard error, where Snakemake's own output would go."""

    writes_to_stream = True
    writes_to_file = False
    #: False keeps Snakemake's own filter, which implements --quiet.
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Choose between this output and Snakemake's own."""
        asked = self.common_settings
        self.has_formatter = not (asked.dryrun or asked.verbose or asked.printshellcmds or asked.debug_dag)
        self._stream = sys.stdout if asked.stdout else sys.stderr
        if self.has_formatter:
            self.setFormatter(Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write the text of a record, if it has one."""
        try:
            text = self.format(record)
            if text and text != "None":
                print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            raise
        # As all handlers of `logging` do: print the traceback and continue the run.
        except Exception:
            self.handleError(record)
