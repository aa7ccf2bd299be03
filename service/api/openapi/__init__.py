"""The OpenAPI document and what serves it."""
