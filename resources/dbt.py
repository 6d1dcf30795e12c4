"""Runs dbt in this process and hands what it did to Dagster, through dagster-dbt.

dagster-dbt names assets and checks, chooses what dbt is to build and translates dbt's events. Only
the way dbt is started differs from its `DbtCliResource`: a child process would import dbt once more
and parse the project anew, which doubles the time of a refresh.

Importing this module imports dbt and dagster-dbt, which takes seconds: import it inside functions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import build_dbt_specs, get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.core.dbt_event_iterator import DbtDagsterEventType
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt_common.events.functions import msg_to_dict
from sqlalchemy.engine import make_url

from resources.dbt_translator import MartTranslator

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "dbt"
"""Folder of the dbt project."""

_EVERYTHING = {"select": "fqn:*", "exclude": "", "selector": ""}
_RESULTS = frozenset({"LogModelResult", "LogTestResult"})
_FAILED = frozenset({"error", "fail", "runtime error"})


class DbtFailed(Exception):
    """dbt could not read the project or reach the database; says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """What one `dbt build` did.

    Attributes:
        events: Dagster events, in the order dbt finished.
        failures: one line per model that could not be built and per test that failed.
        refused: for each test that failed, the SQL that finds the rows it refuses.
        seconds: how long dbt took, without parsing.
    """

    events: list[DbtDagsterEventType]
    failures: list[str]
    refused: Mapping[str, str]
    seconds: float


def home() -> Path:
    """Folder for what dbt writes: `ECOM_HOME/dbt`, so that the tree stays clean."""
    return Path(os.environ.get("ECOM_HOME") or ROOT / ".ecom").expanduser().absolute() / "dbt"


def connection(url: str) -> dict[str, str]:
    """The environment variables `dbt/profiles.yml` reads, from a database address."""
    address = make_url(url)
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
    """Read the project; what did not change since the last time is taken from `home()`.

    Args:
        url: address of the shop's database; it is not connected to.

    Returns:
        dbt's `Manifest`.

    Raises:
        DbtFailed: the project has a mistake.
    """
    return invoke(dbtRunner(), url, "parse").result


def described(url: str) -> tuple[Mapping[str, Any], list[dg.AssetSpec], list[dg.AssetCheckSpec]]:
    """What the project makes.

    Args:
        url: address of a database; it is not connected to.

    Returns:
        The project's nodes by dbt's unique id, the assets and the checks dagster-dbt sees in it.
    """
    manifest = _readable(parse(url))
    assets, checks = build_dbt_specs(
        translator=MartTranslator(),
        manifest=manifest,
        io_manager_key=None,
        project=None,
        **_EVERYTHING,
    )
    return manifest["nodes"], list(assets), list(checks)


def build(context: dg.AssetExecutionContext, url: str) -> Built:
    """Build and test the models the run selected.

    Args:
        context: context of the asset function.
        url: address of the shop's database.

    Raises:
        DbtFailed: dbt could not start; models and tests that fail are in `Built.failures`.
    """
    manifest = parse(url)
    readable, translator = _readable(manifest), MartTranslator()
    messages: list[dict[str, Any]] = []

    def keep(message: Any) -> None:
        if message.info.name in _RESULTS:
            messages.append(msg_to_dict(message))

    # Turned into events only afterwards: a callback runs in the middle of dbt's own work.
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
    arguments = [f"--project-dir={PROJECT}", f"--profiles-dir={PROJECT}"]
    arguments += [f"--target-path={home() / 'target'}", f"--log-path={home() / 'logs'}"]
    # Standard output belongs to whoever runs us; what failed is reported as Dagster events.
    arguments += ["--log-level=none", "--log-level-file=none", "--no-print", "--no-write-json"]
    with _environment(connection(url)):
        done = runner.invoke([command, *arguments, *options])
    if isinstance(done.exception, Exception):
        raise DbtFailed(str(done.exception)) from done.exception
    if done.exception is not None:  # an interrupt: dbt hands over what it caught
        raise done.exception
    return done


def _readable(manifest: Any) -> Mapping[str, Any]:
    readable: Mapping[str, Any] = manifest.writable_manifest().to_dict(omit_none=False)
    return readable


def _selection(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: MartTranslator
) -> list[str]:
    """What dbt is to build. Unit tests look at SQL, not at data: the test suite runs them."""
    chosen, indirect = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        dagster_dbt_translator=translator,
        current_dbt_indirect_selection_env=None,
        **_EVERYTHING,
    )
    mode = ["--indirect-selection", indirect] if indirect else []
    return [*chosen, *mode, "--exclude-resource-type", "unit_test"]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    # dbt reads its profile from the environment of the process, which others share.
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
