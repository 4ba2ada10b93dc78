"""What can be done from a shell: a module for each command, with its parser and what it does.

Other rooms import: `check`, `clip`, `make`, `pack`, `sheets`.
"""
