"""The supervised row: the same encoder, trained to classify."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from neural_action.config.settings import EncoderSettings
from neural_action.encoders.neural import neural_encoder
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.objective import Batch, Encodings, Objective


class Supervised(Objective):
    """Cross-entropy of a linear classifier on the encoding, over the labelled windows of the batch.

    The encoding is probed like that of every other row. A row of the paper's Table 2; it uses the encoder and
    augmentations of the other rows (our choice). Raises InputError for fewer than two classes.
    """

    name = "supervised"
    needs = ("labels",)

    def __init__(self, encoders: EncoderSettings, shapes: Shapes):
        super().__init__(encoders, shapes)
        if shapes.classes < 2:
            raise InputError(
                f"objective supervised: recordings have {shapes.classes} classes, expected at least two"
            )
        self.f_n = neural_encoder(encoders, shapes)
        self.classifier = nn.Linear(encoders.dimension, shapes.classes)

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """Mean cross-entropy of the labelled windows, in nats; 0 without any."""
        logits, label = self.classifier(encodings["neural"]), batch.label
        total = F.cross_entropy(logits, label, ignore_index=-1, reduction="sum")
        return total / (label >= 0).sum().clamp(min=1)
