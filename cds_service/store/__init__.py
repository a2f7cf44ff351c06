"""What is remembered between requests, in SQLAlchemy Core: SQLite by default, PostgreSQL by URL."""
