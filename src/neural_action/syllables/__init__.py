"""Behavioural syllables: an autoregressive hidden Markov model of the poses."""
