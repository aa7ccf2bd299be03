"""Where answers are kept: bytes in, bytes out."""
