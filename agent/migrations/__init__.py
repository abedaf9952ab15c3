"""The numbered changes of the tables, applied when a database is opened (agent/database.py)."""
