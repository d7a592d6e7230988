"""docs/tutorials/model.md, example by example."""

import re
import shlex
import shutil
from pathlib import Path

from neural_action.cli.main import commands

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/tutorials/model.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.S)


def test_every_python_example_runs(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"RUN": made.model.parent, "NEW": made.manifests["C"]}
    names["KNOWN"] = [*made.manifests["A"], *made.manifests["B"]]
    assert len(examples("python")) == 6
    for text in examples("python"):
        exec(compile(text, "docs/tutorials/model.md", "exec"), names)
    assert len(names["values"]) == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        *("adapted.safetensors", "adapted.json", "embedding.parquet", "embedding.nwb", "embedding.npz"),
    }


def test_every_command_runs(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = examples("sh")
    words = {"RUN": str(made.model.parent)}
    for word, animal in (("NEW", "C"), ("KNOWN", "A"), ("KNOWN2", "B")):
        folder = tmp_path / animal
        folder.mkdir()
        for manifest in made.manifests[animal]:
            shutil.copy(manifest, folder)
            name = f"{manifest.name.removesuffix('.manifest.json')}.zarr"
            shutil.copytree(manifest.with_name(name), folder / name)
        words[word] = animal
    for line in text.strip().splitlines():
        program, *arguments = shlex.split(
            re.sub(r"\b(RUN|NEW|KNOWN2?)\b", lambda found: words[found[1]], line)
        )
        assert program == "neural-action"
        # In this process: importing torch anew for each takes seconds.
        commands.main(arguments, standalone_mode=False)
        if arguments[0] == "score":
            said = capsys.readouterr()
            assert 0.5 < float(said.out) <= 1
            probe = "4 recordings of A, B" if "--train" in arguments else "the other trials"
            assert f"on 2 recordings of C, linear probe trained on {probe}" in said.err
    assert (tmp_path / "embedding.nc").exists()
    assert (tmp_path / "embedding.parquet").exists()
