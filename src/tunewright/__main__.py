"""``python -m tunewright``, as ``torchrun`` needs it."""

from __future__ import annotations

from tunewright.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
