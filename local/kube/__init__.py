"""Kubernetes' API over the cluster in memory, for the desk: what our client asks, and what people do with kubectl."""
