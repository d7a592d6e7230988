"""A real browser, for the tests that are marked with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from made_up_page import content

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """Chromium with a fresh profile and no network."""
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium")
    assert binary, "no chromium; tests/explore/chromium.sh installs it"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium") / "profile",
            executable_path=binary,
            args=list(FLAGS),
            viewport={"width": 1400, "height": 900},
            offline=True,
        )
        yield context
        context.close()


@pytest.fixture(scope="module")
def opened(chromium, tmp_path_factory) -> Callable:
    """A function that opens a made-up page, and waits until it is ready."""
    from neural_action.explore.page import render

    folder = tmp_path_factory.mktemp("explore")

    def open_page(**options):
        file = folder / f"{len(chromium.pages)}.html"
        file.write_text(render(content(**options)), encoding="utf-8")
        page = chromium.new_page()
        page.set_default_timeout(60_000)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda line: page.problems.append(line.text) if line.type == "error" else None)
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready=true]")
        return page

    return open_page
