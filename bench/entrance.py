"""The web entrance under load on loopback, by wrk.

Keyed reads, orders one by one and many at once, the login layer against Dagster's own webserver,
and reads while strangers try passwords. Floors of the same run: the entrance's own `/health` (one
trip to the database) for reads, the function that takes orders for bulk intake, and the stock
webserver's answers to the same question for the login layer.

    python -m bench.entrance --seconds 10          # needs wrk (Debian's package of that name)
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from bench.reaction import CHANNEL, fresh
from bench.wrk import Loaded, load
from ecom.database_accounts import entrance_environment
from ecom.platform import Platform, opened
from ecom.progress import Progress
from ecom.settings import ROOT, Settings
from ecom.work import run_due_jobs, take_sample_if_empty
from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import api_keys, sessions, users
from ecom_assets.backoffice.store.sessions import Lasting
from ecom_assets.orders.delivery import Delivery, Policy
from ecom_assets.orders.model import Message
from ecom_assets.orders.store import take_deliveries

_KEYS, _PORT, _STOCK_PORT = 200, 3177, 3178
_QUESTION = json.dumps({"query": "{ runsOrError(limit: 10) { ... on Runs { results { id status }"
                        " } } }"})  # fmt: skip
_TEMPLATES = sa.text("""
    SELECT payload FROM orders.inbox WHERE state = 'accepted' AND channel <> :channel
    ORDER BY inbox_id LIMIT 500
""")


def _lua(values: Sequence[str]) -> str:
    return "{" + ",".join(json.dumps(value) for value in values) + "}"


def reading(keys: Sequence[str], paths: Sequence[str]) -> str:
    """Ask for one path after the other, each time by another key: each has a limit of its own."""
    return f"""
        local keys, paths, i = {_lua(keys)}, {_lua(paths)}, 0
        function request()
          i = i + 1
          return wrk.format("GET", paths[i % #paths + 1],
            {{["Authorization"] = "Bearer " .. keys[i % #keys + 1]}})
        end
    """


def ordering(keys: Sequence[str], messages: Sequence[str]) -> str:
    """Send messages, each once as long as they last."""
    return f"""
        local keys, bodies, i = {_lua(keys)}, {_lua(messages)}, 0
        function request()
          i = i + 1
          return wrk.format("POST", "/api/v1/orders", {{
            ["Authorization"] = "Bearer " .. keys[i % #keys + 1],
            ["Content-Type"] = "application/json"}}, bodies[i % #bodies + 1])
        end
    """


def asking(path: str, cookie: str, origin: str) -> str:
    """Ask Dagster the same question again and again."""
    return f"""
        function request()
          return wrk.format("POST", "{path}", {{["Content-Type"] = "application/json",
            ["Cookie"] = "ecom={cookie}", ["Origin"] = "{origin}"}}, {json.dumps(_QUESTION)})
        end
    """


def guessing(origin: str) -> str:
    """Try passwords, each time from another address, so that no count of attempts stops it."""
    return f"""
        local i = 0
        function request()
          i = i + 1
          local address = string.format("10.%d.%d.%d", i / 65536 % 256, i / 256 % 256, i % 256)
          return wrk.format("POST", "/login", {{["Origin"] = "{origin}",
            ["X-Forwarded-For"] = address,
            ["Content-Type"] = "application/x-www-form-urlencoded"}},
            "name=ann&password=wrong-" .. i)
        end
    """


@contextmanager
def served(command: list[str], environment: dict[str, str], url: str, log: Path) -> Iterator[None]:
    """A server that answers, until it is not needed any more."""
    with log.open("ab") as file:
        process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=file,
                                   stderr=file, env={**os.environ, **environment})  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not _answers(url):
            if time.monotonic() > deadline or process.poll() is not None:
                raise TimeoutError(f"{command[0]} does not answer; see {log}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).status_code < 500
    except httpx2.HTTPError:
        return False


def people(platform: Platform) -> tuple[list[str], str]:
    """Keys of an operator, and the token of an operator's session."""
    now = datetime.now(UTC)
    with platform.database.begin() as conn:
        user = users.add_user(conn, f"bench-{uuid.uuid4().hex[:8]}", [Role.OPERATOR], now)
        keys = [
            api_keys.make_key(conn, user.user_id, "bench", ["*:read", "*:operate"], now,
                              timedelta(days=1))[1]
            for _ in range(_KEYS)
        ]  # fmt: skip
        token = sessions.start_session(conn, user.user_id, now, Lasting(), "127.0.0.1", "bench")
    return keys, token


def bulk(url: str, key: str, messages: list[dict[str, Any]]) -> float:
    """Rows a second that one request of many orders takes in."""
    lines = "\n".join(json.dumps(each) for each in messages)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    begun = time.perf_counter()
    answer = httpx2.post(f"{url}/api/v1/orders/bulk", content=lines, headers=headers, timeout=300)
    seconds = time.perf_counter() - begun
    answer.raise_for_status()
    return len(messages) / seconds


def bulk_floor(platform: Platform, messages: list[dict[str, Any]]) -> float:
    """Rows a second that the same function takes in without HTTP and without reading JSON."""
    rows = [
        Delivery(place, Message(each["channel"], each["external_id"], datetime.now(UTC),
                                     each["payload"]))
        for place, each in enumerate(messages)
    ]  # fmt: skip
    begun = time.perf_counter()
    with platform.database.begin() as conn:
        take_deliveries(conn, rows, Policy.PARK, "bench", "bench")
    return len(messages) / (time.perf_counter() - begun)


def messages_of(templates: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Orders of new customers, as callers send them."""
    now = datetime.now(UTC).isoformat()
    return [
        {"channel": CHANNEL, "external_id": uuid.uuid4().hex, "received_at": now,
         "payload": fresh(templates[number % len(templates)])}
        for number in range(count)
    ]  # fmt: skip


def measure(platform: Platform, url: str, stock: str, seconds: float) -> None:
    """Print all figures."""
    keys, cookie = people(platform)
    with platform.database.begin() as conn:
        templates = list(conn.execute(_TEMPLATES, {"channel": CHANNEL}).scalars())
        orders = list(
            conn.execute(sa.text("SELECT order_id FROM orders.orders LIMIT 500")).scalars()
        )
    paths = [f"/api/v1/orders/{number}" for number in orders]
    load(url, reading(keys, paths), 2)
    floor = load(url, 'function request() return wrk.format("GET", "/health") end', seconds)
    floor.show("floor: /health")
    reads = load(url, reading(keys, paths), seconds)
    reads.show("keyed reads of an order", f"p99 {reads.p99_ms / floor.p99_ms:.1f} times the floor")
    sent = [json.dumps(each) for each in messages_of(templates, int(400 * seconds))]
    takes = load(url, ordering(keys, sent), seconds)
    takes.show("orders, one by one", f"p99 {takes.p99_ms / floor.p99_ms:.1f} times the floor")
    many = messages_of(templates, 20_000)
    own, got = bulk_floor(platform, many[10_000:]), bulk(url, keys[0], many[:10_000])
    print(f"  {'orders, 10,000 at once':<38} {got:7.0f} rows/s, {own / got:.2f} times the time of"
          f" the function alone ({own:.0f} rows/s)", flush=True)  # fmt: skip
    question = load(url, asking("/dagster/graphql", cookie, url), seconds)
    plain = load(stock, asking("/graphql", cookie, stock), seconds)
    plain.show("floor: Dagster's webserver, a question")
    question.show("the same behind the login",
                  f"p50 {question.p50_ms / plain.p50_ms:.2f}, p99"
                  f" {question.p99_ms / plain.p99_ms:.2f} times the floor")  # fmt: skip
    storm(url, keys, paths, seconds, reads)


def storm(
    url: str, keys: Sequence[str], paths: Sequence[str], seconds: float, calm: Loaded
) -> None:
    """Read while eight connections try passwords."""
    with ThreadPoolExecutor() as pool:
        guesses = pool.submit(load, url, guessing(url), seconds + 4, 8)
        time.sleep(2)
        stormy = load(url, reading(keys, paths), seconds)
    stormy.show("keyed reads while passwords are tried",
                f"p50 {stormy.p50_ms / calm.p50_ms:.1f}, p99 {stormy.p99_ms / calm.p99_ms:.1f}"
                f" times a calm hour; {guesses.result().per_s:.0f} tries/s")  # fmt: skip


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")
    home = given.home or Path(tempfile.mkdtemp(prefix="entrance-"))
    with opened(Settings(home, None)) as platform:
        take_sample_if_empty(platform, Progress())
        with platform.instance() as instance:
            run_due_jobs(platform, instance, Progress())
        url, stock = f"http://127.0.0.1:{_PORT}", f"http://127.0.0.1:{_STOCK_PORT}"
        ours = platform.environment | entrance_environment(platform)
        # Then each try may claim another address, as behind a proxy; none other is trusted.
        ours |= {"ECOM_PUBLIC_URL": url, "ECOM_TRUSTED_PROXIES": "127.0.0.1"}
        theirs = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(_STOCK_PORT), "-w",
                  str(ROOT / "workspace.yaml")]  # fmt: skip
        logs = platform.settings.logs
        with (
            served(["gateway", "--port", str(_PORT)], ours, f"{url}/health", logs / "bench.log"),
            served(theirs, platform.environment, stock, logs / "bench-stock.log"),
        ):
            measure(platform, url, stock, given.seconds)


if __name__ == "__main__":
    main()
