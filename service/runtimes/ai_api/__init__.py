"""The adapter for servers that implement the AI API v2. Its JSON is known here and nowhere else."""
