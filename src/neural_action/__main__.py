"""The command line: ``neural-action <stage> ...``; one command a stage of the workflow."""

from __future__ import annotations

import sys

import click

from neural_action.cli import commands
from neural_action.errors import InputError


def main() -> None:
    """Run the command line; bad input is one line on standard error and exit status 2."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        commands.main(arguments, prog_name="neural-action", standalone_mode=False)
    except InputError as error:
        if debug:
            raise
        print(f"neural-action: {error}", file=sys.stderr)
        sys.exit(2)
    except click.ClickException as error:
        print(f"neural-action: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
    except click.Abort:
        sys.exit(130)


if __name__ == "__main__":
    main()
