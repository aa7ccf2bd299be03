"""HTTP: requests, guards, responses and their cache, problems, headers."""
