"""The far ends: a simulated exchange with its subscribers, and phones. The demo and the tests use them."""
