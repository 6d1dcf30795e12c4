"""A second process that gets ready to build the marts while the first decides the orders.

dbt needs seconds of one core to be imported and to read the project, and the interpreter runs one
thread at a time. So a child process does that on the other core, waits for the word, and runs the
job. Without it, or if it dies, the job runs in the first process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from ecom.platform import Platform
from ecom.privileges import tie_to_parent
from ecom.problems import Problem, explain
from ecom.progress import Progress
from ecom.settings import ROOT, load
from ecom.work import run_job

_PATIENCE_SECONDS = 10


class Standby:
    """A child that will run one job when it is told to."""

    def __init__(self, platform: Platform, job: str) -> None:
        """Start the child; it gets ready by itself.

        Args:
            platform: the open platform the job belongs to.
            job: name of the job.
        """
        self.job = job
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ecom.standby", job],
            cwd=ROOT,
            env={**os.environ, **platform.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=tie_to_parent(),
        )

    def run(self, progress: Progress) -> bool:
        """Let the child run its job.

        Returns:
            Whether it did; False if the child has died, and then nothing was run.

        Raises:
            Problem: a step of the job failed; the message names it.
        """
        try:
            out, _ = self._process.communicate(f"{progress.elapsed}\n")
            answer = json.loads(out)
        except (OSError, ValueError):
            return False
        for stage, seconds in answer["seconds"].items():
            progress.note(stage, seconds)
        if answer["problem"]:
            raise Problem(answer["problem"])
        return True

    def dismiss(self) -> None:
        """Let a child that is not needed end: by itself, or killed if it takes long."""
        if self._process.poll() is not None:
            return
        try:
            self._process.communicate("", timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def main() -> None:
    """The child: get ready, wait for the word, run the job, answer in one line."""
    progress, problem = Progress(), ""
    try:
        progress = _work(sys.argv[1]) or progress
    except Exception as error:
        problem = explain(error)
    sys.stdout.write(json.dumps({"seconds": progress.seconds, "problem": problem}))


def _work(job: str) -> Progress | None:
    """Run the job when the word comes; None if the pipe is closed instead."""
    from resources import dbt

    dbt.parse(os.environ["ECOM_DATABASE_URL"])
    word = sys.stdin.readline()
    if not word:
        return None
    progress = Progress(float(word))
    with Platform.of_environment(load()).instance() as instance:
        run_job(instance, job, progress)
    return progress


if __name__ == "__main__":
    main()
