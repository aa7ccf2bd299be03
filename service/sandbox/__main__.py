"""``python -m service.sandbox``."""

from service.sandbox.command import main

if __name__ == "__main__":
    raise SystemExit(main())
