"""The store in SQL: SQLite here, the same statements elsewhere later."""
