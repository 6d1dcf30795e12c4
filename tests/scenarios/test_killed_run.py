"""`ecom up --once`, killed at random moments and called again, ends like an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from ecom.postgres import EmbeddedPostgres
from ecom.settings import ROOT
from fixtures.final_state import differences, final_state
from simulator.shop import generate

KILLS = 8
SHOPS = 2
ORDERS = 300
SEED = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


class Shop:
    """A database and a home folder that `ecom up --once` works on, and the process that does."""

    def __init__(self, server: URL | None, home: Path, data: Path) -> None:
        """A shop on a server of the tests, or on the embedded one of its home."""
        self._url = server.set(database=f"killed_{os.getpid()}_{home.name}") if server else None
        self._home, self._data = home, data

    def start(self) -> subprocess.Popen[str]:
        """Start the command."""
        url = self._url.render_as_string(hide_password=False) if self._url else ""
        environment = {**os.environ, "ECOM_HOME": str(self._home), "ECOM_DATABASE_URL": url}
        program = [sys.executable, "-m", "ecom", "up", "--once", "--json"]
        return subprocess.Popen(
            [*program, "--format", "sample", "--data", str(self._data)],
            env=environment, cwd=ROOT, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def finish(self) -> dict[str, object]:
        """Run the command to its end and return its summary."""
        out, err = self.start().communicate(timeout=300)
        assert out, err
        summary: dict[str, object] = json.loads(out)
        return summary

    def kill_after(self, seconds: float) -> bool:
        """Run the command and kill it and its children; whether it was still at work."""
        process = self.start()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        return False

    def state(self) -> dict[str, tuple[int, str]]:
        """The final state of the database."""
        assert self._url
        engine = sa.create_engine(self._url.set(drivername="postgresql+psycopg"))
        try:
            with engine.begin() as conn:
                return final_state(conn)
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "shop"
    generate(folder, ORDERS, SEED)
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    server: URL, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, tuple[int, str]], float]:
    """The final state of an undisturbed run and the seconds it took."""
    shop = Shop(server, tmp_path_factory.mktemp("home"), data)
    begun = time.perf_counter()
    shop.finish()
    return shop.state(), time.perf_counter() - begun


@pytest.mark.parametrize("shop_no", range(SHOPS))
def test_killed_runs_are_finished_by_the_next(
    server: URL,
    data: Path,
    tmp_path: Path,
    undisturbed: tuple[dict[str, tuple[int, str]], float],
    shop_no: int,
) -> None:
    expected, seconds = undisturbed
    shop = Shop(server, tmp_path / f"h{shop_no}", data)
    # One moment per slice of the run, so that the kills cover all of it; a run that continues
    # what a killed one left is killed as well.
    for kill in range(shop_no, KILLS, SHOPS):
        shop.kill_after(random.Random(SEED + kill).uniform(kill, kill + 1) / KILLS * seconds)
    summary = shop.finish()
    assert summary["waiting"] == {}
    assert differences(expected, shop.state()) == {}


@pytest.mark.parametrize("step", ["orders", "risk__decisions"])
def test_a_killed_database_server_is_survived(
    data: Path,
    tmp_path: Path,
    undisturbed: tuple[dict[str, tuple[int, str]], float],
    step: str,
) -> None:
    expected, _ = undisturbed
    shop = Shop(None, tmp_path / "own", data)
    process = shop.start()
    _wait_for_step(process, step)
    pid = int((tmp_path / "own" / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("ecom: ")]) == 1
    shop.finish()
    with EmbeddedPostgres(tmp_path / "own" / "postgres") as postgres:
        engine = sa.create_engine(make_url(postgres.url()).set(drivername="postgresql+psycopg"))
        with engine.begin() as conn:
            assert differences(expected, final_state(conn)) == {}
        engine.dispose()


def _wait_for_step(process: subprocess.Popen[str], step: str) -> None:
    """Read what the command says until it has done a step."""
    assert process.stderr
    assert any(step in line.split() for line in process.stderr), "it ended before"


def test_a_second_run_changes_nothing(
    server: URL, data: Path, tmp_path: Path, undisturbed: tuple[dict[str, tuple[int, str]], float]
) -> None:
    shop = Shop(server, tmp_path / "twice", data)
    shop.finish()
    first = shop.state()
    summary = shop.finish()
    assert shop.state() == first == undisturbed[0]
    assert "orders_flow" not in summary["seconds"]  # type: ignore[operator]
