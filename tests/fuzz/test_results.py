"""Files that stages hand on, and configurations, damaged at random: a line or a result, and soon."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "corpus"))

import broken_results
from damage import DAMAGE, fuzz, line, soon, spoiled
from neural_action.calcium.kernel import KernelFit
from neural_action.config.load import merged, read_yaml
from neural_action.config.plan import Plan
from neural_action.config.sections import Sections
from neural_action.datasets.layout import open_layout
from neural_action.datasets.split_table import SplitTable
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.samples import read_samples
from neural_action.recordings.store import read_recording
from neural_action.stages import collect
from neural_action.tables.pictures.runs import Run, read_logs
from running import ROOT


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Good results."""
    folder = tmp_path_factory.mktemp("results")
    broken_results.make(folder)
    return folder


READ = {
    "recordings/Fly1/001.manifest.json": read_recording,
    "recordings/Fly1/001.zarr/zarr.json": lambda path: read_recording(path.parents[1] / "001.manifest.json"),
    "recordings/Fly1/001.zarr/neural/zarr.json": lambda path: read_recording(
        path.parents[2] / "001.manifest.json"
    ),
    "recordings/Fly1/001.zarr/neural/c/0/0": lambda path: read_recording(
        path.parents[4] / "001.manifest.json"
    ),
    "splits.csv": SplitTable.read,
    "dataset/dataset.json": lambda path: open_layout(path.parent),
    "dataset/labels.npy": lambda path: open_layout(path.parent),
    "kernel.json": KernelFit.load,
    "swaps0.npz": SwapTable.load,
    "log.csv": lambda path: read_logs([path]),
    "scores.csv": lambda path: collect.run(path.with_name("collected.csv"), (path,)),
}


@pytest.mark.parametrize("name", READ)
@fuzz(120)
@given(damage=DAMAGE)
def test_what_stages_hand_on(results, name, damage):
    path = results / name
    good = path.read_bytes()
    try:
        path.write_bytes(spoiled(good, damage))
        soon()
        READ[name](path)
    except Exception as error:
        line(error)
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
@fuzz(80)
@given(damage=DAMAGE)
def test_models(results, name, damage):
    from neural_action.training.model import load_model

    good = (results / name).read_bytes()
    try:
        (results / name).write_bytes(spoiled(good, damage))
        soon()
        load_model(results / "model.safetensors")
    except Exception as error:
        line(error)
    finally:
        (results / name).write_bytes(good)


@fuzz(150)
@given(st.binary(max_size=300))
def test_embeddings_and_sheets_of_any_bytes(tmp_path, data):
    for read in (Run.load, read_samples, SplitTable.read, KernelFit.load, SwapTable.load, read_yaml):
        path = tmp_path / "any"
        path.write_bytes(data)
        soon()
        try:
            read(path)
        except Exception as error:
            line(error)


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["swap_calcium", "auto", "fly_walking", 1e-300, 1e300, 0, -1]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.text(max_size=5), st.sampled_from(["name", "label", "steps"])), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
GOOD = merged([ROOT / "config/methods.yaml", ROOT / "config/test/tiny.yaml"])


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Paths to every value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@fuzz(600)
@given(place=st.sampled_from(places(GOOD)[1:]), value=ANYTHING, also=st.booleans())
def test_configurations(place, value, also):
    config = json.loads(json.dumps(GOOD))
    parent: Any = config
    for key in place[:-1]:
        parent = parent[key]
    if also and isinstance(parent, dict):
        parent["new"] = value
    else:
        parent[place[-1]] = value
    soon()
    try:
        plan = Plan(config)
        for method in plan.methods:
            plan.depends_on.evaluate(method)
    except Exception as error:
        line(error)
    try:
        sections = Sections(json.dumps(config))
        for name in (
            "convert",
            "split",
            "windows",
            "training",
            "probes",
            "evaluation",
            "methods",
            "simulation",
        ):
            getattr(sections, name)
        sections.method("swap_calcium")
    except Exception as error:
        line(error)


def test_the_fuzzer_finds_what_is_planted(tmp_path):
    """Its damage reaches readers: an unguarded one raises something else than a line within few examples."""
    path = tmp_path / "folds.csv"
    path.write_text("animal,trial,fold\nFly1,001,0\n")
    good = path.read_bytes()

    @fuzz(60)
    @given(damage=DAMAGE)
    def unguarded(damage):
        for row in spoiled(good, damage).decode().splitlines()[1:]:
            int(row.split(",")[2])

    with pytest.raises((ValueError, IndexError, ExceptionGroup)):
        unguarded()
