"""Runs dbt in this process and hands what it did to Dagster, through dagster-dbt.

dagster-dbt names assets and checks, chooses what dbt is to build and translates dbt's events. Only
the way dbt is started differs from its `DbtCliResource`: a child process would import dbt once more
and parse the project anew, which doubles the time of a refresh.

Imports dbt and dagster-dbt, which takes seconds; imported inside functions only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt_common.events.functions import msg_to_dict
from sqlalchemy.engine import URL, make_url

from ecom.settings import ROOT, load
from ecom_assets.marts.built import Built
from ecom_assets.marts.translator import MartTranslator

PROJECT = ROOT / "dbt"
"""Folder of the dbt project."""

_RESULTS = frozenset({"LogModelResult", "LogTestResult"})
_FAILED = frozenset({"error", "fail", "runtime error"})


class DbtFailed(Exception):
    """dbt could not read the project or reach the database; says why."""


def connection(url: str) -> dict[str, str]:
    """The environment variables `dbt/profiles.yml` reads, from a database address."""
    address: URL = make_url(url)
    return {
        "DBT_HOST": address.host or "localhost",
        "DBT_PORT": str(address.port or 5432),
        "DBT_USER": address.username or "",
        "DBT_ENV_SECRET_PASSWORD": address.password or "",
        "DBT_DATABASE": address.database or "",
        "DBT_SSLMODE": str(address.query.get("sslmode", "prefer")),
        "DO_NOT_TRACK": "1",
    }


def parse(url: str) -> Any:
    """Read the project; what did not change since the last time is taken from `ECOM_HOME/dbt`.

    Args:
        url: address of the shop's database; it is not connected to.

    Returns:
        dbt's `Manifest`.

    Raises:
        DbtFailed: the project has a mistake.
    """
    return invoke(dbtRunner(), url, "parse").result


def build(context: dg.AssetExecutionContext, url: str) -> Built:
    """Build and test the models the run selected.

    Args:
        context: context of the asset function.
        url: address of the shop's database.

    Raises:
        DbtFailed: dbt could not start; models and tests that fail are in `Built.failures`.
    """
    manifest = parse(url)
    readable = manifest.writable_manifest().to_dict(omit_none=False)
    translator, messages = MartTranslator(), list[dict[str, Any]]()

    def keep(message: Any) -> None:
        if message.info.name in _RESULTS:
            messages.append(msg_to_dict(message))

    selection = _selection(context, readable, translator)
    done = invoke(dbtRunner(manifest, [keep]), url, "build", *selection)
    events = [
        event
        for message in messages
        for event in DbtCoreCliEventMessage(message, {}).to_default_asset_events(
            readable, translator, context
        )
    ]
    failed = [result for result in done.result.results if result.status in _FAILED]
    return Built(
        events=events,
        failures=[_line(result) for result in failed],
        refused={r.node.name: r.node.compiled_code for r in failed if r.status == "fail"},
        seconds=done.result.elapsed_time,
    )


def _selection(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: MartTranslator
) -> list[str]:
    """What dbt is to build. Unit tests look at SQL, not at data: the test suite runs them."""
    chosen, indirect = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        select="fqn:*",
        exclude="",
        selector="",
        dagster_dbt_translator=translator,
        current_dbt_indirect_selection_env=None,
    )
    mode = ["--indirect-selection", indirect] if indirect else []
    return [*chosen, *mode, "--exclude-resource-type", "unit_test"]


def invoke(runner: dbtRunner, url: str, command: str, *options: str) -> dbtRunnerResult:
    """Run one command of dbt on the project.

    Args:
        runner: may hold a parsed project and callbacks.
        url: address of the shop's database.
        command: such as `build`.
        options: further arguments of the command.

    Returns:
        dbt's result; failed models and tests are in it.

    Raises:
        DbtFailed: the command did not run at all.
    """
    home = load().home / "dbt"
    places = {"project": PROJECT, "profiles": PROJECT}
    arguments = [f"--{name}-dir={path}" for name, path in places.items()]
    arguments += [f"--target-path={home / 'target'}", f"--log-path={home / 'logs'}"]
    arguments += ["--log-level=none", "--log-level-file=info", "--no-print"]
    with _environment(connection(url)):
        done = runner.invoke([command, *arguments, *options])
    if isinstance(done.exception, Exception):
        raise DbtFailed(str(done.exception)) from done.exception
    if done.exception is not None:  # an interrupt: dbt hands over what it caught
        raise done.exception
    return done


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _line(result: Any) -> str:
    return f"{result.node.name}: {' '.join((result.message or result.status).split())}"
