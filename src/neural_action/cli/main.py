"""The group of all commands. A command is imported only when it is called, so that short stages start fast."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from importlib import import_module
from typing import Any

import click

from neural_action import __version__
from neural_action.cli.options import OUT
from neural_action.processes import output_lock

#: Commands in the order in which the workflow calls them, and the modules that hold them.
_MODULES = {
    "preflight": ("init", "check", "schema"),
    "recordings": ("resolve", "simulate", "samples", "convert", "dataset", "splits"),
    "training": ("neighbors", "calcium", "syllables", "pretrain", "adapt", "arrays"),
    "scoring": ("evaluate", "collect", "consistency"),
    "reports": ("tables", "figures", "diagnose", "explore", "overview"),
    "models": ("transform", "export", "score", "adapt-animal"),
}
_COMMANDS = {name: module for module, names in _MODULES.items() for name in names}
#: Headings of the help of the group. All other commands are stages.
_HEADINGS = {"preflight": "Before a run", "models": "With a trained model"}


class Stage(click.Command):
    """A command that locks its output: a process left over from a killed workflow cannot write it too."""

    def invoke(self, context: click.Context) -> None:
        """Wait until no other process writes the first output, then run."""
        outputs = [context.params[option.name] for option in self.params if option.type is OUT]
        first = next((path for path in outputs if path is not None), None)
        with nullcontext() if first is None else output_lock(first):
            super().invoke(context)


class LazyGroup(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the workflow."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command ``name``, or None if there is none."""
        if name not in _COMMANDS:
            return None
        module = import_module(f"neural_action.cli.{_COMMANDS[name]}")
        return getattr(module, name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List what people call first, then the stages that snakemake calls."""
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS.values()}
        width = formatter.width - 6 - max(map(len, _COMMANDS))
        for name, module in _COMMANDS.items():
            command = self.get_command(ctx, name)
            assert command is not None
            heading = _HEADINGS.get(module, "Stages of the workflow")
            sections.setdefault(heading, []).append((name, command.get_short_help_str(width)))
        for heading, lines in sections.items():
            with formatter.section(heading):
                formatter.write_dl(lines)


def stage(runs: str | None = None) -> Callable[[Callable[[], None]], Stage]:
    """Decorator that makes a ``Stage`` of a function that has only help and options.

    The command runs ``runs``, a ``<module>.<function>`` of ``stages``; by default ``run`` of the module of its name.
    """

    def made(described: Callable[[], None]) -> Stage:
        module, _, function = (runs or f"{described.__name__}.run").partition(".")

        @wraps(described)
        def call(**options: Any) -> None:
            if "joint" in options:
                from neural_action.datasets.dataset import Source

                given = ("dataset", "splits", "split", "animal", "joint")
                options["source"] = Source(*(options.pop(name) for name in given))
            getattr(import_module(f"neural_action.stages.{module}"), function)(**options)

        return click.command(cls=Stage)(call)

    return made


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__)
def commands() -> None:
    """Learn action representations from paired neural and behavioural recordings, and benchmark them.

    Snakemake calls the stages in order. Call one by hand to run a single step. The examples in their help run in the
    folder of a finished run, such as results/simulated.

    An input error prints one line and exits with status 2. Add --debug anywhere to see the traceback instead.
    """
