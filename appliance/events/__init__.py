"""Event types, the log they are appended to, and who listens."""
