"""Untrusted bytes become a `Portrait`.

Other rooms import: `kept`, `portrait`, `reading`.
"""
