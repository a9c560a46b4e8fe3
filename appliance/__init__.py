"""The control process: calls, plugins, store, API."""
