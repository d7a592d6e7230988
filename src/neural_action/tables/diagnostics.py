"""The HTML page of the diagnostics: the verdict of each check and its findings."""

from __future__ import annotations

import pandas as pd

from neural_action.diagnostics.finding import CHECKS, SEVERITIES, Finding
from neural_action.diagnostics.run import Diagnosis
from neural_action.tables.templates import template

#: Sign and word for each severity, so that colour is not the only difference.
SIGNS = {"ok": ("✓", "ok"), "note": ("i", "note"), "warning": ("!", "warning"), "error": ("✗", "error")}
#: If a check has more findings of severity ok than this, they are counted instead of listed.
_LISTED = 4


def summary(found: list[Finding]) -> str:
    """One line about a check: its worst finding, or the first if all are ok, and how many are as severe."""
    first = found[0]
    where = "" if first.subject == "all" else f"{first.subject}: "
    more = sum(finding.severity == first.severity for finding in found) - 1
    kind = "" if first.severity != "ok" else " ok"
    return f"{where}{first.message}" + (f" (and {more} more{kind})" if more else "")


def html(opening: str, found: Diagnosis) -> str:
    """One self-contained HTML page, without scripts."""
    checks = [
        {
            "name": check,
            "asks": CHECKS[check],
            "severity": severity,
            "summary": summary(found.of(check)),
            "listed": [finding for finding in found.of(check) if not _counted(finding, found.of(check))],
            "sound": [finding for finding in found.of(check) if _counted(finding, found.of(check))],
        }
        for check, severity in found.severities.items()
    ]
    worst = max(found.severities.values(), key=SEVERITIES.index)
    return template("diagnostics.html.j2").render(
        opening=opening,
        worst=worst,
        checks=checks,
        signs=SIGNS,
        balance=_balance(found.counts),
    )


def _counted(finding: Finding, found: list[Finding]) -> bool:
    return finding.severity == "ok" and sum(other.severity == "ok" for other in found) > _LISTED


def _balance(counts: pd.DataFrame) -> dict:
    """For each animal (row) and class (column): test windows over all splits, and the number of splits without any."""
    tested = counts[(counts["class"] != "") & (counts["role"] == "test")]
    classes = list(dict.fromkeys(tested["class"]))
    rows = []
    for animal, own in tested.groupby("animal", sort=False):
        cells = []
        for action in classes:
            windows = own.loc[own["class"] == action, "windows"]
            empty = int((windows == 0).sum())
            cells.append({"windows": int(windows.sum()), "empty": empty, "splits": len(windows)})
        rows.append({"animal": animal, "cells": cells})
    return {"classes": classes, "rows": rows}
