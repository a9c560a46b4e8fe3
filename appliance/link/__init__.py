"""Clients of the two links, and adopting calls after a restart."""
