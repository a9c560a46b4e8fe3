"""The product's services, each a plugin loaded through the same hooks as anybody's."""
