"""Setting up a machine: changes to onecall.toml that keep its comments."""
