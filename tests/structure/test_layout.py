"""The layout: one folder per area, names that tell, files and functions of a readable size."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

from ecom.settings import ROOT
from ecom_assets.areas import AREA_NAMES

CODE = ("ecom", "ecom_assets", "importers", "jobs", "resources", "sensors", "simulator", "bench")
MOST_LINES = 300
FUNCTION_MEDIAN, FUNCTION_P95 = 10, 40
CATCH_ALL = {"utils", "helpers", "common", "misc"}


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _function_lengths(path: Path) -> list[int]:
    lengths = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = node.body[0] if ast.get_docstring(node) is not None else None
            doc_lines = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
            lengths.append((node.end_lineno or 0) - node.lineno + 1 - doc_lines)
    return lengths


def test_every_area_is_a_folder_and_every_folder_an_area() -> None:
    folders = {path.parent.name for path in (ROOT / "ecom_assets").glob("*/__init__.py")}
    assert folders - {"shared"} == AREA_NAMES


def test_every_area_says_what_it_is_for() -> None:
    for area in AREA_NAMES:
        tree = ast.parse((ROOT / "ecom_assets" / area / "__init__.py").read_text())
        assert ast.get_docstring(tree)
        assert len(tree.body) == 1


def test_files_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _files(*CODE)
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert not long


def test_functions_stay_short() -> None:
    lengths = sorted(length for path in _files(*CODE) for length in _function_lengths(path))
    assert statistics.median(lengths) <= FUNCTION_MEDIAN
    assert lengths[int(len(lengths) * 0.95)] <= FUNCTION_P95


def test_no_catch_all_modules() -> None:
    assert not [path for path in _files(*CODE, "tests") if path.stem in CATCH_ALL]


def test_jobs_and_sensors_are_named_after_their_area() -> None:
    from ecom_assets.definitions import defs

    repository = defs.get_repository_def()
    names = [job.name for job in repository.get_all_jobs() if not job.name.startswith("__")]
    names += [sensor.name for sensor in repository.sensor_defs]
    assert names
    allowed = "|".join([*AREA_NAMES, "shop"])
    assert not [name for name in names if not re.match(rf"({allowed})_[a-z_]+$", name)]


def test_asset_keys_are_area_and_noun_and_carry_their_area() -> None:
    from ecom_assets.definitions import defs

    graph = defs.get_repository_def().asset_graph
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert len(key.path) == 2
        assert node.group_name == key.path[0]
        assert node.owners
        assert node.description


def test_a_table_asset_is_named_like_its_table() -> None:
    from ecom_assets.definitions import defs
    from ecom_assets.schema import schema

    tables = {tuple(name.split(".")) for name in schema().tables}
    graph = defs.get_repository_def().asset_graph
    keys = {key for key in graph.get_all_asset_keys() if key.path[0] != "marts"}
    # Tables all areas share belong to no area; the asset that shows one names it.
    shown = {key: graph.get(key).metadata.get("dagster/table_name") for key in keys}
    names = {str(shown[key] or ".".join(key.path)) for key in keys}
    assert {tuple(name.split(".")) for name in names} <= tables
