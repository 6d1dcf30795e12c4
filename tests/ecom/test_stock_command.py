"""`ecom import stock`: one line per account, one line per problem."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom import cli
from ecom.settings import ROOT
from fixtures.kept_stock import on_hand, open_shop, products
from fixtures.stock_shop import open_sites
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]
REAL = ROOT.parent / "shared" / "data" / "amazon_india_seller" / "stock_report.csv.gz"


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: DatabaseResource,
    tmp_path: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")  # set by an open platform, restored after the test
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def levels(database: DatabaseResource, tmp_path: Path) -> Path:
    """A shop with 5 A and 2 B at N, and a file that says otherwise."""
    with database.begin() as conn:
        open_shop(conn, {"A": 5, "B": 2})
    path = tmp_path / "levels.csv"
    path.write_text("SKU,Stock\nA,3\nC,x\n")
    return path


def test_a_snapshot_is_applied_and_its_account_printed(
    ecom: Run, levels: Path, database: DatabaseResource
) -> None:
    code, out, _ = ecom("import", "stock", str(levels), "--site", "N")
    assert code == 0
    assert out.splitlines() == [
        "2 rows = 1 applied + 0 unchanged + 1 parked",
        "0 units came, 4 went; 1 SKUs with stock were not named (0 kept, since promised)",
    ]
    with database.begin() as conn:
        assert on_hand(conn) == {"A": 3}


def test_a_delta_as_of_a_moment_is_another_feed(ecom: Run, levels: Path) -> None:
    for moment in ("2026-02-01T06:00:00+00:00", "2026-02-02"):
        arguments = ("--site", "N", "--delta", "--as-of", moment, "--json")
        code, out, _ = ecom("import", "stock", str(levels), *arguments)
        assert code == 0
        assert json.loads(out)["is_repeat"] is False
    assert json.loads(out)["rows_unchanged"] == 1


def test_changes_are_told_by_their_column(
    ecom: Run, levels: Path, database: DatabaseResource
) -> None:
    levels.write_text("sku,change\nA,-1\nB,+4\n")
    ecom("import", "stock", str(levels), "--site", "N", "--delta")
    code, out, _ = ecom("import", "stock", str(levels), "--site", "N", "--delta")
    assert (code, out.splitlines()[0][:29]) == (0, "this feed was applied before;")
    with database.begin() as conn:
        assert on_hand(conn) == {"A": 4, "B": 6}


def test_a_table_is_read_like_a_file(ecom: Run, levels: Path, database: DatabaseResource) -> None:
    with database.begin() as conn:
        conn.execute(sa.text("CREATE TABLE public.wms (sku text, quantity integer, bin text)"))
        conn.execute(sa.text("INSERT INTO public.wms VALUES ('A', 9, 'x'), ('B', 2, 'y')"))
    code, out, _ = ecom("import", "stock", "table:public.wms", "--site", "N")
    assert (code, out.splitlines()[0]) == (0, "2 rows = 1 applied + 1 unchanged + 0 parked")
    assert "no table public.none" in ecom("import", "stock", "table:public.none", "--site", "N")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--site", "X"], "there is no location X; known: N, S"),
        ([], "name the location"),
        (["--site", "N", "--as-of", "soon"], "no moment"),
        (["--site", "N", "--as-of", "2999-01-01"], "not come yet"),
        (["--site", "N", "--as-of", "2025-01-01"], "stale"),
    ],
)
def test_a_problem_is_one_line(ecom: Run, levels: Path, arguments: list[str], said: str) -> None:
    if "2025-01-01" in arguments:
        ecom("import", "stock", str(levels), "--site", "N", "--as-of", "2026-02-01")
    code, out, err = ecom("import", "stock", str(levels), *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert said in err


def test_a_file_without_levels_is_named(ecom: Run, levels: Path) -> None:
    levels.write_text("sku,name\nA,x\n")
    assert "no column quantity" in ecom("import", "stock", str(levels), "--site", "N")[2]


@pytest.mark.skipif(not REAL.exists(), reason=f"no real stock report at {REAL}")
def test_a_real_report_is_accounted_for_exactly(ecom: Run, database: DatabaseResource) -> None:
    import csv

    with gzip.open(REAL, "rt", encoding="utf-8-sig") as text:
        rows = list(csv.DictReader(text))
    skus = {row["SKU Code"].strip() for row in rows} - {"", "#REF!"}
    with database.begin() as conn:
        open_sites(conn, [("N", 19, 73)])
        products(conn, skus)
    code, out, _ = ecom("import", "stock", str(REAL), "--site", "N", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["rows_read"] == len(rows)
    assert told["rows_applied"] + told["rows_unchanged"] + told["rows_parked"] == len(rows)
    sound = {row["SKU Code"].strip(): row["Stock"] for row in rows if row["Stock"]}
    assert told["rows_parked"] < len(rows) / 20
    with database.begin() as conn:
        assert all(units == int(float(sound[sku])) for sku, units in on_hand(conn).items())
    assert json.loads(ecom("import", "stock", str(REAL), "--site", "N", "--json")[1])["rows_read"]
