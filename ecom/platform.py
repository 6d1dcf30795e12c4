"""The platform while it is open: its databases are up and migrated, its Dagster instance is ready.

`opened` is the one way into the platform for every command. It changes nothing that a second call
would not leave as it is.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import dagster as dg
import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from ecom.migrate import ensure_database, has_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom.problems import Problem
from ecom.settings import Settings
from resources.database import DatabaseResource, engine_for
from resources.history import KEEP_DAYS, VARIABLES

_OWN = ("ECOM_", "DAGSTER_")
"""What names of the environment that belong to the platform begin with."""

_DAGSTER_YAML = """\
# Written by the platform at every start; change it there.
storage:
  postgres:
    postgres_url:
      env: ECOM_DAGSTER_URL
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: {home}/storage
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: {home}/storage
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    max_concurrent_runs: 4
    dequeue_interval_seconds: 1
run_launcher:
  module: ecom.launcher
  class: WarmLauncher
run_monitoring:
  enabled: true
  poll_interval_seconds: 10
retention:
  schedule:
    purge_after_days: {days}
  sensor:
    purge_after_days:
      skipped: 1
      started: {days}
      success: {days}
      failure: {days}
nux:
  enabled: false
telemetry:
  enabled: false
"""


@dataclass(frozen=True, slots=True)
class Platform:
    """An open platform.

    Attributes:
        settings: where its files are.
        url: address of the shop's database, without a driver.
        dagster_url: address of Dagster's own database.
        server: the embedded server, or None where an own one is used.
    """

    settings: Settings
    url: str
    dagster_url: str
    server: EmbeddedPostgres | None

    @classmethod
    def of_environment(cls, settings: Settings) -> Self:
        """The platform that the parent process has opened and told us of."""
        return cls(settings, os.environ["ECOM_DATABASE_URL"], os.environ["ECOM_DAGSTER_URL"], None)

    @property
    def database(self) -> DatabaseResource:
        """Transactions on the shop's database."""
        return DatabaseResource(url=self.url)

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a process that belongs to the platform."""
        return {
            "DAGSTER_HOME": str(self.settings.dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "ECOM_DAGSTER_URL": self.dagster_url,
            "ECOM_DATABASE_URL": self.url,
            "ECOM_HOME": str(self.settings.home),
        }

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The Dagster instance, closed at the end.

        Its storage keeps connections open; by itself it opens one per event, which costs more than
        the event.
        """
        with dg.DagsterInstance.from_config(str(self.settings.dagster_home)) as instance:
            instance.optimize_for_webserver(
                statement_timeout=60_000, pool_recycle=3600, max_overflow=10
            )
            yield instance


@contextmanager
def opened(settings: Settings, migrating: bool = True) -> Iterator[Platform]:
    """Open the platform: server, databases, schema, Dagster's configuration.

    Args:
        settings: what the environment says.
        migrating: whether to bring the schema up to date; commands that only look do not.

    Raises:
        Problem: anything a person can mend.
    """
    make_home(settings.home)
    with ExitStack() as stack:
        stack.callback(_restore, dict(os.environ))
        server = None
        if settings.database_url is None:
            server = stack.enter_context(EmbeddedPostgres(settings.postgres))
        url = _address(settings.database_url or (server.url() if server else ""))
        dagster_url = url.set(database=f"{url.database}_dagster")
        _prepare(settings, url, dagster_url, migrating)
        platform = Platform(settings, _text(url), _text(dagster_url), server)
        os.environ.update(platform.environment)
        stack.callback(engine_for(platform.url).dispose)
        yield platform


def _restore(before: Mapping[str, str]) -> None:
    """Set the platform's own names as they were: who opens again must find the server anew."""
    for name in [name for name in os.environ if name.startswith(_OWN)]:
        del os.environ[name]
    os.environ.update({name: before[name] for name in before if name.startswith(_OWN)})


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock that lets one `ecom up` at a time use a home folder.

    Raises:
        Problem: another one holds it; the message says its process id.
    """
    make_home(home)
    with (home / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise Problem(f"`ecom up` already runs over {home} (process {holder})") from None
        _write_pid(file)
        yield


def make_home(home: Path) -> None:
    """Make the home folder; others may pass through it but not look into it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise Problem(f"the folder {home} cannot be used: {error.strerror}") from error


def _write_pid(file: IO[str]) -> None:
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()


def _address(given: str) -> URL:
    try:
        url = make_url(given.replace("postgres://", "postgresql://", 1))
    except ValueError as error:
        raise Problem("ECOM_DATABASE_URL is not an address of a database") from error
    if url.get_backend_name() != "postgresql" or not url.database:
        raise Problem("ECOM_DATABASE_URL must be postgresql://user:password@host:port/database")
    return url.set(drivername="postgresql")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _prepare(settings: Settings, url: URL, dagster_url: URL, migrating: bool) -> None:
    ensure_database(_text(url))
    settings.dagster_home.mkdir(exist_ok=True)
    text = dagster_yaml(settings.dagster_home)
    (settings.dagster_home / "dagster.yaml").write_text(text)
    if not has_database(_text(dagster_url)):
        _make_dagster_database(settings, dagster_url)
    if migrating:
        migrate(engine_for(_text(url)))


def dagster_yaml(home: Path) -> str:
    """The configuration of a Dagster instance whose files are in `home`."""
    return _DAGSTER_YAML.format(home=home, days=_history_days())


def _history_days() -> int:
    """Days for which ticks are kept; `backoffice_purge` keeps runs as long."""
    name = VARIABLES["keep_days"]
    given = os.environ.get(name) or str(KEEP_DAYS)
    # Dagster takes 0 for "not set" and would keep them for ever.
    if not given.isdecimal() or int(given) < 1:
        raise Problem(f"{name} is {given!r}; it must be a whole number of days, at least 1")
    return int(given)


def _make_dagster_database(settings: Settings, dagster_url: URL) -> None:
    """Make Dagster's database under another name and rename it when it is whole.

    Dagster makes its tables in many transactions; killed between two of them it would never finish.
    Commits need not reach the disk before they are confirmed there (never so in the shop's own
    database): a crash of the machine loses the last events of a run, which the next tells again.
    """
    unfinished = dagster_url.set(database=f"{dagster_url.database}_unfinished")
    names = [sql.Identifier(url.database or "") for url in (unfinished, dagster_url)]
    server = _text(dagster_url.set(database="postgres"))
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
        conn.execute(sql.SQL("CREATE DATABASE {}").format(names[0]))
        conn.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(names[0]))
        os.environ["ECOM_DAGSTER_URL"] = _text(unfinished)
        with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
            instance.get_runs_count()  # whatever is made on first use is made now
        conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
