"""The import rules that a contract of import-linter cannot say: per area and per kind of module."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ecom.settings import ROOT
from ecom_assets.areas import AREA_NAMES

AREAS_FOLDER = ROOT / "ecom_assets"
FRAMEWORKS = {"dagster", "sqlalchemy", "psycopg", "resources"}
BUSINESS = {"dagster"}
HEAVY = {
    "pandas", "numpy", "scipy", "sklearn", "great_expectations", "dbt", "dagster_dbt", "openai",
    "matplotlib", "reportlab", "pyarrow", "statsforecast", "numba",
}  # fmt: skip
WITH_DAGSTER = {"assets", "checks"}
MAY_BE_HEAVY = {
    "allocation", "elasticity", "features", "forecasting", "markdown", "pdf", "reordering",
    "repricing", "scoring", "training",
}  # fmt: skip
"""Modules over frames or documents; assets import them inside functions only."""


def _area_modules() -> list[Path]:
    return sorted(path for area in AREA_NAMES for path in (AREAS_FOLDER / area).rglob("*.py"))


def _imports(path: Path, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = _top_level(tree) if top_level_only else ast.walk(tree)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _top_level(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def _kind(path: Path) -> str:
    """Name of the module, or of the package that a module over 300 lines was split into."""
    parts = path.relative_to(AREAS_FOLDER).with_suffix("").parts
    return parts[1] if len(parts) > 1 else parts[0]


def _tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", _area_modules(), ids=lambda p: str(p.relative_to(AREAS_FOLDER)))
def test_an_area_imports_only_tables_of_other_areas(path: Path) -> None:
    own = path.relative_to(AREAS_FOLDER).parts[0]
    strange = {
        name
        for name in _imports(path)
        if name.startswith("ecom_assets.")
        and (parts := name.split("."))[1] in AREA_NAMES - {own}
        and parts[2] != "tables"
    }
    assert not strange


@pytest.mark.parametrize("path", _area_modules(), ids=lambda p: str(p.relative_to(AREAS_FOLDER)))
def test_a_module_knows_only_what_its_kind_may(path: Path) -> None:
    used, kind = _tops(_imports(path)), _kind(path)
    if kind in {"tables", "expectations"}:
        forbidden = {"dagster", "resources", "psycopg"} | HEAVY
    elif kind == "store":
        forbidden = {"dagster", "resources"}
    elif kind in WITH_DAGSTER:
        forbidden = set()
    else:
        forbidden = FRAMEWORKS
    assert not used & forbidden


@pytest.mark.parametrize("path", _area_modules(), ids=lambda p: str(p.relative_to(AREAS_FOLDER)))
def test_heavy_packages_are_imported_inside_functions(path: Path) -> None:
    if _kind(path) not in MAY_BE_HEAVY:
        assert not _tops(_imports(path, top_level_only=True)) & HEAVY


def test_the_definitions_import_dagster_and_sqlalchemy_only() -> None:
    program = (
        "import sys, ecom_assets.definitions;"
        "print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not set(done.stdout.split()) & HEAVY


def test_modules_with_dagster_contexts_do_not_postpone_annotations() -> None:
    paths = [*ROOT.glob("jobs/*.py"), *ROOT.glob("sensors/*.py")]
    paths += [path for path in _area_modules() if _kind(path) in WITH_DAGSTER]
    wrong = [
        path.name for path in paths if "from __future__ import annotations" in path.read_text()
    ]
    assert not wrong
