"""The language model is asked over HTTP; whatever goes wrong is told in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.language import KEY, running
from fixtures.mail import free_port
from resources.language import LanguageResource

ASK = [{"role": "user", "content": "Say hello."}]


def test_an_answer_is_the_text_with_its_model_and_tokens() -> None:
    with running(lambda messages: f" Hello, {messages[0]['role']}. ") as server:
        with server.resource(model="some-model").session() as writer:
            answer = writer.write(ASK)
        assert (answer.text, answer.model, answer.tokens) == ("Hello, user.", "some-model", 15)
        assert server.asked[0]["max_completion_tokens"] > 0


def test_without_a_key_nothing_is_asked_and_it_is_said() -> None:
    with LanguageResource().session() as writer:
        answer = writer.write(ASK)
    assert (answer.text, answer.problem) == (
        None, "no language model is configured (OPENAI_API_KEY)"
    )  # fmt: skip


@pytest.mark.parametrize("key", ["sk-wrong", "sk-zeile\nzwei", "schlüssel"])
def test_a_bad_key_is_told_once_and_never_raised(key: str) -> None:
    with running(lambda messages: "never") as server:
        with server.resource(key).session() as writer:
            first, second = writer.write(ASK), writer.write(ASK)
        assert first.text is None
        assert "cannot be used" in str(first.problem)
        assert key not in str(first.problem)
        assert second.text is None
        assert server.asked == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_cannot_is_asked_again_for_the_next(status: int) -> None:
    answers: Iterator[int | str] = iter([status, "Now."])
    with running(lambda messages: next(answers)) as server, server.resource().session() as writer:
        assert str(status) in str(writer.write(ASK).problem)
        assert writer.write(ASK).text == "Now."


def test_a_server_that_is_away_is_told() -> None:
    away = LanguageResource(
        api_key=KEY, base_url=f"http://127.0.0.1:{free_port()}/v1", most_retries=0, timeout_s=2
    )
    with away.session() as writer:
        assert "APIConnectionError" in str(writer.write(ASK).problem)


def test_an_answer_that_broke_off_or_is_empty_is_no_text() -> None:
    broken = {"message": {"role": "assistant", "content": "Half"}, "finish_reason": "length"}
    empty = {"message": {"role": "assistant", "content": None}, "finish_reason": "stop"}
    answers = iter([broken, empty])
    with running(lambda messages: next(answers)) as server, server.resource().session() as writer:
        assert "broke off: length" in str(writer.write(ASK).problem)
        assert "without a text" in str(writer.write(ASK).problem)


def test_the_environment_configures_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert LanguageResource.of_environment().problem
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert "sk-1" not in repr(LanguageResource.of_environment())
