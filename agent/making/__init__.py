"""The adapters that the settings choose, each made when it is first needed: their packages take a while to load."""
