"""Pictures from raw files to tables: digits at a small size, and CIFAR-10 where it is."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from neural_action.files import load_npz
from neural_action.tables.pictures.mined import read_mined, shares
from running import snakemake

pytestmark = pytest.mark.workflow
ROWS = ["chance", "pixels", "simclr", "byol", "myow"]
SMALL = {
    "rows": ROWS,
    "convert": {"reader_options": {"of_each_class": 12}},
    "training": {"steps": 6, "batch": 32},
    "methods": {"myow": {"objective": {"pool": 40}}},
    "probes": {"linear": {"epochs": 30, "milestones": [20]}},
    "tables": {"references": ["pixels", "byol"]},
}


def run(results: Path, dataset: str, changes: dict, *arguments: str, **config: str) -> str:
    changed = results / "changes.yaml"
    changed.write_text(yaml.safe_dump(changes))
    given = [f"{key}={value}" for key, value in {"results": results, **config}.items()]
    done = snakemake(
        *("--cores", "2", "--configfile", f"config/{dataset}.yaml", str(changed)),
        *("--config", *given, *arguments),
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """A finished run on twelve digits of each class and part."""
    folder = tmp_path_factory.mktemp("pictures")
    run(folder, "digits", SMALL)
    return folder / "digits"


def test_every_probe_reads_every_row_and_test_pictures_are_scored_one_by_one(digits):
    scores = pd.read_csv(digits / "scores.csv", dtype={"unit": str}, keep_default_na=False)
    scores = scores[scores["layer"] != "projection"]
    assert set(map(tuple, scores[["method", "probe"]].drop_duplicates().to_numpy())) == {
        (row, probe) for row in ROWS for probe in ("linear", "knn")
    }
    assert set(scores["task"]) == {"decoding"}
    assert set(scores["animal"]) == {"digits"}
    own = scores[(scores["metric"] == "accuracy") & (scores["probe"] == "linear")]
    whole = own[own["unit"] == ""]
    # A tenth of each class of the training part validates.
    assert (whole["n_train"] == 108).all()
    assert (whole["n_test"] == 120).all()
    assert (own[own["unit"] != ""].groupby("method")["value"].count() == 120).all()
    accuracy = whole.set_index("method")["value"]
    assert accuracy["pixels"] > 0.6 > 0.3 > accuracy["chance"]


def test_tables_pictures_and_pages_are_made(digits):
    cells = pd.read_csv(digits / "tables/image_recognition.csv")
    assert set(cells["animal"]) == {"digits"}
    assert cells["published"].isna().all()
    text = (digits / "tables/image_recognition.md").read_text()
    assert "a linear layer trained for up to 30 epochs" in text
    assert "Learning rate and epoch are chosen on validation windows" in text
    assert "monkey" not in text
    for picture in ("scores", "training", "mined", "confusion", "embedding", "statistics"):
        assert (digits / f"figures/{picture}.png").stat().st_size > 5000
    assert "SimCLR" not in (page := (digits / "explore.html").read_text())
    assert "MYOW" in page
    splits = pd.read_csv(digits / "splits.csv")
    assert (splits[splits["role"] == "test"]["trial"] == "test").all()
    assert not splits[splits["role"] == "test"]["sees_input"].any()


def test_pictures_are_laid_out_as_shares_of_one(digits):
    neural = np.load(digits / "dataset/neural.npy")
    assert neural.shape == (240 * 64,)
    assert 0 <= neural.min() < neural.max() == 1
    found = load_npz(digits / "models/byol/published-digits/seed-0/embedding.npz", "encoder", "role")
    assert found["encoder"].shape == (240, 128)


def test_two_hundred_classes_from_their_archive_to_the_table(tmp_path):
    rng = np.random.default_rng(0)
    root = tmp_path / "raw"
    for number in range(200):
        for part, pictures in (("train", 4), ("test", 1)):
            for at in range(pictures):
                path = root / part / f"n{number:03}" / f"{at}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                # A colour for each class, which pixels tell.
                colour = np.random.default_rng(number).integers(30, 226, 3)
                noise = rng.integers(-20, 21, (8, 8, 3))
                Image.fromarray((colour + noise).astype(np.uint8)).save(path)
    changes = {
        "rows": ["chance", "pixels", "myow"],
        "training": {"steps": 4, "batch": 64, "device": "cpu", "request_gpu": False},
        "encoders": {"neural": {"name": "image_cnn", "width": 8, "layers": 2}, "dimension": 32},
        "methods": {
            "myow": {"objective": {"hidden": 32, "projection": 16, "mined_hidden": 16, "start": 0.0}}
        },
        "split": {"train": 0.7, "validation": 0.25},
        "probes": {"linear": {"epochs": 20, "milestones": [15]}},
        "tables": {"references": ["pixels"]},
    }
    run(tmp_path, "tiny_imagenet", changes, raw=str(root))
    folder = tmp_path / "tiny_imagenet"
    cells = pd.read_csv(folder / "tables/image_recognition.csv")
    cells = cells[(cells["metric"] == "accuracy") & (cells["probe"] == "knn") & cells["reference"].isna()]
    assert cells.set_index("method").loc["pixels", "mean"] > 0.3
    mined = pd.read_csv(folder / "models/myow/published-tiny_imagenet/seed-0/mined.csv")
    assert len(set(mined["anchor"])) > 60
    assert (folder / "figures/mined.png").stat().st_size > 5000


@pytest.mark.real_data
def test_five_thousand_pictures_of_cifar_10_for_ten_epochs(tmp_path):
    """All of the real run but its size: a small network, because ResNet-18 would take hours without a GPU."""
    if not (folder := os.environ.get("NEURAL_ACTION_DATA")):
        pytest.skip("NEURAL_ACTION_DATA names no folder of real recordings")
    heads = {"hidden": 256, "projection": 64}
    changes = {
        "rows": ["chance", "untrained", "byol", "myow"],
        "convert": {"reader_options": {"path": "cifar10_jpeg.tar.xz", "of_each_class": 500}},
        # 10 epochs of 39 batches of the 5,000 training pictures.
        "training": {"steps": 390, "batch": 128, "learning_rate": 0.2, "device": "cpu", "request_gpu": False},
        "encoders": {"neural": {"name": "image_cnn", "width": 16, "layers": 3}, "dimension": 64},
        "methods": {
            "untrained": {"objective": heads},
            "byol": {"objective": heads},
            "myow": {"objective": {**heads, "mined_hidden": 128, "mined_dimension": 32, "pool": 256}},
        },
        "probes": {"linear": {"epochs": 20, "milestones": [15]}},
        "tables": {"references": ["untrained", "byol"]},
        "explore": {"points": 1000},
    }
    run(tmp_path, "cifar10", changes, raw=f"{folder}/images")
    results = tmp_path / "cifar10"
    cells = pd.read_csv(results / "tables/image_recognition.csv")
    cells = cells[(cells["metric"] == "accuracy") & (cells["probe"] == "linear") & cells["reference"].isna()]
    cells = cells.set_index("method")
    assert cells.loc["byol", ["published", "elsewhere"]].tolist() == [0.9171, 0.9258]
    assert cells.loc["chance", "mean"] < 0.15
    for row in ("byol", "myow"):
        assert cells.loc[row, "mean"] > cells.loc["untrained", "mean"]
        log = pd.read_csv(results / f"models/{row}/published-cifar10/seed-0/log.csv")
        assert log["loss"].iloc[-1] < log["loss"].iloc[0]
    mined = read_mined([results / "models/myow/published-cifar10/seed-0/mined.csv"])
    share = shares(mined)
    assert (share["itself"] == 0).all()
    assert share["same"].iloc[-1] > 1.5 * share["chance"].iloc[-1]


@pytest.mark.real_data
def test_a_few_pictures_of_cifar_10_through_resnet(tmp_path):
    if not (folder := os.environ.get("NEURAL_ACTION_DATA")):
        pytest.skip("NEURAL_ACTION_DATA names no folder of real recordings")
    changes = {
        "rows": ["chance", "pixels", "myow", "myow_as_released"],
        "convert": {"reader_options": {"path": "cifar10_jpeg.tar.xz", "of_each_class": 20}},
        "training": {"steps": 2, "batch": 8, "learning_rate": 0.05, "device": "cpu"},
        "methods": {
            "myow": {"objective": {"pool": 8, "start": 0.0}},
            "myow_as_released": {"objective": {"pool": 0, "start": 0.0}},
        },
        "tables": {"references": ["pixels"]},
    }
    run(tmp_path, "cifar10", changes, raw=f"{folder}/images")
    cells = pd.read_csv(tmp_path / "cifar10/tables/image_recognition.csv")
    cells = cells[(cells["metric"] == "accuracy") & (cells["probe"] == "linear") & cells["reference"].isna()]
    assert cells.set_index("method").loc["myow", "published"] == 0.921
    pixels = cells.set_index("method").loc["pixels", "mean"]
    assert pixels > 0.15
