"""Backup and restore of the whole site: one tar file that appears when it is whole."""
