"""Stage: the JSON schema of a configuration, for editors and for the catalogue of workflows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neural_action.config.settings import Settings
from neural_action.files import whole


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a dataset's file, with types, bounds and defaults.

    The rows, ``methods``, come from ``config/methods.yaml``: a dataset may leave them out, or change some keys of one.
    Parameters of objectives, encoders and augmentations are not in it: their signatures are checked when a file
    is read.
    """
    content = Settings.model_json_schema()
    content["required"] = [key for key in content["required"] if key != "methods"]
    for name in ("MethodSettings", "FeatureSettings"):
        content["$defs"][name].pop("required", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content}


def run(output: Path) -> None:
    """Write the schema."""
    with whole(output) as partial:
        partial.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
