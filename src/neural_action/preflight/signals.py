"""Choose the signal that is proposed as neural activity, and report the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neural_action.errors import InputError
from neural_action.preflight.folder import Found
from neural_action.recordings.formats import _roi_series, caiman, suite2p

if TYPE_CHECKING:
    from neural_action.preflight.proposal import Proposal


#: Pattern of neural files that no format reads -> what to do with them.
UNREAD = {
    "Fall.mat": "suite2p's copy for MATLAB is not read: keep the folder plane0 with F.npy and iscell.npy",
    "*.sbx": "movies of Scanbox are not read: run suite2p on them, or write TIFF",
    "*.isxd": "Inscopix files are not read: export TIFF, or NWB",
    "*.nd2": "Nikon files are not read: export OME-TIFF",
    "*.czi": "Zeiss files are not read: export OME-TIFF",
    "*.lif": "Leica files are not read: export OME-TIFF",
    "*.oir": "Olympus files are not read: export OME-TIFF",
    "*.mmap": "memory maps of CaImAn are not read: give its results (.hdf5), or TIFF",
    "*.nwb.zarr": "NWB in Zarr is not read: export it as HDF5 (hdmf-zarr), or describe its arrays in a .yaml",
}
#: The same for behaviour.
UNREAD_BEHAVIOR = {
    "*.analysis.csv": "SLEAP's analysis CSV is not read: export the analysis HDF5, or give the project (.slp)",
    "CollectedData_*": "hand labels of DeepLabCut are not poses over time: run analyze_videos",
    "Raw data-*": "exports of EthoVision are not read: keep one header line, and describe the table in a .yaml",
    "Track-*": "exports of EthoVision are not read: keep one header line, and describe the table in a .yaml",
    "*_proc.npy": "Facemap's results are not read: save motSVD or pupil as .npy, and describe it in a .yaml",
    "FacemapPose.h5": "Facemap's poses are not read: save them as .npy, and describe it in a .yaml",
    "moseq_df.csv": "Keypoint-MoSeq's syllables are no behaviour: give the poses that it was run on",
    "*.csv": "a CSV of positions needs a .yaml that describes it: which columns, which are times, which unit",
}


def unread(folder: Path, hints: Mapping[str, str] = UNREAD) -> str:
    """What to do with files of ``folder`` that no format reads, each starting with "; "; "" if there are none."""
    said: dict[str, str] = {}
    for pattern, hint in hints.items():
        path = next(folder.rglob(pattern), None)
        if path is not None and (pattern != "*.csv" or not said):
            said.setdefault(hint, f"; {path.name}: {hint}")
    return "".join(said.values())


def left_out(found: Sequence[Found], taken: Sequence[Found]) -> str:
    """Sentence on neural activity that was found but is not read; "" if there is none."""
    others = Counter(
        f"{item.phrase} ({item.format})" for item in found if "neural" in item.roles and item not in taken
    )
    if not others:
        return ""
    listed = "; ".join(f"{count} x {phrase}" for phrase, count in others.items())
    return f"Neural activity is read from {taken[0].format} files. Also found, but not read: {listed}."


def refuse_unclear(path: Path, entries: Sequence[str]) -> None:
    """InputError unless the first series is the only one of its kind and holds activity of cells.

    Args:
        path: the NWB file.
        entries: entries of ``formats.nwb.contents``, the likeliest first: ``name: kind shape``.
    """
    kinds = [entry.split(": ", 1)[1].split(" ", 1)[0] for entry in entries]
    again = "nothing was written: choose one with --option 'neural.options.series=[NAME]' and run init again"
    if kinds[0] in _roi_series.UNASKED:
        raise InputError(f"{path}: holds {'; '.join(entries)}, expected fluorescence of cells; {again}")
    alike = [entry for entry, kind in zip(entries, kinds, strict=True) if kind == kinds[0]]
    if len(alike) > 1:
        raise InputError(
            f"{path}: {len(alike)} series could be the neural activity: {'; '.join(alike)}; {again}"
        )


def neural_options(items: Sequence[Found], proposal: Proposal) -> None:
    """Set options of the neural format that follow from the files. InputError if movies have different patterns."""
    kind = items[0].format
    if proposal.options["neural"]["format"] != kind:
        return
    for key in items[0].options:
        values = {item.options.get(key) for item in items}
        if len(values) > 1:
            raise InputError(
                f"{items[0].path}: names of movies differ ({', '.join(sorted(map(str, values)))}), "
                f"expected one pattern for all (--option 'neural.options.{key}=PATTERN')"
            )
        proposal.option(f"neural.options.{key}", values.pop())
    if kind == "suite2p":
        lacking = [
            place
            for item in items
            for place in {file.parent for file in suite2p.files(item.path)}
            if not (place / "Fneu.npy").exists()
        ]
        if lacking and proposal.option("neural.options.signal", "F"):
            proposal.notes.append(
                "There is no Fneu.npy, so raw fluorescence is read without subtracting neuropil."
            )
    if kind == "caiman":
        _caiman(items, proposal)


def _caiman(items: Sequence[Found], proposal: Proposal) -> None:
    """Choose the best signal that every file has, and all units if a file has no evaluated components."""
    there = [caiman.computed(item.path) for item in items]
    signal = next((name for name in caiman.RANKED if all(name in signals for signals, _ in there)), None)
    if signal is not None and signal != "F_dff" and proposal.option("neural.options.signal", signal):
        proposal.notes.append(
            f"Not every file has F_dff, so {signal} is read ({caiman.UNITS[signal]}); "
            f"{items[0].path.name} has {', '.join(there[0][0])}."
        )
    if not all(accepted for _, accepted in there) and proposal.option("neural.options.accepted", False):
        proposal.notes.append("Components were not evaluated (no idx_components), so all are read.")
