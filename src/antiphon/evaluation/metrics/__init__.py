"""Metrics, one subject a file: scores against labels, single labels, clusters, retrieval, events, boxes."""
