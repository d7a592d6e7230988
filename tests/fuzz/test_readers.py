"""Good recordings of every reader and every format, damaged at random in their bytes and in what they say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "corpus"))

from content import change
from damage import DAMAGE, Damage, fuzz, line, read_spoiled, soon, spoiled
from inputs import GOOD
from neural_action.cli.main import commands
from neural_action.recordings.formats import known_formats
from neural_action.recordings.readers import load_reader, reader_names
from neural_action.recordings.samples import SampleRow


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Makes a good recording once; its folder."""
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("input")
            GOOD[name].make(made[name])
        return made[name]

    return folder


def test_every_reader_and_format_is_damaged():
    readers = {reading.reader for reading in GOOD.values()}
    formats = {
        part["format"]
        for reading in GOOD.values()
        for part in reading.options.values()
        if isinstance(part, dict) and "format" in part
    }
    assert readers == set(reader_names())
    assert formats == {name for role in ("neural", "behavior", "labels") for name in known_formats(role)}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_input_is_read(good, name):
    """Without damage there is a recording: what follows damages something."""
    read_spoiled(good(name), GOOD[name].arguments(good(name)))
    assert (good(name) / "out/001.manifest.json").exists()


@pytest.mark.parametrize("name", GOOD)
def test_every_stream_names_its_file_and_clock(good, name):
    """``check`` prints nothing else of where neural activity, behaviour and labels come from."""
    reading, raw = GOOD[name], good(name) / "raw"
    reader = load_reader(reading.reader)
    row = SampleRow("m1", "001", reading.path)
    streams = reader.read(raw, row, reader.Options.parse(reading.options), None).streams
    assert [stream.name for stream in streams][:1] == ["neural"]
    for stream in streams:
        named = stream.how.split(", ")[0].split("; ")[0]
        own = named.startswith(("thresholds", "elapsed time"))
        assert own or (raw / named).exists() or reading.reader == "pictures", stream.how
    # File and clock are apart.
    assert "; " in streams[0].how


@pytest.fixture
def spoil(good):
    """A changed file of a good recording, put back afterwards."""

    @contextmanager
    def change_file(name: str, data: st.DataObject, damage: Damage | None = None) -> Iterator[Path]:
        folder = good(name)
        file = folder / "raw" / data.draw(st.sampled_from(GOOD[name].files))
        whole = file.read_bytes()
        try:
            if damage is None:
                change(file, data.draw)
            else:
                file.write_bytes(spoiled(whole, damage))
            yield folder
        finally:
            # Another file: the old one may still be mapped.
            file.unlink()
            file.write_bytes(whole)

    return change_file


@pytest.mark.parametrize("name", GOOD)
@fuzz(25)
@given(data=st.data(), damage=DAMAGE)
def test_damaged_bytes(spoil, name, data, damage):
    with spoil(name, data, damage) as folder:
        read_spoiled(folder, GOOD[name].arguments(folder))


@pytest.mark.parametrize("name", GOOD)
@fuzz(25)
@given(data=st.data())
def test_other_content(spoil, name, data):
    """Files that are sound as files, and say something else: other shapes, other types, nothing, far too much."""
    with spoil(name, data) as folder:
        read_spoiled(folder, GOOD[name].arguments(folder))


@pytest.mark.parametrize("name", GOOD)
@fuzz(8)
@given(data=st.data(), damage=st.one_of(st.none(), DAMAGE))
def test_a_folder_of_them_is_looked_at(spoil, name, data, damage):
    """``init`` says what it found, or in one line what it could not know."""
    with spoil(name, data, damage) as folder:
        soon()
        written = str(folder / "looked.yaml")
        ended = CliRunner().invoke(commands, ["init", str(folder / "raw"), "--output", written, "--force"])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            line(ended.exception)
