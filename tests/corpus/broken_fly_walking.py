"""Walking flies (.mat), broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import savemat

from broken import Case, convert, cut, nothing, poke, put

FILE = "20160423/Fly2_9day_6fx60D05_jRGC1ax37F06_Dark_00003.mat"
VOLUMES, RATE = 120, 11.42


def good() -> dict:
    """Ten seconds of a ball that turns at 1 rad/s, seen from 1 s after imaging began."""
    rng, t = np.random.default_rng(0), 50 + np.arange(1100) / 120
    return {
        **{f"{color}ROIave{kind}": rng.random((16, VOLUMES)) for color in "GR" for kind in ("Max", "Mean")},
        "positionDat": {
            "t": t,
            "OffsetRot": (np.rad2deg(t - t[0]) + 180) % 360 - 180 + 0.1 * rng.random(1100),
            "OffsetFor": 2 * (t - t[0]),
            "OffsetLat": -0.5 * (t - t[0]),
            "tFrameGrab": np.round(np.arange(VOLUMES * 7) * 1e4 / (7 * RATE)) + 3000,
            "tVR": 13000.0 + np.arange(600) * 166,
        },
    }


def make(folder: Path) -> None:
    """One file."""
    write(folder, good())


def write(folder: Path, values: dict) -> None:
    path = folder / "raw" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, values, do_compression=True)


def arguments(folder: Path, case: Case) -> list[str]:
    """Convert it."""
    return convert(folder, FILE, "fly_walking", case.config)


def changed(name, change):
    """A variable of the file, or of the position in it, changed; None takes it out."""

    def spoil(folder):
        values = good()
        part = values if name in values else values["positionDat"]
        new = change(part.pop(name))
        if new is not None:
            part[name] = new
        write(folder, values)

    return spoil


CASES = (
    Case("missing", "no file", lambda f: (f / "raw" / FILE).unlink(), r"\.mat: no such file"),
    Case(
        "missing", "no green traces", changed("GROIaveMax", lambda a: None), r"has no variable 'GROIaveMax'"
    ),
    Case("missing", "no position", changed("positionDat", lambda a: None), r"has no variable 'positionDat'"),
    Case("missing", "no clock", changed("tFrameGrab", lambda a: None), r"has no variable 'tFrameGrab'"),
    Case("truncated", "in the middle", cut(f"raw/{FILE}", 3000), r"cannot be read as a MATLAB file"),
    Case("truncated", "in the header", cut(f"raw/{FILE}", 60), r"cannot be read as a MATLAB file"),
    Case("empty", "file", cut(f"raw/{FILE}", 0), r"cannot be read as a MATLAB file"),
    Case(
        "empty",
        "traces",
        changed("GROIaveMax", lambda a: a[:, :0]),
        r"GROIaveMax is .*, expected numbers in 2",
    ),
    Case(
        "not such a file",
        "text",
        put(f"raw/{FILE}", b"not MATLAB\n" * 50),
        r"cannot be read as a MATLAB file",
    ),
    Case(
        "not such a file",
        "HDF5",
        put(f"raw/{FILE}", b"\x89HDF\r\n\x1a\n" + bytes(500)),
        r"cannot be read as a MATLAB file",
    ),
    Case("wrong type", "traces of words", changed("GROIaveMax", lambda a: "abc"), r"GROIaveMax is <U3"),
    Case("wrong type", "position of cells", changed("OffsetRot", lambda a: {"x": 1}), r"OffsetRot is object"),
    Case("wrong shape", "15 wedges", changed("GROIaveMax", lambda a: a[:15]), r"expected \(16, volumes\)"),
    Case(
        "wrong shape",
        "channels differ",
        changed("RROIaveMax", lambda a: a[:, :9]),
        r"expected the same shape",
    ),
    Case(
        "wrong shape", "ball axes differ", changed("OffsetFor", lambda a: a[:9]), r"OffsetFor has 9 entries"
    ),
    Case("transposed", "traces", changed("GROIaveMax", lambda a: a.T), r"expected \(16, volumes\)"),
    Case(
        "NaN or infinity",
        "NaN trace",
        changed("GROIaveMax", poke((3, 7), np.nan)),
        r"GROIaveMax holds NaN .* entry 7",
    ),
    Case(
        "NaN or infinity",
        "infinite ball",
        changed("OffsetRot", poke(11, np.inf)),
        r"OffsetRot holds NaN .* entry 11",
    ),
    Case("NaN or infinity", "NaN time", changed("t", poke(4, np.nan)), r"t holds NaN or infinity at entry 4"),
    Case(
        "constant",
        "traces",
        lambda f: write(f, {**good(), **{f"{c}ROIaveMax": np.ones((16, VOLUMES)) for c in "GR"}}),
        r"neural activity is 1 everywhere",
    ),
    Case(
        "huge values", "traces", changed("GROIaveMax", poke((3, 7), 1e25)), r"neural activity reaches 1e\+25"
    ),
    Case(
        "huge values",
        "more than float32",
        changed("GROIaveMax", poke((3, 7), 1e300)),
        r"reaches inf|holds NaN",
    ),
    Case(
        "clock",
        "imaging backwards",
        changed("tFrameGrab", lambda a: a[::-1]),
        r"tFrameGrab runs backwards at",
    ),
    Case("clock", "ball stands still", changed("t", poke(slice(5, 9), 50.0)), r"t runs backwards at entry 5"),
    Case("clock", "ball after imaging", changed("tVR", lambda a: a + 1e7), r"0 volumes have behaviour"),
    Case(
        "wrong unit",
        "ball clock in ms",
        changed("t", lambda a: a / 1000),
        r"volumes have behaviour, expected",
    ),
    Case(
        "too little",
        "too few image planes",
        changed("tFrameGrab", lambda a: a[:70]),
        r"tFrameGrab has times of 10 volumes",
    ),
    Case(
        "too little",
        "one volume with behaviour",
        changed("tVR", lambda a: a + 9.1e4),
        r"volumes have behaviour",
    ),
    Case(
        "labels",
        "three names for four classes",
        nothing,
        r"class_names: 3 names, expected 4",
        {"convert": {"class_names": ["a", "b", "c"]}},
    ),
    Case(
        "name or path",
        "without drivers",
        lambda f: (f / "raw" / FILE).rename(f / "raw/20160423/Fly2_Dark_3.mat"),
        r"no such file",
        {"convert": {"reader_options": {"channels": "by_driver"}}},
    ),
    Case(
        "out of range",
        "no planes",
        nothing,
        r"reader_options\.planes: 0, expected: greater than or equal to 1",
        {"convert": {"reader_options": {"planes": 0}}},
    ),
    Case(
        "out of range",
        "infinite threshold",
        nothing,
        r"turn_rotation: inf, expected: a finite number",
        {"convert": {"reader_options": {"turn_rotation": float("inf")}}},
    ),
)
