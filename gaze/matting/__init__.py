"""Which pixels belong to the person.

Other rooms import: `background`, `cutout`, `finest`, `matte`, `transparency`.
"""
