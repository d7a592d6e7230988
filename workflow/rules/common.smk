# Shared by all rules: the validated configuration, names of files, and helpers.
import shlex

from snakemake.logging import logger


def shipped(name):
    """Path of a file of ``config/``: in the working folder if it exists there, else the one shipped with the workflow."""
    own = Path("config") / name
    return own if own.exists() else Path(workflow.source_path(f"../../config/{name}"))


try:
    if workflow.is_main_process:
        # `held` keeps the folder locked as long as this Snakemake runs.
        held, removed = hold_folder(Path(".snakemake"))
        if removed:
            logger.info(
                "Removed the lock of a run that was killed; continuing where it stopped."
            )
    # Snakemake has read these files, but accepts files that `read_yaml` rejects.
    for path in workflow.configfiles:
        read_yaml(Path(path))
    config.update(complete(config, shipped))
    plan = Plan(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# PYTHONPATH is set inside each job, because activating a conda environment clears it. NEURAL_ACTION_WORKFLOW names the
# parent process, so that jobs end when Snakemake ends, even if it is killed.
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
    """Folder of the arrays of the input ``dataset``."""
    return str(Path(input.dataset[0]).parent)


onstart:
    if not writable(Path(RESULTS)):
        raise WorkflowError(
            f"{RESULTS}: cannot be written to; expected a folder on a writable disk"
        )


def grows(amount):
    """Memory (MB) or minutes of a job: ``amount`` times the number of the attempt."""
    return lambda wildcards, attempt: amount * attempt


def check_prefix(files):
    """WorkflowError if a module statement changes the names of files, because rules also use them in params."""
    if not all(file.startswith(f"{RESULTS}/") for file in files):
        raise WorkflowError(
            f"module: prefix or replace_prefix moves {RESULTS}/, expected neither; "
            "set results: <folder> in the config of the module"
        )


def options(files):
    """Command-line options ``--name=path`` of the inputs that are present."""
    return [f"--{name}={path}" for name, path in files.items() if path]


wildcard_constraints:
    animal="[A-Za-z0-9._-]+",
    trial="[A-Za-z0-9._-]+",
    method="[a-z][a-z0-9_]*",
    run="[A-Za-z0-9._-]+",
    seed="[0-9]+",
    variant=VARIANT,
