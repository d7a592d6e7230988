"""Midlines from the directions of segments."""

import numpy as np
import pytest

from neural_action.recordings.midline import midline, midline_names, midline_parts, segments_of


def test_segments_are_found_by_name_and_ordered_by_number():
    names = ("velocity", "body_angle_2", "body_angle_10", "body_angle_1", "body_angle_all", "head_angle")
    assert segments_of(names) == (3, 1, 2)
    assert segments_of(("velocity", "body_angle_1")) == ()


def test_a_straight_body_is_a_line_of_length_one():
    (line,) = midline(np.full((1, 4), np.pi / 2))
    assert line == pytest.approx(np.stack([np.zeros(5), np.linspace(-0.5, 0.5, 5)], axis=1))


def test_a_constant_bend_is_a_circle():
    turns = np.linspace(0, 2 * np.pi, 61)[None, :-1]
    (ring,) = midline(turns)
    assert ring[0] == pytest.approx(ring[-1], abs=1e-9)
    # All but the doubled end lie on a circle whose perimeter is about the length of the body.
    distance = np.linalg.norm(ring[:-1] - ring[:-1].mean(0), axis=1)
    assert distance == pytest.approx(np.full(60, 1 / (2 * np.pi)), rel=1e-2)


def test_directions_of_a_drawn_body_are_given_back():
    rng = np.random.default_rng(0)
    angles = np.cumsum(rng.normal(0, 0.2, (5, 30)), axis=1)
    steps = np.diff(midline(angles), axis=1)
    assert np.arctan2(steps[..., 1], steps[..., 0]) == pytest.approx(angles)
    assert np.linalg.norm(steps, axis=2) == pytest.approx(np.full((5, 30), 1 / 30))


def test_names_and_parts_fit_the_points():
    assert midline_names(3) == ("head", "point 1", "point 2", "tail")
    whole, head = midline_parts(30)
    assert (whole.name, whole.keypoints) == ("midline", tuple(range(31)))
    assert head.keypoints[0] == 0
    assert 1 < len(head.keypoints) < 10
