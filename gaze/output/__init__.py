"""The files of a portrait, written, read and checked.

Other rooms import: `blocks`, `bundle`, `coarse`, `converter`, `metadata`, `pack`, `packing`, `spool`, `sprites`,
`validator`, `video`.
"""
