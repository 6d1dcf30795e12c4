"""`ecom replay`: decide a past range of orders anew and say what would have been different."""

from __future__ import annotations

import json
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from ecom.platform import Platform, opened
from ecom.problems import Problem
from ecom.progress import Progress
from ecom.settings import Settings, load
from ecom.work import run_job
from ecom_assets.decisions import store
from ecom_assets.decisions.model import BadRequest, Request
from ecom_assets.replaying import policies

REPLAY_JOB = "decisions_replay"


def read_rules(file: Path) -> dict[str, Any]:
    """A document of rules: TOML, or JSON where the name ends in `.json`.

    Raises:
        Problem: the file cannot be read, or a setting in it is wrong; the message names it.
    """
    try:
        text = file.read_text(encoding="utf-8")
        document = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise Problem(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise Problem(f"{file.name}: {error}") from error
    try:
        if not isinstance(document, dict):
            raise BadRequest("the document must be a table of sections")
        policies(document)
    except BadRequest as error:
        raise Problem(f"{file.name}: {error}") from error
    return document


def make(
    settings: Settings, first: str, last: str, rules: Mapping[str, Any], model: str | None
) -> dict[str, Any]:
    """Run the replay as a Dagster job in this process and return its row.

    Args:
        settings: what the environment says.
        first: first day or moment of deciding.
        last: end of the range, excluded.
        rules: settings that differ from those in force.
        model: fraud model to score with; None keeps the recorded scores.

    Raises:
        Problem: the request makes no sense, or a step failed.
    """
    try:
        Request.of_texts(first, last, rules, model)
    except BadRequest as error:
        raise Problem(str(error)) from error
    config = {
        "from_date": first, "to_date": last, "rules": dict(rules), "model_version": model or "",
    }  # fmt: skip
    with opened(settings) as platform, platform.instance() as instance:
        run = str(uuid.uuid4())
        progress = Progress()
        instance.add_event_listener(run, _Told(progress))
        job_config = {"ops": {"decisions": {"config": config}}}
        run_job(instance, REPLAY_JOB, progress, job_config, run)
        return _row(platform, run)


def _row(platform: Platform, run: str) -> dict[str, Any]:
    with platform.database.begin() as conn:
        found = store.replay_of_run(conn, run)
    if found is None:
        raise Problem(f"the run {run} left no replay")
    return dict(found)


def remove(replay_id: int) -> None:
    """Remove a replay with its outcomes.

    Raises:
        Problem: there is no such replay.
    """
    with opened(load()) as platform, platform.database.begin() as conn:
        if not store.remove_replay(conn, replay_id):
            raise Problem(f"there is no replay {replay_id}")


class _Told:
    """Passes what the run says of itself on as progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, entry: dg.EventLogEntry) -> None:
        if entry.dagster_event is None and entry.user_message:
            self._progress.say(f"  {entry.user_message}")
