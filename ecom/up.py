"""`ecom up`: open the platform, take data in, run what is due, and serve."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ecom.platform import Platform, only_one, opened
from ecom.problems import Problem
from ecom.progress import Progress
from ecom.settings import Settings
from resources.sealing import VARIABLE, make_key_file

Readiness = tuple[Callable[[], None], Callable[[Progress], bool] | None]
"""Waits until this process is ready for the jobs; runs the marts elsewhere, where there is a
process for it."""


def run(
    settings: Settings, *, once: bool, source: tuple[str, Path] | None, port: int
) -> dict[str, Any]:
    """Do the work, print a summary on standard error, and serve unless `once`.

    Args:
        settings: what the environment says.
        once: whether to end after the work.
        source: format and folder to import first; without one, an empty database gets the sample.
        port: port of the Dagster UI.

    Returns:
        The summary, with the seconds per stage.

    Raises:
        Problem: anything a person can mend.
    """
    from ecom.serve import check_port, serve

    progress = Progress()
    if not once:
        check_port(port)
    with only_one(settings.home), _open(settings, progress) as platform:
        _make_means(settings)
        summary = _work(platform, source, progress)
        if not once:
            serve(platform, port, progress)
    return summary


def _make_means(settings: Settings) -> None:
    """Make the key that seals secrets of channels, and the folder of their files, once."""
    try:
        if not os.environ.get(VARIABLE):
            make_key_file(settings.home)
        (settings.home / "channels").mkdir(exist_ok=True)
    except OSError as error:
        raise Problem(f"the folder {settings.home} cannot be used: {error.strerror}") from error


def _open(settings: Settings, progress: Progress) -> Any:
    progress.say("starting the database")
    # libraries warn through the root logger; the person reads progress
    logging.basicConfig(filename=settings.logs / "ecom.log", level=logging.WARNING)
    return opened(settings)


def _work(
    platform: Platform, source: tuple[str, Path] | None, progress: Progress
) -> dict[str, Any]:
    from ecom import summary, work

    with _readiness(platform) as (get_ready, run_marts):
        if source:
            work.take_in(platform, *source, progress)
        else:
            work.take_sample_if_empty(platform, progress)
        get_ready()
        with platform.instance() as instance:
            work.close_dead_runs(instance, progress)
            work.run_due_jobs(
                platform, instance, progress, run_marts and partial(run_marts, progress)
            )
            with platform.database.begin() as conn:
                found = summary.orders_summary(conn)
            found["checks"] = summary.checks_summary(instance)
    found["seconds"] = progress.seconds
    for line in summary.lines(found):
        progress.say(line)
    return found


@contextmanager
def _readiness(platform: Platform) -> Iterator[Readiness]:
    """Get ready for the jobs on the side if there will be work for them."""
    from ecom import standby, warmup, work

    with platform.database.begin() as conn:
        has_work = work.is_empty(conn) or work.waiting_orders(conn) > 0
    if not has_work:
        yield _at_once, None
        return
    thread = warmup.begin()
    child = standby.Standby(platform, work.MARTS_JOB)
    try:
        yield thread.join, child.run
    finally:
        child.dismiss()


def _at_once() -> None:
    """Nothing was begun, so nothing is waited for."""
