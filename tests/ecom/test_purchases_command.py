"""`ecom purchases`: a person reads why, and decides once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom import cli
from fixtures.stock_shop import open_sites
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]
_PROPOSAL = sa.text("""
    WITH proposal AS (
        INSERT INTO inventory.purchase_proposals (
            supplier_key, site_code, currency, proposed_as_of, state, reasons, total_minor,
            minimum_minor, lead_days, version, run_id
        ) VALUES ('s', 'N', 'EUR', '2026-01-01Z', 'proposed', '{reorder_points_reached}', 1200, 0,
            14, 'v', 'x')
        RETURNING proposal_id
    )
    INSERT INTO inventory.purchase_proposal_lines (
        proposal_id, sku, available_units, on_order_units, reorder_point, order_up_to,
        protected_units, safety_units, service_level, needed_units, pack_units, minimum_units,
        quantity, unit_cost_minor, line_total_minor, segment, method, reasons, explanation
    )
    SELECT proposal_id, 'A', 1, 0, 5, 13, 3, 2, 0.95, 12, 1, 1, 12, 100, 1200, 'smooth/core', 'ses',
        '{below_reorder_point}', 'one is left'
    FROM proposal RETURNING proposal_id
""")


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

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def number(database: DatabaseResource) -> int:
    """An open proposal."""
    with database.begin() as conn:
        open_sites(conn, [("N", 53, 10)])
        return int(conn.execute(_PROPOSAL).scalar_one())


def test_a_proposal_is_read_and_accepted_once(ecom: Run, number: int) -> None:
    code, out, _ = ecom("purchases", "list")
    assert code == 0
    assert f"{number}: proposed, s to N, 12.00 EUR (reorder_points_reached)" in out
    assert "12 of A: one is left" in out
    assert json.loads(ecom("purchases", "list", "--json")[1])[0]["lines"][0]["sku"] == "A"
    told = ecom("purchases", "accept", str(number), "--by", "Ada", "--note", "fine")
    assert told[:2] == (0, f"proposal {number} is accepted\n")
    code, _, error = ecom("purchases", "reject", str(number), "--by", "Bob")
    assert code != 0
    assert f"proposal {number} is not open" in error
    assert ecom("purchases", "list")[1] == "nothing to decide\n"


def test_a_decision_needs_a_name(ecom: Run, number: int) -> None:
    code, _, error = ecom("purchases", "reject", str(number), "--by", " ")
    assert code != 0
    assert "--by needs a name" in error
    assert ecom("purchases", "reject", str(number), "--by", "Ada")[0] == 0
