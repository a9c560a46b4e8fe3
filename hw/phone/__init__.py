"""The phone process: SIP to phones and SIP trunks, on libre.

From the bottom up: ``shim.c`` (libre's transports, parser and transactions), ``stack`` (its face in the asyncio
loop), ``text`` (URIs and header fields), ``digest``, ``dialog`` and ``call`` (dialogs and INVITE sessions of RFC 3261, both
roles), ``useragent`` (what the phone process and the simulated phones are built on: read it first).
"""
