"""From token to principal: verification, keys, claims, roles."""
