"""Which pixels belong to the person.

Other rooms import: `background`, `cutout`, `matte`, `transparency`.
"""
