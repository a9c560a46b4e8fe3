"""The far ends: a simulated exchange with its subscribers, a modem, and phones. Part of the product: the demo and the tests use it."""
