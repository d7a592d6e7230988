"""How the recordings of a folder could be read: reader options, the rows of the sheet, what is still to be said."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.inspection.folder import PREFERRED, Found
from neural_action.recordings import thresholds
from neural_action.recordings.formats import Behavior, Neural, load_format, nwb
from neural_action.recordings.readers import load_reader, paired, reader_names
from neural_action.recordings.recording import Recording
from neural_action.recordings.sheet import SheetRow

#: Names as DANDI has them, and as laboratories number trials.
_DANDI = re.compile(r"sub-(?P<animal>[^_/]+)(?:.*ses-(?P<trial>[^_/]+))?")
_NUMBERED = re.compile(r"(?P<animal>.+?)[_-](?P<trial>[A-Za-z]*\d+)")
#: Pieces that a recording is cut into where an animal has fewer trials than folds, and the gap between them, s.
PIECES, GAP = 8, 2.0


@dataclass
class Proposal:
    """What would be written.

    Attributes:
        reader: name of the reader.
        options: its options.
        rows: of the sheet.
        class_names: of the actions, if they were found.
        notes: what was decided, in sentences.
        open: keys that a person must fill in, with what is needed.
        sample: one recording as the reader gives it; None where something is still open.
    """

    reader: str
    options: dict[str, Any]
    rows: list[SheetRow]
    class_names: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    sample: Recording | None = None


def propose(
    folder: Path, found: list[Found], folds: int, neural_rate: float | None, behavior_rate: float | None
) -> Proposal:
    """The proposal for ``folder`` with what ``look`` found in it.

    Args:
        folder: the raw folder.
        found: what is in it.
        folds: trials that every animal needs.
        neural_rate: frames per second, for files without a clock.
        behavior_rate: samples per second, likewise.

    Raises:
        InputError: nothing that pairs neural activity with behaviour, with what was found.
    """
    ready = _ready(folder)
    if ready is not None:
        return ready
    neural, behavior = _best(found, "neural"), _best(found, "behavior")
    if not neural or not behavior:
        there = ", ".join(
            f"{count} x {name}" for name, count in Counter(item.format for item in found).items()
        )
        lacking = " and ".join(
            role for role, items in (("neural activity", neural), ("behaviour", behavior)) if not items
        )
        raise InputError(
            f"{folder}: no {lacking} recognised (found: {there or 'nothing'}); expected files of both, such as a "
            "suite2p folder beside a DeepLabCut CSV, .nwb files, or a .yaml that describes arrays"
        )
    proposal = Proposal("paired", {}, [])
    groups = _groups(folder, neural, behavior, _best(found, "labels"), proposal)
    _sources(folder, groups, proposal)
    for role, rate in (("neural", neural_rate), ("behavior", behavior_rate)):
        if rate is not None:
            proposal.options[role].setdefault("clock", {})["rate"] = float(rate)
    proposal.rows = _rows(folder, [group.path for group in groups])
    _finish(folder, folds, proposal)
    return proposal


@dataclass
class _Group:
    """A recording: its path, and what belongs to it by role."""

    path: Path
    parts: dict[str, Found]


def _ready(folder: Path) -> Proposal | None:
    """A reader of its own for this very layout."""
    for name in reader_names():
        if name == "paired":
            continue
        module = load_reader(name)
        try:
            options = module.Options.parse({})
            rows = module.scan(folder, options)
            sample = module.read(folder, rows[0], options, None) if rows else None
        except InputError:
            continue
        if rows:
            note = f"The layout is that of the reader {name}: {module.EXPECTED}."
            classes = list(sample.class_names)
            return Proposal(name, {}, rows, classes, [note], sample=sample)
    return None


def _best(found: list[Found], role: str) -> list[Found]:
    """Everything of the preferred format that gives ``role``."""
    for name in PREFERRED[role]:
        if items := [item for item in found if item.format == name and role in item.roles]:
            return items
    return []


def _groups(
    folder: Path, neural: list[Found], behavior: list[Found], labels: list[Found], proposal: Proposal
) -> list[_Group]:
    """Each neural item with the behaviour nearest to it: itself, or one in the lowest folder that holds both."""
    groups = []
    for item in neural:
        if item in behavior:
            groups.append(_Group(item.path, {"neural": item, "behavior": item}))
            continue
        for parent in item.path.parents:
            beside = [other for other in behavior if parent in other.path.parents]
            if beside or parent == folder:
                break
        rivals = [other for other in neural if parent in other.path.parents]
        if not beside:
            proposal.notes.append(
                f"{item.path.relative_to(folder)}: no behaviour in a folder with it; left out."
            )
        elif len(rivals) > 1:
            raise InputError(
                f"{parent}: {len(rivals)} recordings of neural activity and {len(beside)} of behaviour in one folder, "
                "expected a folder for each recording; or write the sheet and the patterns of reader paired by hand"
            )
        else:
            if len(beside) > 1:
                proposal.notes.append(
                    f"{parent.relative_to(folder)}: {len(beside)} files of behaviour; {beside[0].path.name} is taken."
                )
            groups.append(_Group(parent, {"neural": item, "behavior": beside[0]}))
    for group in groups:
        for item in labels:
            if item.path == group.path or group.path in item.path.parents:
                group.parts.setdefault("labels", item)
    if not groups:
        raise InputError(
            f"{folder}: no neural recording has behaviour in a folder with it, expected them together"
        )
    if any("labels" not in group.parts for group in groups):
        for group in groups:
            group.parts.pop("labels", None)
    return groups


def _sources(folder: Path, groups: list[_Group], proposal: Proposal) -> None:
    """Formats, patterns and the options that follow from the files."""
    for role in groups[0].parts:
        item = groups[0].parts[role]
        source: dict[str, Any] = {"format": item.format}
        inside = [group.parts[role].path.relative_to(group.path).as_posix() for group in groups]
        if inside[0] != ".":
            source["path"] = "{path}/" + _pattern(inside)
        proposal.options[role] = source
    if groups[0].parts["neural"].format == "nwb":
        _nwb_series(groups[0].path, proposal)
    if (
        groups[0].parts["neural"].format == "suite2p"
        and not (groups[0].parts["neural"].path / "Fneu.npy").exists()
    ):
        proposal.options["neural"]["options"] = {"signal": "F"}
        proposal.notes.append("There is no Fneu.npy: raw fluorescence is read without subtracting neuropil.")
    if proposal.options.get("labels", {}).get("format") == "frame_labels":
        proposal.options["labels"]["options"] = {"conflicts": "unlabelled"}
        proposal.notes.append("Frames with two labels count as unlabelled (labels.options.conflicts).")


def _pattern(paths: list[str]) -> str:
    """One pattern for paths that differ in their last part at most; else their suffix at any depth."""
    if len(set(paths)) == 1:
        return re.sub(r"([*?\[])", r"[\1]", paths[0])
    parents, names = {str(Path(path).parent) for path in paths}, [Path(path).name for path in paths]
    start = 0
    while all(len(name) > start and name[start] == names[0][start] for name in names):
        start += 1
    end = 0
    while all(len(name) > start + end and name[-1 - end] == names[0][-1 - end] for name in names):
        end += 1
    name = f"{names[0][:start]}*{names[0][len(names[0]) - end :]}"
    parent = f"{parents.pop()}/" if len(parents) == 1 else "**/"
    return name if parent == "./" else parent + name


def _nwb_series(path: Path, proposal: Proposal) -> None:
    """The likeliest series of an NWB file, by name, for all of them."""
    there = nwb.contents(path)
    names = {role: [entry.split(":")[0] for entry in entries] for role, entries in there.items()}
    for role, what in (("neural", "Neural activity"), ("behavior", "Behaviour")):
        first, *others = names[role]
        proposal.options[role]["options"] = {"series": [first]}
        more = f" Others are {', '.join(others)}." if others else ""
        proposal.notes.append(f"{what}: the series {there[role][0]}.{more}")
    if names["labels"]:
        proposal.notes.append(f"Intervals that could be labels: {'; '.join(there['labels'])}.")


def _rows(folder: Path, paths: list[Path]) -> list[SheetRow]:
    """Animal and trial of every recording, from its path."""
    relative = [path.relative_to(folder) for path in paths]
    alone = [path.parts[0].split(".")[0] for path in relative if len(path.parts) == 1]
    numbered = len(alone) == len(relative) and all(_NUMBERED.fullmatch(name) for name in alone)
    rows = []
    for path in relative:
        text = path.as_posix()
        if dandi := _DANDI.search(text):
            animal, trial = dandi["animal"], dandi["trial"] or "1"
        elif numbered:
            match = _NUMBERED.fullmatch(path.parts[0].split(".")[0])
            animal, trial = match["animal"], match["trial"]
        else:
            animal, trial = paired.names(path if path.parts else Path(folder.name), None)
        rows.append(SheetRow(paired.safe(animal), paired.safe(trial), text))
    return rows


def _finish(folder: Path, folds: int, proposal: Proposal) -> None:
    """Clocks, labels and trials, which need a look into the files."""
    try:
        clocks = [
            _clock(folder, row, proposal, role)
            for row in proposal.rows[:1]
            for role in ("neural", "behavior")
        ]
    except InputError as error:
        proposal.open["convert.reader_options"] = str(error)
        return
    for role, has in zip(("neural", "behavior"), clocks, strict=True):
        if not has:
            proposal.options[role].setdefault("clock", {})["rate"] = None
            proposal.open[f"convert.reader_options.{role}.clock.rate"] = (
                f"the files of {role} have no clock: give samples per second (init --{role}-rate), or times or sync"
            )
    if proposal.open:
        return
    options = paired.Options.parse(proposal.options)
    try:
        proposal.sample = paired.read(folder, proposal.rows[0], options, None)
    except InputError as error:
        if "missing" in str(error) and "missing" not in proposal.options["behavior"]:
            proposal.options["behavior"]["missing"] = {"policy": "drop", "longest_gap": 0.1}
            proposal.notes.append(f"{error}. Gaps of up to 0.1 s are filled and other such samples left out.")
            _finish(folder, folds, proposal)
        else:
            proposal.open["convert.reader_options"] = str(error)
        return
    if "labels" in proposal.options:
        proposal.class_names = list(proposal.sample.class_names)
    else:
        _speed_classes(proposal)
    _cut(folder, folds, proposal)


def _clock(folder: Path, row: SheetRow, proposal: Proposal, role: str) -> bool:
    """Whether a file has a clock, or was given one."""
    source = proposal.options[role]
    if source.get("clock", {}).get("rate"):
        return True
    module = load_format(source["format"], role, role)
    path = paired.path_of(folder, row, source.get("path"), f"{role}.path")
    found: Neural | Behavior = getattr(module, role)(
        path, module.Options.parse(source.get("options", {}), role)
    )
    return found.time is not None or found.rate is not None


def _speed_classes(proposal: Proposal) -> None:
    """Terciles of speed, as a placeholder for actions."""
    sample = proposal.sample
    values = thresholds.speed(np.asarray(sample.behavior), sample.behavior_time, 0.5)
    low, high = (float(f"{value:.3g}") for value in np.nanquantile(values, (1 / 3, 2 / 3)))
    if not low < high:
        proposal.notes.append(
            "No labels were found, and the speed of the behaviour does not vary: nothing is labelled."
        )
        return
    proposal.options["thresholds"] = {"of": "speed", "cuts": [low, high], "smooth_seconds": 0.5}
    proposal.class_names = ["slow", "medium", "fast"]
    proposal.notes.append(
        "No labels were found: actions are terciles of the speed of the first recording, a placeholder that lets the "
        "tables be filled; replace it by labels of your own."
    )


def _cut(folder: Path, folds: int, proposal: Proposal) -> None:
    """Pieces of every recording, where an animal has fewer trials than folds."""
    trials = Counter(row.animal for row in proposal.rows)
    if min(trials.values()) >= folds:
        return
    clock = proposal.sample.neural_time
    seconds = float(np.floor((clock[-1] - clock[0]) / PIECES - GAP))
    if seconds < 5:
        proposal.open["recordings"] = (
            f"animals have {min(trials.values())} to {max(trials.values())} trials, expected {folds}; "
            f"{clock[-1] - clock[0]:.0f} s are too short to cut"
        )
        return
    proposal.options["cut"] = {"seconds": seconds, "gap": GAP}
    options = paired.Options.parse(proposal.options)
    proposal.rows = [piece for row in proposal.rows for piece in paired.pieces(folder, row, options)]
    proposal.notes.append(
        f"Animals have fewer trials than {folds} folds: every recording is cut into pieces of {seconds:g} s, "
        f"{GAP:g} s apart."
    )
