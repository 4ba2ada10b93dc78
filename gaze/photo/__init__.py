"""Untrusted bytes become a `Portrait`."""
