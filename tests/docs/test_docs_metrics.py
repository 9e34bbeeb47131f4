"""Every figure is documented, and nothing names a figure that nobody tells: neither a page, nor the
dashboard, nor the example rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mediawatch.metrics import Metrics
from tests.docs import inventory
from tests.docs.inventory import DOCS

_FIGURE = re.compile(r"\b(?:mediawatch|process)_[a-z_]+")
_OF_A_HISTOGRAM = re.compile(r"_(?:bucket|sum|count)$")
#: What is no name of a figure in an expression: functions and words of PromQL, labels, units.
_TEXT = re.compile(r'"[^"]*"')
_SELECTED = re.compile(r"\b([a-z_]+)(?=\{)")
#: Told on Linux only, by the client library.
PROCESS = {
    *("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"),
    *("process_virtual_memory_bytes", "process_start_time_seconds", "process_max_fds"),
}
#: Told by Prometheus itself, of whatever it reads.
_OTHERS = {"up"}


def figures() -> set[str]:
    """All of ours."""
    return {name for name in Metrics().names() if name.startswith("mediawatch_")}


def named_in(expression: str) -> set[str]:
    """The figures that an expression asks for."""
    bare = _TEXT.sub("", expression)
    names = {*_FIGURE.findall(bare), *_SELECTED.findall(bare)}
    known = figures() | PROCESS | _OTHERS
    return {name if name in known else _OF_A_HISTOGRAM.sub("", name) for name in names}


def dashboard() -> dict[str, Any]:
    """The dashboard for Grafana."""
    document: dict[str, Any] = json.loads((DOCS / "grafana" / "mediawatch.json").read_text("utf-8"))
    return document


def panels() -> list[dict[str, Any]]:
    """Its panels, without the rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """Every expression of the dashboard."""
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])


def rules() -> list[str]:
    """Every expression of the example rules."""
    return re.findall(r"^ +expr: (.+)$", inventory.page("how-to/monitoring.md"), re.MULTILINE)


def test_every_figure_is_documented_and_no_other() -> None:
    """The tables of the page are the list, with the kind of each."""
    rows = re.findall(
        r"^\| `([a-z_]+)` \| ([a-z]+) \|", inventory.page("reference/metrics.md"), re.MULTILINE
    )

    assert figures() == {name for name, _ in rows}
    assert len(rows) == len(dict(rows))
    assert [] == [name for name, kind in rows if name.endswith("_total") != (kind == "counter")]


def test_every_page_names_figures_that_are_told() -> None:
    """Also those of the process, on Linux."""
    for page in ("reference/metrics.md", "how-to/monitoring.md"):
        named = set(re.findall(r"\b(?:mediawatch|process)_[a-z_]+\b", inventory.page(page)))
        assert set() == named - figures() - PROCESS


def test_figures_keep_to_the_conventions() -> None:
    """Base units, and a name that says what is counted."""
    for name in figures():
        assert not re.search(r"_(?:ms|milliseconds|minutes|hours|days|percent|kb|mb)(?:_|$)", name)


@pytest.mark.parametrize("expression", sorted({*expressions(), *rules()}))
def test_every_expression_asks_for_figures_that_are_told(expression: str) -> None:
    """An old name in a graph shows nothing, and nobody notices."""
    asked = named_in(expression)

    assert asked
    assert set() == asked - figures() - PROCESS - _OTHERS
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)


def test_an_expression_is_read_as_prometheus_does() -> None:
    """Names of buckets belong to their histogram; labels and functions are no figures."""
    expression = (
        'histogram_quantile(0.9, sum by (le) (rate(mediawatch_step_seconds_bucket{stage="a"}[5m])))'
    )

    assert {"mediawatch_step_seconds"} == named_in(expression)
    assert {"nosuch_total"} == named_in("sum(nosuch_total{a='b'})")


def test_every_figure_is_in_a_graph_or_a_rule() -> None:
    """What nobody looks at need not be told."""
    shown = {name for expression in (*expressions(), *rules()) for name in named_in(expression)}

    assert {
        "mediawatch_folder_events",
        "mediawatch_journal_transactions_total",
    } >= figures() - shown


def test_the_dashboard_is_one_that_grafana_can_import() -> None:
    """It has a data source to choose, panels of their own number and place, with a unit each."""
    document = dashboard()
    variables = {variable["name"]: variable for variable in document["templating"]["list"]}
    ids = [panel["id"] for panel in document["panels"]]
    cells = [
        (x, y)
        for panel in document["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert "datasource" == variables["datasource"]["type"]
    assert "prometheus" == variables["datasource"]["query"]
    assert len(ids) == len(set(ids))
    assert len(cells) == len(set(cells)), "panels lie over one another"
    assert all(0 <= x < 24 for x, _ in cells)
    for panel in panels():
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        for target in (panel, *panel["targets"]):
            assert {"type": "prometheus", "uid": "${datasource}"} == target["datasource"]
