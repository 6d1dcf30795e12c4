"""Effects: what leaves the platform, such as e-mail, exactly once each.

Tables: `effects.outbox`, `effects.attempts` (declared in `shared.outbox`, where any area plans).
This area sends what is planned and finds out what became of what it could not see the end of.
"""
