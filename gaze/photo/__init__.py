"""Untrusted bytes become a `Portrait`.

Other rooms import: `address`, `cache`, `portrait`, `reading`, `remapping`.
"""
