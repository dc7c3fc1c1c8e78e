"""The platform of services that run as Deployments in Kubernetes."""
