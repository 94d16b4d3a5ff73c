"""Eight bad days, on drt-core and on syncd, in one run: who is called twice, and who never.

`tools` says how each tool is set up, `world` runs it against a sandbox and counts, `cases` are the
bad days, `report` prints what came of them.
"""
