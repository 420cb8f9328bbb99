"""Incidents as sentences, for whoever shows them."""

from __future__ import annotations

from finer.quality.rules.words import part_sentence, sentence

__all__ = ["part_sentence", "sentence"]
