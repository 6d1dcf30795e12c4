"""Product copy on request: written by a language model where there is one, else by a template."""

from typing import Any

import dagster as dg

from ecom_assets.catalog import copywriting
from ecom_assets.catalog.store import copies
from ecom_assets.catalog.store.copies import Draft
from ecom_assets.catalog.tables import COPY_DRAFTS
from ecom_assets.shared import metadata
from resources.database import DatabaseResource
from resources.language import LanguageResource, Writer

MOST_SKUS = 500
"""Products one run writes copy for."""


class CopyConfig(dg.Config):
    """What copy is asked for.

    Attributes:
        skus: products.
        locale: language of the copy, such as `de`; empty for English.
    """

    skus: list[str]
    locale: str = ""


@dg.asset(
    key=["catalog", "copy_drafts"],
    deps=[dg.AssetKey(["catalog", "products"])],
    kinds={"postgres", "openai"},
    description=f"{COPY_DRAFTS.comment} A draft that says what no attribute says is refused.",
)
def copy_drafts(
    context: dg.AssetExecutionContext,
    config: CopyConfig,
    database: DatabaseResource,
    language: LanguageResource,
) -> dg.MaterializeResult[None]:
    """Write a draft for each product asked for."""
    if len(config.skus) > MOST_SKUS:
        raise dg.Failure(f"{len(config.skus)} products; at most {MOST_SKUS} in one run",
                         allow_retries=False)  # fmt: skip
    with database.begin() as conn:
        facts = copies.facts_of(conn, config.skus, config.locale)
    # No transaction is open while the model is asked: an answer may take a minute.
    with language.session() as writer:
        drafts = [_draft(writer, sku, known, config.locale) for sku, known in facts.items()]
    with database.begin() as conn:
        copies.keep_drafts(conn, drafts, context.run.run_id)
        shown: dict[str, Any] = metadata.advanced(conn, COPY_DRAFTS, _counts(drafts))
        shown["drafts"] = metadata.preview(conn, copies.DRAFTED)
    if unknown := sorted(set(config.skus) - set(facts)):
        shown["unknown_skus"] = ", ".join(unknown[:20])
    if reasons := sorted({draft.degraded for draft in drafts if draft.degraded}):
        shown["degraded"] = f"{'; '.join(reasons)}; templates were used"
        context.log.warning(shown["degraded"])
    return dg.MaterializeResult(metadata=shown)


def _draft(writer: Writer, sku: str, facts: dict[str, str], locale: str) -> Draft:
    answer = writer.write(copywriting.instructions(facts, locale))
    text = answer.text or copywriting.template(facts)
    return Draft(
        sku, locale, text, answer.model if answer.text else "template", copywriting.VERSION,
        facts, copywriting.problems(text, facts), None if answer.text else answer.problem,
    )  # fmt: skip


def _counts(drafts: list[Draft]) -> dict[str, int]:
    refused = sum(bool(draft.problems) for draft in drafts)
    return {"offered": len(drafts) - refused, "refused": refused}


ASSETS = [copy_drafts]
