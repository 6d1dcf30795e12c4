"""What every area leans on: columns, flow, states, ledger, timeline, quarantine, feeds.

Nothing here knows an area. Reads and writes of the shared schemas (`flow`, `decisions`) go through
the functions of this package.
"""
