"""The adapter for MLflow tracking servers, 2.x and 3.x. Their JSON is known here and nowhere else."""
