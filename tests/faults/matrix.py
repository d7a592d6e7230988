"""Stages x faults: where and how a stage is interrupted, and the outcome; docs/development/faults.md shows them."""

from __future__ import annotations

from dataclasses import dataclass

RUN = "models/swap_calcium/fold-0/seed-0"


@dataclass(frozen=True)
class Stage:
    """A job of the tiny workflow, and where in its middle it is stopped.

    Attributes:
        command: of the package.
        outputs: below the results folder of the data set.
        half: event and file at which signals strike: part of what the job makes is there, part is not. A number says
            how many such events come before.
        write: the opening of an output at which a disk is found full or read-only.
    """

    command: str
    outputs: tuple[str, ...]
    half: tuple[str, str, int]
    write: tuple[str, str, int]


TRAINED = (f"{RUN}/model.safetensors", f"{RUN}/model.json", f"{RUN}/log.csv")
TABLES = tuple(
    f"tables/{table}.{form}"
    for table in ("action_recognition", "identity_recognition", "continuous", "consistency")
    for form in ("csv", "md", "tex", "html")
)
FIGURES = tuple(
    f"figures/{name}.png"
    for name in (
        *("scores", "continuous", "confusion", "statistics", "neighbors", "consistency", "training"),
        "embedding",
    )
)
STAGES = {
    "simulate": Stage("simulate", ("raw/Fly2",), ("open", "2p_dff.mm", 1), ("open", "2p_dff.mm", 1)),
    "convert": Stage(
        "convert",
        ("recordings/Fly2/002.zarr", "recordings/Fly2/002.manifest.json"),
        ("open", "/behavior/c/", 0),
        ("open", "/neural/c/", 0),
    ),
    "dataset": Stage(
        "dataset",
        (
            "dataset/dataset.json",
            *(
                f"dataset/{name}.npy"
                for name in ("neural", "neural_time", "behavior", "behavior_time", "labels", "neural_index")
            ),
        ),
        ("os.rename", "dataset.json", 0),
        ("open", ".behavior.npy.", 0),
    ),
    "calcium (kernel)": Stage(
        "calcium",
        ("calcium/fold-0.json", "calcium/fold-0.png"),
        ("os.rename", "fold-0.png", 0),
        ("open", ".fold-0.png.", 0),
    ),
    "neighbors (index)": Stage(
        "neighbors",
        ("neighbors/default/fold-0.npz", "neighbors/default/fold-0.json"),
        ("os.rename", "fold-0.json", 0),
        ("open", ".fold-0.npz.", 0),
    ),
    "syllables": Stage(
        "syllables",
        ("syllables/default/fold-0.npz", "syllables/default/fold-0.json"),
        ("os.rename", "fold-0.json", 0),
        ("open", ".fold-0.npz.", 0),
    ),
    "pretrain, between checkpoints": Stage(
        "pretrain", TRAINED, ("after os.rename", "checkpoint.pt", 0), ("open", ".checkpoint.pt.", 0)
    ),
    "pretrain, inside a checkpoint": Stage(
        "pretrain", TRAINED, ("open", ".checkpoint.pt.", 0), ("open", ".checkpoint.pt.", 0)
    ),
    "pretrain, writing the model": Stage(
        "pretrain", TRAINED, ("os.rename", "model.safetensors", 0), ("open", ".model.safetensors.", 0)
    ),
    "evaluate (probing)": Stage(
        "evaluate",
        (f"{RUN}/scores.csv", f"{RUN}/embedding.npz"),
        ("os.rename", "embedding.npz", 0),
        ("open", ".embedding.npz.", 0),
    ),
    "collect": Stage(
        "collect",
        ("scores.csv",),
        ("os.rename", "/scores.csv", 0),
        ("open", ".scores.csv.", 0),
    ),
    "consistency": Stage(
        "consistency",
        ("consistency.csv",),
        ("os.rename", "/consistency.csv", 0),
        ("open", ".consistency.csv.", 0),
    ),
    "tables": Stage(
        "tables",
        TABLES,
        ("os.rename", "identity_recognition.md", 0),
        ("open", ".identity_recognition.html.", 0),
    ),
    "diagnose": Stage(
        "diagnose",
        tuple(f"diagnostics/diagnostics.{form}" for form in ("json", "html", "png")),
        ("os.rename", "diagnostics.html", 0),
        ("open", ".diagnostics.html.", 0),
    ),
    "figures": Stage("figures", FIGURES, ("os.rename", "confusion.png", 0), ("open", ".confusion.png.", 0)),
}

#: What strikes, and what is then seen. After each the same command makes the same files as an undisturbed run.
FAULTS = {
    "kill -9 of the workflow": "the job ends by itself within a second; the next start removes the stale lock",
    "kill -9 of the job (its shell)": "the orphaned worker ends without publishing; Snakemake fails the job",
    "kill -9 of the worker": "Snakemake fails the job and removes its outputs",
    "SIGTERM to the workflow": "the running job is finished, no other is started",
    "SIGINT to all (Ctrl-C)": "the job removes its temporary files, Snakemake its outputs",
    "disk full": "the job ends with one line; once there is space, the same command",
    "disk read-only": "the job ends with one line; once it can be written to, the same command",
}
