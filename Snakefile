# Raw recordings of several animals to neural action representations and to the tables that say what they are worth.
# Reads like the methods section: simulate or take raw recordings, convert them, index poses, fit the calcium kernel,
# pretrain each row for each fold, probe the frozen representations, render tables and pictures.
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))

from neural_action.config.load import rows_file

# A dataset that is decoded has rows of its own.
ROWS = rows_file(config)


configfile: ROWS


# A dataset is chosen with --configfile; without one, it is the simulated default.
if "dataset" not in config:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/convert.smk"
include: "workflow/rules/neighbors.smk"
include: "workflow/rules/calcium.smk"
include: "workflow/rules/syllables.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/external.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/explore.smk"


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,
        KERNEL_PICTURE,
        f"{DIAGNOSTICS}/diagnostics.html",
        f"{RESULTS}/overview.html",
        EXPLORE,
        f"{RESULTS}/config.yaml",
