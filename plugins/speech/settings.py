"""The ``[speech]`` table of onecall.toml."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen, validators


@frozen
class SpeechSettings:
    """How prompts without a recorded clip are spoken."""

    #: ``espeak`` speaks on this machine; ``gtts`` asks Google's online service first and falls back to espeak.
    engine: Literal["espeak", "gtts"] = field(default="espeak", validator=validators.in_(("espeak", "gtts")))
    #: The program of espeak-ng, a name on PATH or a path.
    program: str = "espeak-ng"
    #: Speed in words a minute.
    rate: int = field(default=165, validator=[validators.ge(80), validators.le(450)])
    #: Active speech level in dBm0. -16 leaves room for peaks; telephone networks expect -20 to -10.
    level_dbm0: int = field(default=-16, validator=[validators.ge(-40), validators.le(-6)])
    #: How long one sentence may take on this machine, seconds.
    timeout_s: int = field(default=4, validator=[validators.ge(1), validators.le(60)])
    #: How long the online service may take for one sentence, seconds.
    online_timeout_s: int = field(default=3, validator=[validators.ge(1), validators.le(30)])
    #: Bound of the folder of made sentences, megabytes, one a minute; what was not used longest goes first.
    cache_mb: int = field(default=200, validator=[validators.ge(1), validators.le(100_000)])
