"""Which points of a run are asked for, and in what order: chunks in, chunks out, each point the text that it was."""
