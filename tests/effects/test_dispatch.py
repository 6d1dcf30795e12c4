"""Every move of an effect, against a real mail server that misbehaves on request."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ecom_assets.effects import store
from ecom_assets.effects.model import Outcome
from ecom_assets.shared.journal import TIMELINE
from ecom_assets.shared.outbox import ATTEMPTS, OUTBOX
from fixtures.customer_orders import place
from fixtures.mail import AT_ONCE, Sink, effects, free_port, letter, plan_letters, send
from resources.database import DatabaseResource


def attempts(database: DatabaseResource) -> list[tuple[int, str, str]]:
    """Number, action and outcome of every attempt, in their order."""
    with database.begin() as conn:
        rows = sa.select(ATTEMPTS.c.attempt, ATTEMPTS.c.action, ATTEMPTS.c.outcome)
        return [*conn.execute(rows.order_by(ATTEMPTS.c.attempt_id)).tuples()]


def planned(database: DatabaseResource, *recipients: str) -> None:
    with database.begin() as conn:
        assert plan_letters(conn, *recipients) == len(recipients)


def column(database: DatabaseResource, name: str) -> object:
    with database.begin() as conn:
        return conn.execute(sa.select(OUTBOX.c[name])).scalar_one()


def until_known(database: DatabaseResource, sink: Sink) -> None:
    """Dispatch until nothing is unknown."""
    deadline = time.monotonic() + 20
    while "unknown" in effects(database).values():
        assert time.monotonic() < deadline
        time.sleep(0.1)
        send(database, sink.mail())


def test_a_letter_goes_out_once_and_is_confirmed(database: DatabaseResource, sink: Sink) -> None:
    planned(database, "accept.1@a.example")
    assert send(database, sink.mail())["confirmed"] == 1
    assert effects(database) == {"accept.1@a.example": "confirmed"}
    assert not send(database, sink.mail())["confirmed"], "a second dispatch finds nothing"
    assert sink.taken()["<accept.1@shop.example>"] == 1
    assert attempts(database) == [(1, "send", "confirmed")]


def test_what_was_taken_says_whom_it_is_for_and_has_both_forms(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "accept.2@a.example")
    send(database, sink.mail())
    (message,) = [one for one in sink.messages() if one["Message-ID"] == "<accept.2@shop.example>"]
    assert message["X-Recipients"] == "accept.2@a.example, journal@shop.example"
    assert (message["To"], message["From"]) == (
        "Ada <accept.2@a.example>",
        "The Shop <orders@shop.example>",
    )
    assert "journal" not in str(message["Cc"]) + str(message["Bcc"])
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]


def test_the_timeline_of_the_order_tells_it(database: DatabaseResource, sink: Sink) -> None:
    with database.begin() as conn:
        place(conn)
        order_id = conn.execute(sa.text("SELECT order_id FROM orders.orders")).scalar_one()
        plan_letters(conn, "accept.3@a.example", order_id=order_id)
    send(database, sink.mail())
    with database.begin() as conn:
        told = conn.execute(sa.select(TIMELINE.c.event, TIMELINE.c.detail)).tuples().one()
    assert told[0] == "effect_confirmed"
    assert told[1]["template"] == "customers/order_confirmed/1"


@pytest.mark.parametrize("recipient", ["never.1@a.example", "spam.1@a.example"])
def test_what_is_refused_for_good_fails_at_once(
    database: DatabaseResource, sink: Sink, recipient: str
) -> None:
    planned(database, recipient)
    send(database, sink.mail())
    assert effects(database) == {recipient: "failed"}
    assert attempts(database) == [(1, "send", "failed")]
    assert not sink.taken()[f"<{recipient.partition('@')[0]}@shop.example>"]


def test_what_is_refused_for_now_goes_out_later(database: DatabaseResource, sink: Sink) -> None:
    planned(database, "later.1@a.example")
    send(database, sink.mail(), replace(AT_ONCE, first_pause_s=60))
    assert effects(database) == {"later.1@a.example": "planned"}
    assert not +send(database, sink.mail()), "it waits"
    with database.begin() as conn:
        conn.execute(sa.update(OUTBOX).values(not_before_at=OUTBOX.c.due_at))
    send(database, sink.mail())
    assert attempts(database) == [(1, "send", "refused"), (2, "send", "confirmed")]


def test_what_is_refused_too_often_has_failed(database: DatabaseResource, sink: Sink) -> None:
    planned(database, "full.1@a.example")
    assert send(database, sink.mail())["refused"] == AT_ONCE.most_refusals
    assert effects(database) == {"full.1@a.example": "failed"}
    assert "452 mailbox full" in str(column(database, "last_error"))


@pytest.mark.parametrize("recipient", ["cut.1@a.example", "slow.1@a.example"])
def test_a_lost_answer_is_unknown_until_the_archive_has_the_letter(
    database: DatabaseResource, sink: Sink, recipient: str
) -> None:
    planned(database, recipient)
    assert send(database, sink.mail())["unanswered"] == 1
    assert effects(database) == {recipient: "unknown"}
    until_known(database, sink)
    assert effects(database) == {recipient: "confirmed"}
    assert attempts(database) == [(1, "send", "unanswered"), (1, "look_up", "confirmed")]
    assert sink.taken()[f"<{recipient.partition('@')[0]}@shop.example>"] == 1


def test_what_the_archive_surely_lacks_is_sent_again(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "accept.4@a.example", "lose.1@a.example")
    send(database, sink.mail())
    assert send(database, sink.mail())["undecided"] == 1, "its time is not over yet"
    until_known(database, sink)
    send(database, sink.mail())
    assert set(effects(database).values()) == {"confirmed"}
    outcomes = [outcome for number, _, outcome in attempts(database) if outcome != "confirmed"]
    assert outcomes == ["unanswered", "not_sent"]
    assert sink.taken()["<lose.1@shop.example>"] == 1


def test_without_an_archive_an_unknown_letter_is_never_sent_again(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "lose.2@a.example")
    blind = sink.mail(archive="")
    send(database, blind)
    time.sleep(AT_ONCE.lease_s)
    for _ in range(3):
        assert send(database, blind)["undecided"] == 1
    assert effects(database) == {"lose.2@a.example": "unknown"}
    assert attempts(database) == [(1, "send", "unanswered")]


def test_nobody_looks_up_a_hopeless_doubt_all_the_time(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "lose.3@a.example")
    blind = sink.mail(archive="")
    send(database, blind)
    patient = replace(AT_ONCE, look_up_most_s=60)
    assert send(database, blind, patient)["undecided"] == 1
    assert send(database, blind, patient)["undecided"] == 0


def test_an_outage_counts_against_no_letter(database: DatabaseResource, sink: Sink) -> None:
    planned(database, "accept.5@a.example", "accept.6@a.example")
    away = sink.mail(port=free_port())
    for _ in range(AT_ONCE.most_refusals + 1):
        assert send(database, away)["unreachable"] == 1, "one try tells"
    assert set(effects(database).values()) == {"planned"}
    assert send(database, sink.mail())["confirmed"] == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"host": ""}, "ECOM_SMTP_HOST"),
        ({"sender": ""}, "ECOM_MAIL_SENDER"),
        ({"security": "ssl"}, "ECOM_SMTP_SECURITY"),
        ({"host": "mail.example", "user": "shop"}, "in clear"),
    ],
)
def test_what_is_not_configured_waits(
    database: DatabaseResource, sink: Sink, given: dict[str, str], reason: str
) -> None:
    planned(database, "accept.7@a.example")
    mail = sink.mail(**given)
    assert reason in str(mail.problem)
    assert not +send(database, mail)
    assert effects(database) == {"accept.7@a.example": "planned"}
    assert attempts(database) == []


def test_a_server_without_encryption_gets_nothing(database: DatabaseResource, sink: Sink) -> None:
    planned(database, "accept.15@a.example")
    assert send(database, sink.mail(security="starttls"))["unreachable"] == 1
    assert effects(database) == {"accept.15@a.example": "planned"}
    assert not sink.taken()["<accept.15@shop.example>"]


def test_a_letter_waits_for_its_moment(database: DatabaseResource, sink: Sink) -> None:
    with database.begin() as conn:
        plan_letters(conn, "accept.8@a.example", age=-timedelta(hours=1))
    assert not +send(database, sink.mail())
    assert effects(database) == {"accept.8@a.example": "planned"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (letter("accept.9@a.example", template="customers/order_confirmed/99"), "TemplateNot"),
        (letter("accept.9@a.example", template="../../etc/passwd"), "not the name of a template"),
        (letter("accept.9@a.example", facts={}), "is undefined"),
        (letter("accept.9@a.example\r\nBcc: x@b.example"), "ValueError"),
        ({"to": "accept.9@a.example"}, "KeyError"),
    ],
)
def test_a_letter_that_cannot_be_written_fails_and_nothing_leaves(
    database: DatabaseResource, sink: Sink, payload: dict[str, object], reason: str
) -> None:
    before = sink.taken()
    with database.begin() as conn:
        plan_letters(conn, payload)
    send(database, sink.mail())
    assert set(effects(database).values()) == {"failed"}
    assert reason in str(column(database, "last_error"))
    assert sink.taken() == before


def test_old_news_is_not_sent(database: DatabaseResource, sink: Sink) -> None:
    with database.begin() as conn:
        plan_letters(conn, "accept.10@a.example", age=timedelta(days=8))
    send(database, sink.mail())
    assert set(effects(database).values()) == {"failed"}
    assert "too long ago" in str(column(database, "last_error"))


def test_an_attempt_whose_time_is_over_sends_nothing(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "accept.11@a.example")
    totals = send(database, sink.mail(), replace(AT_ONCE, lease_s=0))
    assert totals["refused"] == AT_ONCE.most_refusals
    assert not sink.taken()["<accept.11@shop.example>"]


def test_what_a_dead_worker_had_in_hand_is_unknown_at_once(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "accept.12@a.example", "accept.13@a.example")
    with store.present(database.engine) as living, database.begin() as conn:
        store.claim(conn, ["email"], living, 60, "run")
    with store.present(database.engine) as living:
        with database.begin() as conn:
            store.claim(conn, ["email"], living, 60, "run")
        assert send(database, sink.mail())["abandoned"] == 1, "the living worker is left alone"
    assert sorted(effects(database).values()) == ["sending", "unknown"]


def test_an_answer_that_comes_after_all_settles_the_doubt(
    database: DatabaseResource, sink: Sink
) -> None:
    planned(database, "accept.14@a.example")
    with database.begin() as conn:
        effect = store.claim(conn, ["email"], 1, 60, "run")
        assert effect is not None
    with database.begin() as conn:
        assert store.abandon(conn, "other") == 1
    with database.begin() as conn:
        outcome = Outcome.CONFIRMED
        assert store.settle(conn, effect, outcome, "250", AT_ONCE, 0, "run") == "confirmed"
    with database.begin() as conn:
        assert store.settle(conn, effect, outcome, "250", AT_ONCE, 0, "run") is None
    assert [outcome for *_, outcome in attempts(database)] == ["abandoned", "confirmed", "late"]


def test_two_dispatches_at_once_share_the_letters(database: DatabaseResource, sink: Sink) -> None:
    names = [f"accept.two-{number}@a.example" for number in range(60)]
    planned(database, *names)
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(send, database, sink.mail()) for _ in range(3)]
        counts = [run.result(timeout=60)["confirmed"] for run in runs]
    assert sum(counts) == 60
    taken = sink.taken()
    assert [taken[f"<{name.partition('@')[0]}@shop.example>"] for name in names] == [1] * 60
