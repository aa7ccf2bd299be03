"""How a read is answered: from the store while it is fresh, else from the runtime, by one fetch for all readers."""
