"""Benign or malignant: a forest, tree by tree."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split

from training.recorder import Plan, Recorder

SCENARIO = ("tumour-diagnosis", "Tell malignant tumours from benign ones")
FOREST = ("tumour-forest", "Random forest")


def forest() -> Recorder:
    parameters = {"n_estimators": 60, "max_depth": 6, "min_samples_leaf": 2}
    plan = Plan(
        "96f12ab8-0c5e-4d37-b4e9-18a6d9c35e18",
        "classifier of two classes: accuracy, F1 and ROC AUC as the forest grows",
        SCENARIO,
        FOREST,
        "tumour-measurements",
        "tumour-forest",
        parameters,
    )
    run, data = Recorder(plan), load_breast_cancer()
    train, check, known, truth = train_test_split(data.data, data.target, test_size=0.3, random_state=1)
    model = RandomForestClassifier(0, max_depth=6, min_samples_leaf=2, warm_start=True, random_state=1)
    for trees in range(1, 61):
        model.set_params(n_estimators=trees).fit(train, known)
        guess = model.predict(check)
        run.log("Accuracy", float(accuracy_score(truth, guess)), trees, dataset="validation")
        run.log("F1", float(f1_score(truth, guess)), trees, dataset="validation")
        run.log("ROC AUC", float(roc_auc_score(truth, model.predict_proba(check)[:, 1])), trees, dataset="validation")
        if not trees % 10:
            run.say(f"{trees}/60 trees: F1 {run.last('F1'):.4f}, ROC AUC {run.last('ROC AUC'):.4f} on validation data")
    run.log("Training Patients", len(train))
    run.tag("Artifact Group", "RFC-1")
    run.confusion(truth, model.predict(check), [str(name) for name in data.target_names])
    return run.end("COMPLETED")


RUNS = {"tumour-forest": forest}
