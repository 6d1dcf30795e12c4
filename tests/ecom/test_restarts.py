"""What died is started again: at once, and later and later if it keeps dying."""

from __future__ import annotations

from ecom.restarts import LIVED_S, LONGEST_PAUSE_S, MOST_EARLY_DEATHS, Restarts


class Clock:
    """A clock that goes on when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def lived(restarts: Restarts, clock: Clock, seconds: float) -> float:
    """Start the process, let it live for a while, and say how long it then waits for a start."""
    restarts.started()
    clock.now += seconds
    restarts.died()
    died_at = clock.now
    while not restarts.is_due:
        clock.now += 0.5
    return clock.now - died_at


def test_who_lived_long_is_started_at_once_however_often_it_is_killed() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    for _ in range(1_000):
        assert lived(restarts, clock, LIVED_S) == 0
    assert restarts.early_deaths == 0
    assert not restarts.is_hopeless


def test_who_dies_young_waits_longer_every_time_up_to_a_limit() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    pauses = [lived(restarts, clock, 2) for _ in range(9)]
    assert pauses[:6] == [0, 1, 2, 4, 8, 16]
    assert set(pauses[6:]) == {LONGEST_PAUSE_S}


def test_a_long_life_makes_up_for_early_deaths() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    for _ in range(5):
        lived(restarts, clock, 2)
    lived(restarts, clock, LIVED_S + 1)
    assert [lived(restarts, clock, 2) for _ in range(3)] == [0, 1, 2]


def test_the_pause_is_no_part_of_a_life() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    for _ in range(MOST_EARLY_DEATHS):
        lived(restarts, clock, 1)
        clock.now += 100 * LIVED_S
    assert not restarts.is_hopeless
    lived(restarts, clock, 1)
    assert restarts.is_hopeless


def test_a_death_is_noted_once_until_the_next_start() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    restarts.started()
    for _ in range(50):
        clock.now += 0.5
        restarts.died()
    assert restarts.early_deaths == 1
    assert restarts.is_due


def test_nothing_is_due_while_the_process_lives() -> None:
    restarts = Restarts(Clock())
    assert not restarts.is_due
    restarts.started()
    assert not restarts.is_due
