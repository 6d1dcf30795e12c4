"""A sheet of paper to print on: text in any script, rules, pages; and the wrapping of long text."""

from __future__ import annotations

import io

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from ecom_assets.documents.pdf.fonts import BOLD, REGULAR, clean, runs, width

rl_config.useA85 = 0
"""Compressed pages stay binary: writing them as text costs time and a quarter more bytes."""

WESTERN = (REGULAR, BOLD)
_HIGH = {
    ord(bytes([code]).decode("cp1252", "replace")): f"\\{code:03o}" for code in range(128, 256)
}
_ESCAPES = {**_HIGH, **{ord(sign): f"\\{sign}" for sign in "()\\"}}
"""How PDF writes the characters of cp1252 in a string; five codes are unused, as U+FFFD."""

LEFT, RIGHT = 50.0, 545.0
"""Left and right edge of what is printed, in points."""


class Sheet:
    """Pages of a document, drawn one after the other.

    `invariant` leaves the time of printing and random ids out of the file.
    """

    def __init__(self, title: str) -> None:
        """Start the first page of a document with this title."""
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=A4, pageCompression=1, invariant=1)
        self._canvas.setTitle(title)
        self._names = {font: self._canvas._doc.getInternalFontName(font) for font in WESTERN}
        self._operators: list[str] = []

    def text(self, x: float, y: float, words: str, size: float, font: str = REGULAR) -> None:
        """Print from `x` to the right, on the base line `y`."""
        parts = runs(clean(words), font)
        for name, part in parts:
            if name in self._names:
                shown = part.translate(_ESCAPES)
                self._operators.append(
                    f"{self._names[name]} {size:g} Tf 1 0 0 1 {x:.2f} {y:.2f} Tm ({shown}) Tj"
                )
            else:
                self._canvas.setFont(name, size)
                self._canvas.drawString(x, y, part)
            if len(parts) > 1:
                x += stringWidth(part, name, size)

    def text_right(self, x: float, y: float, words: str, size: float, font: str = REGULAR) -> None:
        """Print so that the text ends at `x`."""
        self.text(x - width(clean(words), font, size), y, words, size, font)

    def line(self, x: float, y: float, to_x: float) -> None:
        """Draw a horizontal rule."""
        self._canvas.setLineWidth(0.5)
        self._canvas.line(x, y, to_x, y)

    def next_page(self) -> None:
        """End the page."""
        # Writing the operators of western text ourselves takes a third of drawString's time.
        self._canvas.addLiteral("BT " + " ".join(self._operators) + " ET")
        self._canvas.showPage()
        self._operators.clear()

    def finish(self) -> bytes:
        """The document."""
        self._canvas.save()
        return self._buffer.getvalue()


def wrap(text: str, room: float, size: float, font: str = REGULAR) -> list[str]:
    """Break a text into lines of at most `room` points; words that are too long are cut."""
    words = clean(text)
    if width(words, font, size) <= room:
        return [words]
    lines = [""]
    for word in words.split(" "):
        joined = f"{lines[-1]} {word}".lstrip()
        if width(joined, font, size) <= room:
            lines[-1] = joined
            continue
        pieces = _cut(word, room, size, font)
        lines += pieces if lines[-1] else []
        lines = lines if lines[-1] else pieces
    return lines


def _cut(word: str, room: float, size: float, font: str) -> list[str]:
    pieces = [""]
    for sign in word:
        if width(pieces[-1] + sign, font, size) <= room:
            pieces[-1] += sign
        else:
            pieces.append(sign)
    return pieces
