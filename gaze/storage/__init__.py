"""Where portraits are kept, and for how long.

Other rooms import: `checkpoint`, `locks`, `modes`, `publishing`, `recipe`, `sessions`, `stores`.
"""
