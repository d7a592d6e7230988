"""Processes and locks: one writer for each output, and cleaning up after a killed workflow."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from neural_action.errors import InputError

#: Environment variable with the process id of the Snakemake that started a job (workflow/rules/common.smk).
WORKFLOW = "NEURAL_ACTION_WORKFLOW"
#: Seconds between checks of that process, and seconds for an orphaned job to clean up (our choice).
_LOOK, _CLEAN_UP = 0.5, 5.0


class _Followed:
    """Process ids of the workflow and of the parent of this process; None for a command started by hand."""

    workflow: int | None = None
    parent: int | None = None


def follow_workflow() -> None:
    """End this process when the workflow that started it has ended, because another workflow may run the same job.

    Only for jobs of a workflow, which have its process id in the environment. Does nothing if that process is not
    visible, as from another container.
    """
    number = os.environ.get(WORKFLOW, "")
    if not number.isdigit() or not _alive(int(number)):
        return
    _Followed.workflow, _Followed.parent = int(number), os.getppid()
    threading.Thread(target=_end_when_orphaned, daemon=True).start()


def orphaned() -> bool:
    """Whether the workflow that started this process, or the shell between them, has ended."""
    if _Followed.workflow is None:
        return False
    return os.getppid() != _Followed.parent or not _alive(_Followed.workflow)


@contextmanager
def output_lock(output: Path) -> Iterator[None]:
    """Make this process the only writer of ``output``; wait for another writer, with a message.

    The lock is a kernel lock, which ends with its process, and holds across machines if the disk supports it. On a disk
    without locks, a message says so and the process continues.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    lock = output.with_name(f".{output.name}.lock")
    file = _take(lock, output)
    try:
        yield
    finally:
        # Removed while it is held: a waiting process then takes the new file under this name.
        lock.unlink(missing_ok=True)
        file.close()


def hold_folder(folder: Path) -> tuple[IO[str], bool]:
    """Hold Snakemake's ``folder`` while the returned file is open.

    Snakemake locks a folder by files, which remain after a killed run. They are removed if no run of this workflow
    holds the folder and the last run was on this machine; otherwise Snakemake reports the lock.

    Returns:
        The open lock file, and whether a lock of a killed run was removed.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _open_lock(folder / "neural-action.lock")
    except OSError as error:
        where = Path(error.filename or folder).absolute()
        raise InputError(
            f"{where}: cannot be written to ({error.strerror}); expected a writable working folder, "
            "see snakemake --directory"
        ) from None
    here, removed = socket.gethostname(), False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    except OSError:
        return file, False
    else:
        file.seek(0)
        locks = folder / "locks"
        if file.read() == here and locks.is_dir() and not locks.is_symlink() and any(locks.iterdir()):
            shutil.rmtree(locks)
            removed = True
        file.seek(0)
        file.truncate(0)
        file.write(here)
        file.flush()
    fcntl.flock(file, fcntl.LOCK_SH)
    return file, removed


def package_folder(folder: Path) -> Path:
    """The folder in which jobs find this package, without other packages that could hide those of their environment.

    Args:
        folder: Snakemake's folder; if the package is installed in site-packages, a link to it is made there.
    """
    package = Path(__file__).resolve().parent
    if package.parent.name not in ("site-packages", "dist-packages"):
        return package.parent
    link = (folder / "neural-action" / package.name).absolute()
    if not link.is_symlink() or link.readlink() != package:
        link.parent.mkdir(parents=True, exist_ok=True)
        partial = link.with_name(f"{link.name}.{os.getpid()}")
        partial.symlink_to(package)
        partial.replace(link)
    return link.parent


def _take(lock: Path, output: Path) -> IO[str]:
    while True:
        file = _open_lock(lock)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            print(
                f"{output}: waiting for {file.read() or 'a process'}, which still writes it", file=sys.stderr
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            print(f"{lock}: not locked, because this disk has no locks ({error.strerror})", file=sys.stderr)
            return file
        if _is(file, lock):
            file.seek(0)
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
            return file
        file.close()


def _open_lock(path: Path) -> IO[str]:
    """The lock file, created if necessary. OSError if it is a link or not a regular file.

    Links are refused, because writing through a link could overwrite any file.
    """
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    found = os.fstat(number)
    # A lock that its holder has just removed has no links, which is allowed.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(number)
        raise OSError(errno.ELOOP, "not a lock file, expected none or a lock file; remove it", str(path))
    return os.fdopen(number, "r+")


def _is(file: IO[str], path: Path) -> bool:
    """Whether ``path`` still is the open ``file``."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _end_when_orphaned() -> None:
    while not orphaned():
        time.sleep(_LOOK)
    print("the workflow that started this job has ended, so the job ends too", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_CLEAN_UP)
    os.kill(os.getpid(), signal.SIGKILL)
