"""The progression of diabetes over a year: a regressor, and one that fails."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.neural_network import MLPRegressor

from training.recorder import Plan, Recorder, python_spelling

SCENARIO = ("diabetes-progression", "Foresee the progression of diabetes")
BOOSTING = ("diabetes-boosting", "Gradient boosting")
NETWORK = ("diabetes-network", "Neural network on raw measurements")


def _scores(run: Recorder, truth: Any, guess: Any, step: int, **labels: str) -> None:
    run.log("RMSE", float(mean_squared_error(truth, guess)) ** 0.5, step, **labels)
    run.log("MAE", float(mean_absolute_error(truth, guess)), step, **labels)
    run.log("R2", float(r2_score(truth, guess)), step, **labels)


def boosting() -> Recorder:
    parameters = {"learning_rate": 0.05, "max_depth": 2, "n_estimators": 120, "subsample": 0.7}
    plan = Plan(
        "71c4fa29-8d06-4b3e-a792-5e10b3d6c816",
        "regressor: RMSE, MAE and R2 per boosting stage and per fold",
        SCENARIO,
        BOOSTING,
        "diabetes-patients",
        "diabetes-boosting",
        parameters,
        timestamp=python_spelling,
    )
    run = Recorder(plan)
    patients, progression = load_diabetes(return_X_y=True)
    train, check, known, truth = train_test_split(patients, progression, test_size=0.25, random_state=1)
    model = GradientBoostingRegressor(**{**parameters, "n_estimators": 0}, warm_start=True, random_state=1)
    for stage in range(1, 121):
        model.set_params(n_estimators=stage).fit(train, known)
        _scores(run, known, model.predict(train), stage, dataset="train")
        _scores(run, truth, model.predict(check), stage, dataset="validation")
        if not stage % 10:
            run.say(f"stage {stage}/120: RMSE {run.last('RMSE'):.3f}, R2 {run.last('R2'):.3f} on validation data")
    _folds(run, parameters, patients, progression)
    run.tag("Artifact Group", "diabetes")
    run.inform("Feature Importance", dict(zip(load_diabetes().feature_names, model.feature_importances_, strict=True)))
    return run.end("COMPLETED")


def _folds(run: Recorder, parameters: dict[str, Any], patients: Any, progression: Any) -> None:
    for number, (learn, check) in enumerate(KFold(5, shuffle=True, random_state=1).split(patients), 1):
        model = GradientBoostingRegressor(**parameters, random_state=1).fit(patients[learn], progression[learn])
        _scores(run, progression[check], model.predict(patients[check]), number, fold=str(number))
        run.say(f"fold {number}/5: RMSE {run.last('RMSE'):.3f}, R2 {run.last('R2'):.3f}")


def failing() -> Recorder:
    """Raw measurements and unbounded activations: the weights diverge, and scikit-learn raises an error."""
    parameters = {"learning_rate": 1e-5, "hidden_units": 16, "activation": "identity", "epochs": 50}
    plan = Plan(
        "d03b67e5-9a2c-4f81-8c5d-7f46e2a10b17",
        "regressor that died: its weights ran away",
        SCENARIO,
        NETWORK,
        "diabetes-patients-raw",
        "diabetes-network",
        parameters,
    )
    run = Recorder(plan)
    patients, progression = load_diabetes(return_X_y=True, scaled=False)
    model = MLPRegressor(
        hidden_layer_sizes=(16,), activation="identity", solver="sgd", learning_rate_init=1e-5, random_state=1
    )
    run.tag("Artifact Group", "diabetes")
    try:
        _run_away(run, model, patients, progression)
    except ValueError as error:
        run.report(error)
        return run.end("DEAD", f"ValueError: {error}")
    raise AssertionError("the training did not fail")


def _run_away(run: Recorder, model: MLPRegressor, patients: Any, progression: Any) -> None:
    for epoch in range(1, 51):
        with np.errstate(all="ignore"):
            model.partial_fit(patients, progression)
        run.say(f"epoch {epoch}/50: loss {model.loss_:g}")
        if np.isfinite(model.loss_):
            run.log("Loss", float(model.loss_), epoch, dataset="train")


RUNS = {"diabetes-boosting": boosting, "diabetes-died": failing}
