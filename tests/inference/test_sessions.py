"""Sessions with units of their own in one network: trained, used, and given a session that is new."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import neural_action
from neural_action.config.settings import ComponentConfig, SplitSettings
from neural_action.datasets.dataset import Source, side_by_side
from neural_action.datasets.layout import lay_out
from neural_action.datasets.protocols import split_table
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import read_recording, write_store
from neural_action.stages.pretrain import run as pretrain
from neural_action.training.sessions import with_session

UNITS = {"one": 9, "two": 6, "new": 7}
TRIALS, BINS = 24, 5
CONFIG = {
    "dataset": "made_up",
    "split": {"protocol": "repeated", "repeats": 2},
    "windows": {"frames": 1, "poses": 1, "behavior_stride": 1},
    "training": {"steps": 10, "batch": 32, "checkpoint_every": 100},
    "encoders": {
        "neural": {"name": "mlp", "width": 8, "layers": 1},
        "behavior": {"name": "pose_cnn", "width": 8, "layers": 1, "kernel": 1},
        "dimension": 5,
    },
    "methods": {
        "myow_together": {
            "label": "MYOW, sessions together",
            "sessions": "together",
            "objective": {"name": "myow", "hidden": 16, "mined_dimension": 4},
            "augmentations": {
                "neural": [{"name": "dropout"}, {"name": "pepper"}, {"name": "noise", "sd": 1.5}],
                "shift": 2,
            },
        },
    },
}


def reaches(animal: str) -> Recording:
    """Trials of 5 bins in four directions, to which units are tuned."""
    rng = np.random.default_rng(UNITS[animal])
    segment = np.repeat(np.arange(TRIALS, dtype=np.int32), BINS)
    time = 0.1 * (np.arange(len(segment)) + 10 * segment)
    label = (segment % 4).astype(np.int8)
    tuned = 5 + 4 * np.cos(np.pi * label[:, None] / 2 - rng.uniform(0, 2 * np.pi, UNITS[animal]))
    return Recording(
        animal=animal,
        trial="reaches",
        neural=rng.poisson(tuned).astype(np.float32),
        neural_time=time,
        behavior=rng.standard_normal((len(time), 2)).astype(np.float32),
        behavior_time=time,
        labels=label,
        neural_index=np.arange(len(time), dtype=np.int32),
        class_names=("a", "b", "c", "d"),
        behavior_names=("x", "y"),
        neural_rate=10.0,
        behavior_rate=10.0,
        segment=segment,
        segment_names=tuple(f"{at:03d}" for at in range(TRIALS)),
        units={"neural": "Hz", "behavior": "cm"},
    )


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    for animal in UNITS:
        where = folder / animal
        write_store(
            reaches(animal),
            where / "r.zarr",
            where / "r.manifest.json",
            dataset="made_up",
            steps={},
            chunk_mb=1.0,
        )
    return {animal: folder / animal / "r.manifest.json" for animal in UNITS}


@pytest.fixture(scope="module")
def model(manifests, tmp_path_factory):
    """Trained on two sessions together, and opened at its second split."""
    folder = tmp_path_factory.mktemp("model")
    known = (manifests["one"], manifests["two"])
    settings = SplitSettings.model_validate(CONFIG["split"])
    table = split_table([read_recording(p, with_neural=False) for p in known], settings)
    table.write(folder / "splits.csv")
    lay_out(known, folder / "dataset")
    pretrain(
        config=json.dumps(CONFIG),
        method="myow_together",
        source=Source(folder / "dataset", folder / "splits.csv", ("repeat-0", "repeat-1"), joint=True),
        seed=0,
        kernel=None,
        swaps=None,
        syllables=None,
        threads=1,
        output=folder / "model.safetensors",
        log=folder / "log.csv",
    )
    with pytest.raises(InputError, match="a model for each of repeat-0, repeat-1; name one"):
        neural_action.load_model(folder)
    with pytest.raises(InputError, match="no repeat-2"):
        neural_action.load_model(folder, split="repeat-2")
    return neural_action.load_model(folder, split="repeat-1")


def test_each_session_is_embedded_by_its_own_first_layer(model, manifests):
    assert model.description["animals"] == ["one", "two"]
    for animal in ("one", "two"):
        embedding = model.transform(manifests[animal])
        assert embedding.values.shape == (TRIALS * BINS, 5)
        assert np.isfinite(embedding.values).all()
        assert np.ptp(embedding.values, 0).min() > 0
    with pytest.raises(InputError, match="animal new, the model only has units of one, two"):
        model.transform(manifests["new"])
    whole = reaches("one")
    with pytest.raises(InputError, match=r"neural frames of shape \(3,\), the model was trained on \(9,\)"):
        model.transform(replace(whole, neural=whole.neural[:, :3]))


def test_a_new_session_gets_a_first_layer_and_learns(model, manifests, tmp_path):
    before = {name: value.clone() for name, value in model.objective.state_dict().items()}
    known = [manifests["one"], manifests["two"]]
    adapted = model.adapt(manifests["new"], known, steps=20)
    assert adapted.objective.shapes.sessions == (("one", 9), ("two", 6), ("new", 7))
    after = adapted.objective.state_dict()
    assert after["f_n.layers.0.weight"].shape == (8, 22)
    # What is not the neural encoder stays the reference; the statistics of units that were known stay too.
    for name, value in before.items():
        if name.startswith(("predictor", "mined_p")) and "running" not in name and "num_batches" not in name:
            assert (after[name] == value).all(), name
    assert (after["f_n.scale.mean"][:15] == before["f_n.scale.mean"]).all()
    rates = reaches("new").neural
    assert np.allclose(after["f_n.scale.mean"][15:], rates.mean(0), atol=1e-4)
    # It goes by file like any other, and reads all three.
    adapted.save(tmp_path / "adapted.safetensors")
    again = neural_action.load_model(tmp_path / "adapted.safetensors")
    for animal in UNITS:
        expected = adapted.transform(manifests[animal]).values
        np.testing.assert_allclose(again.transform(manifests[animal]).values, expected, atol=1e-6)
    with pytest.raises(InputError, match="one is both the new animal and a known one"):
        model.adapt(manifests["one"], steps=1)


def test_before_it_learns_known_sessions_are_embedded_as_they_were(model, manifests):
    sessions = (*model.objective.shapes.sessions, ("new", 7))
    frames = torch.from_numpy(side_by_side(reaches("new").neural, sessions, "new"))
    named = ComponentConfig.model_validate(model.description["objective"])
    wider = with_session(model.objective, named, sessions, frames, torch.arange(len(frames)), seed=3)
    for animal in ("one", "two"):
        own = torch.from_numpy(side_by_side(reaches(animal).neural, sessions, animal))[:, None]
        with torch.inference_mode():
            found = wider.embed(own)["encoder"].numpy()
        np.testing.assert_allclose(found, model.transform(manifests[animal]).values, atol=1e-5)
