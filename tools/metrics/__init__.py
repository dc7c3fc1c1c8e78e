"""Metrics: a few named figures of each service, from the embedded recorder or from Prometheus."""
