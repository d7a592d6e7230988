"""Configuration: what is shipped is valid, what is wrong is one clear line."""

from pathlib import Path

import pytest
from snakemake.utils import update_config

from neural_action.config.load import complete, read_yaml, rows_file, validate
from neural_action.config.plan import Plan
from neural_action.config.renamed import ROWS_RENAMED
from neural_action.config.settings import Settings
from neural_action.errors import InputError
from neural_action.provenance import code_hash
from neural_action.recordings.readers import reader_modules
from neural_action.tables.published import published

CONFIG = Path(__file__).resolve().parents[2] / "config"
DATASETS = [
    "config.yaml",
    "fly_walking.yaml",
    "mc2p.yaml",
    "monkey_across.yaml",
    "worm.yaml",
    "worms.yaml",
    "test/tiny.yaml",
]


SPIKES = ["monkey_reach.yaml", "rodent_sleep.yaml"]


def merged(name="config.yaml", **changes):
    """As Snakemake reads it: the rows that the dataset names, then the dataset."""
    own = read_yaml(CONFIG / name)
    config = read_yaml(CONFIG.parent / rows_file(own))
    update_config(config, own)
    config.update(changes)
    if "simulation" not in config:
        config.setdefault("raw", "recordings")
    return config


@pytest.mark.parametrize("name", DATASETS)
def test_shipped_configurations_are_valid(name):
    settings = validate(merged(name))
    assert set(settings.methods) >= {"random_guess", "raw", "simclr", "regression_conv", "swap_calcium"}


@pytest.mark.parametrize("name", SPIKES)
@pytest.mark.parametrize("published", [False, True])
def test_shipped_configurations_of_spikes_are_valid(name, published):
    changed = merged(name)
    if published:
        update_config(changed, read_yaml(CONFIG / "published.yaml"))
    settings = validate(changed)
    assert settings.split.protocol == ("published" if published else "repeated")
    assert "decoding" in settings.evaluation.tasks
    assert set(settings.methods) >= {"chance", "rates_centred", "supervised", "byol", "myow"}
    assert set(settings.tables.references + settings.tables.curves) <= set(settings.methods)


@pytest.mark.parametrize(
    ("dataset", "more", "rows"),
    [
        ("monkey_reach.yaml", ["together.yaml"], ["byol_together", "myow_together"]),
        ("monkey_reach.yaml", ["cebra_spikes.yaml", "cebra_hand.yaml"], ["cebra_time", "cebra_behavior"]),
        ("rodent_sleep.yaml", ["cebra_spikes.yaml"], ["cebra_time"]),
        ("config.yaml", ["mined_views.yaml"], ["byol", "myow"]),
        ("config.yaml", ["split_embedding.yaml"], ["split_embedding"]),
        ("fly_walking.yaml", ["cebra.yaml"], ["cebra_time", "cebra_behavior"]),
        ("worms.yaml", ["cebra_units.yaml", "spint.yaml"], ["cebra_behavior", "spint"]),
        ("fly_walking.yaml", ["fly_walking_cells.yaml"], []),
        ("config.yaml", ["units.yaml"], ["regression_linear", "regression_linear_mmd"]),
    ],
)
def test_shipped_rows_on_top_of_a_dataset_are_valid(dataset, more, rows):
    config = merged(dataset)
    known = set(config["methods"])
    for name in more:
        update_config(config, read_yaml(CONFIG / name))
    assert set(validate(config).methods) - known == set(rows)


def test_the_split_embedding_is_matched_alignment_and_a_private_part():
    config = merged("config.yaml")
    update_config(config, read_yaml(CONFIG / "split_embedding.yaml"))
    matched, split = (config["methods"][name] for name in ("matched_alignment", "split_embedding"))
    objective = {**matched["objective"], "private": 48}
    assert split == {**matched, "label": split["label"], "objective": objective}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"objective": {"name": "pi_vae"}}, "pi_vae models the counts of the units of one session"),
        (
            {"objective": {"name": "byol"}, "settings": {"encoders": {"neural": {"name": "trace_cnn"}}}},
            "'together' needs the neural encoder mlp",
        ),
        ({"representation": "raw"}, "only in rows with their own objective"),
    ],
)
def test_what_cannot_be_trained_together_is_a_line(row, message):
    config = merged("monkey_reach.yaml")
    config["methods"]["new"] = {"label": "x", "sessions": "together", **row}
    with pytest.raises(InputError, match=message):
        validate(config)


def test_tasks_across_sessions_need_the_animals_of_sessions():
    config = merged("monkey_across.yaml")
    config["split"] = {**config["split"], "animal_of_session": None}
    with pytest.raises(InputError, match=r"'across_sessions' needs split\.animal_of_session"):
        validate(config)


def test_no_row_of_reaches_has_views_of_calcium():
    rows = validate(merged("monkey_across.yaml")).methods
    shown = merged("monkey_across.yaml")["rows"]
    views = {view.name for name in shown for view in rows[name].augmentations.neural}
    assert views == {"dropout", "pepper", "noise"}


def test_a_change_of_one_row_leaves_rows_that_repeat_it_in_yaml():
    def rows(**changes):
        return complete({"methods": changes}, lambda name: CONFIG / name)["methods"]

    shipped, changed = rows(), rows(swap_calcium={"objective": {"temperature": 0.2}})
    assert shipped["swap_calcium"]["objective"] == shipped["simclr"]["objective"]
    assert changed["swap_calcium"]["objective"] == {
        **shipped["swap_calcium"]["objective"],
        "temperature": 0.2,
    }
    assert {**changed, "swap_calcium": None} == {**shipped, "swap_calcium": None}


def test_a_raw_folder_that_is_gone_is_said_also_where_a_sheet_is_given(tmp_path):
    samples = tmp_path / "recordings.csv"
    samples.write_text("animal,trial,path\nFly1,001,a\n")
    config = merged(raw=str(tmp_path / "gone"), recordings=str(samples))
    with pytest.raises(InputError, match=r"raw: .*gone' is not a folder"):
        Plan(config)


def test_a_kernel_is_fitted_where_a_shown_row_trains_with_it():
    assert Plan(merged()).fits_kernel
    tables = {"figure_method": "simclr"}
    assert not Plan(merged(rows=["raw", "simclr"], tables=tables)).fits_kernel


def test_every_key_is_explained():
    readme = (CONFIG / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`{name}`" in readme, name
        section = field.annotation
        for key in getattr(section, "model_fields", {}):
            assert f"`{key}`" in readme, f"{name}.{key}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datset": "x"}, "configuration datset: unknown key"),
        ({"seeds": "0"}, "configuration seeds: '0', expected: a valid list"),
        ({"seeds": []}, "configuration seeds"),
        ({"training": {"steps": "many"}}, "configuration training.steps: 'many', expected: a valid integer"),
        (
            {"training": {"steps": "60"}},
            "configuration training.steps: '60', expected: a valid integer; Snakemake reads",
        ),
        ({"training": {"step": 3}}, "configuration training.step: unknown key"),
        (
            {"evaluation": {"label_budgets": [0]}},
            "configuration evaluation.label_budgets.0: 0, expected: 'all' or 'half' or greater than or equal to 1",
        ),
        ({"split": {"protocol": "leaky"}}, "configuration split.protocol: 'leaky'"),
        ({"rows": ["our"]}, "configuration rows: 'our' is not one of"),
        ({"tables": {"references": ["our"]}}, "configuration tables.references: 'our' is not one of"),
        ({"tables": {"curves": ["our"]}}, "configuration tables.curves: 'our' is not one of"),
        ({"rows": ["simclr"]}, "configuration tables.figure_method: 'swap_calcium' is not one of rows"),
        (
            {"tables": {"chosen_on": [{"rows": ["our"], "recordings": "x"}]}},
            "configuration tables.chosen_on: 'our'",
        ),
        ({"split": {"test_folds": [4]}}, "configuration split.test_folds: 4, expected numbers below"),
        ({"adapt": {"rows": ["raw"]}}, "configuration adapt.rows: 'raw' is not"),
        ({"dataset": "a/b"}, "configuration dataset: 'a/b'"),
        ({"simulation": None, "raw": None}, "configuration raw: missing"),
    ],
)
def test_mistakes_are_one_line(changes, message):
    with pytest.raises(InputError) as error:
        validate(merged(**changes))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation": {"tasks": ["decode"]}}, "configuration evaluation.tasks.0: 'decode'"),
        ({"evaluation": {"tasks": ["within", "decoding"]}}, "no probe reads evaluation.tasks 'decoding'"),
        (
            {"evaluation": {"label_budgets": ["all", "third"]}},
            "configuration evaluation.label_budgets.1: 'third', expected: 'all' or 'half' or a valid integer",
        ),
        ({"probes": {"svm": {"kind": "svm", "tasks": ["within"]}}}, "configuration probes.svm.kind: 'svm'"),
        (
            {"probes": {"softmax": {"kind": "softmax", "tasks": ["continuous_within"]}}},
            "configuration probes.softmax.tasks: 'continuous_within', expected tasks of classes",
        ),
        (
            {
                "probes": {
                    "ridge": {"tasks": ["within", "clusters", "continuous_within", "continuous_across"]}
                }
            },
            "configuration probes.ridge.tasks: 'within', expected tasks of behaviour",
        ),
        (
            {"probes": {"knn": {"tasks": ["clusters"]}}},
            "configuration probes.knn.tasks: 'clusters', expected tasks of classes",
        ),
        (
            {"probes": {"angle": {"kind": "angle", "tasks": ["identity"]}}},
            "configuration probes.angle.tasks: 'identity', expected tasks with directions",
        ),
    ],
)
def test_probes_and_tasks_that_do_not_fit_are_one_line(changes, message):
    config = merged()
    update_config(config, changes)
    with pytest.raises(InputError) as error:
        validate(config)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probe": {"steps": 3}}, "probe: a key of an older version, expected probes"),
        ({"decoding": {}}, "decoding: a key of an older version, expected evaluation"),
        ({"split": {"splits": 3}}, "split.splits: a key of an older version, expected split.repeats"),
        ({"tables": {"bootstrap": 9}}, "tables.bootstrap: a key of an older version"),
        (
            {"methods": {"swap_calcium": {"probe": {}}}},
            "methods.swap_calcium.probe: a key of an older version, expected probes",
        ),
        (
            {"methods": {"swap_calcium": {"readout": "x"}}},
            "methods.swap_calcium.readout: a key of an older version",
        ),
        (
            {"methods": {"swap_calcium": {"features": {"while_bins": 10}}}},
            "methods.swap_calcium.features.while_bins: a key of an older version, expected features.block_bins",
        ),
    ],
)
def test_keys_of_an_older_version_name_the_new_ones(changes, message):
    with pytest.raises(InputError, match=message):
        validate(merged(**changes))


@pytest.mark.parametrize("old", ROWS_RENAMED)
@pytest.mark.parametrize("key", ["rows", "methods", "references", "curves", "figure_method"])
def test_rows_of_an_older_version_name_the_new_ones(old, key):
    new = ROWS_RENAMED[old].split(",")[0]
    config = merged("monkey_reach.yaml" if new not in merged()["methods"] else "config.yaml")
    assert new in config["methods"]
    if key == "rows":
        config["rows"] = [old]
    elif key == "methods":
        config["methods"][old] = {"settings": {}}
    else:
        config["tables"] = {**config["tables"], key: old if key == "figure_method" else [old]}
    with pytest.raises(InputError, match=f"'{old}' is a row of an older version, expected {new}"):
        validate(config)
    # A row of that name that is complete is the user's own.
    config = merged()
    config["methods"][old] = {"label": "Mine", "representation": "raw"}
    validate(config)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"label": "x", "objective": {"name": "infonc"}},
            "'infonc' is not one of autoencoder, behavenet, byol, infonce, infonce_neural",
        ),
        (
            {"label": "x", "objective": {"name": "infonce", "tau": 1.0}},
            "methods.new.objective.tau: unknown key",
        ),
        (
            {"label": "x", "objective": {"name": "infonce", "temperature": "hot"}},
            "'hot', expected: a valid number",
        ),
        (
            {
                "label": "x",
                "objective": {"name": "infonce"},
                "augmentations": {"behavior": [{"name": "swop"}]},
            },
            "methods.new.augmentations.behavior.0.name: 'swop' is not one of",
        ),
        ({"label": "x"}, "an objective or the model of another row for representation 'trained'"),
        (
            {"label": "x", "representation": "raw", "objective": {"name": "infonce"}},
            "neither for any other representation",
        ),
        (
            {"label": "x", "objective": {"name": "infonce", "negatives": "none"}},
            "'none', expected: 'all' or 'same_animal'",
        ),
        (
            {"label": "x", "objective": {"name": "infonce"}, "adaptation": {"name": "gan"}},
            "methods.new.adaptation.name: 'gan' is not one of grl, mmd",
        ),
        (
            {"label": "x", "objective": {"name": "infonce"}, "settings": {"training": {"step": 3}}},
            "methods.new.settings.training.step: unknown key",
        ),
        ({"label": "x", "model": "our"}, "methods.new.model: 'our' is not a row with its own objective"),
        (
            {"label": "x", "representation": "raw", "settings": {"training": {"steps": 3}}},
            "adaptation, sessions and settings only in rows with their own objective",
        ),
        (
            {"label": "x", "objective": {"name": "byol"}, "sessions": "together"},
            "methods.new.sessions: 'together' needs split.protocol published or repeated",
        ),
        (
            {"label": "x", "representation": "external"},
            "an `external` package for representation 'external'",
        ),
        (
            {
                "label": "x",
                "representation": "external",
                "external": {"name": "cebra", "conditional": "space"},
            },
            "external.conditional: 'space', expected: 'time' or 'behavior'",
        ),
    ],
)
def test_rows_are_checked_against_the_classes_they_name(row, message):
    config = merged()
    config["methods"] = {**config["methods"], "new": row}
    with pytest.raises(InputError, match=message):
        validate(config)


def test_a_package_that_cannot_read_a_new_animal_is_refused():
    config = merged("worms.yaml")
    update_config(config, read_yaml(CONFIG / "cebra_units.yaml"))
    validate(config)
    config["split"]["protocol"] = "new_animal"
    with pytest.raises(InputError, match=r"methods\.cebra_behavior: cebra has an encoder for each animal"):
        validate(config)
    # A row that is not shown is not made.
    validate({**config, "rows": [name for name in config["methods"] if name != "cebra_behavior"]})


@pytest.mark.parametrize(
    ("table", "files"),
    [
        ("action_recognition", ["methods.yaml"]),
        ("identity_recognition", ["methods.yaml"]),
        ("decoding", ["methods_spikes.yaml", "monkey_reach.yaml"]),
    ],
)
def test_published_numbers_are_of_rows_and_probes_that_are_shipped(table, files):
    """Of another name they would be left out without a word."""
    config: dict = {}
    for file in files:
        update_config(config, read_yaml(CONFIG / file))
    for method, probe, task, _ in published(table).values:
        assert method in config["methods"]
        assert task in config["probes"][probe]["tasks"]


def test_broken_yaml_names_the_file(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("a: [1,\nb")
    with pytest.raises(InputError, match=r"broken.yaml: cannot be read as YAML") as error:
        read_yaml(path)
    assert "\n" not in str(error.value)


def test_a_paired_reader_depends_on_the_formats_it_names():
    config = merged("worm.yaml")["convert"]
    modules = reader_modules(config["reader"], config["reader_options"])
    assert modules == ["neural_action.recordings.readers.paired", "neural_action.recordings.formats.nwb"]
    assert code_hash(modules) != code_hash(modules[:1])


def test_whole_numbers_may_be_text_as_snakemake_gives_them_in_lists():
    given = read(
        {"seeds": ["0", "2"], "split": {"test_folds": ["1"]}, "evaluation": {"label_budgets": ["all", "4"]}}
    )
    assert (given.seeds, given.split.test_folds, given.evaluation.label_budgets) == ([0, 2], [1], ["all", 4])
    with pytest.raises(InputError, match=r"configuration seeds\.0: '1\.5'"):
        read({"seeds": ["1.5"]})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "swap_calcium"),
        ({"rows": ["raw", "swap_calcium", "simclr"]}, "swap_calcium"),
        ({"rows": ["raw", "simclr", "behavenet"]}, "simclr"),
        ({"rows": ["raw", "random_guess"]}, "raw"),
        ({"rows": ["raw", "simclr"], "tables": {"references": ["raw"]}}, "simclr"),
        ({"rows": ["raw", "simclr"], "tables": {"figure_method": "raw"}}, "raw"),
    ],
)
def test_the_figure_method_is_a_row_that_there_is(changes, expected):
    assert read(changes).tables.figure_method == expected


def test_the_figure_method_of_shipped_rows_gives_way_too():
    digits = read_yaml(CONFIG / "digits.yaml")
    assert read(digits).tables.figure_method == "myow"
    assert read({**digits, "rows": ["pixels", "byol"]}).tables.figure_method == "byol"


@pytest.mark.parametrize("absent", ["swap_calcium", "our"])
def test_a_figure_method_of_the_user_that_is_no_row_is_refused(absent):
    with pytest.raises(InputError, match=f"tables.figure_method: '{absent}' is not one of rows, raw, simclr"):
        read({"rows": ["raw", "simclr"], "tables": {"figure_method": absent}})


@pytest.mark.parametrize("rows", [["our"], "simclr", [], [{}], None])
def test_rows_that_are_wrong_or_not_given_are_left_to_validation(rows):
    if rows is None:
        assert read({"rows": None}).tables.figure_method == "swap_calcium"
    else:
        with pytest.raises(InputError, match=r"configuration (rows|tables)"):
            read({"rows": rows})


def read(changes) -> Settings:
    """The default configuration with changes."""
    return validate(complete(changes, lambda name: CONFIG / name))
