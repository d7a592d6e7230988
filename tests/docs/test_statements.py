"""What pages name is in the code: files, options, commands, keys, defaults, rows and numbers."""

from __future__ import annotations

import re
import tomllib
import typing
from functools import cache
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from shown import blocks, code_words, pages, prose
from snakemake.cli import get_argument_parser

from neural_action.cli.main import commands
from neural_action.config.load import complete, merged, read_yaml, validate
from neural_action.config.settings import Settings
from neural_action.errors import InputError
from neural_action.recordings.simulate.presets import resolve
from neural_action.recordings.simulate.skeleton import KEYPOINTS
from running import ROOT

PAGES = [*pages(), "README.md", "CONTRIBUTING.md"]
#: Folders that a path on a page may start from; and those of results, whose files tests/docs/test_commands.py makes.
FROM = (ROOT, ROOT / "src/neural_action", ROOT / "config")
RESULTS = ("results/", "tables/", "figures/")
#: What a word with a dot ends in if it is a file, not a key.
FILES = (".csv", ".html", ".json", ".md", ".png", ".py")
#: Options of programs that are neither ours nor Snakemake's.
FOREIGN = {"--require-hashes", "--tag"}
#: Keys of older versions, on the page that says what became of them.
OLDER = {
    "split.splits",
    "split.splits_per_job",
    "training.memory_limit_gb",
    "tables.bootstrap",
    "tables.seed",
}
WORDS = {
    word: at
    for at, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 1
    )
}


@cache
def settings(*files: str) -> Settings:
    """The configuration of these files of ``config/``, as a run resolves it; recordings may be anywhere."""
    given = merged([ROOT / "config" / name for name in files])
    return validate(
        complete({"raw": None if "simulation" in given else ".", **given}, (ROOT / "config").joinpath)
    )


DEFAULT = settings("config.yaml")
QUICK, PAPER = settings("config.yaml", "quick.yaml"), settings("config.yaml", "paper.yaml")


def flies(of: Settings) -> int:
    """Simulated animals."""
    return resolve(of.simulation).animals


def rows(of: Settings) -> list[str]:
    """Names of the rows that are shown."""
    return of.rows or list(of.methods)


def trained(of: Settings) -> int:
    """Rows shown that pretrain a network of their own."""
    return sum(of.methods[name].objective is not None for name in rows(of))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_is_there(page):
    written = {block.file for other in PAGES for block in blocks(other) if block.file}
    path = re.compile(r"(?:[\w.*-]+/)+[\w.*-]+\.(?:py|yaml|md|sh|css|js|lock|smk|toml)")
    named = {word for word in code_words(page) if path.fullmatch(word) and not word.startswith(RESULTS)}
    missing = {word for word in named if not any([*folder.glob(word)] for folder in FROM)}
    assert missing <= written


@pytest.mark.parametrize("page", PAGES)
def test_every_option_command_and_target_is_there(page):
    options = FOREIGN | {one for action in get_argument_parser()._actions for one in action.option_strings}
    for name in commands.list_commands(None):
        options |= {one for option in commands.get_command(None, name).params for one in option.opts}
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for word in code_words(page):
        own = options
        if script := re.match(r"python (\S+\.py)", word):
            own = options | set(re.findall(r"--[a-z-]+", (ROOT / script[1]).read_text()))
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", word)) <= own, word
        if command := re.match(r"neural-action ([a-z-]+)(?!<)\b", word):
            assert command[1] in commands.list_commands(None) or word == "neural-action pre<Tab>", word
        if target := re.match(r"make ([a-z-]+)", word):
            assert target[1] in targets, word


def models(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a key may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in models(argument)]


def is_key(path: list[str]) -> bool:
    """Whether the configuration has this key. What is named by users (a row, a parameter) has any name."""
    inside: list[type[BaseModel]] = [Settings]
    for name in path:
        found = [model.model_fields[name].annotation for model in inside if name in model.model_fields]
        if not found:
            return any(model.model_config.get("extra") == "allow" for model in inside)
        if any("dict" in str(annotation) for annotation in found):
            return True
        inside = [model for annotation in found for model in models(annotation)]
    return True


@pytest.mark.parametrize("page", PAGES)
def test_every_key_of_the_configuration_is_one(page):
    for word in code_words(page):
        if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word) and not word.endswith(FILES):
            path = word.split(".")
            assert path[0] not in Settings.model_fields or is_key(path) or word in OLDER, word
        # A section in one line: `training: {device: cuda}`.
        if re.fullmatch(r"[a-z_]+: \{.*\}", word) and word.partition(":")[0] in Settings.model_fields:
            ((section, keys),) = yaml.safe_load(re.sub(r"<[^<>]*>", "0", word)).items()
            assert all(is_key([section, key]) for key in keys if key is not None), word


def default(section: str, key: str) -> Any:
    """The default of a key, of no file."""
    return models(Settings.model_fields[section].annotation)[0].model_fields[key].default


def test_the_page_of_stages_has_every_command_of_the_workflow():
    """A command is one of the workflow if a rule calls it."""
    rules = "".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk"))
    rules += (ROOT / "workflow/Snakefile").read_text()
    called = {
        name for name in commands.list_commands(None) if re.search(rf"neural_action[\" ]+{name}\b", rules)
    }
    table = prose("docs/reference/stages.md").split("\n\n")[2]
    shown = {
        name for line in table.splitlines()[2:] for name in re.findall(r"`([a-z-]+)`", line.split("|")[2])
    }
    assert len(called) > 15
    assert called == shown


#: A page, what it says, and the number of the code that stands there, in digits or as a word.
SAID = [
    ("README.md", r"simulates (\w+) flies", flies(QUICK)),
    ("README.md", r"evaluates (\w+) rows", len(rows(QUICK))),
    ("README.md", r"all rows on (\w+) flies", flies(DEFAULT)),
    ("README.md", r"flies, (\w+) seed", len(DEFAULT.seeds)),
    ("README.md", r"(\w+) simulated flies, every number", flies(DEFAULT)),
    ("README.md", r"chance ([\d.]+); lower is better", 100 / flies(DEFAULT)),
    ("docs/tutorials/first_run.md", r"simulates (\w+) flies \(", flies(QUICK)),
    ("docs/tutorials/first_run.md", r"trains (\w+)\s+models", trained(QUICK)),
    ("docs/tutorials/first_run.md", r"evaluates (\w+) rows, and", len(rows(QUICK))),
    ("docs/tutorials/first_run.md", r"It simulates (\w+) flies and", flies(DEFAULT)),
    ("docs/tutorials/first_run.md", r"all rows on (\w+) folds", DEFAULT.split.folds),
    ("docs/tutorials/first_run.md", r"one of (\w+) folds", QUICK.split.folds),
    ("docs/tutorials/first_run.md", r"For four flies chance is (\d+)", 100 // flies(QUICK)),
    ("docs/development/scale.md", r"all (\d+) default rows", len(rows(DEFAULT))),
    ("docs/development/scale.md", r"(\d+) of them trained", trained(DEFAULT)),
    ("docs/development/scale.md", r"trained, (\d+) splits", DEFAULT.split.folds),
    ("docs/development/scale.md", r"splits and (\d+) seeds", len(PAPER.seeds)),
    ("docs/explanation/methods.md", r"is (\d+) frames with", DEFAULT.windows.frames),
    ("docs/explanation/methods.md", r"give (\d+) keypoints in two side views", KEYPOINTS),
    ("docs/explanation/methods.md", r"frames with (\d+) poses", DEFAULT.windows.poses),
    ("docs/explanation/methods.md", r"\$N = (\d+)\$", DEFAULT.neighbors.neighbors),
    ("docs/explanation/methods.md", r"(\d+)\s+swaps for each pose", DEFAULT.neighbors.draws),
    (
        "docs/explanation/methods.md",
        r"averaged over (\d+) frames \(`evaluation",
        DEFAULT.evaluation.raw_pool_time,
    ),
    ("docs/explanation/methods.md", r"random, (\d+) by default", default("split", "repeats")),
    ("docs/results/spikes.md", r"(\d+) random splits, one seed", settings("monkey_reach.yaml").split.repeats),
    (
        "docs/tutorials/different_neurons.md",
        r"features of each frame \((\d+) by default\)",
        default("encoders", "unit_width"),
    ),
    ("docs/reference/glossary.md", r"one trial \((\d+) by default", default("windows", "frames")),
    ("config/README.md", r"`default` \((\d+) animals", flies(DEFAULT)),
    ("config/README.md", r"animals, (\d+) trials each", resolve(DEFAULT.simulation).trials),
]


@pytest.mark.parametrize(("page", "pattern", "expected"), SAID)
def test_a_number_is_that_of_the_code(page, pattern, expected):
    found = re.findall(pattern, (ROOT / page).read_text())
    assert found, f"{page} does not say {pattern}: change this list with the page"
    assert {WORDS.get(number.lower()) or float(number) for number in found} == {expected}


def test_the_table_of_hyperparameters_has_the_values_of_the_simulated_default():
    table = prose("docs/reference/rows.md").split("## Hyperparameters")[1]
    shown = {
        line.split("|")[1].strip(): line.split("|")[2].strip()
        for line in table.splitlines()
        if line[:1] == "|"
    }
    of, scale, training = DEFAULT, DEFAULT.convert.scale, DEFAULT.training
    swap = next(one for one in of.methods["swap_calcium"].augmentations.behavior if one.name == "swap")
    calcium = next(one for one in of.methods["swap_calcium"].augmentations.neural if one.name == "calcium")
    expected = {
        "window": f"{of.windows.frames} neural frames, {of.windows.poses} poses",
        "scaling of neural frames": f"percentiles {scale.low} and {scale.high} of a trial to 0 and 1",
        "folds": f"{of.split.folds}",
        "label budgets": ", ".join(of.evaluation.label_budgets),
        "identity samples": f"{of.evaluation.identity_samples}, a quarter tested",
        "swap: neighbours": f"{of.neighbors.neighbors}",
        "swap: animals drawn from": of.neighbors.domains,
        "swap: distance scale": f"{of.neighbors.distance_scale} neighbour distance",
        "swap: probability": f"{swap.parameters['probability']} of the poses",
        "calcium: probability, amplitude": f"{calcium.parameters['probability']}, {calcium.parameters['amplitude']:g}",
        "temperature": f"{of.methods['simclr'].objective.parameters['temperature']}",
        "encodings, projections": f"{of.encoders.dimension}",
        "steps, batch, AdamW, warm-up, cosine": f"{training.steps}, {training.batch}, {training.learning_rate}, "
        f"{training.warmup:.0%}",
        "raw row": f"means over {of.evaluation.raw_pool_time} frames",
        "seeds": f"{len(of.seeds)} by `make run`, {len(PAPER.seeds)} by `make paper`",
    }
    assert {name: shown.get(name, "").replace(" %", "%") for name in expected} == expected
    assert of.encoders.dimension == of.encoders.head_dimension
    assert training.optimizer == "adamw"


def test_every_row_and_probe_of_the_page_on_choosing_is_one():
    shipped = [read_yaml(path) for path in sorted((ROOT / "config").glob("*.yaml"))]
    probes = {name for content in shipped for name in (content or {}).get("probes") or {}}
    rows = {name for content in shipped for name in (content or {}).get("methods") or {}}
    page = prose("docs/explanation/choosing.md")
    (table,) = re.findall(r"^\|[^\n]*\| probe \|.*?\n\n", page, re.M | re.S)
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    at = lines[0].index("probe")
    assert {word for line in lines[2:] for word in re.findall(r"`([a-z_]+)`", line[at])} <= probes
    begun = re.findall(r"^- \*\*[^*]+\*\*: begin with ([^.]+)\.", page, re.M)
    assert len(begun) > 5
    assert {word for line in begun for word in re.findall(r"`([a-z_]+)`", line)} <= rows | probes


def test_the_readme_names_every_dataset_and_no_other():
    # Datasets, and files that are put on top of one.
    shipped = {path.name for path in (ROOT / "config").glob("*.yaml") if "dataset" in read_yaml(path)}
    table = [line for line in prose("README.md").splitlines() if line.startswith("|")]
    named = set(re.findall(r"`config/(\w+\.yaml)`", "".join(table)))
    assert named - {"resnet50.yaml"} == shipped - {
        "quick.yaml",
        "tiny.yaml",
        "worm.yaml",
        "fly_walking_cells.yaml",
    }


def test_torch_of_the_small_environment_is_said_to_be_another():
    """Both pages that offer it say so, and it is."""
    versions = [
        re.search(r"(?:torch|pytorch-cpu) ?==?([\d.]+)", (ROOT / "envs" / name).read_text())[1]
        for name in ("neural-action.yaml", "neural-action-cpu.yaml")
    ]
    assert not versions[0].startswith(versions[1])
    for page in ("docs/how_to/install.md", "docs/how_to/cluster.md", "config/README.md"):
        assert re.search(r"another version|of another version", prose(page)), page


def test_a_pip_command_names_the_checkout_or_an_address():
    """The package is on no index."""
    for page in PAGES:
        for line in (ROOT / page).read_text().splitlines():
            for extra in re.findall(r"pip install ([^`]*\[[^`]*)", line):
                assert (
                    extra.startswith(("'.[", '".['))
                    or "git+<" in extra
                    or page == "docs/how_to/troubleshooting.md"
                ), line


def test_every_paper_of_the_page_is_in_the_citation_file():
    cited = (ROOT / "CITATION.cff").read_text()
    for page in ("README.md", "docs/development/citation.md"):
        links = re.findall(r"arxiv\.org/abs/[\d.]+|doi\.org/(\S+?)\)", prose(page))
        assert links
        assert all(link in cited for link in re.findall(r"arxiv\.org/abs/[\d.]+", prose(page)))


#: Statements that the code contradicted once.
CONTRADICTED = (
    r"nothing has to be unlocked",
    r"prints the first four",
    r"no encoder can (go|be) below",
    r"[Nn]either MMD nor GRL",
    r"no self-supervised row beats",
    r"[Tt]rial\W+: an uninterrupted",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_contradicted_statement_is_not_made_again(page):
    found = [statement for statement in CONTRADICTED if re.search(statement, (ROOT / page).read_text())]
    assert not found


def test_every_shipped_dataset_is_on_a_page_of_results_or_a_tutorial():
    folders = ("docs/results/", "docs/tutorials/")
    told = "".join((ROOT / page).read_text() for page in PAGES if page.startswith(folders))
    shipped = [path.name for path in (ROOT / "config").glob("*.yaml") if "dataset" in (read_yaml(path) or {})]
    assert [name for name in shipped if f"config/{name}" not in told and name != "config.yaml"] == []


def test_the_pythons_are_those_of_the_package_and_of_the_locks():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least = project["requires-python"].removeprefix(">=")
    tested = [
        line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r"Python :: 3\.\d+", line)
    ]
    assert tested[0] == least
    page = (ROOT / "docs/how_to/install.md").read_text()
    assert f"Python {tested[0]} to {tested[-1]} and make" in page
    assert f"accepts Python {least} or later" in page
    for other in ("README.md", "docs/tutorials/first_run.md", "docs/how_to/tables.md"):
        assert f"Python {tested[0]} to {tested[-1]}" in (ROOT / other).read_text()


def test_the_thresholds_of_init_have_no_default():
    from neural_action.recordings.readers.paired import Options

    assert "`cuts` has no default" in (ROOT / "config/README.md").read_text()
    stream = {"format": "arrays"}
    Options.parse({"neural": stream, "behavior": stream})
    with pytest.raises(InputError, match=r"thresholds.cuts: missing key"):
        Options.parse({"neural": stream, "behavior": stream, "thresholds": {"of": "speed"}})
