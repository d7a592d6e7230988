"""The page in a real browser: what is selected, focused and drawn is what was made up."""

import numpy as np
import pytest
from made_up_page import ANIMALS, CLASSES, content

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(opened):
    return opened()


@pytest.fixture(autouse=True)
def afresh(request):
    """Nothing selected, the first window in focus, nothing playing."""
    if "page" not in request.fixturenames:
        yield
        return
    page = request.getfixturevalue("page")
    page.evaluate("() => { document.activeElement.blur(); select([]); focus(0); play(false); fit(); }")
    yield
    assert page.problems == []


def said(page, key):
    return page.locator(f'#readout b[data-key="{key}"]').inner_text()


def selected(page):
    """The windows that are selected."""
    return page.evaluate("() => Array.from(state.selected ?? [])")


def place(page, x, y, figure="label"):
    """Where a place of the plane is on the screen."""
    return page.evaluate(
        """([x, y, key]) => {
          const { view } = models.maps.find((map) => map.figure.name === key);
          const box = view.el.getBoundingClientRect();
          return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)];
        }""",
        [x, y, figure],
    )


def around(page, left, right):
    """Corners of nearly all of the frame between two places; the first again in the end."""
    low, high = page.evaluate("() => [models.up.start, models.up.end]")
    room = 0.01 * (high - low)
    low, high = low + room, high - room
    return [(left, low), (right, low), (right, high), (left, high), (left, low + room)]


def drag(page, corners, figure="label"):
    points = [place(page, *corner, figure) for corner in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    page.wait_for_function("() => state.selected !== null")


def island(label):
    """The windows of an action lie around (10 label, 0 to 6)."""
    return np.flatnonzero(content().label == label).tolist()


@pytest.mark.parametrize(("tool", "figure"), [("lasso", "label"), ("box", "animal")])
def test_brushing_an_island_selects_its_windows(page, tool, figure):
    page.locator(f"input[value={tool}]").check(force=True)
    corners = around(page, 15.5, 24.5)
    drag(page, corners if tool == "lasso" else corners[:3:2], figure)
    assert selected(page) == island(2)
    count = len(island(2))
    assert page.locator("#count").inner_text() == f"{count} of 240 windows"
    bars = page.locator("#by-class .share").all_inner_texts()
    assert [line.split("\n") for line in bars][2] == ["eye_grooming", f"{count} · 100 %"]
    assert said(page, "action") == "eye_grooming"
    # What is not selected is grey, what is has its colour.
    colors = page.evaluate(
        """() => [0, 1].map((at) => {
          const { canvas } = models.maps[0], { width, height } = canvas;
          const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          const wanted = at ? [0, 158, 115] : [0, 114, 178];
          let found = 0;
          const alike = (i) => wanted.every((value, c) => Math.abs(pixels[i + c] - value) < 20);
          for (let i = 0; i < pixels.length; i += 4) found += alike(i);
          return found;
        })"""
    )
    assert colors[1] > 100
    assert colors[0] == 0


def test_a_click_shows_the_moment(page):
    given = content()
    x, y = given.rows[0].layouts["t-SNE"][100]
    page.mouse.click(*place(page, float(x), float(y)))
    window = page.evaluate("() => state.focus")
    near = np.linalg.norm(given.rows[0].layouts["t-SNE"] - [x, y], axis=1)
    assert near[window] < 0.5
    trial = given.trials[given.trial[window]]
    label = given.label[window]
    assert said(page, "action") == (CLASSES[label] if label >= 0 else "not labelled")
    assert said(page, "animal") == ANIMALS[trial.animal]
    assert said(page, "trial") == trial.name
    assert said(page, "time") == f"{given.time[window]:.1f} s"


def test_hovering_names_the_window(page):
    given = content()
    page.mouse.move(*place(page, *map(float, given.rows[0].layouts["t-SNE"][7])))
    page.wait_for_selector("#hover:not([hidden])")
    assert "Fly1" in page.locator("#hover").inner_text()


def test_keys_move_select_and_clear(page):
    given = content()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("() => state.focus") == 11
    page.keyboard.press("ArrowDown")
    assert page.evaluate("() => data.trial[state.focus]") == 1
    page.keyboard.press("i")
    assert selected(page) == np.flatnonzero(given.trial % 3 == 1).tolist()
    page.keyboard.press("t")
    assert selected(page) == np.flatnonzero(given.trial == 1).tolist()
    page.keyboard.press("n")
    assert len(selected(page)) == 100
    page.keyboard.press("Escape")
    assert selected(page) == []
    assert page.locator("#clear").is_hidden()


def test_chips_are_buttons_that_select(page):
    chip = page.get_by_role("button", name="forward_walking")
    chip.focus()
    page.keyboard.press("Enter")
    assert selected(page) == island(1)
    assert chip.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Enter")
    assert selected(page) == []


def test_the_stick_figure_is_the_pose_of_the_moment(page):
    # Every column of the made-up behaviour is the share of the trial's time that has passed.
    given = content()
    page.evaluate("() => focus(20)")
    pose = page.evaluate("() => Array.from(behaviorAt(data.trial[20], data.time[20]))")
    share = given.time[20] / given.trials[0].end
    assert pose == pytest.approx(given.moments.low + 10 * share, abs=0.1)
    points = page.locator("#figure polyline").get_attribute("points").split()
    drawn = np.array([[float(number) for number in point.split(",")] for point in points])
    assert np.diff(drawn[:, 0]) == pytest.approx(np.diff(drawn[:, 0]).mean(), abs=0.3)
    page.evaluate("() => focus(30)")
    later = page.locator("#figure polyline").get_attribute("points")
    assert later.split() != points


def test_the_figure_moves_when_it_plays(page):
    page.keyboard.press("Space")
    assert page.locator("#play").inner_text() == "Pause"
    before = page.locator("#figure polyline").get_attribute("points")
    page.wait_for_function(
        "(before) => document.querySelector('#figure polyline').getAttribute('points') !== before", arg=before
    )
    page.keyboard.press("Space")
    assert page.locator("#play").inner_text() == "Play"


def test_a_body_is_a_midline_that_bends_with_its_head_on_top(opened):
    page = opened(kind="midline")
    page.evaluate("() => { play(false); focus(0); }")

    def drawn():
        """Points of the midline and of its head, upwards."""
        texts = page.locator("#figure polyline").evaluate_all(
            "lines => lines.map((l) => l.getAttribute('points'))"
        )
        return [np.array([pair.split(",") for pair in text.split()], float) * (1, -1) for text in texts]

    def turn(line):
        """How far the body turns from head to tail, rad."""
        angles = np.unwrap(np.arctan2(*np.diff(line, axis=0).T[::-1]))
        return angles[-1] - angles[0]

    bent = []
    for index in (0, 39):
        page.evaluate(f"() => focus({index})")
        whole, head = drawn()
        assert len(whole) == 21
        assert np.array_equal(head, whole[: len(head)])
        bent.append(turn(whole))
    assert bent[0] < 0.5 < 2.0 < bent[1] < np.pi
    strokes = page.locator("#figure polyline").evaluate_all(
        "lines => lines.map((l) => l.getAttribute('stroke'))"
    )
    assert strokes == ["#0072B2", "#E69F00"]
    assert page.locator("#figure").get_attribute("aria-label").startswith("Midline of 21 keypoints")
    assert page.problems == []


def test_another_row_and_another_map(page):
    page.select_option("#row", "1")
    assert page.evaluate("() => xs[5]") == pytest.approx(
        2 * content().rows[0].layouts["t-SNE"][5, 0], rel=1e-5
    )
    page.select_option("#row", "0")
    page.select_option("#layout", "principal components")
    assert page.evaluate("() => xs[5]") == pytest.approx(content().rows[0].layouts["t-SNE"][5, 1], rel=1e-5)
    page.select_option("#layout", "t-SNE")


def test_features_are_lines_and_nothing_is_said_to_be_nothing(opened):
    lines = opened(kind="features")
    assert lines.locator("#figure polyline").count() == 3
    assert "Lines of forward, side, turn" in lines.locator("#figure").get_attribute("aria-label")
    lines.keyboard.press("ArrowRight")
    assert lines.problems == []
    bare = opened(kind="none")
    assert "no behaviour" in bare.locator("#figure").text_content()
    bare.keyboard.press("ArrowRight")
    assert bare.problems == []


def test_long_names_stay_within_their_places(opened):
    page = opened(animals=[f"ScholzEtAl2018.AML{at}_moving.BrainScanner20180223_141721" for at in range(3)])
    page.evaluate("() => play(false)")
    wide = page.evaluate(
        "() => [...document.querySelectorAll('#readout b, .chip, h2')].filter((e) => "
        "e.getBoundingClientRect().right > e.closest('section').getBoundingClientRect().right).length"
    )
    assert wide == 0
    assert page.locator('#readout b[data-key="animal"]').get_attribute("title").endswith("20180223_141721")
    # At the right edge, too: the last of an island is named whole.
    page.mouse.move(
        *place(page, *page.evaluate("() => { const i = xs.indexOf(max(xs)); return [xs[i], ys[i]]; }"))
    )
    page.wait_for_selector("#hover:not([hidden])")
    box, maps = page.locator("#hover").bounding_box(), page.locator("#maps").bounding_box()
    assert maps["x"] <= box["x"]
    assert box["x"] + box["width"] <= maps["x"] + maps["width"]
    assert page.problems == []


def test_a_hundred_thousand_windows(opened):
    page = opened(windows=100_000, trials=200)
    page.evaluate("() => play(false)")
    drag(page, around(page, 15.5, 24.5))
    label = content(windows=100_000, trials=200).label
    assert selected(page) == np.flatnonzero(label == 2).tolist()
    page.keyboard.press("Shift+ArrowRight")
    page.locator("input[value=pan]").check(force=True)
    page.mouse.wheel(0, -300)
    points = [place(page, 10, 3), place(page, 12, 4)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=10)
    page.mouse.up()
    painted = page.evaluate(
        "() => new Set(models.maps[0].canvas.getContext('2d').getImageData(0, 0, 300, 300).data).size"
    )
    assert painted > 3
    assert page.problems == []
