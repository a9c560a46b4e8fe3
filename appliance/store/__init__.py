"""The store: engine, tables, migrations."""
