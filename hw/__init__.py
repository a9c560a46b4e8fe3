"""Everything that touches a line or a phone: the line process, the phone process, the simulators."""
