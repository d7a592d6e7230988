"""Configurations, broken."""

from __future__ import annotations

from pathlib import Path

import yaml
from snakemake.utils import update_config

from broken import Case, nothing
from neural_action.config.load import read_yaml
from running import ROOT


def make(folder: Path) -> None:
    """The tiny data set with all rows."""
    config = read_yaml(ROOT / "config/methods.yaml")
    update_config(config, read_yaml(ROOT / "config/test/tiny.yaml"))
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def arguments(folder: Path, case: Case) -> list[str]:
    """Validate it and write it complete."""
    if case.config:
        config = read_yaml(folder / "config.yaml")
        update_config(config, case.config)
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return ["resolve", "--config", str(folder / "config.yaml"), "--output", str(folder / "out/config.yaml")]


def appended(text: str):
    def append(folder):
        path = folder / "config.yaml"
        path.write_text(path.read_text() + text)

    return append


def put(data: bytes):
    return lambda folder: (folder / "config.yaml").write_bytes(data)


def bomb(key: str) -> str:
    """Aliases of aliases: 9 ** 9 values in a kilobyte."""
    lines = [f"{key}:", "  a0: &a0 [" + ", ".join("x" * 9) + "]"]
    lines += [f"  a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 9)]
    return "\n".join(lines) + "\n"


def row(**row):
    return {"methods": {"new": {"label": "New", "objective": {"name": "infonce"}, **row}}}


CASES = (
    Case("missing", "file", lambda f: (f / "config.yaml").unlink(), r"config\.yaml: cannot be read as YAML"),
    Case("missing", "data set", put(b"title: x\nreal: false\n"), r"dataset: missing key"),
    Case(
        "missing",
        "reader",
        put(b"dataset: x\ntitle: x\nreal: false\nseeds: [0]\nconvert: {}\n"),
        r"convert\.reader: missing",
    ),
    Case("missing", "recordings", nothing, r"configuration raw: missing", {"simulation": None}),
    Case("empty", "file", put(b""), r"config\.yaml: holds NoneType, expected a mapping"),
    Case("truncated", "in a list", appended("rows: [swap_calcium"), r"cannot be read as YAML"),
    Case("not such a file", "binary", put(b"\x00\xff\xfe" * 20), r"cannot be read as YAML"),
    Case("not such a file", "a list", put(b"- a\n- b\n"), r"holds list, expected a mapping"),
    Case("not such a file", "a sentence", put(b"hello"), r"holds str, expected a mapping"),
    Case(
        "wrong type",
        "word for a number",
        nothing,
        r"steps: 'many', expected: a valid int",
        {"training": {"steps": "many"}},
    ),
    Case("wrong type", "number in quotes", nothing, r"seeds: '0', expected: a valid list", {"seeds": "0"}),
    Case(
        "wrong type", "number for a section", nothing, r"configuration training: 3, expected", {"training": 3}
    ),
    Case(
        "wrong type",
        "list for a row",
        nothing,
        r"methods\.simclr: \[\], expected",
        {"methods": {"simclr": []}},
    ),
    Case(
        "NaN or infinity",
        "infinite rate",
        nothing,
        r"learning_rate: inf, expected: a finite",
        {"training": {"learning_rate": float("inf")}},
    ),
    Case(
        "NaN or infinity",
        "NaN decay",
        nothing,
        r"calcium\.decay: nan, expected: a finite",
        {"calcium": {"decay": float("nan")}},
    ),
    Case(
        "NaN or infinity",
        "NaN temperature",
        nothing,
        r"temperature: nan, expected: a finite",
        row(objective={"name": "infonce", "temperature": float("nan")}),
    ),
    Case("twice", "key", appended("dataset: other\n"), r"key 'dataset' is there twice"),
    Case(
        "twice",
        "key in a section",
        put(b"training:\n  steps: 3\n  steps: 4\n"),
        r"key 'steps' is there twice",
    ),
    Case(
        "twice",
        "seed",
        nothing,
        r"seeds: \[0, 1, 0\], expected: a list without duplicates, 0 is there",
        {"seeds": [0, 1, 0]},
    ),
    Case(
        "twice",
        "row",
        nothing,
        r"rows: .*'swap_calcium' is there twice",
        {"rows": ["swap_calcium", "swap_calcium"]},
    ),
    Case(
        "twice",
        "label budget",
        nothing,
        r"label_budgets: .*'all' is there twice",
        {"evaluation": {"label_budgets": ["all", "all"]}},
    ),
    Case("twice", "test fold", nothing, r"test_folds: .*1 is there twice", {"split": {"test_folds": [1, 1]}}),
    Case(
        "twice",
        "class",
        nothing,
        r"class_names: .*'a' is there twice",
        {"convert": {"class_names": ["a", "b", "a"]}},
    ),
    Case(
        "twice",
        "scored class",
        nothing,
        r"scored_classes: .*is there twice",
        {"windows": {"scored_classes": ["rest", "rest"]}},
    ),
    Case(
        "too little",
        "one scored class",
        nothing,
        r"scored_classes: \['rest'\], expected",
        {"windows": {"scored_classes": ["rest"]}},
    ),
    Case("too little", "no seed", nothing, r"configuration seeds: \[\], expected", {"seeds": []}),
    Case(
        "too little",
        "no label budget",
        nothing,
        r"label_budgets: \[\], expected",
        {"evaluation": {"label_budgets": []}},
    ),
    Case("too little", "one fold", nothing, r"split\.folds: 1, expected", {"split": {"folds": 1}}),
    Case(
        "too much",
        "aliases of aliases",
        appended(bomb("title")),
        r"config\.yaml: .* is there twice|values, expected at most",
    ),
    Case(
        "too much",
        "aliases in free values",
        put(bomb("reader_options").encode()),
        r"config\.yaml: \d+ values, expected at most 100000",
    ),
    Case(
        "too much",
        "nested",
        put(b"a: " + b"[" * 5000 + b"]" * 5000),
        r"cannot be read as YAML|nested too deeply",
    ),
    Case("too much", "holds itself", put(b"a: &a [*a]\n"), r"a value contains itself"),
    Case(
        "program",
        "Python object",
        put(b"title: !!python/object/apply:os.system [touch made]\n"),
        r"cannot be read as YAML",
    ),
    Case("program", "Python name", put(b"title: !!python/name:os.system\n"), r"cannot be read as YAML"),
    Case(
        "program",
        "YTE template",
        put(b"__use_yte__: true\ntitle: ?__import__('os').getcwd()\n"),
        r"__use_yte__ makes it a program",
    ),
    Case(
        "name or path", "data set with a slash", nothing, r"dataset: '\.\./x', expected", {"dataset": "../x"}
    ),
    Case("name or path", "row in capitals", nothing, r"methods\.New", {"methods": {"New": {"label": "x"}}}),
    Case("unknown key", "top level", nothing, r"configuration datset: unknown key", {"datset": "x"}),
    Case("unknown key", "in a section", nothing, r"training\.step: unknown key", {"training": {"step": 3}}),
    Case(
        "unknown key",
        "preset",
        nothing,
        r"simulation\.preset: 'huge', expected",
        {"simulation": {"preset": "huge"}},
    ),
    Case("unknown key", "shown row", nothing, r"configuration rows: 'our' is not one of", {"rows": ["our"]}),
    Case("unknown key", "objective", nothing, r"'infonc' is not one of", row(objective={"name": "infonc"})),
    Case(
        "unknown key",
        "parameter",
        nothing,
        r"objective\.tau: unknown key",
        row(objective={"name": "infonce", "tau": 1.0}),
    ),
    Case(
        "unknown key",
        "view",
        nothing,
        r"'swop' is not one of",
        row(augmentations={"behavior": [{"name": "swop"}]}),
    ),
    Case(
        "unknown key",
        "setting of a row",
        nothing,
        r"settings\.training\.step: unknown",
        row(settings={"training": {"step": 3}}),
    ),
    Case(
        "unknown key",
        "model of another row",
        nothing,
        r"model: 'our' is not a row",
        {"methods": {"new": {"label": "x", "model": "our"}}},
    ),
    Case(
        "out of range",
        "label budget",
        nothing,
        r"label_budgets\.0: 0, expected",
        {"evaluation": {"label_budgets": [0]}},
    ),
    Case(
        "out of range",
        "negative seed",
        nothing,
        r"seeds\.0: -1, expected: greater than or equal to 0",
        {"seeds": [-1]},
    ),
    Case(
        "out of range",
        "seed of 2**70",
        nothing,
        r"seeds\.0: \d+.*, expected: less than 4294967296",
        {"seeds": [2**70]},
    ),
    Case(
        "out of range",
        "test fold",
        nothing,
        r"test_folds: 4, expected numbers below",
        {"split": {"test_folds": [4]}},
    ),
    Case(
        "out of range",
        "fewer than no steps",
        nothing,
        r"training\.steps: -1, expected",
        {"training": {"steps": -1}},
    ),
    Case("out of range", "protocol", nothing, r"split\.protocol: 'leaky'", {"split": {"protocol": "leaky"}}),
    Case(
        "out of range",
        "figure of a row that is not shown",
        nothing,
        r"figure_method: 'swap_calcium' is not one of rows",
        {"rows": ["simclr"], "tables": {"figure_method": "swap_calcium"}},
    ),
)
