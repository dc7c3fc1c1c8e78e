"""Reports: a question over metrics, logs or deployments, as a table, a CSV file and a chart."""
