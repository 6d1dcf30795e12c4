"""UCI "Online Retail": invoice lines of a British gift wholesaler, one table, GBP.

What is taken how:

- **Orders** are invoices of six digits. Moments are local times of London without an offset. Lines
  with the same product and price are one line with a quantity; `POST`, `DOT` and `C2` lines are the
  shipping charged.
- **Customers** are `uci:<CustomerID>`; an invoice without one is an order of `guest:<invoice>`.
- **Payment**: the source has none; a wholesaler sells on invoice, so there is one tender `invoice`
  over the whole amount, authorised when the invoice was written.
- **Cancellations** (`C` and six digits) become observed events of the latest earlier order in which
  the same customer bought at least as much of the product: `cancelled` where a cancellation takes
  back every unit of the order, else `returned`. Where all cancellations together take back more
  than was ordered, the event says so as an anomaly.
- **Places**: the source knows the country only; its middle stands for the address.
- **Fates**: exact repeats of a row are superseded. Parked are adjustments (`A...`), lines that sell
  nothing (quantity or price at or below zero, fees, manual entries, samples), cancellations without
  a matching order, and countries that are none. An invoice with a malformed line is parked whole.

Derived, since the source has none (see `importers.uci_supply` and `importers.supply`): three sites
in the United Kingdom, opening stock, and a rate card. Weights are unknown, so products have none
and transport estimates them.
"""

from __future__ import annotations

import sqlalchemy as sa

from importers.marking import Form, accept_rest, park_malformed, permit, require, supersede_earlier
from importers.source import Source, SourceFile
from importers.uci_orders import map_orders, map_returns
from importers.uci_supply import map_supply

LINES = SourceFile(
    "lines",
    ("online_retail*.parquet", "online_retail*.csv", "online_retail*.csv.gz"),
    (
        "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
        "CustomerID", "Country",
    ),
)  # fmt: skip

_RULES = (
    *require("InvoiceNo", "StockCode", "Country"),
    *permit("CustomerID", form=Form.KEY),
    *require("Quantity", form=Form.SIGNED_WHOLE),
    *require("InvoiceDate", form=Form.MOMENT),
    *require("UnitPrice", form=Form.SIGNED_AMOUNT),
)

COUNTRIES = {
    "Australia": ("AU", -33.9, 151.2),
    "Austria": ("AT", 47.6, 14.1),
    "Bahrain": ("BH", 26.0, 50.5),
    "Belgium": ("BE", 50.6, 4.6),
    "Bermuda": ("BM", 32.3, -64.8),
    "Brazil": ("BR", -15.8, -47.9),
    "Canada": ("CA", 45.4, -75.7),
    "Channel Islands": ("JE", 49.2, -2.1),
    "Cyprus": ("CY", 35.0, 33.2),
    "Czech Republic": ("CZ", 49.7, 15.3),
    "Denmark": ("DK", 56.0, 10.0),
    "EIRE": ("IE", 53.2, -8.2),
    "Finland": ("FI", 61.0, 25.0),
    "France": ("FR", 46.6, 2.5),
    "Germany": ("DE", 51.1, 10.4),
    "Greece": ("GR", 39.0, 22.0),
    "Hong Kong": ("HK", 22.3, 114.2),
    "Iceland": ("IS", 64.1, -21.9),
    "Israel": ("IL", 31.5, 34.9),
    "Italy": ("IT", 42.8, 12.5),
    "Japan": ("JP", 35.7, 139.7),
    "Korea": ("KR", 37.5, 127.0),
    "Lebanon": ("LB", 33.9, 35.9),
    "Lithuania": ("LT", 55.3, 23.9),
    "Malta": ("MT", 35.9, 14.4),
    "Netherlands": ("NL", 52.2, 5.3),
    "Nigeria": ("NG", 6.5, 3.4),
    "Norway": ("NO", 60.5, 9.0),
    "Poland": ("PL", 52.1, 19.4),
    "Portugal": ("PT", 39.6, -8.2),
    "RSA": ("ZA", -26.2, 28.0),
    "Saudi Arabia": ("SA", 24.7, 46.7),
    "Singapore": ("SG", 1.35, 103.8),
    "Spain": ("ES", 40.2, -3.6),
    "Sweden": ("SE", 60.0, 15.5),
    "Switzerland": ("CH", 46.8, 8.2),
    "Thailand": ("TH", 13.8, 100.5),
    "USA": ("US", 39.8, -89.6),
    "United Arab Emirates": ("AE", 25.2, 55.3),
    "United Kingdom": ("GB", 52.6, -1.5),
}
"""Country names of the source: ISO 3166-1 code, and degrees north and east of the middle of the
country, or of its largest city where the country is wide or mostly empty."""

_OPEN_COUNTRIES = sa.text("""
    CREATE TEMPORARY TABLE uci_countries
        (name text PRIMARY KEY, country text, latitude double precision,
         longitude double precision) ON COMMIT DROP
""")
_INTO_COUNTRIES = sa.text(
    "INSERT INTO uci_countries VALUES (:name, :country, :latitude, :longitude)"
)
_PARK_INVOICES = sa.text("""
    UPDATE raw_lines AS r SET fate = 'parked', reason = 'invoice_unusable', subject = r."InvoiceNo",
        detail = 'InvoiceNo: another line of the invoice is malformed'
    WHERE fate IS NULL AND "InvoiceNo" IN (
        SELECT "InvoiceNo" FROM raw_lines WHERE fate = 'parked' AND "InvoiceNo" IS NOT NULL)
""")
_PARK_LINES = sa.text("""
    WITH shaped AS (
        SELECT *, upper(trim("StockCode")) AS code,
            -- Every digit as a 9, which is far quicker to compare than a pattern to match.
            translate("InvoiceNo", '012345678', '999999999') AS form
        FROM raw_lines WHERE fate IS NULL
    ),
    judged AS (
        SELECT row_no, CASE
            WHEN form LIKE 'A%' THEN 'adjustment_invoice'
            WHEN form NOT IN ('999999', 'C999999') THEN 'unknown_kind_of_invoice'
            WHEN code IN ('M', 'D', 'S', 'B', 'BANK CHARGES', 'AMAZONFEE', 'CRUK')
                OR code LIKE 'ADJUST%' OR code LIKE 'TEST%'
                OR (form = 'C999999' AND code IN ('POST', 'DOT', 'C2')) THEN 'not_a_product'
            WHEN form = 'C999999' AND "Quantity"::numeric >= 0 THEN 'cancellation_not_negative'
            WHEN form = 'C999999' AND "CustomerID" IS NULL THEN 'cancellation_without_customer'
            WHEN form = '999999' AND "Quantity"::numeric <= 0 THEN 'quantity_not_positive'
            WHEN form = '999999' AND round("UnitPrice"::numeric * 100) <= 0
                THEN 'price_not_positive'
            WHEN "Country" NOT IN (SELECT name FROM uci_countries) THEN 'country_not_known'
            END AS reason
        FROM shaped
    )
    UPDATE raw_lines AS r
    SET fate = 'parked', reason = j.reason, subject = r."InvoiceNo", detail = CASE j.reason
        WHEN 'not_a_product' THEN 'StockCode: ' || r."StockCode"
        WHEN 'quantity_not_positive' THEN 'Quantity: ' || r."Quantity"
        WHEN 'cancellation_not_negative' THEN 'Quantity: ' || r."Quantity"
        WHEN 'price_not_positive' THEN 'UnitPrice: ' || r."UnitPrice"
        WHEN 'country_not_known' THEN 'Country: ' || r."Country"
        WHEN 'cancellation_without_customer' THEN 'CustomerID: empty'
        ELSE 'InvoiceNo: ' || r."InvoiceNo" END
    FROM judged AS j WHERE j.row_no = r.row_no AND j.reason IS NOT NULL
""")


def _open_countries(conn: sa.Connection) -> None:
    conn.execute(_OPEN_COUNTRIES)
    rows = [
        {"name": name, "country": country, "latitude": latitude, "longitude": longitude}
        for name, (country, latitude, longitude) in COUNTRIES.items()
    ]
    conn.execute(_INTO_COUNTRIES, rows)


def _map(conn: sa.Connection) -> None:
    _open_countries(conn)
    park_malformed(conn, LINES, "InvoiceNo", _RULES)
    # Before repeats are set aside, so that a repeated line of a parked invoice is parked too.
    conn.execute(_PARK_INVOICES)
    supersede_earlier(conn, LINES, *LINES.columns)
    conn.execute(_PARK_LINES)
    map_orders(conn)
    map_returns(conn)
    map_supply(conn)
    accept_rest(conn, (LINES,))


SOURCE = Source("uci", (LINES,), _map)
"""The importer; see the module's docstring."""
