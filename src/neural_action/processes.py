"""One writer an output: what a workflow that was killed leaves running, and leaves locked."""

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

#: Process number of the Snakemake that started a job, in the job's environment (workflow/rules/common.smk).
WORKFLOW = "NEURAL_ACTION_WORKFLOW"
#: Seconds between looks at it, and seconds in which a job without one may clean up (our choice).
_LOOK, _CLEAN_UP = 0.5, 5.0


class _Followed:
    """The processes that this one belongs to; none for a command started by hand."""

    workflow: int | None = None
    parent: int | None = None


def follow_workflow() -> None:
    """End this process when the workflow that started it is gone: nobody waits for its result, another may redo it.

    Only for a job of the workflow, which says so in the environment. Where the workflow cannot be seen from here, as
    from another container, nothing is followed.
    """
    number = os.environ.get(WORKFLOW, "")
    if not number.isdigit() or not _alive(int(number)):
        return
    _Followed.workflow, _Followed.parent = int(number), os.getppid()
    threading.Thread(target=_end_when_orphaned, daemon=True).start()


def orphaned() -> bool:
    """Whether the workflow that started this process has ended, or the shell between the two."""
    if _Followed.workflow is None:
        return False
    return os.getppid() != _Followed.parent or not _alive(_Followed.workflow)


@contextmanager
def output_lock(output: Path) -> Iterator[None]:
    """Be the only process that writes ``output``: another one that still does is waited for, and said so.

    The lock is the kernel's, so that it ends with its process however that dies, and it is one for all machines where
    the disk has such locks. Where it has none, this says so and goes on.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    lock = output.with_name(f".{output.name}.lock")
    file = _take(lock, output)
    try:
        yield
    finally:
        # While it is held: whoever waits for it finds another file, or none, under the name and takes that.
        lock.unlink(missing_ok=True)
        file.close()


def hold_folder(folder: Path) -> tuple[IO[str], bool]:
    """Hold Snakemake's ``folder`` while the file returned is open; whether a dead run's lock was removed from it.

    Snakemake locks a folder by files, which a killed run leaves behind. They are removed if no run of this workflow
    holds the folder and the last one that did was of this machine; else Snakemake says what to do.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _open_lock(folder / "neural-action.lock")
    except OSError as error:
        where = Path(error.filename or folder).absolute()
        raise InputError(
            f"{where}: cannot be written to ({error.strerror}); expected a working folder that can, "
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
    """The folder that jobs find this package in. It holds no other package that would hide one of their environment.

    Args:
        folder: Snakemake's; it gets a link to a package that is installed among others.
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
            print(f"{lock}: not locked, this disk has no locks ({error.strerror})", file=sys.stderr)
            return file
        if _is(file, lock):
            file.seek(0)
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
            return file
        file.close()


def _open_lock(path: Path) -> IO[str]:
    """The lock file, made if it is not there. OSError if it is a link, or another file than one of its own.

    It is written to: through a link that somebody put there, that would be any file.
    """
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    found = os.fstat(number)
    # A lock that its holder has just removed has no name any more.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(number)
        raise OSError(
            errno.ELOOP, "a lock that is another file, expected none or a lock; remove it", str(path)
        )
    return os.fdopen(number, "r+")


def _is(file: IO[str], path: Path) -> bool:
    """Whether ``file`` is still what is found at ``path``."""
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
    print("the workflow that started this job has ended: so does the job", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_CLEAN_UP)
    os.kill(os.getpid(), signal.SIGKILL)
