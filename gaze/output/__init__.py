"""The files of a portrait, written, read and checked.

Other rooms import: `bundle`, `clip`, `coarse`, `converter`, `metadata`, `pack`, `pack_reader`, `packing`, `spool`,
`sprites`, `unpacking`, `validator`, `video`.
"""
