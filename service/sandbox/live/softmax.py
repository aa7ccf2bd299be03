"""Softmax regression, learnt by stochastic gradient descent."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

CLASSES = 10
_BRIGHTEST = 16

Image = Sequence[float]


def scaled(row: Sequence[int]) -> tuple[int, list[float]]:
    """A digit and its 64 pixels from 0 to 1, with a constant 1 for the bias."""
    return row[0], [pixel / _BRIGHTEST for pixel in row[1:]] + [1.0]


@dataclass
class Softmax:
    """One weight for each class and input."""

    weights: list[list[float]] = field(default_factory=list)

    @classmethod
    def untrained(cls, inputs: int) -> Softmax:
        return cls([[0.0] * inputs for _ in range(CLASSES)])

    def probabilities(self, image: Image) -> list[float]:
        """How likely each class is."""
        scores = [math.fsum(map(float.__mul__, row, image)) for row in self.weights]
        highest = max(scores)
        powers = [math.exp(score - highest) for score in scores]
        total = math.fsum(powers)
        return [power / total for power in powers]

    def learn(self, digit: int, image: Image, rate: float) -> float:
        """Go one step down the gradient of the cross-entropy; the result is the loss before the step."""
        probabilities = self.probabilities(image)
        for number, row in enumerate(self.weights):
            pull = rate * (probabilities[number] - (number == digit))
            row[:] = [weight - pull * pixel for weight, pixel in zip(row, image, strict=True)]
        return -math.log(max(probabilities[digit], 1e-300))


def learn_batch(model: Softmax, sample: Sequence[tuple[int, list[float]]], step: int, size: int, rate: float) -> float:
    """Learn from images that ``step`` alone decides, so that a restart goes on as if there was none; the mean loss."""
    chosen = random.Random(step).sample(sample, size)  # noqa: S311 - not for secrets
    return math.fsum(model.learn(digit, image, rate) for digit, image in chosen) / size
