"""Where portraits are kept, and for how long."""
