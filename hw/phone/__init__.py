"""The phone process: SIP to phones and SIP trunks, on libre.

From the bottom up: ``reactor.c`` and ``shim.c`` (libre's loop, transports, parser and transactions), ``stack`` (their
face in the asyncio loop), ``text`` (URIs and header fields), ``digest``, ``dialog`` and ``call`` (RFC 3261 in both
roles), ``useragent`` (what the phone process and the simulated phones are built on: read it first); then what only
the phone process has: ``registrar``, ``sdp``, ``causes``, ``front`` (requests of strangers), ``leg``, ``transfer`` and
``process``.
"""
