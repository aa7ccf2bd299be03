"""How HTTP is spoken: requests, guards, responses and their cache, problems, headers."""
