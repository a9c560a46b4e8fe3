"""The far ends: a simulated exchange with its subscribers, and phones. The demo and the tests use them.

``pattern``: voices that are codes, and ears; ``listen`` judges recordings by them. ``exchange`` and ``subscriber``: the
people on the E1, ``traffic``: many of them by chance. ``phone``: SIP phones for scripts, ``phones``: with people who do
what ``settings`` say. ``python -m hw.sim`` runs all of it from ``[sim]`` of a settings file.
"""
