"""The phone process: SIP to phones and SIP trunks, on libre.

From the bottom up: ``shim.c`` (libre's transports, parser and transactions), ``stack`` (its face in the asyncio
loop), ``text`` (URIs and header fields), ``digest``, ``dialog`` and ``call`` (RFC 3261 in both roles), ``useragent``
(what the phone process and the simulated phones are built on: read it first); then the phone process's own:
``registrar``, ``sdp``, ``causes``, ``front`` (requests of strangers), ``leg``, ``transfer``, ``process``.
"""
