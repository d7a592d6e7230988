"""Worms with whole-brain imaging (HDF5), broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from broken import Case, convert, cut, nothing, poke, put
from worm_file import FRAMES, NAME, content, write

IDS = "ids.csv"
_NAMED = "worm,trace_index_1based,label,neuron_class,LR,DV,confidence\n2022-07-26-31,2,AVAL,AVA,L,,5\n"


def make(folder: Path) -> None:
    """One worm, and who is who."""
    write(folder / "raw", content())
    (folder / "raw" / IDS).write_text(_NAMED)


def arguments(folder: Path, case: Case) -> list[str]:
    """Convert it."""
    return convert(
        folder,
        NAME,
        "worm",
        {"convert": {"reader_options": {"identities": IDS}, **case.config.get("convert", {})}},
    )


def changed(name, change):
    """A variable of the file changed; None takes it out."""

    def spoil(folder):
        values = content()
        key = next(key for key in values if key.endswith(f"/{name}"))
        new = change(values.pop(key))
        write(folder / "raw", values if new is None else {**values, key: new})

    return spoil


def named(row):
    """Another row of identities."""
    return lambda folder: (folder / "raw" / IDS).write_text(_NAMED + row)


def option(**options):
    return {"convert": {"reader_options": options}}


FILE = f"raw/{NAME}"
CASES = (
    Case("missing", "no file", lambda f: (f / FILE).unlink(), r"-data\.h5: no such file"),
    Case(
        "missing", "no traces", changed("trace_array", lambda a: None), r"has no variable gcamp/trace_array,"
    ),
    Case("missing", "no parts", changed("idx_splits", lambda a: None), r"has no variable gcamp/idx_splits"),
    Case(
        "missing",
        "no posture",
        changed("body_angle", lambda a: None),
        r"no posture: .* shape None, expected \(200",
    ),
    Case(
        "missing", "no identities", lambda f: (f / "raw" / IDS).unlink(), r"ids\.csv: cannot be read as CSV"
    ),
    Case("truncated", "in the middle", cut(FILE, 9000), r"cannot be read as HDF5"),
    Case("empty", "file", cut(FILE, 0), r"cannot be read as HDF5"),
    Case("empty", "traces", changed("trace_array", lambda a: a[:, :0]), r"trace_array has shape \(200, 0\)"),
    Case("not such a file", "text", put(FILE, b"not HDF5\n" * 50), r"cannot be read as HDF5"),
    Case(
        "wrong type",
        "velocity of words",
        changed("velocity", lambda a: "fast"),
        r"velocity is object of shape",
    ),
    Case(
        "wrong shape",
        "posture of one dimension",
        changed("body_angle", lambda a: a[:, 0]),
        r"no posture: .*\(200,\)",
    ),
    Case(
        "wrong shape",
        "posture of 59 joints",
        changed("body_angle", lambda a: np.ones((FRAMES, 59))),
        r"no posture",
    ),
    Case(
        "wrong shape",
        "velocity too short",
        changed("velocity", lambda a: a[1:]),
        r"velocity has shape \(199,\)",
    ),
    Case(
        "transposed",
        "traces",
        changed("trace_array", lambda a: a.T),
        r"200 time stamps for 7 frames|idx_splits",
    ),
    Case(
        "NaN or infinity",
        "in a trace",
        changed("trace_array", poke((9, 3), np.nan)),
        r"unit 3 holds .* frame 9",
    ),
    Case(
        "NaN or infinity", "in velocity", changed("velocity", poke(9, np.inf)), r"missing velocity .*sample 9"
    ),
    Case(
        "NaN or infinity",
        "in a time stamp",
        changed("timestamp_confocal", poke(9, np.nan)),
        r"NaN .* at entry 9",
    ),
    Case(
        "NaN or infinity",
        "throughout a feature",
        nothing,
        r"pumping is all NaN",
        option(behavior=["velocity", "pumping"]),
    ),
    Case("constant", "traces", changed("trace_array", lambda a: 0 * a), r"none of 7 units changes"),
    Case("huge values", "a trace", changed("trace_array", lambda a: 1e20 * a), r"neural activity reaches"),
    Case(
        "wrong unit",
        "time stamps in ms",
        changed("timestamp_confocal", lambda a: 1e3 * a),
        r"600 s between frames, expected about 0\.6 s",
    ),
    Case(
        "clock", "backwards", changed("timestamp_confocal", lambda a: a[::-1]), r"frame times do not increase"
    ),
    Case(
        "clock",
        "more time stamps than frames",
        changed("timestamp_confocal", lambda a: np.arange(281.0)),
        r"281 time stamps for 200 frames",
    ),
    Case("index out of range", "a part", changed("idx_splits", lambda a: a + 1), r"frames 2 to 201 after 0"),
    Case(
        "index out of range",
        "an identity",
        named("2022-07-26-31,9,AVAR,AVA,R,,5\n"),
        r"trace_index_1based 9 .* at most 7",
    ),
    Case("twice", "an identified trace", named("2022-07-26-31,2,AVAR,AVA,R,,5\n"), r"is both AVAL and AVAR"),
    Case(
        "labels",
        "two names of classes",
        nothing,
        r"2 names, expected 4",
        {"convert": {"class_names": ["a", "b"]}},
    ),
    Case("unknown key", "of the reader", nothing, r"reader_options", option(colour="red")),
    Case("out of range", "pause", nothing, r"reader_options\.pause", option(pause=1.5)),
)
