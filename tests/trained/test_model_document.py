"""docs/model.md, example by example."""

import re
import shlex
from pathlib import Path

from neural_action.cli import commands

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/model.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.S)


def test_every_python_example_runs(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"RUN": made.model.parent, "NEW": made.manifests["C"]}
    names["KNOWN"] = [*made.manifests["A"], *made.manifests["B"]]
    assert len(examples("python")) == 5
    for text in examples("python"):
        exec(compile(text, "docs/model.md", "exec"), names)
    assert len(names["values"]) == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        *("adapted.safetensors", "adapted.json", "embedding.parquet", "embedding.nwb", "embedding.npz"),
    }


def test_every_command_runs(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (text,) = examples("sh")
    known = " --known ".join(map(str, (*made.manifests["A"], *made.manifests["B"])))
    words = {"RUN": str(made.model.parent), "NEW": " ".join(map(str, made.manifests["C"])), "KNOWN": known}
    for line in text.strip().splitlines():
        program, *arguments = shlex.split(re.sub(r"\b(RUN|NEW|KNOWN)\b", lambda found: words[found[1]], line))
        assert program == "neural-action"
        # In this process: importing torch anew for each takes seconds.
        commands.main(arguments, standalone_mode=False)
        if arguments[0] == "score":
            assert 0.5 < float(capsys.readouterr().out) <= 1
    assert (tmp_path / "embedding.nc").exists()
    assert (tmp_path / "embedding.parquet").exists()
