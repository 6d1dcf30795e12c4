"""Everything about a shop that is made once and small: the frame in which orders are made."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.catalog import Catalog
from simulator.draws import Draws
from simulator.people import People
from simulator.rings import Rings
from simulator.season import Season
from simulator.spec import ShopSpec


@dataclass(frozen=True, slots=True)
class World:
    """A shop before its first order; its memory does not grow with orders, only with products."""

    spec: ShopSpec
    draws: Draws
    season: Season
    catalog: Catalog
    rings: Rings
    people: People

    @classmethod
    def build(cls, spec: ShopSpec) -> World:
        """The world of a specification."""
        draws = Draws(spec.seed)
        season, rings = Season(spec, draws), Rings.plan(spec, draws)
        catalog = Catalog.build(spec, draws)
        return cls(spec, draws, season, catalog, rings, People(spec, draws, season, rings))
