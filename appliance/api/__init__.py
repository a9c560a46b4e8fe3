"""JSON-RPC over a Unix socket: message types, server, client."""
