"""The 20 ms tick: ports, mixing, players, recorders, RTP."""
