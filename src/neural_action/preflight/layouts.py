"""Folders in a layout that has its own reader: the package has a configuration for each of these."""

from __future__ import annotations

import shlex
from pathlib import Path

from neural_action.errors import InputError
from neural_action.recordings.readers import load_reader, reader_names


def refuse_layouts(folder: Path) -> dict[str, str]:
    """Errors of readers that cannot read ``folder``, by the reader's name.

    InputError if a reader can read the folder. It names the reader's configuration, which holds rows, protocol and
    sizes chosen for such recordings; a proposal cannot know these.
    """
    complaints = {}
    for name in reader_names():
        module = load_reader(name)
        if getattr(module, "CONFIGURATION", name) is None:
            continue
        try:
            options = module.Options.parse({})
            rows = module.scan(folder, options)
            if rows:
                module.read(folder, rows[0], options, None)
        except InputError as error:
            complaints[name] = str(error)
            continue
        if rows:
            raise InputError(
                f"{folder}: reader {name} reads it ({module.EXPECTED}) and has its own configuration; "
                f"nothing was written; {_use(name, folder)}"
            )
    return complaints


def complained(folder: Path, complaints: dict[str, str]) -> str:
    """Phrase with the errors of ``refuse_layouts``, and the command that uses each reader's configuration."""
    return "; ".join(
        f"reader {name}: {complaint}; {_use(name, folder)}" for name, complaint in complaints.items()
    )


def _use(name: str, folder: Path) -> str:
    raw, configuration = shlex.quote(str(folder)), getattr(load_reader(name), "CONFIGURATION", name)
    return f"use: snakemake --cores 2 --configfile config/{configuration}.yaml --config raw={raw}"
