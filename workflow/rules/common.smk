# The configuration, typed and validated once; names of files; what every rule shares.
import shlex

from snakemake.logging import logger


def shipped(name):
    """A file of ``config/``: that of the working folder, or the one that comes with the workflow."""
    own = Path("config") / name
    return own if own.exists() else Path(workflow.source_path(f"../../config/{name}"))


try:
    if workflow.is_main_process:
        # While this variable lives, which is as long as this Snakemake.
        held, removed = hold_folder(Path(".snakemake"))
        if removed:
            logger.info(
                "Removed the lock of a run that was killed; going on where it stopped."
            )
    # Snakemake has read them already; this also refuses what it lets pass.
    for path in workflow.configfiles:
        read_yaml(Path(path))
    config.update(complete(config, shipped))
    plan = Plan(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# Jobs find the package here: set inside each job, since activating a conda environment clears the variable. They end
# with the Snakemake that started them, however that ends.
shell.prefix(
    f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(package_folder(Path('.snakemake'))))}"
    " NEURAL_ACTION_WORKFLOW=$PPID; "
)

RESULTS = plan.results
MANIFESTS = plan.manifests
DATASET = plan.layout
SPLIT_TABLE = plan.splits
ENVIRONMENT = f"../../envs/{plan.environment}.yaml"
RUN = f"{RESULTS}/models/{{method}}/{{run}}/seed-{{seed}}"


def dataset_folder(wildcards, input):
    """The folder of the arrays that a rule takes as ``dataset``."""
    return str(Path(input.dataset[0]).parent)


onstart:
    if not writable(Path(RESULTS)):
        raise WorkflowError(
            f"{RESULTS}: cannot be written to; expected a folder on a disk that can"
        )


def grows(amount):
    """Memory (MB) or minutes of a job that ask for as much again at every retry."""
    return lambda wildcards, attempt: amount * attempt


def check_prefix(files):
    """WorkflowError if a module statement changes the names of files, which parameters of rules also hold."""
    if not all(file.startswith(f"{RESULTS}/") for file in files):
        raise WorkflowError(
            f"module: prefix or replace_prefix makes {RESULTS}/ another folder, expected none of them; "
            "set results: <folder> in the config of the module"
        )


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
