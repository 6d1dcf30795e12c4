"""Catalogue files of every format become rows of one shape; a file that is none says why."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ecom_assets.catalog.reading import FIELDS, BadFile, open_catalogue
from ecom_assets.catalog.reading.markup import text_of

Rows = list[dict[str, Any]]


def read(path: Path, form: str | None = None, **columns: str) -> tuple[str, Rows]:
    """The format that was recognised, and the staged rows without what is empty."""
    file = open_catalogue(path, form, columns)
    data = b"".join(block for _, block in file.rows({})).decode()
    rows = []
    for record in csv.reader(io.StringIO(data, newline="")):
        named = dict(zip(("row_no", *FIELDS), record, strict=True))
        documents = {"options", "media", "attributes", "problem"}
        rows.append({k: json.loads(v) if k in documents else v for k, v in named.items() if v})
    return file.format, rows


def written(folder: Path, content: str | bytes, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"sku,name\na,B\n",
        b"sku;name\na;B\n",
        b"sku\tname\r\na\tB\r\n",
        b"\xef\xbb\xbfsku,name\na,B\n",
        "sku,name\na,B\n".encode("utf-16"),
        gzip.compress(b"sku,name\na,B\n", mtime=0),
    ],
)
def test_text_is_read_whatever_its_marks(tmp_path: Path, content: bytes) -> None:
    form, rows = read(written(tmp_path, content))
    assert (form, rows) == ("csv", [{"row_no": "1", "sku": "a", "name": "B"}])


def test_a_row_that_is_not_utf8_is_named_alone(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, b"sku,name\na,caf\xe9\nb,B\n"))
    assert rows[0]["problem"]["code"] == "not_utf8"
    assert rows[0]["problem"]["field"] == "name"
    assert rows[1] == {"row_no": "2", "sku": "b", "name": "B"}


def test_a_nul_character_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "sku,name,colour\n" + "x,y,z\n" * 20_000 + "a,\0,b\nb,B,r\0d\n")
    _, rows = read(path)
    assert [row["problem"]["code"] for row in rows if "problem" in row] == ["nul_character"] * 2
    assert len(rows) == 20_002


def test_an_open_quote_loses_one_line_only(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, 'sku,name\na,"A\nb,B\n"c","two\nlines"\n'))
    assert [row.get("sku") for row in rows] == [None, "b", "c"]
    assert rows[0]["problem"]["code"] in {"bad_quoting", "wrong_field_count"}


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (b"", "f.csv", "the file is empty"),
        (b"   \n", "f.csv", "the file is empty"),
        (b"name,price\na,1\n", "f.csv", "no column tells the SKU"),
        (b"\x00\x01\x02binary\x00", "f.csv", "neither text nor an XLSX"),
        (
            gzip.compress(b"sku\na\n" * 50, mtime=0)[:-12],
            "f.csv.gz",
            "the compressed file is corrupt",
        ),
        (b"PK\x03\x04broken", "f.xlsx", "no readable XLSX"),
        (b"<rss><channel></channel></rss>", "f.xml", "holds no item"),
        (b"<rss><channel><item>", "f.xml", "no well-formed XML"),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><rss/>', "f.xml", "declares a document type"),
    ],
)
def test_a_file_that_is_none_says_why(
    tmp_path: Path, content: bytes, name: str, problem: str
) -> None:
    with pytest.raises(BadFile, match=problem):
        read(written(tmp_path, content, name))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadFile, match="unknown format"):
        read(written(tmp_path, "sku\na\n"), "sap")


def test_a_workbook_keeps_what_its_cells_are(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["sku", "name", "ean", "price", "colour"])
    sheet.append(["a", "=1+1", 4006381333931.0, 9.5])
    sheet.append([])
    sheet.append([17, "B", "0036000291452", 10, True])
    book.save(tmp_path / "f.xlsx")
    form, rows = read(tmp_path / "f.xlsx")
    assert form == "xlsx"
    assert (rows[0]["name"], rows[0]["list_price"]) == ("=1+1", "9.5")
    assert rows[0]["gtin"].startswith("4006381333931")
    assert (rows[1]["sku"], rows[1]["gtin"]) == ("17", "0036000291452")
    assert rows[1]["attributes"] == {"colour": "true"}


FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>a</g:id><title>Shirt &amp; tie</title><link>https://a.example/a</link>
<description><![CDATA[<p>Soft.</p><script>bad()</script>]]></description>
<g:price>15.00 USD</g:price><g:item_group_id>s</g:item_group_id><g:size>M</g:size>
<g:image_link>https://a.example/1.jpg</g:image_link>
<g:additional_image_link>https://a.example/2.jpg</g:additional_image_link>
<g:shipping><g:price>4 USD</g:price></g:shipping><g:shipping_weight>3 kg</g:shipping_weight></item>
<item><g:id>b</g:id><title>Mug</title><g:color>red</g:color></item>
</channel></rss>"""


def test_a_merchant_feed_is_read_item_by_item(tmp_path: Path) -> None:
    form, rows = read(written(tmp_path, FEED, "feed.xml"))
    shirt, mug = rows
    assert form == "merchant"
    assert (shirt["sku"], shirt["name"], shirt["description"]) == ("a", "Shirt & tie", "Soft.")
    assert (shirt["list_price"], shirt["weight"]) == ("15.00 USD", "3 kg")
    assert (shirt["group_key"], shirt["options"]) == ("s", {"size": "M"})
    assert shirt["media"] == ["https://a.example/1.jpg", "https://a.example/2.jpg"]
    assert mug["attributes"] == {"color": "red"}


def test_the_same_feed_in_columns_is_the_same(tmp_path: Path) -> None:
    header = ("id", "title", "link", "price", "item group id", "size", "image link", "color")
    rows = [
        ("a", "Shirt", "https://a.example/a", "15.00 USD", "s", "M", "https://a.example/1.jpg", ""),
        ("b", "Mug", "", "", "", "", "", "red"),
    ]
    text = "\n".join("\t".join(row) for row in (header, *rows)) + "\n"
    form, (shirt, mug) = read(written(tmp_path, text, "feed.txt"))
    assert form == "merchant"
    assert (shirt["list_price"], shirt["options"]) == ("15.00 USD", {"size": "M"})
    assert shirt["media"] == ["https://a.example/1.jpg"]
    assert mug["attributes"] == {"color": "red"}


SHOPIFY = """Handle,Title,Body (HTML),Vendor,Type,Option1 Name,Option1 Value,Variant SKU,\
Variant Grams,Variant Price,Variant Barcode,Image Src,Image Position,Variant Image,Status,\
Google Shopping / Gender
shirt,Shirt,<p>Soft</p>,Acme,Tops,Size,S,SH-S,200,9.99,'4006381333931,https://a.example/1.jpg,1,,\
active,unisex
shirt,,,,,,M,,0,10.99,,https://a.example/2.jpg,2,https://a.example/m.jpg,,
shirt,,,,,,,,,,,https://a.example/3.jpg,3,,,
mug,Mug,,Acme,Cups,Title,Default Title,MUG,300,5,,,,,draft,
"""


def test_variants_of_an_export_share_what_their_product_says(tmp_path: Path) -> None:
    form, rows = read(written(tmp_path, SHOPIFY))
    small, middle, picture, mug = rows
    assert form == "shopify"
    assert (small["sku"], small["weight"], small["gtin"]) == ("SH-S", "200 g", "4006381333931")
    assert (middle["name"], middle["brand"], middle["options"]) == ("Shirt", "Acme", {"Size": "M"})
    assert middle["media"][0] == "https://a.example/m.jpg"
    assert len(middle["media"]) == 4
    assert "weight" not in middle, "0 grams are not known"
    assert middle["attributes"] == {"gender": "unisex"}
    assert picture["problem"]["is_skip"]
    assert (mug["status"], "options" in mug) == ("archived", False)


def test_a_variant_without_a_sku_gets_one_and_is_noted(tmp_path: Path) -> None:
    _, rows = read(written(tmp_path, SHOPIFY))
    assert rows[1]["sku"] == "shirt-m"
    assert (rows[1]["problem"]["code"], rows[1]["problem"]["is_error"]) == ("sku_derived", False)


def test_markup_becomes_lines_of_text() -> None:
    html = "<h1>Title</h1><p>A&nbsp;b <b>c</b></p><style>x{}</style><ul><li>1<li>2</ul>"
    assert text_of(html).splitlines() == ["Title", "A b c", "1", "2"]
    assert text_of("plain < text") == "plain < text"
