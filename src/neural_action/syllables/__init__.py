"""Behavioural syllables: an autoregressive hidden Markov model of poses."""
