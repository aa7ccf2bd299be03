"""The HTTP interface: access, requests, answers."""
