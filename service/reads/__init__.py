"""The cached read path: from the store while fresh, otherwise from the runtime, by one fetch for all readers."""
