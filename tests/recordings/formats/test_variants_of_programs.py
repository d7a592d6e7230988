"""Variants of files in docs/reference/formats.md that no other test makes, and the number of variants there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from held_variants import HELD

from neural_action.errors import InputError
from neural_action.preflight.folder import recognise
from neural_action.recordings.formats import load_format

TESTS = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).resolve().parents[3] / "docs/reference/formats.md"
X, Y = np.arange(20.0), 100 + np.arange(20.0)


def behavior(name, path, **options):
    module = load_format(name, "behavior", "test")
    return module.behavior(path, module.Options.parse(options, "test"))


def lightning(path, coords):
    """A prediction of Lightning Pose of two body parts; each column is its place among ``coords``."""
    lines = [
        ",".join(["scorer", *["heatmap_tracker"] * 2 * len(coords)]),
        ",".join(["bodyparts", *(part for part in ("nose", "tail") for _ in coords)]),
        ",".join(["coords", *coords * 2]),
    ]
    values = {"x": X, "y": Y, "likelihood": np.ones(20)}
    for at in range(20):
        row = [values.get(name, np.full(20, -9.0))[at] for name in coords] * 2
        lines.append(",".join([str(at), *map(str, row)]))
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("more", [
    [], ["x_ens_median", "y_ens_median", "x_ens_var", "y_ens_var", "x_posterior_var", "y_posterior_var"],
])  # fmt: skip
def test_lightning_pose_and_its_ensembles(tmp_path, more):
    path = tmp_path / "predictions.csv"
    lightning(path, ["x", "y", "likelihood", *more])
    assert recognise(path).format == "deeplabcut"
    found = behavior("deeplabcut", path)
    assert found.names == ("nose", "tail")
    np.testing.assert_array_equal(found.data, np.stack([np.stack([X, Y], 1)] * 2, 1))


def test_anipose_before_it_had_scores(tmp_path):
    columns = {f"nose_{axis}": values for axis, values in zip("xyz", (X, Y, X + Y), strict=True)}
    columns |= {"nose_error": np.ones(20), "nose_ncams": np.full(20, 2)}
    frames = pd.DataFrame({**columns, "fnum": 5 + np.arange(20)})
    frames.to_csv(tmp_path / "pose.csv", index=False)
    found = behavior("anipose", tmp_path / "pose.csv", min_score=0)
    np.testing.assert_array_equal(found.data[:, 0], np.stack([X, Y, X + Y], 1))
    np.testing.assert_array_equal(found.frames, 5 + np.arange(20))
    with pytest.raises(InputError, match="score"):
        behavior("anipose", tmp_path / "pose.csv", min_score=0.5)


#: Files that lie beside poses and are none.
BESIDE = {
    "vDLC_resnet50_skeleton.csv": ",nose_tail,nose_tail,nose_tail\n,length,orientation,likelihood\n"
    + "".join(f"{at},3.5,0.1,0.99\n" for at in range(20)),
    "predictions.analysis.csv": "track,frame_idx,instance.score,nose.x,nose.y,nose.score\n"
    + "".join(f",{at},0.9,1.5,2.5,0.9\n" for at in range(20)),
    "vDLC_resnet50_meta.pickle": "\x80\x04}.",
    "vDLC_resnet50_full.pickle": "\x80\x04}.",
    "vDLC_resnet50_assemblies.pickle": "\x80\x04}.",
    "day1.boris": '{"observations": {}}',
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_poses_is_no_behaviour(tmp_path, name):
    path = tmp_path / name
    path.write_text(BESIDE[name], encoding="latin-1")
    found = recognise(path)
    assert found is None or not {"behavior", "neural"} & set(found.roles)


def lines():
    """(program, layout, what happens) of each line of the page's tables of programs."""
    found = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ]
    return [(row[0], row[2], row[3]) for row in found if len(row) == 4 and row[0] != "program"]


def test_the_page_lists_variants_of_many_programs():
    told = [row for row in lines() if re.search(r"\*\*read\*\*|\*(refused|asked|not known)\*", row[2])]
    assert len(told) >= 40
    assert len({re.split(r"[ :(,]", row[0])[0] for row in lines()}) >= 14


def test_every_variant_that_is_read_or_refused_has_a_test():
    told = [row[:2] for row in lines() if re.search(r"\*\*read\*\*|\*(refused|asked)\*", row[2])]
    held = [row for rows in HELD.values() for row in rows]
    assert sorted(held) == sorted(told)
    written = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert [name for name in HELD if f"def {name}(" not in written] == []
