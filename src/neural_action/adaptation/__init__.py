"""Domain adaptation between animals: loss terms that make the encodings of animals similar."""
