"""Giving an order: asks what has to be asked, tells the service, and says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from textual.app import App

from appliance.api.client import ApiError, NotRunningError
from textual_admin.dialogs import Question, Word
from textual_admin.feed import Feed
from textual_admin.lang import _
from textual_admin.orders import Order, subject

T = TypeVar("T")


async def told(app: App[None], asking: Awaitable[T]) -> T | None:
    """What the service answers; None when it did not, and then the user has been told why."""
    try:
        return await asking
    except (ApiError, NotRunningError) as error:
        app.notify(str(error), severity="error", markup=False)
    except TimeoutError:
        app.notify(_("the service did not answer in time"), severity="error")
    return None


async def give(app: App[None], feed: Feed, order: Order, row: object) -> None:
    """Give an order for a row, in a worker: the dialogs are waited for."""
    params = dict(order.params(row))
    if (question := order.question(row)) and not await app.push_screen_wait(Question(question)):
        return
    if order.word:
        params[order.word] = await app.push_screen_wait(Word(order.prompt(row)))
        if not params[order.word]:
            return
    if await told(app, feed.call(order.method, **params)) is not None:
        app.notify(_(order.done).format(subject(row)), markup=False)
