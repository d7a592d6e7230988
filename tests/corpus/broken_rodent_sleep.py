"""Arousal states of rodents (.npy), broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from broken import Case, convert, cut, nothing, poke, put

COUNTS, STATES = "fr_bins_n.npy", "behav_states_n.npy"
UNITS, BINS = 4, 60


def make(folder: Path) -> None:
    """Counts of four units, and states that last ten bins."""
    (folder / "raw").mkdir(parents=True)
    rng = np.random.default_rng(0)
    np.save(folder / "raw" / COUNTS, rng.poisson(3.0, (UNITS, BINS)).astype(np.float64))
    np.save(folder / "raw" / STATES, np.repeat([0, 1, 2, 1, 0, 1], 10).astype(np.float64))


def arguments(folder: Path, case: Case) -> list[str]:
    """Convert them."""
    return convert(folder, case.config.get("path", COUNTS), "rodent_sleep", case.config)


def changed(name, change):
    def spoil(folder):
        np.save(folder / "raw" / name, change(np.load(folder / "raw" / name)))

    return spoil


def gone(name):
    return lambda folder: (folder / "raw" / name).unlink()


def pickled(folder):
    np.save(folder / "raw" / COUNTS, np.array([[{}]], object), allow_pickle=True)


CASES = (
    Case("missing", "no counts", gone(COUNTS), r"fr_bins_n\.npy: no such file"),
    Case("missing", "no states", gone(STATES), r"behav_states_n\.npy: no such file"),
    Case("truncated", "counts", cut(f"raw/{COUNTS}", 900), r"fr_bins_n\.npy: cannot be read as \.npy"),
    Case(
        "truncated",
        "states in the header",
        cut(f"raw/{STATES}", 20),
        r"behav_states_n\.npy: cannot be read as \.npy",
    ),
    Case("empty", "file", cut(f"raw/{COUNTS}", 0), r"fr_bins_n\.npy: cannot be read as \.npy"),
    Case("empty", "no bins", changed(COUNTS, lambda a: a[:, :0]), r"shape \(4, 0\), expected counts"),
    Case(
        "not such a file",
        "text",
        put(f"raw/{COUNTS}", b"1,2,3\n"),
        r"fr_bins_n\.npy: cannot be read as \.npy",
    ),
    Case("wrong type", "counts of words", changed(COUNTS, lambda a: a.astype(str)), r"<U\d+ of shape"),
    Case(
        "wrong type", "states of words", changed(STATES, lambda a: a.astype(str)), r"<U\d+ of shape \(60,\)"
    ),
    Case(
        "wrong shape",
        "one unit without its axis",
        changed(COUNTS, lambda a: a[0]),
        r"shape \(60,\), expected counts",
    ),
    Case(
        "wrong shape", "states too few", changed(STATES, lambda a: a[:9]), r"shape \(9,\), expected 60 states"
    ),
    Case("transposed", "counts", changed(COUNTS, np.transpose), r"expected 4 states"),
    Case(
        "NaN or infinity",
        "a count",
        changed(COUNTS, poke((2, 7), np.nan)),
        r"unit 2 has nan spikes in bin 7",
    ),
    Case(
        "NaN or infinity", "a state", changed(STATES, poke(5, np.nan)), r"state nan in bin 5, expected 0 to 2"
    ),
    Case(
        "out of range",
        "a negative count",
        changed(COUNTS, poke((0, 3), -1)),
        r"unit 0 has -1 spikes in bin 3",
    ),
    Case(
        "labels", "a state without a name", changed(STATES, poke(5, 3)), r"state 3 in bin 5, expected 0 to 2"
    ),
    Case("labels", "half a state", changed(STATES, poke(5, 0.5)), r"state 0\.5 in bin 5"),
    Case("program", "a pickle in the counts", pickled, r"fr_bins_n\.npy: cannot be read as \.npy"),
    Case("name or path", "states named as counts", nothing, r"expected a file named", {"path": "counts.npy"}),
    Case(
        "unknown key",
        "option",
        nothing,
        r"convert\.reader_options\.bin: .*",
        {"convert": {"reader_options": {"bin": 4}}},
    ),
    Case(
        "out of range",
        "bins of no time",
        nothing,
        r"convert\.reader_options\.bin_seconds",
        {"convert": {"reader_options": {"bin_seconds": 0}}},
    ),
)
