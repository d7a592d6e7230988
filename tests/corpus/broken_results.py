"""What one stage writes and another reads, broken in between: stores, dataset, splits, swaps, models, scores."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np

from broken import Case, cut, put
from neural_action.calcium.kernel import KernelFit
from neural_action.config.settings import SplitSettings
from neural_action.datasets.dataset import Source
from neural_action.datasets.layout import lay_out
from neural_action.datasets.protocols import split_table
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import read_recording, write_store

ANIMALS, TRIALS, RATE = ("Fly1", "Fly2"), ("001", "002"), 16.0
FRAMES = SAMPLES = 64
OURS = {
    "label": "Swap + calcium",
    "objective": {"name": "infonce"},
    "augmentations": {"neural": [{"name": "calcium"}], "behavior": [{"name": "swap"}]},
}
CONFIG = {
    "dataset": "broken",
    "title": "Broken",
    "real": False,
    "windows": {"frames": 16, "poses": 4, "behavior_stride": 1, "stride": 8},
    "neighbors": {"neighbors": 4, "draws": 2, "recall_queries": 4},
    "evaluation": {"tasks": ["within", "across", "identity"], "label_budgets": ["all"], "raw_pool_space": 1},
    "probes": {
        "softmax": {"kind": "softmax", "solver": "sgd", "steps": 5, "tasks": ["within", "across", "identity"]}
    },
    "training": {"steps": 2, "batch": 4, "checkpoint_every": 1, "device": "cpu"},
    "encoders": {
        "neural": {"name": "trace_cnn", "width": 4, "layers": 1, "kernel": 3},
        "behavior": {"name": "pose_cnn", "width": 4, "layers": 1, "kernel": 3},
        "dimension": 8,
        "head_hidden": 8,
        "head_dimension": 8,
    },
    "methods": {"swap_calcium": OURS, "raw": {"label": "Neural", "representation": "raw"}},
}


def recording(animal: str, trial: str, **changes) -> Recording:
    """Four seconds of six units and three features, two classes."""
    rng, clock = np.random.default_rng([ord(animal[-1]), ord(trial[-1])]), np.arange(FRAMES) / RATE
    values = {
        "neural": rng.random((FRAMES, 6), dtype=np.float32),
        "neural_time": clock,
        "behavior": rng.standard_normal((SAMPLES, 3)).astype(np.float32),
        "behavior_time": clock,
        "labels": (np.arange(SAMPLES) // 8 % 2).astype(np.int8),
        "neural_index": np.arange(SAMPLES, dtype=np.int32),
        "class_names": ("walk", "rest"),
        "behavior_names": ("x", "y", "z"),
        "neural_rate": RATE,
        "behavior_rate": RATE,
    }
    return Recording(animal, trial, **{**values, **changes})


def store(folder: Path, animal: str, trial: str, **changes) -> None:
    path = folder / "recordings" / animal / f"{trial}.zarr"
    manifest = path.with_name(f"{trial}.manifest.json")
    write_store(recording(animal, trial, **changes), path, manifest, dataset="broken", steps={}, chunk_mb=8.0)


def manifests_of(folder: Path) -> list[Path]:
    return sorted((folder / "recordings").rglob("*.manifest.json"))


def laid_out(folder: Path) -> None:
    """The dataset and its splits, from the stores as they are."""
    lay_out(manifests_of(folder), folder / "dataset")
    recordings = [read_recording(path, with_neural=False) for path in manifests_of(folder)]
    split_table(recordings, SplitSettings(folds=2)).write(folder / "splits.csv")


def make(folder: Path) -> None:
    """Two animals with two trials, laid out, their splits, swap tables of two runs, a kernel and one trained row."""
    from neural_action.stages import neighbors, pretrain, tables  # noqa: F401, all that is slow once

    for animal in ANIMALS:
        for trial in TRIALS:
            store(folder, animal, trial)
    laid_out(folder)
    config = json.dumps(CONFIG)
    for fold in (0, 1):
        outputs = folder / f"swaps{fold}.npz", folder / f"swaps{fold}.json"
        neighbors.run(config, source(folder, fold), 1, *outputs)
    KernelFit(1.0).save(folder / "kernel.json")
    pretrain.run(
        *(config, "swap_calcium", source(folder), 0, folder / "kernel.json", folder / "swaps0.npz"),
        *(None, 1, folder / "model.safetensors", folder / "log.csv"),
    )
    header = "dataset,protocol,method,layer,task,probe,label_budget,split,animal,seed,unit,metric,value,n_train,n_test"
    lines = [
        f"broken,new_trials,{method},raw,{task},softmax,all,fold-{fold},{animal},0,,{metric},0.5,8,8"
        for method in CONFIG["methods"]
        for task in ("within", "across", "identity")
        for fold in (0, 1)
        for animal in (ANIMALS if task != "identity" else ("all",))
        for metric in ("accuracy", "balanced_accuracy", "macro_f1")
    ]
    (folder / "scores.csv").write_text("\n".join([header, *lines]) + "\n")


def source(folder: Path, fold: int = 0) -> Source:
    return Source(folder / "dataset", folder / "splits.csv", (f"fold-{fold}",))


def arguments(folder: Path, case: Case) -> list[str]:
    """The stage that reads it."""
    stage = case.config.get("stage", "dataset")
    changes = {key: value for key, value in case.config.items() if key != "stage"}
    if stage != "dataset" and case.kind in ("labels", "too little"):
        laid_out(folder)
    common = [
        "--dataset",
        str(folder / "dataset"),
        "--splits",
        str(folder / "splits.csv"),
        "--split",
        "fold-0",
    ]
    row, out = ["--method", "swap_calcium", "--seed", "0"], folder / "out"
    options = {
        "neighbors": [*common, "--output", f"{out}/t.npz", "--report", f"{out}/t.json"],
        "pretrain": [
            *(*common, *row, "--kernel", f"{folder}/kernel.json", "--swaps", f"{folder}/swaps0.npz"),
            *("--output", f"{out}/model.safetensors", "--log", f"{out}/log.csv"),
        ],
        "evaluate": [
            *(*common, *row, "--weights", f"{folder}/model.safetensors"),
            *("--scores", f"{out}/s.csv", "--embedding", f"{out}/e.npz"),
        ],
        "tables": ["--scores", f"{folder}/scores.csv", "--output", str(out)],
    }
    # These need no configuration.
    if stage == "collect":
        return [stage, "--output", f"{out}/o.csv", f"{folder}/scores.csv"]
    if stage == "dataset":
        return [stage, "--output", f"{out}/dataset", *map(str, manifests_of(folder))]
    return [stage, "--config", json.dumps({**CONFIG, **changes}), *options[stage]]


MANIFEST, ZARR = "recordings/Fly1/001.manifest.json", "recordings/Fly1/001.zarr"


def edited(name: str, edit):
    """A JSON file, changed in place by ``edit``."""

    def change(folder):
        content = json.loads((folder / name).read_text())
        edit(content)
        (folder / name).write_text(json.dumps(content))

    return change


def arrays(name: str, edit):
    def change(folder):
        edit(content := content_of(folder / name))
        np.savez(folder / name, **content)

    return change


def content_of(path: Path) -> dict:
    with np.load(path) as file:
        return dict(file)


def other_run(folder):
    shutil.copy(folder / "swaps1.npz", folder / "swaps0.npz")


def other_animal(folder):
    """Fly2's second trial becomes a copy of Fly1's, store and manifest."""
    shutil.rmtree(folder / "recordings/Fly2/002.zarr")
    shutil.copytree(folder / "recordings/Fly1/002.zarr", folder / "recordings/Fly2/002.zarr")
    shutil.copy(folder / "recordings/Fly1/002.manifest.json", folder / "recordings/Fly2/002.manifest.json")


def same_data(folder):
    """Fly2's second trial holds the data of Fly1's."""
    store(folder, "Fly2", "002", neural=recording("Fly1", "002").neural)


def every(**changes):
    def change(folder):
        for animal in ANIMALS:
            for trial in TRIALS:
                store(folder, animal, trial, **changes)

    return change


def short_trials(folder):
    for trial in TRIALS:
        full = recording("Fly2", trial)
        names = ("neural", "neural_time", "behavior", "behavior_time", "labels", "neural_index")
        store(folder, "Fly2", trial, **{name: getattr(full, name)[:10] for name in names})


def resized(shape):
    def edit(content):
        content["arrays"]["behavior"]["shape"] = shape

    return edit


def claims(count: int):
    """A store and its manifest that agree on a far larger array, of one chunk, than there are files for."""

    def change(folder):
        edited(MANIFEST, lambda c: c["arrays"]["neural"].update(shape=[count, 6], chunk=count))(folder)
        edited(f"{ZARR}/neural/zarr.json", lambda c: c.update(shape=[count, 6]))(folder)

    return change


def lying_npz(folder):
    """A member of forty bytes whose header says a terabyte."""
    header = b"{'descr': '<i4', 'fortran_order': False, 'shape': (274877906944, 1, 1), }"
    data = np.lib.format.magic(1, 0) + b"\x76\x00" + header.ljust(117) + b"\n" + bytes(40)
    with zipfile.ZipFile(folder / "swaps0.npz", "w") as archive:
        archive.writestr("targets.npy", data)


def zip_bomb(folder):
    """Two megabytes that unpack to two gigabytes."""
    path = folder / "swaps0.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("targets.npy", "w", force_zip64=True) as file,
    ):
        for _ in range(33):
            file.write(bytes(64 << 20))


def pickled_npz(folder):
    np.savez(folder / "swaps0.npz", targets=np.array([{}], object))


def described(**changes):
    return edited("model.json", lambda content: content.update(changes))


def line(at: int, edit):
    def change(folder):
        lines = (folder / "scores.csv").read_text().splitlines()
        lines[at] = edit(lines[at])
        (folder / "scores.csv").write_text("\n".join(lines) + "\n")

    return change


SPLITS = b"split,animal,trial,start,stop,role,sees_input,sees_label\n"


def without_a_recording(folder):
    (folder / MANIFEST).unlink()
    lay_out(manifests_of(folder), folder / "dataset")


CASES = (
    Case(
        "missing",
        "a trial of the splits",
        without_a_recording,
        r"split table: trial 001 of Fly1 has no recording",
        {"stage": "neighbors"},
    ),
    Case(
        "missing",
        "a trial without a split",
        put("splits.csv", SPLITS + b"fold-0,Fly1,001,0,64,train,True,True\n"),
        r"split table: trial 002 of Fly1 is missing",
        {"stage": "neighbors"},
    ),
    Case(
        "missing",
        "the split itself",
        put("splits.csv", SPLITS + b"fold-1,Fly1,001,0,64,train,True,True\n"),
        r"split 'fold-0': not in the split table, expected one of fold-1",
        {"stage": "neighbors"},
    ),
    Case(
        "missing",
        "array of the dataset",
        lambda f: (f / "dataset/labels.npy").unlink(),
        r"labels\.npy: missing; delete dataset\.json",
        {"stage": "neighbors"},
    ),
    Case(
        "truncated",
        "array of the dataset",
        cut("dataset/neural.npy", 900),
        r"neural\.npy: changed or damaged",
        {"stage": "pretrain"},
    ),
    Case(
        "not such a file",
        "description of the dataset",
        put("dataset/dataset.json", b"[1, 2]"),
        r"dataset\.json: cannot be read as a dataset",
        {"stage": "neighbors"},
    ),
    Case(
        "wrong type",
        "an older version's folds for splits",
        put("splits.csv", b"animal,trial,fold\nFly1,001,0\n"),
        r"made by an older version, rerun rule splits",
        {"stage": "neighbors"},
    ),
    Case(
        "wrong type",
        "an older version's scores",
        put("scores.csv", b"dataset,method,task,fraction,fold,animal,seed,metric,value\n"),
        r"an older version",
        {"stage": "tables"},
    ),
    Case(
        "empty",
        "scores of a run",
        put("scores.csv", b""),
        r"scores\.csv: cannot be read as CSV",
        {"stage": "collect"},
    ),
    Case(
        "not such a file",
        "scores of a run",
        put("scores.csv", b"\xff\xfe\x00"),
        r"scores\.csv: cannot be read as CSV",
        {"stage": "collect"},
    ),
    Case(
        "missing",
        "column of a run's scores",
        put("scores.csv", b"method,value\nours,0.5\n"),
        r"scores\.csv: column 'dataset' is missing",
        {"stage": "collect"},
    ),
    Case("missing", "store", lambda f: shutil.rmtree(f / ZARR), r"cannot be opened as Zarr .*rule convert"),
    Case(
        "missing", "chunk", lambda f: (f / ZARR / "labels/c/0").unlink(), r"chunk 0 of labels does not match"
    ),
    Case(
        "missing",
        "kernel of a view",
        put("kernel.json", b"{}"),
        r"kernel\.json: cannot be read as a calcium",
        {"stage": "pretrain"},
    ),
    Case(
        "missing",
        "description of the model",
        lambda f: (f / "model.json").unlink(),
        r"cannot be loaded as a model",
        {"stage": "evaluate"},
    ),
    Case(
        "missing",
        "column of the scores",
        put("scores.csv", b"dataset,value\nx,1\n"),
        r"column 'protocol' is missing",
        {"stage": "tables"},
    ),
    Case(
        "missing",
        "row of the scores",
        lambda f: None,
        r"no score of method 'other'",
        {
            "stage": "tables",
            "methods": {**CONFIG["methods"], "other": {"label": "x", "representation": "raw"}},
        },
    ),
    Case("truncated", "manifest", cut(MANIFEST, 200), r"cannot be read as a manifest"),
    Case(
        "truncated",
        "chunk",
        cut(f"{ZARR}/behavior/c/0/0", 300),
        r"chunk 0 of behavior (cannot be read|does not match)",
    ),
    Case(
        "truncated",
        "swap table",
        cut("swaps0.npz", 700),
        r"swaps0\.npz: cannot be read as a swap table",
        {"stage": "pretrain"},
    ),
    Case(
        "truncated",
        "weights",
        cut("model.safetensors", 900),
        r"cannot be loaded as a model",
        {"stage": "evaluate"},
    ),
    Case(
        "truncated",
        "description of the model",
        cut("model.json", 90),
        r"cannot be loaded as a model",
        {"stage": "evaluate"},
    ),
    Case(
        "empty",
        "splits",
        put("splits.csv", b""),
        r"splits\.csv: cannot be read as splits",
        {"stage": "neighbors"},
    ),
    Case("empty", "manifest", put(MANIFEST, b""), r"cannot be read as a manifest"),
    Case(
        "empty", "scores", put("scores.csv", b""), r"scores\.csv: cannot be read as CSV", {"stage": "tables"}
    ),
    Case(
        "not such a file",
        "manifest that is a list",
        put(MANIFEST, b"[1, 2]"),
        r"cannot be read as a manifest",
    ),
    Case(
        "not such a file",
        "swap table",
        put("swaps0.npz", b"PK" + bytes(99)),
        r"cannot be read as a swap",
        {"stage": "pretrain"},
    ),
    Case(
        "not such a file",
        "weights",
        put("model.safetensors", b"\x80\x04N." * 9),
        r"cannot be loaded as a model",
        {"stage": "evaluate"},
    ),
    Case(
        "wrong type",
        "words for frames of a split",
        put("splits.csv", SPLITS + b"fold-0,Fly1,001,a,b,train,True,True\n"),
        r"cannot be read as splits",
        {"stage": "neighbors"},
    ),
    Case(
        "wrong type",
        "swaps of floats",
        arrays("swaps0.npz", lambda c: c.update(targets=c["targets"] * 0.5)),
        r"float64 of shape .*expected a swap table",
        {"stage": "pretrain"},
    ),
    Case(
        "wrong type",
        "word for a score",
        line(3, lambda text: text.replace("0.5,8,8", "half,8,8")),
        r"value is 'half', expected a number",
        {"stage": "tables"},
    ),
    Case(
        "wrong type",
        "integers for neural data",
        edited(MANIFEST, lambda c: c["arrays"]["neural"].update(dtype="int64")),
        r"neural is int64, expected float32",
    ),
    Case(
        "wrong shape",
        "neural frame of another animal",
        lambda f: store(f, "Fly2", "001", neural=np.random.default_rng(0).random((FRAMES, 5), dtype="f4")),
        r"neural frame \(6,\) differs from \(5,\) of the same animal",
    ),
    Case(
        "wrong shape",
        "swaps of fewer poses",
        arrays("swaps0.npz", lambda c: c.update(targets=c["targets"][:9])),
        r"9 poses of Fly1, Fly2, expected 256",
        {"stage": "pretrain"},
    ),
    Case(
        "wrong shape",
        "model of other windows",
        described(shapes={"frames": 16, "neural": [7], "poses": 4, "behavior": 3, "syllables": 0}),
        r"its description has",
        {"stage": "evaluate"},
    ),
    Case(
        "transposed",
        "swaps",
        arrays("swaps0.npz", lambda c: c.update(targets=c["targets"].T)),
        r"2 poses of Fly1, Fly2",
        {"stage": "pretrain"},
    ),
    Case(
        "NaN or infinity",
        "decay",
        put("kernel.json", b'{"decay": NaN}'),
        r"decay is nan, expected seconds",
        {"stage": "pretrain"},
    ),
    Case(
        "NaN or infinity",
        "score",
        line(3, lambda text: text.replace("0.5,8,8", "nan,8,8")),
        r"value is 'nan', expected a number",
        {"stage": "tables"},
    ),
    Case(
        "another's",
        "one recording four times",
        every(neural=np.ones((FRAMES, 6), "f4")),
        r"has the same neural data as",
    ),
    Case(
        "index out of range",
        "swap into nowhere",
        arrays("swaps0.npz", lambda c: c.update(targets=c["targets"] + 999)),
        r"swap target \d+, expected a number below 256",
        {"stage": "pretrain"},
    ),
    Case(
        "labels",
        "one class",
        lambda f: every_label(f, 1),
        r"every labelled window is rest, expected two",
        {"stage": "evaluate"},
    ),
    Case(
        "labels",
        "none at all",
        lambda f: every_label(f, -1),
        r"no task of across has labelled windows to train and test on",
        {"stage": "evaluate", "methods": {"swap_calcium": {**OURS, "tasks": ["across"]}}},
    ),
    Case(
        "labels",
        "scored class that is not there",
        lambda f: None,
        r"scored_classes: 'fly' is not one of walk, rest",
        {"stage": "neighbors", "windows": {"scored_classes": ["fly", "walk"]}},
    ),
    Case(
        "labels",
        "classes of another data set",
        lambda f: store(f, "Fly2", "001", class_names=("a", "b")),
        r"class_names \('a', 'b'\) differs",
    ),
    Case(
        "too little",
        "trials shorter than a window",
        short_trials,
        r"no trial of Fly2 has 16 consecutive neural frames",
        {"stage": "pretrain"},
    ),
    Case(
        "too little",
        "no trial as long as a window",
        lambda f: None,
        r"no trial has 500 consecutive neural",
        {"stage": "pretrain", "windows": {**CONFIG["windows"], "frames": 500}},
    ),
    Case(
        "twice",
        "row of the splits",
        lambda f: appended(f / "splits.csv", "fold-0,Fly1,001,0,64,train,True,True\n"),
        r"split fold-0: two pieces of Fly1/001 share frame 0",
        {"stage": "neighbors"},
    ),
    Case(
        "twice",
        "score",
        line(3, lambda text: f"{text}\n{text}"),
        r"row 4 repeats the score of an earlier row",
        {"stage": "tables"},
    ),
    Case("another's", "store copied to another animal", other_animal, r"has the same name as .*Fly1/002"),
    Case(
        "another's", "data of another animal", same_data, r"Fly2/002.* has the same neural data as .*Fly1/002"
    ),
    Case(
        "another's",
        "swap table of another run",
        other_run,
        r"swaps are with poses that this run hides",
        {"stage": "pretrain"},
    ),
    Case(
        "another's",
        "scores of another data set",
        line(2, lambda text: text.replace("broken", "fly")),
        r"dataset 'fly', expected 'broken'",
        {"stage": "tables"},
    ),
    Case(
        "another's",
        "attributes of a store",
        edited(f"{ZARR}/zarr.json", lambda c: c["attributes"].update(animal="Fly9")),
        r"attribute animal differs",
    ),
    Case(
        "name or path",
        "manifest that points elsewhere",
        edited(MANIFEST, lambda c: c.update(store="/etc")),
        r"store '/etc', expected a path inside the manifest's folder",
    ),
    Case(
        "unknown key",
        "domains",
        lambda f: None,
        r"neighbors\.domains: 'nobody', expected",
        {"stage": "neighbors", "neighbors": {"domains": "nobody"}},
    ),
    Case(
        "lying header",
        "fewer digests than chunks",
        edited(MANIFEST, lambda c: c["arrays"]["labels"].update(chunk=16)),
        r"labels has 1 digests, expected 4",
    ),
    Case(
        "lying header",
        "shape of the manifest alone",
        edited(MANIFEST, resized([60, 3])),
        r"array behavior is float32 \(64, 3\), expected",
    ),
    Case(
        "lying header",
        "store of a terabyte",
        claims(1 << 36),
        r"its files hold \d+ bytes, but its manifest claims",
    ),
    Case(
        "lying header", "negative shape", edited(MANIFEST, resized([-5, 3])), r"cannot be read as a manifest"
    ),
    Case(
        "lying header",
        "array of a terabyte in .npz",
        lying_npz,
        r"its header says int32 of shape",
        {"stage": "pretrain"},
    ),
    Case(
        "lying header",
        "archive that unpacks a thousandfold",
        zip_bomb,
        r"unpacks to 2214592512 bytes",
        {"stage": "pretrain"},
    ),
    Case(
        "lying header",
        "model of more layers than its weights",
        described(
            encoders={**CONFIG["encoders"], "neural": {**CONFIG["encoders"]["neural"], "layers": 10**12}}
        ),
        r"its description has 1000000000000 layers",
        {"stage": "evaluate"},
    ),
    Case(
        "lying header",
        "model larger than its weights",
        described(encoders={**CONFIG["encoders"], "head_hidden": 10**9}),
        r"its description has \(1000000000,",
        {"stage": "evaluate"},
    ),
    Case(
        "program",
        "objects in .npz",
        pickled_npz,
        r"swaps0\.npz: cannot be read as a swap table",
        {"stage": "pretrain"},
    ),
    Case(
        "program",
        "pickle for weights",
        put("model.safetensors", pickle.dumps({"a": 1})),
        r"cannot be loaded as a model",
        {"stage": "evaluate"},
    ),
    Case(
        "unknown key",
        "method",
        lambda f: None,
        r"method 'swap_calcium' is not one of",
        {"stage": "evaluate", "methods": {"other": OURS}},
    ),
)


def every_label(folder: Path, label: int) -> None:
    for animal in ANIMALS:
        for trial in TRIALS:
            store(folder, animal, trial, labels=np.full(SAMPLES, label, np.int8))


def appended(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)
