"""The console: a client of the API and nothing more."""
