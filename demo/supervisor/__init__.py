"""The shop's supervisor: starts and stops its processes, deploys releases, scrapes metrics, answers over HTTP."""
