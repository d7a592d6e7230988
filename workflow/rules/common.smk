# The configuration, typed and validated once; names of files; what every rule shares.
import shlex

import joblib
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.resources import Resource

# Jobs find the package here: set inside each job, since activating a conda environment clears the variable. They end
# with the Snakemake that started them, however that ends.
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(SOURCE))} NEURAL_ACTION_WORKFLOW=$PPID; "
)

from neural_action.config.load import read_yaml
from neural_action.config.plan import NEIGHBORS, SYLLABLES, VARIANT, Plan
from neural_action.errors import InputError
from neural_action.files import writable
from neural_action.processes import hold_folder

if workflow.is_main_process:
    # While this variable lives, which is as long as this Snakemake.
    held, removed = hold_folder(Path(".snakemake"))
    if removed:
        logger.info(
            "Removed the lock of a run that was killed; going on where it stopped."
        )

try:
    # Snakemake has read them already; this also refuses what it lets pass.
    for path in workflow.configfiles:
        read_yaml(Path(path))
    # Snakemake puts the rows that a dataset's file changes first; tables keep the order of the rows' file.
    rows = read_yaml(Path(workflow.basedir) / ROWS)["methods"]
    if isinstance(config["methods"], dict):
        config["methods"] = {**dict.fromkeys(rows), **config["methods"]}
    plan = Plan(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Every job is given threads of its own, so more cores than there are would only make jobs wait for each other.
# joblib knows of affinity and of containers; a cluster's nodes count their own.
asked, there = workflow.global_resources["_cores"].value, joblib.cpu_count()
if asked is not None and asked > there:
    logger.info(f"{asked} cores were asked for, {there} are there: jobs share {there}.")
    workflow.register_resource("_cores", Resource("_cores", there))

RESULTS = plan.results
MANIFESTS = plan.manifests
DATASET_FOLDER = f"{RESULTS}/dataset"
DATASET = plan.layout
SPLIT_TABLE = plan.splits
ENVIRONMENT = f"../../envs/{plan.environment}.yaml"
RUN = f"{RESULTS}/models/{{method}}/{{run}}/seed-{{seed}}"


onstart:
    if not writable(Path(RESULTS)):
        raise WorkflowError(
            f"{RESULTS}: cannot be written to; expected a folder on a disk that can"
        )
    # Its limit of 100 starts a second makes Snakemake 9 look for new jobs once more a second after every job that has
    # finished, until that takes a processor. Jobs here are too long to need a limit; one that is asked for is kept.
    limiter = workflow.scheduler.job_rate_limiter
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def grows(amount):
    """Memory (MB) or minutes of a job that ask for as much again at every retry."""
    return lambda wildcards, attempt: amount * attempt


def options(files):
    """Optional inputs as command line options, ``--name=path``."""
    return [f"--{name}={path}" for name, path in files.items() if path]


wildcard_constraints:
    animal="[A-Za-z0-9._-]+",
    trial="[A-Za-z0-9._-]+",
    method="[a-z][a-z0-9_]*",
    run="[A-Za-z0-9._-]+",
    seed="[0-9]+",
    variant=VARIANT,
