"""Agents, seats, PINs."""
