"""Contacts, legs, and what a service holds of them."""
