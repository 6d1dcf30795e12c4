"""The press: many documents on several processes, in order, the same bytes as one by one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ecom_assets
from ecom_assets.documents.pdf import press
from ecom_assets.documents.pdf.press import WORTH_PROCESSES


def page(number: int) -> bytes:
    """Stands for a PDF; says which process drew it."""
    if number < 0:
        raise ValueError(f"no page {number}")
    return f"{number} {os.getpid()}".encode()


def test_a_handful_is_drawn_here() -> None:
    with press(page) as printer:
        drawn = list(printer(range(3)))
    assert drawn == [page(0), page(1), page(2)]


def test_many_are_drawn_elsewhere_and_come_back_in_order() -> None:
    with press(page) as printer:
        drawn = [found.split() for found in printer(range(WORTH_PROCESSES))]
    assert [int(number) for number, _ in drawn] == list(range(WORTH_PROCESSES))
    assert str(os.getpid()).encode() not in {process for _, process in drawn}


def test_the_same_processes_serve_the_next_batch() -> None:
    with press(page) as printer:
        first = {found.split()[1] for found in printer(range(WORTH_PROCESSES))}
        second = {found.split()[1] for found in printer(range(WORTH_PROCESSES))}
    assert len(first | second) <= (os.cpu_count() or 1)


def test_what_goes_wrong_elsewhere_is_raised_here() -> None:
    with press(page) as printer, pytest.raises(ValueError, match="no page -1"):
        list(printer([*range(WORTH_PROCESSES), -1]))


def test_printers_do_not_run_the_main_program_again(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "print('main runs')\n"
        "if __name__ == '__main__':\n"
        "    from ecom_assets.documents.pdf import press\n"
        "    from ecom_assets.documents.pdf.press import WORTH_PROCESSES\n"
        "    with press(bytes) as printer:\n"
        "        print(len(list(printer(range(WORTH_PROCESSES)))))\n"
    )
    command = [sys.executable, str(program)]
    environment = {**os.environ, "PYTHONPATH": str(Path(ecom_assets.__file__).parents[1])}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, env=environment
    )
    assert done.stdout.split("\n") == ["main runs", str(WORTH_PROCESSES), ""]
