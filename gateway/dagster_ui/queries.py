"""How much one GraphQL request may ask for: its size, depth, aliases and repeated fields.

The limits lie well above what Dagster's own UI asks; a test measures that on its queries.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from graphql import (
    ASTValidationRule,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
)

MOST_CHARACTERS = 200_000
DEEPEST = 30
MOST_FIELDS = 5_000
"""Fields of an operation with its fragments laid out; the UI's largest asks for some hundreds."""

MOST_ALIASES = 50
MOST_ROOT_FIELDS = 30
MOST_DIRECTIVES = 50
MOST_OPERATIONS = 20


class WithinBounds(ASTValidationRule):
    """A validation rule that refuses documents which ask for too much."""

    def __init__(self, context: ValidationContext) -> None:
        """Count nothing yet."""
        super().__init__(context)
        self._counts: Counter[str] = Counter()

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        """Lay every operation out and measure it."""
        fragments = {
            part.name.value: part.selection_set
            for part in node.definitions
            if isinstance(part, FragmentDefinitionNode)
        }
        operations = [p for p in node.definitions if isinstance(p, OperationDefinitionNode)]
        self._limit("operations", len(operations), MOST_OPERATIONS)
        for operation in operations:
            measured = _Measured(fragments)
            problem = measured.problem_of(operation.selection_set)
            if problem:
                self.report_error(GraphQLError(f"the query {problem}"))

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Count an alias."""
        if node.alias is not None:
            self._counts["aliases"] += 1
            self._limit("aliases", self._counts["aliases"], MOST_ALIASES)

    def enter_directive(self, _: DirectiveNode, *__: Any) -> None:
        """Count a directive."""
        self._counts["directives"] += 1
        self._limit("directives", self._counts["directives"], MOST_DIRECTIVES)

    def _limit(self, what: str, found: int, most: int) -> None:
        if found == most + 1:
            self.report_error(GraphQLError(f"the query has more than {most} {what}"))


class _Measured:
    """Depth and size of an operation, found without laying fragments out more than is allowed."""

    def __init__(self, fragments: dict[str, SelectionSetNode]) -> None:
        self._fragments = fragments
        self._fields = 0

    def problem_of(self, selections: SelectionSetNode) -> str | None:
        """What is too much, or None."""
        if len(selections.selections) > MOST_ROOT_FIELDS:
            return f"asks for more than {MOST_ROOT_FIELDS} things at once"
        return self._walk(selections, 1, frozenset())

    def _walk(self, node: SelectionSetNode, depth: int, within: frozenset[str]) -> str | None:
        if depth > DEEPEST:
            return f"is deeper than {DEEPEST} levels"
        for part in node.selections:
            if isinstance(part, FragmentSpreadNode):
                name = part.name.value
                # A fragment within itself is refused by GraphQL's own rules.
                inner = None if name in within else self._fragments.get(name)
                problem = inner and self._walk(inner, depth, within | {name})
            else:
                problem = self._step(part, depth, within)
            if problem:
                return problem
        return None

    def _step(self, part: Any, depth: int, within: frozenset[str]) -> str | None:
        is_field = isinstance(part, FieldNode)
        self._fields += is_field
        if self._fields > MOST_FIELDS:
            return f"asks for more than {MOST_FIELDS} fields"
        inner = part.selection_set
        return self._walk(inner, depth + is_field, within) if inner else None
