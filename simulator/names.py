"""Names of people, streets, firms and brands, put together from syllables; nobody is meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.draws import Draws, Ints, Texts

_ONSETS = ("b", "br", "d", "dr", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io")
_CODAS = ("", "", "", "l", "n", "r", "s", "th")
_ACCENTS = str.maketrans("aeiou", "áëîøü")
_HAN = "安本川大東風光海和河花金林美明木山石水田文小心雪陽月雲中竹"
_ARABIC = "ابتجحدرزسشعفقكلمنهوي"

UNUSUAL = 0.04
"""Share of people whose name is accented, not Latin, or very long."""


def _syllable(draws: Draws, what: str, index: Ints) -> list[str]:
    parts = [
        np.array(letters, dtype=object)[draws.below(f"{what}/{place}", index, len(letters))]
        for place, letters in enumerate((_ONSETS, _VOWELS, _CODAS))
    ]
    return [f"{onset}{vowel}{coda}" for onset, vowel, coda in zip(*parts, strict=True)]


def words(draws: Draws, what: str, size: int) -> Texts:
    """Capitalised words of two or three syllables, plain ASCII; some may be equal."""
    index = np.arange(size)
    first, second, third = (_syllable(draws, f"{what}/{n}", index) for n in range(3))
    is_long = draws.chance(f"{what}/long", index, 0.4)
    made = [
        (one + two + (three if more else "")).capitalize()
        for one, two, three, more in zip(first, second, third, is_long, strict=True)
    ]
    return np.array(made, dtype=object)


def _unusual(draws: Draws, plain: Texts) -> Texts:
    """As many names that strain documents: a quarter each accented, Han, Arabic and very long."""
    places = draws.below("names/letters", np.arange(4 * len(plain)), 10_000).reshape(-1, 4)
    han = ["".join(_HAN[p % len(_HAN)] for p in row[:3]) for row in places]
    arabic = ["".join(_ARABIC[p % len(_ARABIC)] for p in row) for row in places]
    accented = [str(name).translate(_ACCENTS) for name in plain]
    lengthy = ["-".join(map(str, np.roll(plain, n)[:9])) for n in range(len(plain))]
    kinds = [accented, han, arabic, lengthy]
    return np.array([kinds[n % 4][n] for n in range(len(plain))], dtype=object)


@dataclass(frozen=True, slots=True)
class Names:
    """Tables to pick names from.

    Attributes:
        given: given names, ASCII.
        family: family names, ASCII.
        unusual: full names outside ASCII, or very long.
        streets: first parts of street names.
    """

    given: Texts
    family: Texts
    unusual: Texts
    streets: Texts

    @classmethod
    def build(cls, draws: Draws) -> Names:
        """The tables of a seed."""
        family = words(draws, "names/family", 3000)
        return cls(
            given=words(draws, "names/given", 500),
            family=family,
            unusual=_unusual(draws, family[:400]),
            streets=words(draws, "names/streets", 900),
        )
