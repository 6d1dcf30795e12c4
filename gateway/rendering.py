"""Pages from templates: everything that is put into them is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ecom_assets.backoffice.roles import Right

FOLDER = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    request: Request, template: str, shown: Mapping[str, Any], status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """A page of a template, with what every page shows: who is in and what that user may open."""
    # Nobody is asked for where files are open to all.
    principal = getattr(request.state, "principal", None)
    rights = principal.rights if principal else frozenset()
    around = {
        "principal": principal, "may": lambda right: Right(right) in rights,
        "path": request.url.path,
    }  # fmt: skip
    text = _TEMPLATES.get_template(template).render(around | dict(shown))
    return HTMLResponse(text, status, headers=dict(headers or {}))
