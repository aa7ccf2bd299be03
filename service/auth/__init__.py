"""Authentication: from token to principal, by keys, claims and roles."""
