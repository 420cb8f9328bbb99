"""F1: the four prequential folds of the Handbook's chapter 5; see bench/handbook.py."""

from __future__ import annotations

from bench.handbook import command

if __name__ == "__main__":
    command("F1")()
