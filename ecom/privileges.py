"""Run a server as an unprivileged user, and end it when its parent ends.

PostgreSQL refuses to run as root. Where we are root, the child becomes `nobody`. A folder such as
`/root`, which `nobody` may not pass through, is made passable for this one child with the
capability CAP_DAC_READ_SEARCH (or CAP_DAC_OVERRIDE where only that is there), see capabilities(7).
Nothing on disk is opened up for anybody.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522
_NR_CAPGET = {"x86_64": 125, "aarch64": 90}
_NR_CAPSET = {"x86_64": 126, "aarch64": 91}


def unprivileged() -> pwd.struct_passwd | None:
    """The account a server runs as: `nobody` where we are root, else None for ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def give(path: Path) -> None:
    """Hand a folder to the account the server runs as."""
    account = unprivileged()
    if account:
        os.chown(path, account.pw_uid, account.pw_gid)


def child_setup(paths: list[Path]) -> Callable[[], None]:
    """What a server's child process does before it executes (`preexec_fn`).

    Args:
        paths: folders the server must reach.

    Returns:
        A function that drops root, keeps the folders reachable and ties the child to its parent.
    """
    account = unprivileged()
    needs_pass = account is not None and not all(_reachable(path) for path in paths)
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: not safe after it
    machine = os.uname().machine

    def setup() -> None:
        os.setsid()
        if account:
            if needs_pass:
                libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            if needs_pass:
                _keep_passage(libc, machine)
        if sys.platform == "linux":  # a change of user clears it, so it comes last
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)

    return setup


def tie_to_parent(ends_by: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn` for our own children: own session, and the end of the parent ends them.

    Args:
        ends_by: signal they end by in good order, so that they end their own children too.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def setup() -> None:
        os.setsid()
        if sys.platform == "linux":
            libc.prctl(_PR_SET_PDEATHSIG, ends_by, 0, 0, 0)

    return setup


def _reachable(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _keep_passage(libc: ctypes.CDLL, machine: str) -> None:
    if machine not in _NR_CAPSET:
        return
    header = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITY_VERSION_3, 0))
    data = ctypes.create_string_buffer(24)
    libc.syscall(_NR_CAPGET[machine], header, data)
    permitted = struct.unpack("<6I", data.raw[:24])[1]
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        bit = 1 << capability
        if permitted & bit:
            kept = ctypes.create_string_buffer(struct.pack("<6I", bit, bit, bit, 0, 0, 0))
            libc.syscall(_NR_CAPSET[machine], header, kept)
            libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, capability, 0, 0)
            return
