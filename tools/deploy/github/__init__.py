"""GitHub as a platform: what it was told to deploy, by its Deployments API or by a workflow, and what became of it."""
