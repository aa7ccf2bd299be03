"""The AI runtimes that can be read, and how reading them is made cheap and safe."""
