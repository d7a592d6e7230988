"""Simulated recordings with known ground truth, in the layout of the authors' release.

``behavior`` draws actions, ``pose`` moves the legs, ``skeleton`` projects them to cameras, ``neural`` simulates axons,
``movie`` images them. ``trial`` runs these in order, ``release`` writes files, ``presets`` has sizes.
"""
