"""The dbt project itself: described, tested, equal to `models.json`; its rules on given rows."""

from __future__ import annotations

import json
import re

from ecom.settings import ROOT
from ecom_assets.marts.assets.describe import described
from ecom_assets.marts.assets.specs import MODELS, asset_specs, check_specs, models
from resources.database import DatabaseResource

STAGING, MARTS = ROOT / "dbt" / "models" / "staging", ROOT / "dbt" / "models" / "marts"


def test_models_json_says_what_dbt_reads_now() -> None:
    assert described() == models(), "run: python -m ecom_assets.marts.assets.describe"


def test_models_json_knows_no_machine() -> None:
    text = MODELS.read_text()
    assert str(ROOT) not in text
    assert not re.search(r'"(/|[A-Z]:\\\\)', text)
    assert json.loads(text) == models()


def test_every_model_and_column_is_described_and_every_model_is_tested() -> None:
    for model in models():
        assert model["description"], model["name"]
        assert model["columns"], model["name"]
        assert all(model["columns"].values()), model["name"]
        assert model["checks"], model["name"]
        assert all(check["description"] for check in model["checks"]), model["name"]


def test_every_model_has_one_yml_beside_it() -> None:
    for folder in (STAGING, MARTS):
        names = {path.stem for path in folder.glob("*.sql")}
        assert names == {path.stem for path in folder.glob("*.yml")} - {"sources", "unit_tests"}


def test_checks_are_named_after_their_table() -> None:
    for check in check_specs():
        assert check.name.startswith(f"{check.asset_key.path[-1]}_"), check.name
        assert len(check.name) <= 63
        assert check.blocking


def test_staging_reads_sources_and_marts_read_models() -> None:
    for path in STAGING.glob("*.sql"):
        assert path.read_text().count("source(") == 1
        # a star would tie the view to columns that a migration may want to drop
        assert "*" not in path.read_text()
        assert "ref(" not in path.read_text()
    for path in MARTS.glob("*.sql"):
        assert "source(" not in path.read_text()


def test_marts_import_before_they_work() -> None:
    for path in MARTS.glob("*.sql"):
        sql = path.read_text()
        last_import = max(match.end() for match in re.finditer(r"ref\(", sql))
        first_work = re.search(r"\bfrom [a-z]", sql)
        assert first_work
        assert last_import < first_work.start(), path.name


def test_sources_are_assets_of_their_areas() -> None:
    own = {spec.key for spec in asset_specs()}
    outside = {dep.asset_key for spec in asset_specs() for dep in spec.deps} - own
    assert {key.path[0] for key in outside} == {
        "catalog", "customers", "documents", "fraud", "inventory", "orders", "payments", "risk",
        "transport", "warehouse",
    }  # fmt: skip


def test_the_unit_tests_of_the_models_pass(shop: DatabaseResource) -> None:
    from dbt.cli.main import dbtRunner

    from resources.dbt import invoke

    options = ["--select", "+test_type:unit", "--exclude-resource-type", "test"]
    done = invoke(dbtRunner(), shop.url, "build", *options)
    results = [r for r in done.result.results if r.node.resource_type == "unit_test"]
    assert len(results) >= 9
    assert [(r.node.name, r.message) for r in results if r.status != "pass"] == []
