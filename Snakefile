# Raw recordings of several animals to neural action representations and to tables that say what these are worth.
# Reads like the methods section: simulate or take raw recordings, convert them, index poses, fit the calcium kernel,
# pretrain each row for each fold, probe the frozen representations, render tables and pictures.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.12")

# The package: beside this file in a checkout; installed, where this file is a module from a tag.
SOURCE = Path(str(workflow.current_basedir)) / "src"
if SOURCE.is_dir():
    sys.path.insert(0, str(SOURCE))
try:
    import neural_action.config.plan
except ModuleNotFoundError as missing:
    raise WorkflowError(
        f"the package {missing.name} is not installed here; in the environment of Snakemake, run "
        "pip install 'neural-action[recordings,workflow] @ git+<address of this workflow>@<its tag>'"
    ) from None


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


check_prefix(rules.all.input)
