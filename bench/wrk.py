"""Load on a web server by wrk, and what it says of it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass

_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What wrk saw.

    Attributes:
        p50_ms: median latency.
        p99_ms: latency that one of a hundred exceeds.
        per_s: answers a second.
        bad: answers that were no success.
    """

    p50_ms: float
    p99_ms: float
    per_s: float
    bad: int

    def show(self, name: str, note: str = "") -> None:
        """Print a line."""
        print(f"  {name:<38} p50 {self.p50_ms:7.2f} ms   p99 {self.p99_ms:7.2f} ms"
              f"   {self.per_s:7.0f}/s   bad {self.bad}   {note}", flush=True)  # fmt: skip


def load(url: str, script: str, seconds: float, connections: int = 4) -> Loaded:
    """Let wrk ask for a while."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        told = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "20s",
             "-s", file.name, url],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    return Loaded(_percentile(told, 50), _percentile(told, 99), float(rate[1] if rate else 0),
                  int(bad[1]) if bad else 0)  # fmt: skip


def _percentile(told: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", told)
    return float(found[1]) * _UNITS_MS[found[2]] if found else float("nan")
