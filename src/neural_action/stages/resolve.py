"""Stage: write the configuration of a run, complete, with package versions."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

import yaml

from neural_action import __version__
from neural_action.config.load import validate
from neural_action.config.sections import Sections
from neural_action.files import write_text

PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "zarr",
    "dask",
    "pynndescent",
    "scikit-learn",
    "hmmlearn",
    "pandas",
    "matplotlib",
)


def run(config: str, output: Path) -> None:
    """Write the configuration with all defaults filled in; comments at its top list the versions of ``PACKAGES``."""
    settings = validate(Sections(config).content).model_dump(mode="json")
    versions = {"neural-action": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in PACKAGES}
    header = "".join(f"# {name} {number}\n" for name, number in versions.items())
    write_text(output, header + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
