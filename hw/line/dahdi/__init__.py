"""Trunk cards by DAHDI: digital spans, their clock, what is found on the machine and what is wrong with it."""
