"""Tables that people take away from a screen."""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.responses import Response
from starlette_admin.export import CsvExporter
from starlette_admin.export.base import ExportContext

_LONGEST_NAME = 100


class SafeCsv(CsvExporter):
    """CSV without formulas, under a name that a header can carry."""

    def __init__(self) -> None:
        """Spreadsheets execute what begins like a formula; what people type stays text."""
        super().__init__(escape_formulas=True)

    async def build_response(self, ctx: ExportContext) -> Response:
        """The file; the name that the form gives may be anything."""
        name = re.sub(r"[^\x20-\x7e]", "_", ctx.filename)[:_LONGEST_NAME]
        return await super().build_response(replace(ctx, filename=name))
