"""Untrusted bytes become a `Portrait`.

Other rooms import: `address`, `kept`, `portrait`, `reading`, `remapping`.
"""
