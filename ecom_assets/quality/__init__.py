"""Quality: reconciles the areas with each other and shows what was parked.

Reads every area's tables; the quarantine itself is `flow.quarantine`.
"""
