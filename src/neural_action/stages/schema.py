"""Stage: write the JSON schema of a configuration, for editors and for the Snakemake workflow catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neural_action.config.settings import Settings
from neural_action.files import write_text


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a dataset's configuration file, with types, bounds and defaults.

    The schema allows any mapping for each of the ``methods``: rows come from ``config/methods.yaml``, and a dataset's
    file may leave them out or change single keys. For the same reason no key of ``probes``, ``convert`` and
    ``encoders`` is required. It does not cover the parameters of encoders, which are checked against signatures when a
    file is read.
    """
    content = Settings.model_json_schema()
    content["required"] = [key for key in content["required"] if key not in ("methods", "encoders")]
    content["properties"]["methods"] = {
        "title": "Methods",
        "type": "object",
        "additionalProperties": {"type": "object"},
    }
    del content["$defs"]["MethodSettings"]
    for section in ("ProbeConfig", "ConvertSettings", "EncoderSettings"):
        del content["$defs"][section]["required"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content}


def run(output: Path) -> None:
    """Write the schema."""
    write_text(output, json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
