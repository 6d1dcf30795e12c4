"""Which kits are put together, and where, so that orders for them can be served.

A kit is made at one site, of components that are free there and that nobody was promised. Reads no
database; `store.assemblies` is the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assembly:
    """Kits put together at a site.

    Attributes:
        kit: the kit's SKU.
        site: where.
        units: how many.
        parts: units of each component that one kit takes.
    """

    kit: str
    site: str
    units: int
    parts: Mapping[str, int]


def assemblies(
    wanted: Mapping[str, int],
    parts: Mapping[str, Mapping[str, int]],
    at_sites: Mapping[str, Mapping[str, int]],
    free: Mapping[str, int],
) -> list[Assembly]:
    """Make as many of the wanted kits as there are components for, at as few sites as possible.

    Args:
        wanted: units by kit.
        parts: components of one unit of each kit, none of which is a kit.
        at_sites: free units of components by site.
        free: units of components that nobody was promised, at all sites together.

    Returns:
        What to make; kits by SKU, since one that shares a component may leave none to the next.
    """
    left = {site: dict(units) for site, units in at_sites.items()}
    unpromised = dict(free)
    made: list[Assembly] = []
    for kit in sorted(wanted):
        takes, missing = parts[kit], wanted[kit]
        while missing > 0:
            units, site = _best(takes, left, unpromised)
            units = min(units, missing)
            if units <= 0:
                break
            for part, each in takes.items():
                left[site][part] -= units * each
                unpromised[part] -= units * each
            made.append(Assembly(kit, site, units, takes))
            missing -= units
    return made


def _best(
    takes: Mapping[str, int], left: Mapping[str, Mapping[str, int]], free: Mapping[str, int]
) -> tuple[int, str]:
    """The most kits that one site can make, and the first site by code that can."""
    most, best = 0, ""
    for site in sorted(left):
        units = min(
            min(left[site].get(part, 0), free.get(part, 0)) // each for part, each in takes.items()
        )
        if units > most:
            most, best = units, site
    return most, best
