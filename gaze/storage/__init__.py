"""Where portraits are kept, and for how long.

Other rooms import: `checkpoint`, `locks`, `modes`, `sessions`, `stores`.
"""
