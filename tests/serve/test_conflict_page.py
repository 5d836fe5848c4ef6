"""Two people in two browsers at one row: whoever is refused is told where they clicked, and chooses."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv
import pytest
from page_scenario import SLOW, browsed

import tunewright as tw
from tunewright.project import open_dataset
from tunewright.toy import toy_run
from tunewright.verbs.explore.curation import pending

pytestmark = pytest.mark.browser

_QUERY = "run=toy&view=table&row=7"


@pytest.fixture
def project(tmp_path):
    """The run ``toy``, and a dataset of its rows."""
    source = tmp_path / "rows.csv"
    made = tw.Project(name="toy", source=str(source), task=tw.Classification(labels=("neg", "pos")), folder=tmp_path)
    run = toy_run(made.runs_folder, 40)
    pa.csv.write_csv(run.examples(), source)
    open_dataset(made)
    return made


def _card(page):
    card = page.get_by_role("article", name="Example toy-7")
    card.get_by_role("button", name="Drop", exact=True).wait_for()
    return card


def test_a_refused_edit_is_told_where_it_was_asked_for(project):
    with browsed(project) as opened:
        ann = opened(_QUERY)
        eve = ann.context.new_page()
        eve.set_default_timeout(SLOW)
        eve.route("**/api/events", lambda route: route.abort())  # she does not hear of it in time
        eve.goto(ann.url)
        _card(eve)
        _card(ann).get_by_role("button", name="Relabel").click()
        _card(ann).get_by_text("pending: relabel").wait_for()
        _card(eve).get_by_role("button", name="Drop", exact=True).click()
        box = _card(eve).get_by_role("alert", name="Conflict")
        box.get_by_text("Somebody else edited this row first.").wait_for()
        assert box.get_by_text("You, not done: Drop (toy-7)").is_visible()
        assert [one.action for one in pending(project).read().changes] == ["relabel"]
        _card(ann).get_by_role("button", name="Drop", exact=True).click()
        eve.unroute("**/api/events")  # she is heard again, and hears
        box.get_by_text("Drop (toy-7)").nth(1).wait_for()
        box.get_by_role("button", name="Apply mine on top").click()
        box.wait_for(state="detached")
        _card(eve).get_by_text("pending: drop").nth(1).wait_for()
        assert [one.action for one in pending(project).read().changes] == ["relabel", "drop", "drop"]
