"""Reading stored features as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    import pandas as pd


def figures_of(conn: sa.Connection, orders: sa.FromClause) -> pd.DataFrame:
    """One row per order, one column per feature; what a document leaves out is 0.

    Args:
        conn: connection to read with.
        orders: has `features` and further columns, which the frame keeps.
    """
    import pandas as pd

    from ecom_assets.fraud.features import NAMES

    kept = [column for column in orders.c if column.name != "features"]
    columns = [sa.column(name, sa.Double) for name in NAMES]
    document = sa.func.jsonb_to_record(orders.c.features).table_valued(*columns)
    figure = document.render_derived("figure", with_types=True)
    given = sa.select(*kept, *(sa.func.coalesce(figure.c[name], 0.0) for name in NAMES))
    found = conn.execute(given.select_from(orders.join(figure, sa.true())))
    return pd.DataFrame(found.all(), columns=[*(column.name for column in kept), *NAMES])
