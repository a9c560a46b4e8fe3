"""Short messages in the house: what is to be sent until it was, what came in until it was dealt with."""
