"""Problems a person can mend: one clear line on standard error and a non-zero exit."""

from __future__ import annotations


class Problem(Exception):
    """Something the person at the keyboard can mend; the message is one line that says how."""
