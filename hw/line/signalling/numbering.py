"""The type of a number (Q.931 §4.5.8, §4.5.10) and the prefix that is dialled for it: 0 and 00 in China. No effects.

Inside the box a number is what one would dial; on the line it may be without its prefix, with the type in its place.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

#: Only these say what is in front of the digits; all others (subscriber, network specific …) leave them as they are.
NumberType = Literal["unknown", "national", "international"]


@frozen
class Prefixes:
    """What is dialled in front of a national and of an international number; an empty one stands for nothing."""

    national: str = "0"
    international: str = "00"

    def dialled(self, digits: str, kind: NumberType) -> str:
        """The number as one dials it. An exchange that sends the type and the prefix too does not get it twice."""
        prefix = {"unknown": "", "national": self.national, "international": self.international}[kind]
        return digits if not digits or digits.startswith(prefix) else prefix + digits

    def typed(self, number: str) -> tuple[str, NumberType]:
        """The digits without their prefix, and the type; a prefix with nothing behind it, or keys, are left alone."""
        kinds: tuple[tuple[str, NumberType], ...] = (
            (self.international, "international"), (self.national, "national")
        )  # fmt: skip
        for prefix, kind in sorted(kinds, key=lambda each: -len(each[0])):
            if prefix and number.startswith(prefix):
                digits = number.removeprefix(prefix)
                return (digits, kind) if digits.isdecimal() else (number, "unknown")
        return number, "unknown"


CHINA = Prefixes()
