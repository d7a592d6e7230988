"""Samples tables, and folders that are scanned, broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import broken_mc2p
from broken import Case

#: What reads a samples table by itself only looks at recordings.
WRITES = False
HEAD = "animal,trial,path\n"
CONFIG = {
    "dataset": "broken",
    "title": "Broken",
    "real": False,
    "seeds": [0],
    "convert": {"reader": "mc2p"},
    "windows": {"frames": 16, "poses": 4},
    "encoders": {"neural": {"name": "image_cnn"}, "behavior": {"name": "pose_cnn"}},
    "evaluation": {"tasks": ["within"]},
    "probes": {"softmax": {"kind": "softmax", "tasks": ["within"]}},
    "methods": {"raw": {"label": "Raw", "representation": "raw"}},
    "tables": {"figure_method": "raw"},
}


def make(folder: Path) -> None:
    """Two animals with two trials each, all of one recording."""
    broken_mc2p.make(folder)
    lines = [f"Fly{animal},{trial},{broken_mc2p.TRIAL}\n" for animal in "12" for trial in "12"]
    (folder / "samples.csv").write_text(HEAD + "".join(lines))


def arguments(folder: Path, case: Case) -> list[str]:
    """Read it as the workflow does before any job; for cases with a reader, scan the raw folder instead."""
    if "convert" in case.config:
        shutil.rmtree(folder / "raw" / broken_mc2p.TRIAL)
        config = json.dumps({"split": {"folds": 2}, **case.config})
        return [
            "samples",
            "--config",
            config,
            "--raw",
            str(folder / "raw"),
            "--output",
            str(folder / "out/s.csv"),
        ]
    own = {**CONFIG, "raw": str(folder / "raw"), "recordings": str(folder / "samples.csv")}
    own["split"] = {"folds": 2, **case.config.get("split", {})}
    (folder / "config.yaml").write_text(json.dumps(own))
    return ["check", str(folder / "config.yaml"), "--methods", str(folder / "config.yaml")]


def text(content: str):
    return lambda folder: (folder / "samples.csv").write_text(content)


def raw(data: bytes):
    return lambda folder: (folder / "samples.csv").write_bytes(data)


def trial(name: str, movie: bytes = b"0000"):
    def make_trial(folder):
        path = folder / "raw" / name
        path.mkdir(parents=True)
        (path / "2p_dff.mm").write_bytes(movie)

    return make_trial


def linked_twice(folder):
    trial("a/210722_aDN1_Fly1_001")(folder)
    (folder / "raw/b").symlink_to(folder / "raw/a")


MC2P = {"convert": {"reader": "mc2p"}}
CASES = (
    Case(
        "missing",
        "no column",
        text("animal,path\na,b\n"),
        r"samples\.csv: column 'trial' is missing, found animal",
    ),
    Case("missing", "no path in a row", text(HEAD + "a,1\n"), r"path '', expected a path inside"),
    Case("missing", "no name", text(HEAD + "a,,x\n"), r"trial '', expected letters"),
    Case("empty", "file", text(""), r"samples\.csv: column 'animal' is missing, found none"),
    Case("empty", "no rows", text(HEAD), r"samples\.csv: lists no recording"),
    Case("truncated", "in a quoted field", text(HEAD + 'a,1,"b\n'), r"cannot be read as CSV"),
    Case("not such a file", "binary", raw(b"\xff\xfe\x00\x01" * 40), r"cannot be read as CSV"),
    Case(
        "not such a file",
        "zero bytes",
        raw(HEAD.encode() + bytes(40)),
        r"cannot be read as CSV|expected letters",
    ),
    Case(
        "too little",
        "one trial an animal",
        text(HEAD + "a,1,x\nb,1,y\n"),
        r"animal a has 1 trials, expected at",
    ),
    Case(
        "too much",
        "a million tiny trials",
        text(HEAD + "".join(f"a,{n},x\n" for n in range(1_000_000))),
        r"lists 1000000 recordings, expected at most 50000; join short trials",
    ),
    Case(
        "twice",
        "one trial",
        text(HEAD + "a,1,x\na,1,y\n"),
        r"trial 1 of animal a is listed twice \(x and y\)",
    ),
    Case("name or path", "slash in a name", text(HEAD + "a/b,1,x\n"), r"animal 'a/b', expected letters"),
    Case("name or path", "parent as a name", text(HEAD + "..,1,x\n"), r"animal '\.\.', expected letters"),
    Case(
        "name or path", "unicode in a name", text(HEAD + "Müsli,1,x\n"), r"animal 'Müsli', expected letters"
    ),
    Case("name or path", "space in a name", text(HEAD + "a b,1,x\n"), r"animal 'a b', expected letters"),
    Case(
        "name or path",
        "name of a kilobyte",
        text(HEAD + "a" * 1000 + ",1,x\n"),
        r"animal has 1000 characters",
    ),
    Case("name or path", "absolute path", text(HEAD + "a,1,/etc\n"), r"path '/etc', expected a path inside"),
    Case("name or path", "path to the parent", text(HEAD + "a,1,b/../../c\n"), r"expected a path inside"),
    Case(
        "missing", "nothing to scan", lambda f: None, r"raw: no recording found, expected trial folders", MC2P
    ),
    Case(
        "name or path",
        "folder not named like a trial",
        trial("trial3"),
        r"trial3: the folder of a recording",
        MC2P,
    ),
    Case("link", "the same trials twice", linked_twice, r"raw/b: is a link to .*raw/a, expected each", MC2P),
    Case(
        "unknown key",
        "reader",
        lambda f: None,
        r"convert\.reader: 'tif' is not one of",
        {"convert": {"reader": "tif"}},
    ),
    Case("out of range", "folds", lambda f: None, r"split\.folds: 1, expected", {"split": {"folds": 1}}),
)
