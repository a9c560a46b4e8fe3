"""SIP status ↔ Q.850 cause, as RFC 3398 §7.2.4.1 and §8.2.6.1 map them; a Reason header (RFC 3326) says it exactly."""

from __future__ import annotations

import re

from hw.phone.text import Headers

NORMAL, BUSY, NO_ANSWER, ABSENT, REJECTED = 16, 17, 19, 20, 21
UNALLOCATED, NETWORK, TEMPORARY, INCOMPATIBLE, RECOVERY, INTERWORKING = 1, 38, 41, 88, 102, 127

#: Q.850 cause → status (RFC 3398 §7.2.4.1; but 88 is 488 here: it is always the media that do not fit).
_STATUS = {
    1: 404, 2: 404, 3: 404, 16: 480, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 23: 410, 26: 404, 27: 502,
    28: 484, 29: 501, 31: 480, 34: 503, 38: 503, 41: 503, 42: 503, 47: 503, 55: 403, 57: 403, 58: 503, 65: 488,
    70: 488, 79: 501, 87: 403, 88: 488, 102: 504, 111: 500, 127: 500,
}  # fmt: skip
_PHRASES = {
    403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 410: "Gone", 480: "Temporarily Unavailable",
    484: "Address Incomplete", 486: "Busy Here", 488: "Not Acceptable Here", 500: "Server Internal Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
}  # fmt: skip
#: Status → Q.850 cause (RFC 3398 §8.2.6.1; 488 and 606 depend on a Warning there, here they mean the media).
_CAUSE = {
    400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127, 414: 127,
    415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17,
    488: 88, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1, 606: 88,
}  # fmt: skip
_REASON = re.compile(r"\s*Q\.850\s*;(?:.*;)?\s*cause\s*=\s*(\d{1,3})", re.IGNORECASE)


def status_of(cause: int) -> tuple[int, str]:
    """The final response that refuses a call with a Q.850 cause: status and reason phrase."""
    status = _STATUS.get(cause, 480 if cause < 32 else 500)
    return status, _PHRASES[status]


def cause_of(status: int, headers: Headers | None = None) -> int:
    """The Q.850 cause of a failure response, or (status 0) of a BYE: a Reason header's where there is one."""
    stated = stated_cause(headers) if headers is not None else None
    if stated is not None:
        return stated
    if not status:
        return NORMAL
    if status < 400:
        return 23  # redirected: nobody here follows
    return _CAUSE.get(status, INTERWORKING)


def stated_cause(headers: Headers) -> int | None:
    """The cause in a Reason header of protocol Q.850, None without one."""
    for value in headers.all("reason"):
        match = _REASON.match(value)
        if match is not None and 1 <= int(match[1]) <= 127:
            return int(match[1])
    return None


def reason(cause: int) -> tuple[str, str]:
    """The Reason header field that states a cause."""
    return "Reason", f"Q.850;cause={cause}"
