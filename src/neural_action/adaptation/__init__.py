"""Adaptation between animals: terms added to an objective that make encodings of animals alike."""
