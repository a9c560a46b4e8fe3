"""The simulated call centre: the three processes and the simulator as children, and what they show."""

from appliance.demo.command import main

__all__ = ["main"]
