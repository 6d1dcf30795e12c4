"""Items of a Google Merchant feed in XML: RSS 2.0 or Atom, attributes in the `g` namespace.

Names of the attributes are those of Google's product data specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from ecom_assets.catalog.reading.layout import ALIASES, is_attribute, plain
from ecom_assets.catalog.reading.markup import text_of
from ecom_assets.catalog.reading.problem import BadFile
from ecom_assets.catalog.reading.staged import Item

_ITEMS = {"item", "entry"}
_READ_BYTES = 1 << 16
OPTIONS = ("color", "size", "material", "pattern")
"""Attributes that tell variants of a group from each other."""


class _Items:
    """Collects the direct children of each item; what stands deeper, such as shipping, is left."""

    def __init__(self) -> None:
        self.done: list[list[tuple[str, str]]] = []
        self._path: list[str] = []
        self._item: list[tuple[str, str]] = []
        self._text: list[str] = []
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._path.append(local)
        if not self._depth and local in _ITEMS:
            self._depth, self._item = len(self._path), []
        elif self._depth and len(self._path) == self._depth + 1:
            # Atom says links in an attribute.
            self._text = [attributes["href"]] if attributes.get("href") else []

    def end(self, name: str) -> None:
        local = self._path.pop()
        if self._depth == len(self._path) + 1:
            self._depth = 0
            self.done.append(self._item)
        elif self._depth and len(self._path) == self._depth:
            self._item.append((local, "".join(self._text).strip()))

    def text(self, data: str) -> None:
        if self._depth and len(self._path) == self._depth + 1:
            self._text.append(data)


def _refuse_doctype(*_: object) -> None:
    raise BadFile("the feed declares a document type, which no feed needs and which can do harm")


def feed_items(stream: IO[bytes], name: str) -> Iterator[Item]:
    """The items of a feed.

    Args:
        stream: the file.
        name: its name, for messages.

    Raises:
        BadFile: it is no well-formed XML, or declares a document type.
    """
    parser, found = expat.ParserCreate(namespace_separator=" "), _Items()
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = found.text, _refuse_doctype
    row_no, is_last = 0, False
    while not is_last:
        data = stream.read(_READ_BYTES)
        is_last = not data
        try:
            parser.Parse(data, is_last)
        except expat.ExpatError as error:
            raise BadFile(f"{name}: no well-formed XML: {error}") from error
        for members in found.done:
            row_no += 1
            yield _item(row_no, members)
        found.done.clear()
    if not row_no:
        raise BadFile(f"{name}: the feed holds no item")


def _item(row_no: int, members: list[tuple[str, str]]) -> Item:
    item = Item(row_no, {})
    for name, value in members:
        if not value:
            continue
        key = plain(name)
        target, _, unit = ALIASES.get(key, "").partition(":")
        if target == "media":
            item.media.append(value)
        elif key in OPTIONS:
            item.options[key] = value
        elif target and target not in item.values:
            item.values[target] = f"{value} {unit}" if unit else value
        elif is_attribute(key):
            item.attributes.setdefault(key, value)
    if "description" in item.values:
        item.values["description"] = text_of(item.values["description"])
    # Only variants of a group are told apart by options; of a single product they are attributes.
    if "group_key" not in item.values:
        item.attributes |= item.options
        item.options = {}
    return item
