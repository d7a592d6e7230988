"""Reaches of monkeys (.npz and pickles), broken."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np

from broken import Case, convert, cut, nothing, poke, put

FILE, PICKLE = "full-m-1-bin0.10-vel_thresh5.00.npz", "full-m-1-0.10.pkl"
UNITS, LENGTHS = 3, (4, 6, 5, 4)


def good() -> dict[str, np.ndarray]:
    """Four trials of a hand that is faster than the threshold."""
    rng, bins = np.random.default_rng(0), sum(LENGTHS)
    return {
        "x": (10.0 * rng.poisson(2.0, (bins, UNITS))).astype(np.float32),
        "vel": rng.uniform(8, 30, (bins, 2)).astype(np.float32),
        "y": np.repeat([0, 3, 7, 3], LENGTHS),
        "timestep": np.concatenate([np.arange(length) for length in LENGTHS]),
        "trial_id": np.repeat(np.arange(4), LENGTHS),
    }


def make(folder: Path) -> None:
    """One session as arrays."""
    (folder / "raw").mkdir(parents=True)
    np.savez(folder / "raw" / FILE, **good())


def arguments(folder: Path, case: Case) -> list[str]:
    """Convert it, or the pickle that a case wrote."""
    name = PICKLE if (folder / "raw" / PICKLE).exists() else FILE
    return convert(folder, name, "monkey_reach", case.config)


def changed(name, change):
    """An array of the file changed; None takes it out."""

    def spoil(folder):
        values = good()
        new = change(values.pop(name))
        np.savez(folder / "raw" / FILE, **values, **({} if new is None else {name: new}))

    return spoil


def pickled(value):
    return lambda folder: (folder / "raw" / PICKLE).write_bytes(pickle.dumps(value))


class Program:
    """Runs a program when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch /tmp/neural-action-was-here",)


CASES = (
    Case("missing", "no file", lambda f: (f / "raw" / FILE).unlink(), r"\.npz: no such file"),
    Case("missing", "no rates", changed("x", lambda a: None), r"has no array 'x'"),
    Case("missing", "no trials", changed("trial_id", lambda a: None), r"has no array 'trial_id'"),
    Case("truncated", "in the middle", cut(f"raw/{FILE}", 600), r"cannot be read as \.npz"),
    Case("empty", "file", cut(f"raw/{FILE}", 0), r"cannot be read as \.npz"),
    Case("empty", "no bins", changed("trial_id", lambda a: a[:0]), r"trial_id is int64 of shape \(0,\)"),
    Case("not such a file", "text", put(f"raw/{FILE}", b"x,y\n1,2\n"), r"cannot be read as \.npz"),
    Case("not such a file", "pickle of a number", pickled(3), r"full-m-1-0\.10\.pkl: "),
    Case("wrong type", "rates of words", changed("x", lambda a: a.astype(str)), r"trial 0, x is <U"),
    Case("wrong type", "directions of words", changed("y", lambda a: a.astype(str)), r"trial 0, y is <U"),
    Case("wrong type", "rates that are a number", changed("x", lambda a: np.float32(3)), r"x has shape \(\)"),
    Case(
        "wrong shape",
        "rates of one unit",
        changed("x", lambda a: a[:, 0]),
        r"x has shape \(4,\), expected 4 bins",
    ),
    Case(
        "wrong shape", "velocities too few", changed("vel", lambda a: a[:5]), r"vel has 5 bins, expected 19"
    ),
    Case(
        "wrong shape",
        "three velocities",
        changed("vel", lambda a: np.c_[a, a[:, :1]]),
        r"expected two columns",
    ),
    Case("transposed", "rates", changed("x", np.transpose), r"x has 3 bins, expected 19"),
    Case(
        "NaN or infinity", "a rate", changed("x", poke((5, 1), np.nan)), r"trial 1, x holds NaN or infinity"
    ),
    Case(
        "NaN or infinity",
        "a velocity",
        changed("vel", poke((0, 1), np.inf)),
        r"trial 0, vel holds NaN or infinity",
    ),
    Case("clock", "bins run backwards", changed("timestep", poke(2, 0)), r"trial 0, timestep runs backwards"),
    Case("clock", "trials run backwards", changed("trial_id", poke(18, 0)), r"trial_id .* decreases"),
    Case(
        "labels",
        "a ninth direction",
        changed("y", poke(4, 8)),
        r"trial 1 reaches in direction 8, expected 0 to 7",
    ),
    Case("labels", "a direction below zero", changed("y", poke(4, -1)), r"trial 1 reaches in direction"),
    Case(
        "wrong unit",
        "a hand in meters",
        changed("vel", lambda a: a / 100),
        r"0 trials have bins faster than 5",
    ),
    Case("too little", "one trial", changed("trial_id", np.zeros_like), r"timestep runs backwards"),
    Case("program", "a pickle that runs one", pickled([Program()]), r"full-m-1-0\.10\.pkl: .*system"),
    Case(
        "unknown key",
        "option",
        nothing,
        r"convert\.reader_options\.session: .*",
        {"convert": {"reader_options": {"session": "m"}}},
    ),
    Case(
        "out of range",
        "three names for eight directions",
        nothing,
        r"convert\.class_names: 3 names, expected 8",
        {"convert": {"class_names": ["a", "b", "c"]}},
    ),
)
