"""The page as a file: whole, self-contained, and holding what it was given."""

import base64
import gzip
import json
import re
from dataclasses import replace

import numpy as np
from made_up_page import content

from neural_action.explore.page import render


def embedded(page: str, name: str):
    return json.loads(
        re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)[1]
    )


def test_what_is_shown_is_in_the_file():
    given = content()
    page = render(given)
    arrays = {
        key: np.frombuffer(gzip.decompress(base64.b64decode(value["data"])), value["type"])
        for key, value in embedded(page, "arrays").items()
    }
    assert np.array_equal(arrays["label"], given.label)
    assert np.array_equal(arrays["trial"], given.trial)
    assert np.allclose(arrays["row:1:t-SNE"].reshape(-1, 2), given.rows[1].layouts["t-SNE"])
    assert np.array_equal(arrays["pose"].reshape(given.moments.values.shape), given.moments.values)
    described = embedded(page, "described")
    assert [row["label"] for row in described["rows"]] == ["Swap + calcium", "Matched alignment"]
    assert described["trials"][4] == {
        "animal": 1,
        "name": "002",
        "short": "002",
        "start": 0.0,
        "end": given.trials[4].end,
    }


def test_stamps_since_1970_stay_apart():
    given = content()
    since = 1.78e9
    page = render(
        replace(
            given, time=since + given.time, moments=replace(given.moments, start=since + given.moments.start)
        )
    )
    found = {
        key: np.frombuffer(gzip.decompress(base64.b64decode(value["data"])), value["type"])
        for key, value in embedded(page, "arrays").items()
    }
    assert np.array_equal(found["time"], since + given.time)
    assert np.array_equal(found["poseStart"], since + given.moments.start)
    # Every type that is sent is one that the page reads.
    for value in embedded(page, "arrays").values():
        assert re.search(rf"\b{value['type']}: ", page)


def test_names_are_as_they_are_and_short_where_they_are_drawn():
    long = tuple(f"ScholzEtAl2018.AML{strain}_moving.BrainScanner20180223_141721" for strain in (175, 32, 18))
    given = content(kind="features", animals=long)
    described = embedded(render(given), "described")
    assert [action["short"] for action in described["classes"]] == list(given.class_names)
    assert [animal["name"] for animal in described["animals"]] == list(long)
    assert len({animal["short"] for animal in described["animals"]}) == 3
    assert all(len(animal["short"]) <= 18 for animal in described["animals"])
    assert described["moments"]["short"] == ["forward", "side", "turn"]


def test_nothing_is_fetched_and_no_text_ends_a_script():
    page = render(content())
    # Outside of the library's own text, no address is named but that of SVG.
    own = re.sub(r"<script>\s*/\* BEGIN bokeh.*?</script>", "", page, flags=re.S)
    assert set(re.findall(r"https?://[^\s\"'<)]+", own)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|img|iframe)|src=|@import|url\(", own)
    assert "not recorded &lt;/script&gt;" in page


def test_the_same_content_is_the_same_data():
    first, second = (embedded(render(content()), "arrays") for _ in range(2))
    assert first == second
