"""`ecom stock`: files of what happened to stock, and counts that a person decides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom import cli
from fixtures.kept_stock import on_hand, open_shop
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: DatabaseResource,
    tmp_path: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)
    with database.begin() as conn:
        open_shop(conn, {"A": 10})

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def take(ecom: Run, folder: Path, kind: str, text: str) -> tuple[int, str, str]:
    file = folder / f"{kind}.csv"
    file.write_text(text)
    return ecom("stock", "take", kind, str(file))


def test_goods_come_are_moved_and_counted(
    ecom: Run, database: DatabaseResource, tmp_path: Path
) -> None:
    assert take(ecom, tmp_path, "expected", (
        "reference,sku,site_code,due_at,quantity\nPO-1,B,N,2026-03-01,6\n"
    ))[:2] == (0, "1 rows, 1 changed\n")  # fmt: skip
    receipt = (
        "reference,sku,site_code,quantity,received_at,unit_cost_minor,currency,serials\n"
        "PO-1/1,B,N,2,2026-02-20,150,EUR,S1|S2\nPO-1/2,B,X,4,2026-02-21,150,EUR,\n"
    )
    told = take(ecom, tmp_path, "receipts", receipt)
    assert told[:2] == (0, "2 rows, 1 received, 0 known, 1 parked, 2 units\n")
    assert take(ecom, tmp_path, "receipts", receipt)[1].startswith("2 rows, 0 received, 1 known")
    take(ecom, tmp_path, "transfers", (
        "reference,sku,from_site,to_site,quantity,sent_at\nT,A,N,S,3,2026-02-22\n"
    ))  # fmt: skip
    take(ecom, tmp_path, "arrivals", (
        "reference,sku,from_site,to_site,arrived,arrived_at\nT,A,N,S,3,2026-02-23\n"
    ))  # fmt: skip
    told = take(ecom, tmp_path, "counts", (
        "reference,sku,site_code,counted_at,counted\nC,A,N,2026-02-24,1\nC,A,S,2026-02-24,3\n"
    ))  # fmt: skip
    assert told[1] == "2 rows, 1 needs_approval, 1 equal\n"
    assert "C at N: 1 of A counted, 7 on the books (-6)" in ecom("stock", "counts")[1]
    [waiting] = json.loads(ecom("stock", "counts", "--json")[1])
    number = str(waiting["count_id"])
    assert ecom("stock", "approve", number, "--by", "ann")[:2] == (0, "1 posted\n")
    assert "none of these" in ecom("stock", "reject", number, "--by", "ann")[2]
    with database.begin() as conn:
        assert (on_hand(conn, "N"), on_hand(conn, "S")) == ({"A": 1, "B": 2}, {"A": 3})
        came = conn.execute(sa.text("SELECT received FROM inventory.expected_receipts"))
        assert came.scalar_one() == 2


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("units", "sku,unit,pieces\nA,carton,12\n"),
        ("safety", "sku,site_code,units,source\nA,N,2,ann\n"),
        ("buffers", "channel,stop_units,share_percent\nweb,1,80\n"),
    ],
)
def test_what_is_said_about_stock_is_kept(ecom: Run, tmp_path: Path, kind: str, text: str) -> None:
    assert take(ecom, tmp_path, kind, text)[:2] == (0, "1 rows, 1 changed\n")
    assert take(ecom, tmp_path, kind, text)[:2] == (0, "1 rows, 0 changed\n")


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("units", "sku,unit\nA,carton\n", "no column pieces"),
        ("units", "sku,unit,pieces,colour\nA,carton,1,red\n", "unknown column 'colour'"),
        ("units", "sku,unit,pieces\nA,carton,1\nB,carton,many\n", "row 2: pieces cannot be 'many'"),
        ("units", "sku,unit,pieces\nA,,1\n", "row 1: unit is empty"),
        ("safety", "sku,site_code,units,source\nA,X,2,ann\n", "foreign key"),
        ("counts", "reference,sku,site_code,counted_at,counted\nC,A,N,soon,1\n", "counted_at"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(
    ecom: Run, database: DatabaseResource, tmp_path: Path, kind: str, text: str, told: str
) -> None:
    code, out, err = take(ecom, tmp_path, kind, text)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err
    with database.begin() as conn:
        assert on_hand(conn) == {"A": 10}


def test_an_unknown_kind_names_the_known_ones(ecom: Run, tmp_path: Path) -> None:
    assert "known: receipts, counts" in take(ecom, tmp_path, "parcels", "a\n1\n")[2]
