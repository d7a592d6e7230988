"""Damage at random, and what may come of it: a result of sound files or one line, soon."""

from __future__ import annotations

import faulthandler
import os
import shutil
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from neural_action.cli.main import commands
from neural_action.errors import InputError
from neural_action.recordings.store import read_recording

Damage = list[tuple[str, float, bytes]]
#: Seconds after which an example counts as a hang; the process then says where it is and ends.
HANG = 60
#: So many times the examples, and then other ones at every run: for a search by hand.
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))


def fuzz(examples: int) -> settings:
    """Settings of a test that is given so many examples, the same at every run."""
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def soon() -> None:
    faulthandler.dump_traceback_later(HANG, exit=True)


def spoiled(data: bytes, damage: Damage) -> bytes:
    """``data`` after a series of damages, each at a place between 0 and 1."""
    for kind, place, extra in damage:
        at = int(place * len(data))
        data = {
            "cut": data[:at],
            "put": data[:at] + extra + data[at + len(extra) :],
            "insert": data[:at] + extra + data[at:],
            "remove": data[:at] + data[at + len(extra) :],
            "repeat": data[:at] + data[max(0, at - 64) :],
        }[kind]
    return data


DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "insert", "remove", "repeat"]),
        st.floats(0, 1),
        st.one_of(
            st.binary(min_size=1, max_size=9),
            st.sampled_from(
                [b"\xff" * 8, bytes(8), b"\x00\x00\xc0\x7f", b"9" * 12, b"-1", b"nan", b"[" * 9, b"{}"]
            ),
        ),
    ),
    min_size=1,
    max_size=4,
)


def line(error: BaseException) -> None:
    """The error is one that the command line shows as a line."""
    assert isinstance(error, InputError | OSError | MemoryError), repr(error)
    if isinstance(error, InputError):
        assert "\n" not in str(error)


def read_spoiled(folder: Path, arguments: list[str]) -> None:
    """Convert what lies damaged in ``folder``: a recording of finite values, or a line and no output."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    soon()
    ended = CliRunner().invoke(commands, arguments)
    if ended.exception is not None:
        line(ended.exception)
        assert not [path for path in (folder / "out").rglob("*") if path.is_file()]
        return
    recording = read_recording(folder / "out/001.manifest.json").check("")
    assert np.isfinite(recording.neural).all()
    assert np.isfinite(recording.behavior).all()
