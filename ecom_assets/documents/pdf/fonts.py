"""Fonts for any text: a string becomes runs of characters, each in a font that has them.

Western text is set in Helvetica, which every reader has. Other scripts take DejaVu Sans, embedded
as far as used; Chinese, Japanese and Korean take Adobe's Asian fonts, which readers supply. What no
font has is printed as its code, such as [U+1F600]: legible as missing, never silently dropped.
Arabic and Hebrew are put in visual order; Arabic letters are not joined.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getFont, registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "Helvetica", "Helvetica-Bold"
_WIDE = {REGULAR: "DejaVuSans", BOLD: "DejaVuSans-Bold"}
_ASIAN = (
    (re.compile(r"[\u3040-\u30ff]"), "HeiseiKakuGo-W5", "euc_jp"),
    (re.compile(r"[\u1100-\u11ff\uac00-\ud7a3]"), "HYGothic-Medium", "cp949"),
    (re.compile(r""), "STSong-Light", "gbk"),
)
"""By what the string contains: the font, and the character set it is sure to cover. Han characters
follow the script around them and are Chinese otherwise."""

_RIGHT_TO_LEFT = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_RTL_RUN = re.compile(f"{_RIGHT_TO_LEFT}+(?:[ .,-]+{_RIGHT_TO_LEFT}+)*")

Runs = tuple[tuple[str, str], ...]
"""Pairs of font name and the characters set in it."""


def clean(text: str) -> str:
    """A text on one line, composed (NFC), without control characters."""
    if text.isascii() and text.isprintable():
        return text
    # Composed: fonts have the letter with its accent, seldom the accent alone.
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(sign if sign.isprintable() else _code(sign) for sign in composed)


@lru_cache(maxsize=8192)
def runs(text: str, font: str) -> Runs:
    """A clean text as runs of fonts, in the order they are printed from left to right."""
    if text.isascii():
        return ((font, text),)
    visual = _RTL_RUN.sub(lambda found: found.group()[::-1], text)
    asian, charset = next((name, known) for script, name, known in _ASIAN if script.search(text))
    if _has(text, "cp1252"):
        return ((font, text),)
    # One font for the whole text looks better and copies better than several.
    if all(ord(sign) in _glyphs(_WIDE[font]) for sign in visual):
        return ((_WIDE[font], visual),)
    if _has(text, charset):
        _register_asian(asian)
        return ((asian, visual),)
    return _mixed(visual, font, asian, charset)


def _mixed(text: str, font: str, asian: str, charset: str) -> Runs:
    found: list[tuple[str, str]] = []
    for sign in text:
        name, printed = _set(sign, font, asian, charset)
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + printed)
        else:
            found.append((name, printed))
    return tuple(found)


@lru_cache(maxsize=8192)
def width(text: str, font: str, size: float) -> float:
    """Width of a clean text in points."""
    return float(sum(stringWidth(part, name, size) for name, part in runs(text, font)))


def _set(sign: str, font: str, asian: str, charset: str) -> tuple[str, str]:
    if _has(sign, "cp1252"):
        return font, sign
    if ord(sign) in _glyphs(_WIDE[font]):
        return _WIDE[font], sign
    if _has(sign, charset):
        _register_asian(asian)
        return asian, sign
    return font, _code(sign)


def _code(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"


def _has(sign: str, charset: str) -> bool:
    try:
        sign.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=2)
def _glyphs(name: str) -> frozenset[int]:
    """Code points of a DejaVu font, which comes with matplotlib; registers it."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("matplotlib, whose fonts the documents use, is not installed")
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"
    registerFont(TTFont(name, str(path)))
    return frozenset(getFont(name).face.charToGlyph)


@lru_cache(maxsize=8)
def _register_asian(name: str) -> None:
    registerFont(UnicodeCIDFont(name))
