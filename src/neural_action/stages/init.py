"""Command: look at a folder and write a configuration and a samples table for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import TypeAdapter, ValidationError

from neural_action.config.kinds import Dataset
from neural_action.errors import InputError
from neural_action.files import atomic_write, write_text
from neural_action.preflight.folder import look, unrecognised
from neural_action.preflight.proposal import FOLDS, Proposal, propose
from neural_action.preflight.written import configuration
from neural_action.recordings.samples import check_rows, write_samples

#: Options whose values are path patterns.
_PATTERNS = ("path", "times", "sync", "index", "neural_events", "behavior_events")


def run(
    folder: Path,
    output: Path | None,
    name: str | None,
    neural_rate: float | None,
    behavior_rate: float | None,
    option: tuple[str, ...],
    force: bool,
) -> None:
    """Print what ``folder`` holds; write ``output`` (default ``<name>.yaml``) and a samples table in its folder.

    The samples table has the name of ``output`` with ``_recordings.csv`` instead of the suffix. InputError if a file
    exists (without ``force``), or if the files and options lack something that a run needs; then nothing is written.
    """
    dataset = _name(name, folder)
    given = dict(map(_option, option))
    output = output or Path(f"{dataset}.yaml")
    samples = output.with_name(f"{output.stem}_recordings.csv")
    for path in (output, samples):
        if path.exists() and not force:
            raise InputError(f"{path}: exists, expected a new file (--output); add --force to overwrite it")
    found = look(folder)
    click.echo(f"{folder} holds")
    for kind, items in _by_kind(found).items():
        click.echo(f"  {len(items)} x {kind}, such as {_below(items[0].path, folder)}")
    if not found:
        click.echo("  no files of a format that init combines")
    for suffix, paths in unrecognised(folder, found).items():
        click.echo(
            f"  not recognised, so read only if an option names it: {len(paths)} x {suffix}, such as "
            f"{_below(paths[0], folder)}"
        )
    proposal = propose(folder, found, FOLDS, neural_rate, behavior_rate, given)
    rows = check_rows(proposal.rows, str(folder))
    text = configuration(proposal, dataset=dataset, raw=folder, samples=samples)
    with atomic_write(samples) as partial:
        write_samples(rows, partial)
    write_text(output, text)
    _say(proposal, output, samples)


def _name(name: str | None, folder: Path) -> str:
    """The name of the dataset, by default from the folder's. InputError if the configuration does not allow it."""
    if name is None:
        return re.sub(r"[^A-Za-z0-9_-]+", "_", folder.resolve().name).strip("_") or "mine"
    try:
        return TypeAdapter(Dataset).validate_python(name)
    except ValidationError:
        raise InputError(f"--name: {name!r}, expected letters, digits, underscore and hyphen") from None


def _option(text: str) -> tuple[str, Any]:
    """Key and value of ``KEY=VALUE``; the value is parsed as YAML."""
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", key):
        raise InputError(f"--option {text!r}: expected KEY=VALUE, such as align.offset=2.5")
    # Not YAML: names is a regular expression, and a leading {path} would be a mapping.
    if key == "names" or value.startswith(("{path}", "{animal}", "{trial}")):
        return key, value
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        # A leading asterisk in a path pattern is an alias in YAML.
        if key.rsplit(".", 1)[-1] in _PATTERNS:
            return key, value
        raise InputError(f"--option {text!r}: not YAML ({error})") from None


def _below(path: Path, folder: Path) -> str:
    """The path below ``folder``, or the name of the folder if it is the path."""
    return folder.resolve().name if path == folder else path.relative_to(folder).as_posix()


def _by_kind(found: Iterable[Any]) -> dict[str, list]:
    kinds: dict[str, list] = {}
    for item in found:
        kinds.setdefault(item.phrase, []).append(item)
    return kinds


def _say(proposal: Proposal, output: Path, samples: Path) -> None:
    animals = sorted({row.animal for row in proposal.rows})
    shown = ", ".join(animals[:6]) + (", ..." if len(animals) > 6 else "")
    click.echo(
        f"They make {len(proposal.rows)} trials of {len(animals)} animal{'' if len(animals) == 1 else 's'} ({shown}):"
    )
    for note in proposal.notes:
        click.echo(f"- {note}")
    click.echo(f"Wrote {output} and {samples}.")
    click.echo(f"Next: neural-action check {output}")
