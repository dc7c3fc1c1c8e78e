"""Looking at a Kubernetes cluster, and the client that logs and deployments use too."""
