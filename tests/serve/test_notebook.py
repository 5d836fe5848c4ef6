from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from tunewright.errors import ProjectError, RunError
from tunewright.serve.notebook import explore
from tunewright.toy import toy_run

PROJECT = """import tunewright as tw
project = tw.Project(name="toy", source="none.csv", task=tw.Classification(labels=("neg", "pos")))
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "project.py").write_text(PROJECT)
    return toy_run(tmp_path / "runs", 20)


def opened(page, path):
    """The answer of a page's server to whoever has its token."""
    parts = urlsplit(page.url)
    token = parse_qs(parts.query)["token"][0]
    request = urllib.request.Request(f"http://{parts.netloc}{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)
    except urllib.error.HTTPError as error:  # the page may not be built
        return error


def test_a_run_shows_itself_in_a_frame_until_it_is_stopped(run):
    page = run.explore(height=500)
    try:
        assert f'<iframe src="{page.url.replace("&", "&amp;")}"' in page._repr_html_()
        assert 'height="500"' in page._repr_html_()
        assert page.url.endswith(f"run={run.id}")
        assert opened(page, f"/api/runs/{run.id}").status == 200
        policy = opened(page, "/").headers["content-security-policy"]
        assert "frame-ancestors http://127.0.0.1:* http://localhost:*" in policy
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "frame-ancestors 'none'" in opened(page, "/api/workspace").headers["content-security-policy"]
    finally:
        page.stop()
    with pytest.raises(OSError):
        opened(page, "/")
    page.stop()


def test_what_is_not_there_is_said_before_anything_is_served(run, tmp_path):
    with pytest.raises(ProjectError):
        explore(tmp_path / "none")
    with pytest.raises(RunError):
        explore(tmp_path, "none")
