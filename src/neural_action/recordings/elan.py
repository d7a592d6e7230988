"""ELAN: read annotations by tier from an .eaf, or from tab-delimited text without a header.

Sources: the EAF 3.0 schema (TIME_ORDER in ms, TIER, ALIGNABLE_ANNOTATION); ELAN manual, "Tab-delimited text file".
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from neural_action.errors import InputError, reading

#: Tier -> (value, start, stop) in s.
Tiers = dict[str, list[tuple[str, float, float]]]
_HOURS = re.compile(r"(\d+):(\d\d):(\d\d\.\d+)")


def tiers_of_eaf(path: Path) -> Tiers:
    """Annotations with their own times (ALIGNABLE_ANNOTATION), by tier. InputError if the file is no ELAN file."""
    with reading(path, "ELAN", ElementTree.ParseError, KeyError, ValueError):
        root = ElementTree.parse(path).getroot()
        slots = {
            slot.attrib["TIME_SLOT_ID"]: float(slot.attrib["TIME_VALUE"]) / 1000
            for slot in root.iter("TIME_SLOT")
            if "TIME_VALUE" in slot.attrib
        }
        return {
            tier.attrib["TIER_ID"]: [
                ((item.findtext("ANNOTATION_VALUE") or "").strip(), slots[begin], slots[end])
                for item in tier.iter("ALIGNABLE_ANNOTATION")
                for begin, end in [(item.attrib["TIME_SLOT_REF1"], item.attrib["TIME_SLOT_REF2"])]
                if begin in slots and end in slots
            ]
            for tier in root.iter("TIER")
        }


def headerless(path: Path) -> Tiers:
    """Annotations by tier from rows: tier, participant, begin, end and duration in one to four forms, value.

    InputError if a row has no times in hh:mm:ss.ms, or if its begin, end and duration do not add up.
    """
    tiers: Tiers = {}
    with path.open(newline="", errors="replace") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if not row or row[0].startswith("#"):
                continue
            # Cells in the form hh:mm:ss.ms are begin, end and maybe duration, in this order.
            forms = [at for at, cell in enumerate(row) if _HOURS.fullmatch(cell)]
            if len(forms) < 2:
                raise InputError(f"{path}: line {number}: expected a begin and an end time (hh:mm:ss.ms)")
            begin, end = (_hours(row[at]) for at in forms[:2])
            if len(forms) > 2 and abs(end - begin - _hours(row[forms[2]])) > 0.002:
                raise InputError(
                    f"{path}: line {number}: begin {begin:g} s, end {end:g} s, duration {row[forms[2]]}, expected "
                    "duration = end - begin"
                )
            tiers.setdefault(row[0], []).append((row[-1].strip(), begin, end))
    return tiers


def seconds_of(path: Path, values: Any, form: str) -> np.ndarray:
    """A column of times in one of ELAN's forms, as float64 s. InputError with the first value of another form."""
    out = np.full(len(values), np.nan)
    for at, value in enumerate(values):
        try:
            out[at] = (
                _hours(str(value))
                if form.startswith("hh")
                else float(value) / (1 if form == "ss.msec" else 1000)
            )
        except ValueError:
            raise InputError(f"{path}: time {value!r} in row {at}, expected {form}") from None
    return out


def _hours(text: str) -> float:
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
