"""What tests, fuzzing and benchmarks share: waiting, ports, threads begun at one moment, and work that is counted."""
