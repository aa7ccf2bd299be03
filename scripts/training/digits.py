"""Hand-written digits: three neural networks to compare, one that was stopped, one that logs every mini-batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier

from training.recorder import Plan, Recorder, python_spelling

SCENARIO = ("digit-recognition", "Recognise hand-written digits")
CLASSES = list(range(10))
NETWORK = ("digits-network", "Neural network on 8x8 images")
LINEAR = ("digits-linear", "Linear classifier on 8x8 images, by mini-batch")


def _data() -> tuple[Any, Any, Any, Any]:
    images, digits = load_digits(return_X_y=True)
    return tuple(train_test_split(images / 16, digits, test_size=0.25, random_state=1, stratify=digits))


def _network(rate: float, hidden: int, batch: int = 64) -> MLPClassifier:
    return MLPClassifier(hidden_layer_sizes=(hidden,), learning_rate_init=rate, batch_size=batch, random_state=1)


def _epoch(run: Recorder, model: Any, data: tuple[Any, Any, Any, Any], epoch: int) -> None:
    train, check, train_digits, check_digits = data
    model.partial_fit(train, train_digits, classes=CLASSES)
    for part, images, digits in (("train", train, train_digits), ("validation", check, check_digits)):
        likely = model.predict_proba(images)
        run.log("Loss", log_loss(digits, likely, labels=CLASSES), epoch, dataset=part)
        run.log("Accuracy", accuracy_score(digits, likely.argmax(axis=1)), epoch, dataset=part)
    run.say(f"epoch {epoch}: loss {run.last('Loss'):.4f}, accuracy {run.last('Accuracy'):.4f} on validation data")


def _folds(run: Recorder, rate: float, hidden: int, epochs: int) -> None:
    images, digits = load_digits(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=1).split(images, digits)
    for number, (learn, check) in enumerate(folds, 1):
        model = _network(rate, hidden)
        for _ in range(epochs):
            model.partial_fit(images[learn] / 16, digits[learn], classes=CLASSES)
        score = accuracy_score(digits[check], model.predict(images[check] / 16))
        run.log("Fold Accuracy", score, number, fold=str(number))
        run.say(f"fold {number}/5: accuracy {score:.4f}")


def _compared(id_: str, word: str, rate: float, hidden: int, epochs: int) -> Recorder:
    parameters = {"learning_rate": rate, "hidden_units": hidden, "epochs": epochs, "batch_size": 64}
    description = f"classifier, {word}: loss and accuracy per epoch, five folds, confusion matrix"
    model_name = f"digits-network-{hidden}"
    run = Recorder(Plan(id_, description, SCENARIO, NETWORK, "digits-images", model_name, parameters))
    data, model = _data(), _network(rate, hidden)
    for epoch in range(1, epochs + 1):
        _epoch(run, model, data, epoch)
    _folds(run, rate, hidden, epochs)
    run.tag("Artifact Group", "digits")
    run.tag("Algorithm", "MLPClassifier")
    run.confusion(data[3], model.predict(data[1]), [str(digit) for digit in CLASSES])
    return run.end("COMPLETED")


def careful() -> Recorder:
    return _compared("5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11", "learning rate 0.001", 0.001, 32, 40)


def quick() -> Recorder:
    return _compared("8c2e91d4-7f10-4b6a-a5c3-2d9b7e604c12", "learning rate 0.01", 0.01, 32, 40)


def hasty() -> Recorder:
    return _compared("e47a3b06-15c8-4d92-8f6e-91b0c7d25a13", "learning rate 0.1, 64 hidden units", 0.1, 64, 40)


def stopped() -> Recorder:
    """A run with a useless learning rate of 0.00002, stopped by its owner."""
    parameters = {"learning_rate": 0.00002, "hidden_units": 32, "epochs": 200, "batch_size": 64}
    plan = Plan(
        "2fd85c71-6b34-4e0a-b1d7-c83a50e96f14",
        "classifier, stopped after 25 of 200 epochs because it learnt too slowly",
        SCENARIO,
        NETWORK,
        "digits-images",
        "digits-network-32",
        parameters,
        timestamp=python_spelling,
    )
    run, data, model = Recorder(plan), _data(), _network(0.00002, 32)
    for epoch in range(1, 26):
        _epoch(run, model, data, epoch)
    run.tag("Artifact Group", "digits")
    return run.end("STOPPED", "Stopped by its owner")


def every_batch() -> Recorder:
    """A loss for each mini-batch: at least ten thousand points."""
    parameters = {"learning_rate": "optimal", "alpha": 0.0001, "epochs": 120, "batch_size": 16}
    plan = Plan(
        "b96e0d38-42fa-4c75-96ab-0e7d13f58c15",
        "classifier with more than 10,000 points: the loss of every mini-batch",
        SCENARIO,
        LINEAR,
        "digits-images",
        "digits-linear",
        parameters,
    )
    run, data = Recorder(plan), _data()
    model, order = SGDClassifier(loss="log_loss", random_state=1), np.random.default_rng(1)
    for epoch in range(1, 121):
        _batches(run, model, data, order.permutation(len(data[0])))
        run.log("Accuracy", accuracy_score(data[3], model.predict(data[1])), epoch, dataset="validation")
        run.say(
            f"epoch {epoch}/120: loss {run.last('Batch Loss'):.4f} in the last batch, "
            f"accuracy {run.last('Accuracy'):.4f} on validation data"
        )
    run.tag("Artifact Group", "digits")
    run.confusion(data[3], model.predict(data[1]), [str(digit) for digit in CLASSES])
    return run.end("COMPLETED")


def _batches(run: Recorder, model: Any, data: tuple[Any, Any, Any, Any], order: Any) -> None:
    for start in range(0, len(order), 16):
        chosen = order[start : start + 16]
        images, digits = data[0][chosen], data[2][chosen]
        model.partial_fit(images, digits, classes=CLASSES)
        run.log("Batch Loss", log_loss(digits, model.predict_proba(images), labels=CLASSES), len(run.metrics) + 1)


RUNS = {
    "digits-rate-0.001": careful,
    "digits-rate-0.01": quick,
    "digits-rate-0.1": hasty,
    "digits-stopped": stopped,
    "digits-every-batch": every_batch,
}
