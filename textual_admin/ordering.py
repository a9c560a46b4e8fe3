"""Giving an order: asks what has to be asked, tells the service, and says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from textual.app import App

from appliance.api.client import ApiError, NotRunningError
from textual_admin.dialogs import Question, Word
from textual_admin.feed import Feed
from textual_admin.forms import Form, Notice, Values
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
    if order.form is not None:
        await _ask_form(app, feed, order, row, params)
    elif (answer := await told(app, feed.call(order.method_for(row), **params))) is not None:
        await _done(app, order, row, answer)


async def _ask_form(app: App[None], feed: Feed, order: Order, row: object, params: Mapping[str, Any]) -> None:
    """A dialog that stays until the service takes what was typed, or the user gives up."""

    async def send(values: Values) -> bool:
        return await told(app, feed.call(order.method_for(row), **params, **order.read(values))) is not None

    assert order.form is not None
    if await app.push_screen_wait(Form(_(order.label), _(order.note) if order.note else "", order.form(row), send)):
        await _done(app, order, row, None)


async def _done(app: App[None], order: Order, row: object, answer: object) -> None:
    if order.answer is not None:
        await app.push_screen_wait(Notice(order.answer(answer)))
    else:
        app.notify(_(order.done).format(subject(row)), markup=False)
