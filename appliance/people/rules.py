"""What numbers, names and passwords may be; the texts are sentences for the user."""

from __future__ import annotations


def check_number(what: str, number: str) -> None:
    """Raise ``ValueError`` unless ``number`` (an agent's, a seat's account) is 2 to 15 digits."""
    if not (2 <= len(number) <= 15 and number.isascii() and number.isdigit()):
        raise ValueError(f"{what} {number!r} must have 2 to 15 digits")


def check_name(name: str) -> str:
    """The name without spaces around it. Raises ``ValueError`` when it is empty or long."""
    if not name.strip() or len(name) > 100:
        raise ValueError(f"name {name!r} must have 1 to 100 characters")
    return name.strip()


def check_language(language: str) -> str:
    """The language. Raises ``ValueError`` unless it is zh, en or empty."""
    if language not in ("", "zh", "en"):
        raise ValueError(f"language {language!r} must be zh or en, or empty for the site's")
    return language


def check_password(password: str) -> str:
    """The password. Raises ``ValueError`` when it is short or long; the text never says it."""
    if not 8 <= len(password) <= 64:
        raise ValueError("a phone's password must have 8 to 64 characters")
    return password
