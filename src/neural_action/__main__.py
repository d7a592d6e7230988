"""The command line ``neural-action <command> ...``; each stage of the workflow is a command."""

from __future__ import annotations

import logging
import signal
import sys
from typing import NoReturn

import click

from neural_action.cli.main import commands
from neural_action.errors import InputError
from neural_action.processes import follow_workflow


def main() -> None:
    """Run the command line.

    Errors of inputs (exit status 2), and errors of the disk or memory (exit status 1), are one line on standard error.
    On SIGTERM, as from a scheduler, temporary files are removed first.
    """
    signal.signal(signal.SIGTERM, lambda *_: _end(128 + signal.SIGTERM))
    follow_workflow()
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        commands.main(arguments, prog_name="neural-action", standalone_mode=False)
    except InputError as error:
        if debug:
            raise
        print(f"neural-action: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        # Mostly a full or read-only disk. NumPy's errors of short writes have no error number.
        if debug:
            raise
        what = error.strerror or f"{error}, as on a full disk"
        print(f"neural-action: {error.filename or 'writing'}: {what}", file=sys.stderr)
        sys.exit(1)
    except MemoryError as error:
        if debug:
            raise
        print(f"neural-action: not enough memory: {error or 'of unknown size'}", file=sys.stderr)
        sys.exit(1)
    except click.ClickException as error:
        print(f"neural-action: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
    except click.Abort:
        _end(128 + signal.SIGINT)


def _end(status: int) -> NoReturn:
    """Exit after an interruption. Tracebacks of Zarr threads, whose folder has been removed, are suppressed."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.exit(status)


if __name__ == "__main__":
    main()
