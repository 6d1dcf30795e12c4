"""The language model as a resource: OpenAI's API, or any server that keeps its contract.

Everything is optional: without `OPENAI_API_KEY` nothing is asked, `problem` says so, and whoever
would ask goes on without. A key that is refused, a server that is away or an answer that cannot be
used is told in words, never raised.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam

VARIABLES = {
    "api_key": "OPENAI_API_KEY",
    "base_url": "OPENAI_BASE_URL",
    "model": "ECOM_LANGUAGE_MODEL",
}
"""The variable that sets each field."""

MOST_TOKENS = 400
"""Longest answer, in tokens: about three hundred words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        text: what the model wrote; None where it wrote nothing that can be used.
        model: the model, as the server names it.
        tokens: tokens of question and answer, as the server counts them.
        problem: why there is no text.
    """

    text: str | None
    model: str = ""
    tokens: int = 0
    problem: str | None = None


class Writer:
    """A model while somebody asks it."""

    def __init__(self, client: OpenAI | None, model: str, problem: str | None) -> None:
        """Ask `model` through `client`; without a client every answer is `problem`."""
        self._client = client
        self._model = model
        self.problem = problem

    def write(self, messages: Sequence[dict[str, str]]) -> Answer:
        """Ask for one text.

        Args:
            messages: `role` and `content`, in order.
        """
        if self._client is None or self.problem:
            return Answer(None, problem=self.problem)
        from openai import OpenAIError

        try:
            reply = self._client.chat.completions.create(
                model=self._model,
                messages=cast("list[ChatCompletionMessageParam]", list(messages)),
                max_completion_tokens=MOST_TOKENS,
            )
        # A key that no header can hold is a ValueError of the client.
        except (OpenAIError, ValueError) as error:
            return self._failed(error)
        tokens = reply.usage.total_tokens if reply.usage else 0
        choice = reply.choices[0] if reply.choices else None
        if choice is None or not choice.message.content:
            return Answer(None, reply.model, tokens, "the model answered without a text")
        if choice.finish_reason != "stop":
            return Answer(
                None, reply.model, tokens, f"the answer broke off: {choice.finish_reason}"
            )
        return Answer(choice.message.content.strip(), reply.model, tokens)

    def _failed(self, error: Exception) -> Answer:
        from openai import AuthenticationError, NotFoundError, PermissionDeniedError

        # Neither the key nor what the server said of it belongs into a log.
        status = getattr(error, "status_code", None)
        told = f"the language model cannot be used: {type(error).__name__}"
        told += f" ({status})" if status else ""
        is_final = isinstance(
            error, AuthenticationError | PermissionDeniedError | NotFoundError | ValueError
        )
        # What is refused once is refused again; asking for each product would only take time.
        self.problem = told if is_final else None
        return Answer(None, problem=told)


class LanguageResource(dg.ConfigurableResource[None]):
    """How a language model is reached.

    Attributes:
        api_key: key of the account; empty where there is none.
        base_url: address of the API, OpenAI's own by default.
        model: model that is asked.
        timeout_s: longest wait for an answer, in seconds.
        most_retries: how often a request is made again that the server could not take.
    """

    api_key: str = ""
    base_url: str = ""
    model: str = "gpt-4.1-mini"
    timeout_s: int = 60
    most_retries: int = 2

    @classmethod
    def of_environment(cls) -> LanguageResource:
        """As `VARIABLES` say; values are read when a run begins and shown nowhere."""
        given: dict[str, Any] = {
            field: dg.EnvVar(name) for field, name in VARIABLES.items() if os.environ.get(name)
        }
        return cls(**given)

    @property
    def problem(self) -> str | None:
        """Why nothing can be asked, in words for operators; None if it can."""
        if not self.api_key.strip():
            return "no language model is configured (OPENAI_API_KEY)"
        return None

    @contextmanager
    def session(self) -> Iterator[Writer]:
        """Ask through one client, which is closed at the end."""
        if self.problem:
            yield Writer(None, self.model, self.problem)
            return
        from openai import OpenAI

        client = OpenAI(
            api_key=self.api_key,
            base_url=self.base_url or None,
            timeout=self.timeout_s,
            max_retries=self.most_retries,
        )
        try:
            yield Writer(client, self.model, None)
        finally:
            client.close()
