"""What cells mean, as functions of the session; `cells` and `gtin` are their references."""

from __future__ import annotations

import sqlalchemy as sa

_NUMBER = sa.text(r"""
    CREATE OR REPLACE FUNCTION pg_temp.number_of(cell text) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CAST(CASE
            WHEN length(cell) > 30 THEN NULL
            WHEN cell ~ '^-?[0-9]+(\.[0-9]+)?$' THEN cell
            WHEN cell ~ '^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$' THEN replace(cell, ',', '')
            WHEN cell ~ '^-?[0-9]+,[0-9]{1,2}$' THEN replace(cell, ',', '.')
            WHEN cell ~ '^-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]{1,2}$'
                THEN replace(replace(cell, '.', ''), ',', '.')
        END AS numeric)
    $$
""")
_CLEAN = sa.text(r"""
    CREATE OR REPLACE FUNCTION pg_temp.clean(cell text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
        SELECT nullif(CASE
            WHEN left(btrim(cell, E' \t\r\n'), 1) <> '''' THEN btrim(cell, E' \t\r\n')
            WHEN btrim(cell, E' \t\r\n') ~ '^''[-=+@]' THEN substr(btrim(cell, E' \t\r\n'), 2)
            ELSE btrim(cell, E' \t\r\n')
        END, '')
    $$
""")
_FAULT = sa.text(r"""
    CREATE OR REPLACE FUNCTION pg_temp.fault_of(cell text) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE
            WHEN upper(btrim(cell, E' \t\r\n')) IN
                ('#REF!', '#N/A', '#VALUE!', '#NAME?', '#DIV/0!', '#NULL!', '#NUM!')
                THEN 'spreadsheet_error'
            WHEN btrim(cell, E' \t\r\n') ~ '^[-=+@]'
                AND btrim(cell, E' \t\r\n') !~ '^[-+]?[0-9][0-9.,]*$' THEN 'formula'
        END
    $$
""")
# The first part is the number of 14 digits, the second what was found.
_GTIN = sa.text(r"""
    CREATE OR REPLACE FUNCTION pg_temp.read_gtin(cell text) RETURNS text[]
    LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE
            WHEN digits IS NULL THEN ARRAY[NULL, CASE
                WHEN mantissa IS NOT NULL AND length(mantissa) < places
                    THEN 'gtin_digits_lost' ELSE 'gtin_not_digits' END]
            WHEN length(digits) NOT BETWEEN 7 AND 14 THEN ARRAY[NULL, 'gtin_wrong_length']
            ELSE ARRAY[lpad(digits, 14, '0'), CASE
                WHEN was_float THEN 'gtin_was_float'
                WHEN length(digits) IN (7, 9, 10, 11) THEN 'gtin_zero_restored' END]
        END
        FROM (
            SELECT mantissa, places, plain !~ '^[0-9]+$' AS was_float, CASE
                WHEN plain ~ '^[0-9]+$' THEN plain
                WHEN plain ~ '^[0-9]+\.0*$' THEN split_part(plain, '.', 1)
                WHEN length(mantissa) = places THEN mantissa END AS digits
            FROM (
                SELECT plain, CASE WHEN plain ~ '^[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}$'
                        THEN replace(split_part(lower(plain), 'e', 1), '.', '') END AS mantissa,
                    CASE WHEN plain ~ '^[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}$'
                        THEN CAST(split_part(lower(plain), 'e', 2) AS integer) + 1 END AS places
                FROM (
                    SELECT regexp_replace(translate(cell, E' \t-', ''), '^''', '') AS plain
                ) AS cell_text
            ) AS parted
        ) AS told
    $$
""")


def open_functions(conn: sa.Connection) -> None:
    """Make the functions in the session's own schema; they are gone with it."""
    for function in (_NUMBER, _CLEAN, _FAULT, _GTIN):
        conn.execute(function)
