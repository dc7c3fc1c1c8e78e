"""The shop's services: checkout, payments and catalog, each a process of its own."""
