"""Put beside the package as ``sitecustomize``: every process of a job is refused the network, and one is stopped.

A job is stopped when it opens or renames a certain file, so that a fault strikes in the middle of its stage. The
environment says where; nothing in the package knows of it.
"""

import errno
import os
import sys
import time
from pathlib import Path

STAGE = sys.orig_argv[3] if sys.orig_argv[1:3] == ["-m", "neural_action"] else None
#: stage, event of the interpreter, end of the file's name, how many of them come before.
POINT = os.environ.get("FAULT_POINT", "|||0").split("|")
#: "stop", or the name of an error that is raised instead.
KIND = os.environ.get("FAULT_KIND", "stop")
FOLDER = Path(os.environ.get("FAULT_FOLDER", os.devnull))
left = int(POINT[3])


def stop() -> None:
    """Say so, and wait to be killed or let go."""
    partial = FOLDER / "reached.part"
    partial.write_text(f"{os.getpid()} {os.getppid()}")
    partial.rename(FOLDER / "reached")
    while not (FOLDER / "go").exists():
        time.sleep(0.02)


def stop_between_checkpoints() -> None:
    """Stop at the second step after a checkpoint, of which there is one every second step."""
    sampler = sys.modules["neural_action.training.batches"].BatchSampler
    call = sampler.__call__

    def stopping(self, step):
        if step % 2:
            stop()
        return call(self, step)

    sampler.__call__ = stopping


def hook(event: str, args: tuple) -> None:
    """Called by the interpreter for everything that it asks of the machine."""
    global left
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["FAULT_NETWORK"], "a") as file:
            file.write(f"{sys.orig_argv}: {event} {args[1:]}\n")
        raise PermissionError(errno.EPERM, "no network here", str(args))
    if POINT[0] != STAGE or not args or event != POINT[1].removeprefix("after "):
        return
    path = str(args[1] if event == "os.rename" else args[0])
    if event == "open" and "w" not in str(args[1]):
        return
    if POINT[2] not in path:
        return
    left -= 1
    if left != -1:
        return
    if POINT[1].startswith("after "):
        stop_between_checkpoints()
    elif KIND == "stop":
        stop()
    else:
        raise OSError(getattr(errno, KIND), os.strerror(getattr(errno, KIND)), path)


if STAGE is not None or os.environ.get("FAULT_NETWORK"):
    sys.addaudithook(hook)
