"""Cultivars of wine: a run that logs nothing, and one in another resource group."""

from __future__ import annotations

from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.recorder import Plan, Recorder

SCENARIO = ("wine-cultivars", "Tell the cultivar of a wine")


def silent() -> Recorder:
    plan = Plan(
        "4ad7e8c0-b263-4195-9e08-d5f72c0b6a19",
        "classifier that logged nothing: no metrics, no tags, no custom info",
        SCENARIO,
        ("wine-neighbours", "Nearest neighbours"),
        "wine-analyses",
        "wine-neighbours",
        {"n_neighbors": 5},
    )
    run = Recorder(plan)
    KNeighborsClassifier(5).fit(*load_wine(return_X_y=True))
    return run.end("COMPLETED")


def elsewhere() -> Recorder:
    plan = Plan(
        "0be5d3f7-e948-4a60-8217-3c9af0d71b1a",
        "classifier in the resource group 'research', unseen from 'default'",
        SCENARIO,
        ("wine-logistic", "Logistic regression"),
        "wine-analyses",
        "wine-logistic",
        {"C": 0.1, "folds": 8},
        resource_group="research",
    )
    run, data = Recorder(plan), load_wine()
    folds = StratifiedKFold(8, shuffle=True, random_state=1).split(data.data, data.target)
    for number, (learn, check) in enumerate(folds, 1):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(data.data[learn], data.target[learn])
        score = float(model.score(data.data[check], data.target[check]))
        run.log("Fold Accuracy", score, number, fold=str(number))
        run.say(f"fold {number}/8: accuracy {score:.4f}")
    train, check, known, truth = train_test_split(data.data, data.target, test_size=0.3, random_state=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(train, known)
    run.log("Accuracy", float(model.score(check, truth)), dataset="validation")
    run.tag("Artifact Group", "wine")
    run.confusion(truth, model.predict(check), [str(name) for name in data.target_names])
    return run.end("COMPLETED")


RUNS = {"wine-silent": silent, "wine-research": elsewhere}
