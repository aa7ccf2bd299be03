"""What is asked of a metric, and whether a run meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.expectations import Aggregate, Expectation, MetricAggregate, NotUnderstood
from service.domain.metric_references import MetricReference, labels_between
from service.domain.metric_summaries import MetricSummaries
from service.domain.points import NameValue
from service.domain.series.aggregates import summarize
from testing.work import lines
from tests.rows import each_row
from tests.unit.domain.series import logged

RUN = [
    *(logged.point(value, step, dataset="train") for step, value in enumerate((0.9, 0.5, 0.25))),
    *(logged.point(value, step, dataset="validation") for step, value in enumerate((0.8, 0.1))),
    logged.point(0.97, 1, name="Accuracy"),
    logged.point("NaN", 7, name="Broken"),
    logged.point(None, 7, name="Empty"),
    logged.point("Infinity", 7, name="Endless"),
    *(logged.point(77.5, name="Huge").replace(b"77.5", value) for value in (b"1e9999999999999999999999", b"2")),
    *(logged.point(77.5, name="Far").replace(b"77.5", value) for value in (b"1e9999", b"1", b"-1e9999")),
    *(logged.point(77.5, name="Wide").replace(b"77.5", value) for value in (b"1e1500", b"1e-1500")),
    logged.point(3, 1, name="odd:last>=1"),
    logged.point(4, 1, name="odd[a=b]"),
    logged.point(5, 1, name="odd", a="b"),
    logged.point(6, 1, name="odd", **{"a,b": 'c="d"'}),
    logged.point(7, 1, name="mAP[0.5]", dataset="val"),
    logged.point(8, 1, name="mAP[0.5]"),
    logged.point(9, 1, name='br["x=y"]', a="b"),
    logged.point(10, 1, name="both", a="b"),
    logged.point(11, 1, name='"both"', a="b"),
    logged.point(12, 1, name='"alone"', a="b"),
    logged.point(13, 1, name="open[", **{"[": "]"}),
]


def summaries(texts: list[bytes] = RUN) -> MetricSummaries:
    return MetricSummaries(summarize(logged.chunks(texts, 3)))


@each_row(
    "expect, passed, value",
    [
        ("Accuracy:last>=0.97", True, "0.97"),
        ("Accuracy:last >= 0.97", True, "0.97"),
        ("Accuracy:last>0.97", False, "0.97"),
        ("Accuracy:last==0.970", True, "0.97"),
        ("Accuracy:last!=0.97", False, "0.97"),
        ("loss:min<0.1", False, "0.1"),
        ("loss:min<=0.1", True, "0.1"),
        ("loss:last<=0.25", True, "0.25"),
        ("loss:first>=0.9", True, "0.9"),
        ("loss:max==9e-1", True, "0.9"),
        ("loss:mean==0.51", True, "0.51"),
        ("loss:mean<9e999999", True, "0.51"),
        ("loss:mean>1e-999999", True, "0.51"),
        ("loss:count==5", True, "5"),
        ("loss[dataset=validation]:last<0.2", True, "0.1"),
        ("loss[dataset=train]:count==3", True, "3"),
        ("loss[]:count==3", False, "null"),
        ("Broken:last!=0", False, '"NaN"'),
        ("Broken:last==0", False, '"NaN"'),
        ("Empty:last<1", False, "null"),
        ("Endless:last>1e300", True, '"Infinity"'),
        ("Wide:mean>4.9e1499", True, "5E+1499"),
        ("Wide:mean>5e1499", False, "5E+1499"),
        ("Wide:mean!=5e1499", False, "5E+1499"),
        ("Wide:mean<=5e1499", False, "5E+1499"),
        ("Wide:mean<5.0000000000000001e1499", True, "5E+1499"),
        ("odd:last>=1:last>=3", True, "3"),
        ("odd[a=b]:last==4", True, "4"),
        ('odd["a"="b"]:last==5', True, "5"),
        ('odd["a,b"="c=\\"d\\""]:last==6', True, "6"),
        ("Gone:count==0", False, "null"),
        ("mAP[0.5]:count==2", True, "2"),
        ("mAP[0.5][dataset=val]:last==7", True, "7"),
        ('mAP[0.5]["dataset"="val"]:last==7', True, "7"),
        ("mAP[0.5][]:last==8", True, "8"),
        ('"mAP[0.5]":count==2', True, "2"),
        ('"mAP[0.5]"[dataset=val]:last==7', True, "7"),
        ('"mAP[0.5]"["dataset"="val"]:last==7', True, "7"),
        ('"mAP\\u005b0.5]"[]:last==8', True, "8"),
        ('br["x=y"][a=b]:last==9', True, "9"),
        ('"br[\\"x=y\\"]"[a=b]:last==9', True, "9"),
        ('"odd"[a=b]:last==5', True, "5"),
        ('"odd[a=b]":last==4', True, "4"),
        ('"both":last==10', True, "10"),
        ('"both"[a=b]:last==10', True, "10"),
        ('"\\"both\\""[a=b]:last==11', True, "11"),
        ('"alone":last==12', True, "12"),
        ('"alone"[a=b]:last==12', True, "12"),
        ('open[["["="]"]:last==13', True, "13"),
    ],
)
def test_check(expect: str, passed: bool, value: str) -> None:
    found = Expectation.of(expect).check(summaries())
    assert (found.expect, found.passed, found.value.decode()) == (expect, passed, value)
    assert found.detail


@each_row("name", ["loss", 'a"b', "back\\slash", "ümlaut", "\U0001f600", "\ud800", "a\tb"])
def test_a_name_is_the_same_however_it_is_escaped(name: str) -> None:
    plain = json.dumps(name, ensure_ascii=name == "\ud800").encode()
    units = name.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
    escaped = '"' + "".join(f"\\u{unit}" for unit in units) + '"'
    for written in (plain, escaped.encode()):
        run = summaries([logged.point(1, name="Other"), logged.point(2, name="§").replace(b'"\\u00a7"', written)])
        assert Expectation.of(f"{name}:last==2").check(run).passed
        assert name in Expectation.of("Gone:last==2").check(run).detail


@pytest.mark.parametrize("written", [('"l"', '"\\u006c"'), ('"\\u006c"', '"l"')])
def test_a_name_without_brackets_is_of_all_its_label_sets_however_each_escapes_it(written: tuple[str, str]) -> None:
    points = [logged.point(2, name="\u00a7", a="b"), logged.point(1, name="\u00a7", a="c")]
    texts = [text.replace(b'"\\u00a7"', name.encode()) for text, name in zip(points, written, strict=True)]
    run = summaries([*texts, logged.point(0, name="Other")])
    checks = ("l:count==2", "l:min==1", "l:max==2", "l[a=b]:max==2", "l[a=c]:max==1")
    assert [Expectation.of(each).check(run).passed for each in checks] == [True] * 5
    assert Expectation.of("l[a=d]:max==1").check(run).detail.endswith("label sets of l: [a=b], [a=c]")


@each_row(
    "expect, detail",
    [
        ("Accuracy:last>=0.99", "last of Accuracy is 0.97 at step 1, which is not >= 0.99"),
        ("Accuracy:last>=0.9", "last of Accuracy is 0.97 at step 1, which is >= 0.9"),
        ("Wide:mean>=5e1499", "mean of Wide is 5E+1499 to 17 digits, too close to 5E+1499 to tell"),
        ("Broken:last<1", "last of Broken is NaN at step 7, which passes no check"),
        ("Empty:last<1", "last of Empty: no value can be read"),
        ("Empty:min<1", "min of Empty: no value is a number"),
        ("Empty:mean<1", "mean of Empty: no value is a number"),
        ("Broken:mean<1", "mean of Broken: no value is a number"),
        ("Huge:mean>1", "mean of Huge: its values are too large, or too far apart, to be added exactly"),
        ("Far:mean>1", "mean of Far: its values are too large, or too far apart, to be added exactly"),
        (
            "Lost:last<1",
            'metric Lost was not logged; logged: "alone", "both", Accuracy, Broken, Empty, Endless, Far, Huge, '
            "Wide, both and 7 more",
        ),
        (
            "mAP[0.5][dataset=test]:last<1",
            "metric mAP[0.5][dataset=test] was not logged; label sets of mAP[0.5]: [], [dataset=val]",
        ),
        (
            '"mAP[0.5]"[dataset=test]:last<1',
            'metric "mAP[0.5]"[dataset=test] was not logged; label sets of mAP[0.5]: [], [dataset=val]',
        ),
        (
            "loss[dataset=test]:last<1",
            "metric loss[dataset=test] was not logged; label sets of loss: [dataset=train], [dataset=validation]",
        ),
    ],
)
def test_detail(expect: str, detail: str) -> None:
    assert Expectation.of(expect).check(summaries()).detail == detail


@each_row(
    "values, expect, value, detail",
    [
        (
            ("0.1", "0.2", "0.4"),
            "loss:mean==0.23333333333333333",
            "0.23333333333333333",
            "mean of loss is 0.23333333333333333 (to 17 digits), which is not == 0.23333333333333333",
        ),
        (
            ("0.1", "0.2", "0.4"),
            "loss:mean>0.23333333333333333",
            "0.23333333333333333",
            "mean of loss is 0.23333333333333333 (to 17 digits), which is > 0.23333333333333333",
        ),
        (("0.1", "0.4"), "loss:mean==0.25", "0.25", "mean of loss is 0.25, which is == 0.25"),
        (
            ("123456789012345678901234567890",),
            "loss:mean==123456789012345678901234567890",
            "123456789012345678901234567890",
            "mean of loss is 123456789012345678901234567890, which is == 123456789012345678901234567890",
        ),
    ],
)
def test_a_mean_that_was_rounded_is_not_shown_as_if_it_were_exact(
    values: tuple[str, ...], expect: str, value: str, detail: str
) -> None:
    run = summaries([logged.point(77.5).replace(b"77.5", each.encode()) for each in values])
    check = Expectation.of(expect).check(run)
    assert (check.value.decode(), check.detail) == (value, detail)


@each_row("number, shown", [("9" * 1001, repr("9" * 50) + "…"), ("1e9999999", "'1e9999999'"), ("0x10", "'0x10'")])
def test_a_number_that_is_not_read_is_shown_with_the_limits(number: str, shown: str) -> None:
    limits = "of up to 1,000 characters, whose exponent has up to 6 digits"
    with pytest.raises(NotUnderstood) as refused:
        Expectation.of(f"loss:last>{number}")
    assert str(refused.value).endswith(f"; {shown} is not a decimal number {limits}")


def test_what_was_logged_is_named_up_to_ten() -> None:
    many = summaries([logged.point(1, 1, name=f"m{number:02}") for number in range(12)])
    assert Expectation.of("x:last>0").check(many).detail.endswith("m08, m09 and 2 more")
    assert Expectation.of("x:last>0").check(summaries([])).detail == "metric x was not logged; logged: nothing"


def test_what_was_logged_is_looked_through_once_however_much_is_expected() -> None:
    many = [logged.point(1, 1, fold=str(number)) for number in range(500)]
    expected = [Expectation.of(f"loss[fold=x{number}]:last>0") for number in range(20)]

    def work(count: int) -> int:
        found = summaries(many)
        return lines(lambda: [one.check(found) for one in expected[:count]])

    assert work(20) < 2 * work(1)


def test_long_names_are_cut_where_they_are_listed() -> None:
    long = summaries([logged.point(1, 1, name="m" * 5000)])
    detail = Expectation.of("x:last>0").check(long).detail
    assert detail == f"metric x was not logged; logged: {'m' * 200}…"


@each_row(
    "text",
    [
        "",
        "loss",
        "loss:min",
        "loss<1",
        ":min<1",
        "loss:median<1",
        "loss:min<",
        "loss:min<x",
        "loss:min=1",
        "loss:min<>1",
    ]
    + ["loss:min<NaN", "loss:min<1e9999999", "loss:min<0x1", "loss:min<١", "loss:min<" + "1" * 2000],
)
def test_no_expectation(text: str) -> None:
    with pytest.raises(NotUnderstood, match="must be a metric, an aggregate, a comparison and a number"):
        Expectation.of(text)


@each_row("text", ["", "loss", "loss:", ":min", "loss:median", "loss:min<1"])
def test_no_aggregate(text: str) -> None:
    with pytest.raises(NotUnderstood, match="first, last, min, max, mean, count"):
        MetricAggregate.of(text)


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1, max_size=3), st.sampled_from(Aggregate))
def test_labels_of_any_text_can_be_written_as_json(labels: dict[str, str], aggregate: Aggregate) -> None:
    import json

    written = ",".join(f"{json.dumps(name)}={json.dumps(value)}" for name, value in labels.items())
    read = MetricAggregate.of(f"Loss[{written}]:{aggregate}")
    assert read.metric.readings[-1].labels == {NameValue(*each) for each in labels.items()}
    assert (read.metric.name, read.aggregate) == ("Loss", aggregate)


@given(st.text(), st.none() | st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_any_name_can_be_written_as_json(name: str, labels: dict[str, str] | None) -> None:
    written = ",".join(f"{json.dumps(each)}={json.dumps(value)}" for each, value in (labels or {}).items())
    text = json.dumps(name) + ("" if labels is None else f"[{written}]")
    wanted = None if labels is None else {NameValue(*each) for each in labels.items()}
    assert MetricReference.of(text).readings[0] == (name, wanted)


@given(st.text('"[]=,\\ab', min_size=1))
def test_a_text_has_at_most_one_label_set(text: str) -> None:
    starts = (at for at, sign in enumerate(text, 1) if sign == "[")
    assert sum(labels_between(text, start, len(text)) is not None for start in starts) <= 1


def test_a_label_set_is_found_with_work_that_grows_with_the_text() -> None:
    for sign in ("[", '["', '["[a=', '["="', "[a=b,"):

        def work(count: int, sign: str = sign) -> int:
            return lines(lambda: MetricReference.of("m" + sign * count + "]"))

        assert work(2000) < 3 * work(1000)


@given(st.lists(st.decimals(-10, 10, places=3), min_size=1), st.decimals(-10, 10, places=3))
def test_means_compare_exactly(values: list[Decimal], number: Decimal) -> None:
    texts = [logged.point(0).replace(b'"value": 0', b'"value": ' + str(value).encode()) for value in values]
    total = sum(values, Decimal(0))
    for sign, compare in _COMPARISONS.items():
        expected = compare(total, number * len(values))
        assert Expectation.of(f"loss:mean{sign}{number}").check(summaries(texts)).passed is expected


_COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": Decimal.__lt__,
    "<=": Decimal.__le__,
    ">": Decimal.__gt__,
    ">=": Decimal.__ge__,
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
}


@each_row("text", ["Loss[", "[a=b]", "Loss[a]", "Loss[a=b", "Loss[a=b,]", "Loss[=b]", "Loss[a=b]c"])
def test_what_is_no_label_set_is_part_of_the_name(text: str) -> None:
    assert MetricReference.of(text).readings == ((text, None),)


@each_row("text", ["mAP[0.5][dataset]", '"mAP[0.5]"[dataset]', '"mAP[0.5]', "Gone[a=b]"])
def test_that_a_name_can_be_written_as_json_is_said_where_it_may_be_the_cure(text: str) -> None:
    detail = Expectation.of(f"{text}:last>0").check(summaries()).detail
    assert detail.endswith('can be written as JSON strings, such as "mAP[0.5]"[dataset=val]')
