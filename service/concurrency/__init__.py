"""How threads share work and wait for each other. Knows nothing of runs, HTTP or the AI API."""
