"""How ready products are for each channel: requirements, completeness, scores, drafts of copy."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    document,
    flag,
    identity,
    integer,
    recorded_at,
    run_id,
    text,
    texts,
)

CHANNEL_REQUIREMENTS = area_table(
    "catalog",
    "channel_requirements",
    "What a channel asks of a product before it may be listed, per locale.",
    text("channel", "channel", primary_key=True),
    text("locale", "locale; empty where the channel has one only", primary_key=True),
    text("family", "family it is asked of; empty for all products", primary_key=True),
    text("attribute", "attribute, column of the products, or 'image'", primary_key=True),
    flag("is_localised", "whether only a value in this very locale counts"),
    flag("is_blocking", "whether a product without it is held back"),
    recorded_at(),
    sa.CheckConstraint("channel <> '' AND attribute <> ''", name="named"),
)

COMPLETENESS = area_table(
    "catalog",
    "completeness",
    "How complete each product is for each channel and locale, and whether it may go there.",
    sa.Column(
        "sku",
        sa.Text,
        sa.ForeignKey("catalog.products.sku", ondelete="CASCADE"),
        primary_key=True,
        comment="product",
    ),
    text("channel", "channel", primary_key=True),
    text("locale", "locale", primary_key=True),
    integer("required", "values the channel asks for"),
    integer("present", "those the product has"),
    texts("missing", "those it lacks, in order of their names"),
    texts("blocking", "those of the missing that hold it back"),
    flag("is_ready", "whether it may go to the channel in this locale"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint(
        "present BETWEEN 0 AND required AND required - present = cardinality(missing)",
        name="adds_up",
    ),
    sa.CheckConstraint("blocking <@ missing", name="blocking_is_missing"),
    sa.CheckConstraint("NOT is_ready OR cardinality(blocking) = 0", name="ready_lacks_nothing"),
)

PRODUCT_SCORES = area_table(
    "catalog",
    "product_scores",
    "How well each product is described, from 0 to 100, whatever a channel asks for.",
    sa.Column(
        "sku",
        sa.Text,
        sa.ForeignKey("catalog.products.sku", ondelete="CASCADE"),
        primary_key=True,
        comment="product",
    ),
    integer("score", "points of 100"),
    texts("lacking", "what would raise the score, in order of points"),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("score BETWEEN 0 AND 100", name="score_in_range"),
)

COPY_DRAFTS = area_table(
    "catalog",
    "copy_drafts",
    "Drafts of product copy, with the facts they were made from and what was found wrong.",
    identity("draft_id", "surrogate key"),
    sa.Column(
        "sku",
        sa.Text,
        sa.ForeignKey("catalog.products.sku", ondelete="CASCADE"),
        nullable=False,
        comment="product",
    ),
    text("locale", "locale the draft is written in"),
    text("text", "the draft"),
    text("writer", "model that wrote it, or 'template'"),
    text("version", "version of the instructions or of the template"),
    document("facts", "attributes the writer was given"),
    texts("problems", "what the draft says that is in no fact; empty for one that may be used"),
    text("state", "offered or refused"),
    text("degraded", "why no model wrote it", nullable=True),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("state IN ('offered', 'refused')", name="state_known"),
    sa.CheckConstraint(
        "(state = 'refused') = (cardinality(problems) > 0)", name="refused_for_a_reason"
    ),
    sa.Index(None, "sku", "locale"),
)
