"""The composition root: stamps assets with their area, takes resources of a test."""

from __future__ import annotations

from types import SimpleNamespace

import dagster as dg
import pytest

from ecom_assets import definitions
from ecom_assets.areas import AREAS
from ecom_assets.definitions import _stamp, build_defs
from resources.database import DatabaseResource


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_an_asset_is_stamped_with_its_area_and_keeps_its_own_tags(area: SimpleNamespace) -> None:
    spec = _stamp(dg.AssetSpec([area.name, "things"], tags={"own": "kept"}))
    assert (spec.group_name, list(spec.owners)) == (area.name, [area.owner])
    assert dict(spec.tags) == {"own": "kept", "area": area.name}


@pytest.mark.parametrize("key", ["nowhere/things", "things", "Orders/orders"])
def test_an_asset_of_no_area_is_named(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: no area named .* areas.py"):
        _stamp(dg.AssetSpec(key.split("/")))


def test_a_test_may_replace_a_resource() -> None:
    mine = DatabaseResource(url="postgresql://localhost/mine")
    resources = build_defs({"database": mine}).resources or {}
    assert resources["database"] == mine
    names = {"catalog_inbox", "database", "decide", "history", "language", "mail", "replay"}
    names |= {"try_rule", "vat_register", "channels", "sync_channel"}
    assert set(build_defs().resources or {}) == set(resources) == names


def test_a_module_that_cannot_be_imported_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ImportError(f"{name}: a typing error inside")

    # an area may lack a module, but one that is there and breaks must not look like none
    monkeypatch.setattr(definitions, "import_module", broken)
    with pytest.raises(ImportError, match="a typing error inside"):
        build_defs()
