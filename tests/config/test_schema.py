"""The shipped JSON schema is current, and it accepts the shipped datasets, and refuses what a run refuses."""

import json
from pathlib import Path

import jsonschema
import pytest

from neural_action.config.load import read_yaml
from neural_action.stages.schema import run, schema

CONFIG = Path(__file__).resolve().parents[2] / "config"
#: The others change one of these.
DATASETS = [
    path.name
    for path in sorted(CONFIG.glob("*.yaml"))
    if {"dataset", "convert", "split"} <= set(read_yaml(path))
]


def test_the_shipped_schema_is_current(tmp_path):
    run(tmp_path / "schema.json")
    shipped = (CONFIG / "schema.json").read_text()
    assert shipped == (tmp_path / "schema.json").read_text(), (
        "out of date: neural-action schema --output config/schema.json"
    )


def test_it_is_a_schema_with_defaults():
    content = json.loads((CONFIG / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    assert content["properties"]["results"]["default"] == "results"
    assert content["$defs"]["TrainingSettings"]["properties"]["steps"]["default"] == 400
    assert "methods" not in content["required"]


@pytest.mark.parametrize("name", DATASETS)
def test_shipped_datasets_are_valid(name):
    jsonschema.validate(read_yaml(CONFIG / name), schema())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"seeds": []}, "seeds"),
        ({"split": {"folds": 1}}, "folds"),
        ({"realy": True}, ""),
        ({"raw": 3}, "raw"),
    ],
)
def test_what_the_configuration_refuses_is_refused(change, path):
    with pytest.raises(jsonschema.ValidationError) as refused:
        jsonschema.validate({**read_yaml(CONFIG / "config.yaml"), **change}, schema())
    assert path in "/".join(map(str, refused.value.absolute_path))
