"""Line signalling: what turns a span's D channel (or its bits and tones) into calls."""

from __future__ import annotations

from hw.line.settings import SpanSettings
from hw.line.trunk import Trunk
from hw.zones import DEFAULT


def open_trunk(settings: SpanSettings, zone: str = DEFAULT) -> Trunk:
    """The trunk that ``settings`` describe in a zone (``hw.zones``), not yet started.

    Raises ``ValueError`` for a span that cannot be.
    """
    # Imported here: the build of the compiled part imports this package before that part exists.
    from hw.line.analog import SimAnalog
    from hw.line.cas import SimCasSpan
    from hw.line.dahdi.analog import DahdiAnalog
    from hw.line.dahdi.cas import DahdiCasSpan
    from hw.line.dahdi.span import DahdiSpan
    from hw.line.serial.gsm import GsmTrunk
    from hw.line.serial.voicemodem import VoiceModemTrunk
    from hw.line.signalling.loop import LoopTrunk
    from hw.line.signalling.pri import PriTrunk
    from hw.line.signalling.r2 import R2Trunk
    from hw.line.span import SimSpan

    if settings.signalling == "gsm":
        return GsmTrunk(settings)
    if settings.driver == "serial":
        return VoiceModemTrunk(settings)
    if settings.signalling in ("fxo", "fxs"):
        if settings.driver == "dahdi":
            return LoopTrunk(settings, DahdiAnalog(settings), zone)
        return LoopTrunk(settings, SimAnalog(settings.address, settings.channels), zone)
    if settings.signalling == "r2":
        if settings.driver == "dahdi":
            return R2Trunk(settings, DahdiCasSpan(settings), zone)
        return R2Trunk(settings, SimCasSpan(settings.address, settings.channels), zone)
    if settings.driver == "dahdi":
        return PriTrunk(settings, DahdiSpan(settings))
    return PriTrunk(settings, SimSpan(settings.address, settings.channels))
