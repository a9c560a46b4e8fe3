"""Concealment of lost frames: the last pitch period goes on and fades (the method of G.711 appendix I, simplified)."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

#: Samples before the loss that are looked at: 40 ms.
HISTORY = 320
_FRAME, _TEMPLATE = 160, 80
_LAG_MIN, _LAG_MAX = 40, 160
#: Gain over the first, second and third lost frame, relative to the frame before.
_FADES = np.stack([
    np.concatenate([np.ones(80), np.linspace(1, 0.8, 80)]),
    np.linspace(1, 0.5, _FRAME),
    np.linspace(1, 0, _FRAME),
]).astype(np.float32)


def conceal(history: NDArray[np.int16], run: NDArray[np.intp]) -> NDArray[np.int16]:
    """A frame [n, 160] for each row of ``history`` [n, 320], what was heard (or concealed) just before.

    ``run`` [n] is which lost frame in a row this is: 1, 2, 3 or more.
    """
    before = history.astype(np.float32)
    starts = np.arange(HISTORY - _TEMPLATE - _LAG_MAX, HISTORY - _TEMPLATE - _LAG_MIN + 1)
    candidates = sliding_window_view(before, _TEMPLATE, axis=1)[:, starts]
    match = np.einsum("nct,nt->nc", candidates, before[:, -_TEMPLATE:])
    match /= np.sqrt(np.square(candidates).sum(2) + 1)
    lag = HISTORY - _TEMPLATE - starts[match.argmax(1)]
    at = HISTORY - lag[:, None] + np.arange(_FRAME) % lag[:, None]
    faded = np.take_along_axis(before, at, axis=1) * _FADES[np.minimum(run, len(_FADES)) - 1]
    out: NDArray[np.int16] = faded.astype(np.int16)
    return out
