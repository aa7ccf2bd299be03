"""How a read is answered: from the store while it is fresh, else from the runtime, once for all who ask."""
