"""Text by strangers does nothing where it is printed, written or drawn."""

import csv

import jinja2
import pytest
from docutils.core import publish_parts

from neural_action.errors import InputError
from neural_action.tables.render import escape_markdown
from neural_action.text import for_spreadsheet, has_hidden, is_missing, printable
from running import ROOT

HIDDEN = ["\x00", "\x1b", "\x07", "\x85", "\u2028", "\u202e", "\u2066", "\ufeff", "\udc80"]


@pytest.mark.parametrize("character", HIDDEN)
def test_messages_show_characters_that_would_do_something(character):
    message = str(InputError(f"a{character}b.csv: is wrong"))
    assert message.isprintable()
    assert message.encode()
    assert has_hidden(f"a{character}b")


@pytest.mark.parametrize("text", ["Fliege ü", "ハエ 3", "क्ष", "مثال", "👩‍🔬", "a\u200cb", "x ± 1 −"])
def test_text_of_every_script_stays(text):
    assert printable(text) == text
    assert not has_hidden(text)


def test_lines_are_one():
    assert str(InputError("a\n  b\r\nc")) == "a b c"


@pytest.mark.parametrize("word", ["", " ", "NA", "n/a", "None", "null", "NaN", "<NA>"])
def test_words_for_no_value(word):
    assert is_missing(word)


def test_formulas_are_text_in_a_spreadsheet():
    for text in ("=HYPERLINK(1)", "+1", "-1", "@x"):
        assert for_spreadsheet(text) == f"'{text}"
    assert for_spreadsheet("Matched alignment") == "Matched alignment"


@pytest.mark.parametrize(
    "text", ["[x](javascript:alert(1))", "[x][y]", "[x]: javascript:1", "<javascript:1>"]
)
def test_markdown_makes_no_link(text):
    escaped = escape_markdown(text)
    for link in ("](", "][", "]:"):
        assert link not in escaped.replace(f"\\{link}", "")
    assert not escaped.startswith("<")


def test_intervals_stay_readable_in_markdown():
    assert escape_markdown("54.3 [51.0, 57.2]") == "54.3 [51.0, 57.2]"


@pytest.mark.parametrize(
    "title",
    [
        "x**\n\n.. raw:: html\n\n   <script>alert(1)</script>\n\n**",
        "`x <javascript:alert(1)>`_",
        ":raw-html:`<script>`",
        "*<script>alert(1)</script>",
        "|x| {{ config }}",
        "`x <http://a>`__ ::",
    ],
)
def test_a_title_is_text_in_the_report(tmp_path, title):
    (tmp_path / "overview.html").write_text("<p>overview</p>")
    (tmp_path / "results/mine").mkdir(parents=True)
    source = (ROOT / "workflow/report/workflow.rst").read_text()
    config = {"title": " ".join(title.split()), "dataset": "mine", "real": True, "results": str(tmp_path)}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/overview.html").write_text("<p>overview</p>")

    class Snakemake:
        pass

    Snakemake.config = config
    text = (
        jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
        .from_string(source)
        .render(snakemake=Snakemake)
    )
    body = publish_parts(text, writer="html", settings_overrides={"report_level": 2, "halt_level": 2})["body"]
    assert "<script" not in body
    assert "href" not in body
    assert body.count("<strong>") >= 1


def test_csv_of_a_formula_is_no_formula(tmp_path):
    with (tmp_path / "a.csv").open("w") as file:
        csv.writer(file).writerow([for_spreadsheet("=1+1")])
    assert (tmp_path / "a.csv").read_text().strip() == "'=1+1"
