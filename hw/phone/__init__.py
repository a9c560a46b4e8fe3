"""The phone process: SIP to phones and SIP trunks, on libre.

From the bottom up: ``shim.c`` (libre's transports, parser and transactions), ``stack`` (its Python face, in the asyncio
loop), ``text`` (URIs and header fields), ``digest`` (RFC 2617 both sides), ``dialog`` and ``call`` (RFC 3261 dialogs and
INVITE sessions, both roles), ``useragent`` (what the phone process and the simulated phones are built on).
"""
