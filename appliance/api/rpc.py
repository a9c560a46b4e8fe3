"""JSON-RPC 2.0 (jsonrpc.org/specification), one message a line: reading requests, writing answers. No I/O."""

from __future__ import annotations

import json
from typing import Any

from attrs import frozen
from cattrs.preconf.json import make_converter

#: A request longer than this is refused.
MAX_LINE = 1 << 20

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
#: Ours: a method that could not do what was asked, and a peer who may not use the API.
FAILED = -32000
REFUSED = -32001

_converter = make_converter()


class ApiError(Exception):
    """What a client is told: a JSON-RPC ``code`` and a sentence. Methods raise it with ``FAILED``."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        """``message`` is a sentence for the user."""
        super().__init__(message)
        self.code = code


@frozen
class Request:
    """One call. ``id`` is None for a notification (``answered`` False): nothing is sent back."""

    method: str
    params: dict[str, Any]
    id: str | int | float | None
    answered: bool


def parse(line: bytes) -> list[Request | ApiError]:
    """The requests in a line, more than one for a batch. A broken one is the error that answers it."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        return [ApiError(f"not JSON: {error}", PARSE_ERROR)]
    if isinstance(data, list):
        return [_request(part) for part in data] or [ApiError("an empty batch", INVALID_REQUEST)]
    return [_request(data)]


def is_batch(line: bytes) -> bool:
    """Whether the answers belong into one list."""
    return line.lstrip().startswith(b"[")


def _request(data: Any) -> Request | ApiError:
    if not isinstance(data, dict):
        return ApiError(f"a request must be an object, is {type(data).__name__}", INVALID_REQUEST)
    if data.get("jsonrpc") != "2.0":
        return ApiError(f'jsonrpc must be "2.0", is {data.get("jsonrpc")!r}', INVALID_REQUEST)
    method, params, number = data.get("method"), data.get("params", {}), data.get("id")
    if not isinstance(method, str):
        return ApiError(f"method must be a string, is {method!r}", INVALID_REQUEST)
    if isinstance(number, bool) or not isinstance(number, str | int | float | None):
        return ApiError(f"id must be a string or a number, is {number!r}", INVALID_REQUEST)
    if isinstance(params, dict):
        return Request(method, params, number, "id" in data)
    return ApiError(f"{method}: params must be an object with named parameters", INVALID_PARAMS)


def result(number: Any, value: Any) -> dict[str, Any]:
    """The answer to a request that was done; attrs classes become objects."""
    return {"jsonrpc": "2.0", "id": number, "result": _converter.unstructure(value)}


def error(number: Any, problem: ApiError) -> dict[str, Any]:
    """The answer to one that was not; ``number`` is None where the request could not be read."""
    return {"jsonrpc": "2.0", "id": number, "error": {"code": problem.code, "message": str(problem)}}


def notification(method: str, params: Any) -> bytes:
    """A message that nobody answers, as a line."""
    return encode({"jsonrpc": "2.0", "method": method, "params": _converter.unstructure(params)})


def request(number: int, method: str, params: dict[str, Any]) -> bytes:
    """A call, as a line."""
    return encode({"jsonrpc": "2.0", "id": number, "method": method, "params": _converter.unstructure(params)})


def encode(message: Any) -> bytes:
    """One message as one line of JSON. Raises ``TypeError`` for what JSON cannot say."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
