"""The command line, the embedded PostgreSQL server and what starts and stops the platform."""
