"""An encoder as ONNX gives the embeddings that the model gives."""

import json
import subprocess
import sys

import numpy as np
import pytest

from neural_action import load_model
from neural_action.errors import InputError
from neural_action.inference.onnx import export
from neural_action.recordings.store import read_recording

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("layer", ["encoder", "projection"])
def test_onnxruntime_gives_the_same_embeddings(made, tmp_path, layer):
    model, manifest = load_model(made.model), made.manifests["A"][0]
    export(model, tmp_path / "a.onnx", layer)
    session = runtime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    frames = model.description["windows"]["frames"]
    neural = np.asarray(read_recording(manifest).neural, np.float32)
    expected = model.transform(manifest, stride=3, layer=layer)
    windows = np.stack([neural[at : at + frames] for at in range(0, len(neural) - frames + 1, 3)])
    for count in (1, len(windows)):
        (found,) = session.run([layer], {"windows": windows[:count]})
        np.testing.assert_allclose(found, expected.values[:count], rtol=1e-4, atol=1e-5)
    about = json.loads(session.get_modelmeta().custom_metadata_map["neural_action"])
    assert about["windows"]["frames"] == frames
    assert about["recordings"]["neural_rate"] == model.description["recordings"]["neural_rate"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx"]


def test_what_cannot_be_exported(made, tmp_path):
    model = load_model(made.model)
    with pytest.raises(InputError, match=r"expected \.onnx"):
        export(model, tmp_path / "a.pt")
    with pytest.raises(InputError, match="layer: 'head' is not one of encoder, projection"):
        export(model, tmp_path / "a.onnx", "head")
    assert not list(tmp_path.iterdir())


def test_the_command(made, tmp_path):
    command = [sys.executable, "-m", "neural_action", "export", "--model", str(made.model.parent)]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "a.onnx")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert (tmp_path / "a.onnx").stat().st_size > 0
