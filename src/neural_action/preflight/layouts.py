"""Folders in the layout of a reader of its own: a configuration is shipped for each of these."""

from __future__ import annotations

import shlex
from pathlib import Path

from neural_action.errors import InputError
from neural_action.recordings.readers import load_reader, reader_names


def refuse_layouts(folder: Path) -> dict[str, str]:
    """What readers say that know files of ``folder`` and cannot read them, by the reader's name.

    Raises InputError, which points to its configuration, where a reader reads the folder: rows, protocol and sizes for
    such recordings are chosen there, and a proposal would know nothing of them.
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
                f"{folder}: is read by the reader {name} ({module.EXPECTED}), for which there is a configuration; "
                f"nothing was written; {_use(name, folder)}"
            )
    return complaints


def complained(folder: Path, complaints: dict[str, str]) -> str:
    """A phrase for what readers say of a folder that they do not read, and for what their configurations make of it."""
    return "; ".join(
        f"the reader {name} says: {complaint}; {_use(name, folder)}" for name, complaint in complaints.items()
    )


def _use(name: str, folder: Path) -> str:
    raw, configuration = shlex.quote(str(folder)), getattr(load_reader(name), "CONFIGURATION", name)
    return f"use: snakemake --cores 2 --configfile config/{configuration}.yaml --config raw={raw}"
