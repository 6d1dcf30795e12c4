"""A disk of limited size for the database, and filling it: real ENOSPC, not a simulation.

A file system in a sparse file is mounted where the database keeps its data. Filling it allocates
the free blocks to a ballast file and writes nothing, so that the disk of the machine is not filled.
Where mounting is not permitted, `mounted` says why.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDERS = "/usr/sbin:/sbin"
"""Where programs of administrators are when the search path does not say so."""

SIZE_GB = 16
"""Size of the file system; its file takes only what is written."""


class NoMount(RuntimeError):
    """The machine does not permit us to mount a file system; the message says why."""


@contextmanager
def mounted(folder: Path, image: Path) -> Iterator[None]:
    """Mount a file system of its own at a folder, and unmount it at the end.

    Args:
        folder: where, made if it is missing.
        image: file that holds the file system.

    Raises:
        NoMount: it cannot be done here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(SIZE_GB * 1024**3)
    try:
        # No blocks are kept for root: full must be full for everybody.
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1", str(image))
        _run("mount", "-o", "loop,noatime", str(image), str(folder))
        try:
            # The server's program for making a data folder wants it empty.
            (folder / "lost+found").rmdir()
            yield
        finally:
            _run("umount", "--lazy", str(folder))
    finally:
        image.unlink()


def _run(*command: str) -> None:
    program = shutil.which(command[0]) or shutil.which(command[0], path=_FOLDERS)
    if program is None:
        raise NoMount(f"there is no {command[0]} on this machine")
    done = subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise NoMount(f"{command[0]}: {done.stderr.strip() or done.returncode}")


def fill(ballast: Path) -> int:
    """Take every free block of the file system a file is on.

    Returns:
        Bytes taken.
    """
    descriptor = os.open(ballast, os.O_CREAT | os.O_RDWR, 0o600)
    taken, step = 0, 1024**3
    try:
        while step >= 4096:
            try:
                os.posix_fallocate(descriptor, taken, step)
                taken += step
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                # Part of it may have been allocated; smaller steps take what is left.
                step //= 4
    finally:
        os.close(descriptor)
    return taken


def empty(ballast: Path) -> None:
    """Give back what `fill` took."""
    ballast.unlink(missing_ok=True)
