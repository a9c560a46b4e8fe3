"""From a method's name and JSON parameters to the coroutine that answers it; its annotations check the parameters."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attr

from appliance.api.rpc import FAILED, INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, ApiError
from hw.settings import SettingsError, structure

log = logging.getLogger(__name__)

Method = Callable[..., Awaitable[Any]]


class Dispatcher:
    """Calls methods by name. The table may change while in use (a plugin is switched off)."""

    def __init__(self, methods: Mapping[str, Method], timeout_s: float = 10.0) -> None:
        """A method that takes longer than ``timeout_s`` is cancelled and answered with an error."""
        self._methods = methods
        self._timeout_s = timeout_s
        self._signatures: dict[Method, _Signature] = {}

    async def call(self, name: str, params: dict[str, Any], given: Mapping[type, Any]) -> Any:
        """The method's result. ``given`` are values by type for parameters that the caller cannot choose (``Peer``).

        Raises ``ApiError`` and nothing else.
        """
        method = self._methods.get(name)
        if method is None:
            known = ", ".join(sorted(self._methods))
            raise ApiError(f"there is no method {name} (there are: {known})", METHOD_NOT_FOUND)
        try:
            signature = self._signatures.get(method)
            if signature is None:
                signature = self._signatures[method] = _Signature(name, method, given)
            arguments = signature.arguments(params, given)
        except SettingsError as error:
            raise ApiError(str(error), INVALID_PARAMS) from None
        except (TypeError, NameError) as error:
            log.exception("API method %s cannot be called", name)
            raise ApiError(f"{name}: {error}", INTERNAL_ERROR) from None
        return await self._run(name, method(**arguments))

    async def _run(self, name: str, work: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except ApiError:
            raise
        except (ValueError, LookupError) as error:  # how the core and plugins say that a value is not allowed
            log.info("%s: %r", name, error)
            raise ApiError(str(error.args[0] if error.args else error), INVALID_PARAMS) from error
        except TimeoutError:
            raise ApiError(f"{name}: not done within {self._timeout_s:g} s", FAILED) from None
        except Exception as error:
            log.exception("API method %s failed", name)
            raise ApiError(f"{name}: internal error: {error!r}", INTERNAL_ERROR) from error


class _Signature:
    """A method's parameters as an attrs class, made once."""

    def __init__(self, name: str, method: Method, given: Mapping[type, Any]) -> None:
        parameters = inspect.signature(method, eval_str=True).parameters.values()
        self._where = f"{name}: parameters"
        self._given = {p.name: p.annotation for p in parameters if p.annotation in given}
        fields = {
            p.name: attr.ib(type=p.annotation, default=attr.NOTHING if p.default is p.empty else p.default)
            for p in parameters
            if p.name not in self._given
        }
        self._names = list(fields)
        self._kind = attr.make_class(name.replace(".", "_"), fields, frozen=True, kw_only=True)

    def arguments(self, params: dict[str, Any], given: Mapping[type, Any]) -> dict[str, Any]:
        """The method's keyword arguments. Raises ``SettingsError`` naming the parameter and what is allowed."""
        checked: Any = structure(params, self._kind, self._where)
        return {name: getattr(checked, name) for name in self._names} | {n: given[t] for n, t in self._given.items()}
