"""Command: look at a folder and write a configuration and a recording sheet for it."""

from __future__ import annotations

from pathlib import Path

import click

from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.inspection.folder import look
from neural_action.inspection.proposal import Proposal, propose
from neural_action.inspection.written import configuration
from neural_action.recordings.sheet import check_rows, write_sheet

FOLDS = 4


def run(
    folder: Path,
    output: Path | None,
    name: str | None,
    neural_rate: float | None,
    behavior_rate: float | None,
    force: bool,
) -> None:
    """Say what ``folder`` holds; write ``output`` (default ``<name>.yaml``) and ``<name>_recordings.csv`` beside it."""
    dataset = name or "".join(c if c.isalnum() else "_" for c in folder.resolve().name).strip("_") or "mine"
    output = output or Path(f"{dataset}.yaml")
    sheet = output.with_name(f"{output.stem}_recordings.csv")
    for path in (output, sheet):
        if path.exists() and not force:
            raise InputError(f"{path}: exists, expected a new file (--output), or --force to write over it")
    found = look(folder)
    click.echo(f"{folder} holds")
    for kind, items in _by_kind(found).items():
        click.echo(f"  {len(items)} x {kind}, such as {items[0].path.relative_to(folder).as_posix()}")
    if not found:
        click.echo("  nothing that a format recognises by itself")
    proposal = propose(folder, found, FOLDS, neural_rate, behavior_rate)
    rows = check_rows(proposal.rows, str(folder))
    with whole(sheet) as partial:
        write_sheet(rows, partial)
    with whole(output) as partial:
        partial.write_text(configuration(proposal, dataset=dataset, raw=folder, sheet=sheet, config=output))
    _say(proposal, output, sheet)


def _by_kind(found) -> dict[str, list]:
    kinds: dict[str, list] = {}
    for item in found:
        kinds.setdefault(item.phrase, []).append(item)
    return kinds


def _say(proposal: Proposal, output: Path, sheet: Path) -> None:
    animals = sorted({row.animal for row in proposal.rows})
    shown = ", ".join(animals[:6]) + (", ..." if len(animals) > 6 else "")
    click.echo(
        f"It would be read by reader {proposal.reader}: {len(proposal.rows)} trials of {len(animals)} animals ({shown})"
    )
    for note in proposal.notes:
        click.echo(f"- {note}")
    click.echo(f"Wrote {output} and {sheet}.")
    for key, what in proposal.open.items():
        click.echo(f"Before it can run, edit {key}: {what}")
    click.echo(f"Next: neural-action check {output}")
