"""Coming in: login by password, link or OIDC provider, and keeping track of who makes a request."""
