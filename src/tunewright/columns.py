"""What every column means, defined once.

Documentation, command-line listings, axis ranges, tooltips and a property test read these definitions;
every step writes columns keyed by ``id``, and pictures are views of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tunewright.errors import ColumnError, did_you_mean

__all__ = ["COLUMNS", "Analysis", "Column", "analysis", "column", "numerals"]

Direction = Literal["good", "bad", ""]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, Arrow type, meaning, unit, range and direction.

    ``low`` and ``high`` are inclusive; None means unbounded. ``direction`` says whether *more* of it is good or
    bad for the model, or neither.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    direction: Direction = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A pure function from columns to columns that declares what it needs and gives.

    ``needs`` are column names, qualified by table: ``"dynamics.margin"`` arrives as a float array [n, epochs]
    (NaN where an example was not seen), ``"examples.label"``, ``"predictions.correct"`` and so on as [n], and
    ``"embeddings.vector"`` as [n, dimensions]. They are passed by keyword under their unqualified names, aligned
    by id on the rows of the first need. The function returns one [n] array per name in ``gives``.
    """

    name: str
    needs: tuple[str, ...]
    gives: tuple[str, ...]
    function: Callable[..., Mapping[str, Any]]
    doc: str = ""

    def __call__(self, **inputs: Any) -> Mapping[str, Any]:
        return self.function(**inputs)


def analysis(
    *, needs: tuple[str, ...], gives: tuple[str, ...]
) -> Callable[[Callable[..., Mapping[str, Any]]], Analysis]:
    """Declare a function as an analysis; every name it gives must be a defined column."""
    for name in gives:
        column(name)

    def declare(function: Callable[..., Mapping[str, Any]]) -> Analysis:
        return Analysis(function.__name__, needs, gives, function, function.__doc__ or "")

    return declare


def column(name: str) -> Column:
    """The definition of a column.

    Raises:
        ColumnError: if no column of that name is defined.
    """
    try:
        return COLUMNS[name]
    except KeyError:
        raise ColumnError(f"no column is called {name!r}", fix=did_you_mean(name, COLUMNS)) from None


_DEFINITIONS = (
    # what identifies an example
    Column("id", "string", "name of the example, given once at import and never recomputed"),
    Column("content", "string", "hash of the text fields: equal content, equal hash"),
    Column("split", "string", "train, validation, test, or a name of the user's own"),
    Column("label", "string", "gold target as a person writes it: class, answer or summary; null means unlabelled"),
    Column("weight", "float", "how much the example counts in the loss; 1 is normal", low=0),
    # one row per example, window, epoch: what the model did with it
    Column("epoch", "int", "pass over the training data, counted from 0", low=0),
    Column("step", "int", "optimizer steps taken before this forward pass", low=0),
    Column("rank", "int", "process that saw the example", low=0),
    Column("window", "int", "part of a long example, counted from 0", low=0),
    Column("gold_probability", "float", "probability the model gave the gold target", low=0, high=1, direction="good"),
    Column(
        "loss",
        "float",
        "cross-entropy of the gold target, unweighted; of a summary, per token",
        "nats",
        low=0,
        direction="bad",
    ),
    Column("gold_logit", "float", "logit of the gold target"),
    Column("other_logit", "float", "largest logit among the other targets"),
    Column("other", "int", "index of the other target with the largest logit; -1 where targets are no list", low=-1),
    Column("log_sum_exp", "float", "log of the softmax denominator", "nats"),
    Column("sum_of_squares", "float", "sum over targets of the squared probabilities", low=0, high=1),
    Column("margin", "float", "gold logit minus the largest other logit; negative when wrong", direction="good"),
    Column(
        "correct",
        "bool",
        "right by the task: in dynamics, the largest logit is the gold target, or half of a summary's tokens are; in "
        "predictions, the class, an exact match of the answer, or a summary of ROUGE-L 0.5",
        low=0,
        high=1,
        direction="good",
    ),
    Column(
        "gold_everywhere", "bool", "the gold target, no answer, holds in every window of the example", low=0, high=1
    ),
    # one row per predicted example
    Column("predicted", "string", "what the model says: class, answer or summary"),
    Column("probability", "float", "probability the model gave to what it says", low=0, high=1),
    Column("logits", "list", "one logit per label, in the order of the run's labels"),
    Column("vector", "list", "embedding of the example"),
    Column("window_score", "float", "how much the model holds to its answer; of several windows the largest speaks"),
    Column("windows", "int", "inputs that the example was cut into", "windows", low=1),
    Column("predicted_start", "int", "where the predicted answer begins in the context", "characters", low=0),
    Column("n_best", "list", "the best answers of all windows, each with its probability, best first"),
    Column(
        "exact_match",
        "float",
        "the answer equals a gold answer but for case, punctuation and articles (Rajpurkar et al. 2016)",
        low=0,
        high=1,
        direction="good",
    ),
    Column(
        "f1",
        "float",
        "words shared by the answer and the best gold answer, F1 (Rajpurkar et al. 2016)",
        low=0,
        high=1,
        direction="good",
    ),
    Column("rouge1", "float", "words shared with the gold summary, F1 (Lin 2004)", low=0, high=1, direction="good"),
    Column(
        "rouge2", "float", "word pairs shared with the gold summary, F1 (Lin 2004)", low=0, high=1, direction="good"
    ),
    Column(
        "rougeL",
        "float",
        "longest common subsequence with the gold summary, F1 (Lin 2004)",
        low=0,
        high=1,
        direction="good",
    ),
    Column("stop_reason", "string", "why generation ended: eos, or length when it was cut"),
    Column(
        "generated_tokens",
        "int",
        "tokens generated, a first token that is forced counted, the end token not",
        "tokens",
        low=0,
    ),
    Column("tokens", "list", "the gold target's tokens"),
    Column("token_probability", "list", "probability of each token of the gold target, given those before"),
    # training dynamics over epochs
    Column(
        "confidence",
        "float",
        "mean over epochs of the gold-target probability (Swayamdipta et al. 2020)",
        low=0,
        high=1,
        direction="good",
    ),
    Column(
        "variability",
        "float",
        "population standard deviation over epochs of the gold-target probability (Swayamdipta et al. 2020)",
        low=0,
        high=0.5,
    ),
    Column(
        "correctness",
        "float",
        "fraction of epochs in which the example was predicted correctly (Swayamdipta et al. 2020)",
        low=0,
        high=1,
        direction="good",
    ),
    Column("forgetting", "int", "correct-to-wrong transitions (Toneva et al. 2019)", "events", low=0, direction="bad"),
    Column("never_learnt", "bool", "wrong in every epoch seen", low=0, high=1, direction="bad"),
    Column("aum", "float", "mean over epochs of the margin (Pleiss et al. 2020)", direction="good"),
    Column(
        "el2n",
        "float",
        "mean over the first epochs of the L2 norm of probabilities minus one-hot target (Paul et al. 2021)",
        low=0,
        high=1.4143,
        direction="bad",
    ),
    Column("closeness", "float", "confidence x (1 - confidence): nearness to the threshold", low=0, high=0.25),
    Column("epochs_seen", "int", "epochs in which the example was recorded", "epochs", low=0),
    Column("region", "string", "easy, ambiguous, hard or empty: region of the data map"),
    Column("suspicion", "float", "how likely the label is wrong, as a rank score", low=0, high=1, direction="bad"),
    Column("suspect", "bool", "flagged as a suspected mislabel", low=0, high=1, direction="bad"),
    Column("suggested", "string", "label the model would give instead"),
    Column("suggested_probability", "float", "how likely the detectors find the suggested label", low=0, high=1),
    Column("votes", "int", "detectors that prefer another label", "detectors", low=0, direction="bad"),
    Column("vote_training", "bool", "training argues for another label (AUM, Pleiss et al. 2020)", low=0, high=1),
    Column("vote_passes", "bool", "passes with dropout off argue for another label", low=0, high=1),
    Column("vote_features", "bool", "neighbours in the space of early training have another label", low=0, high=1),
    Column("vote_frozen", "bool", "neighbours before training have another label", low=0, high=1),
    Column("vote_folds", "bool", "linear models that have not seen the row prefer another label", low=0, high=1),
    Column("vote_elsewhere", "bool", "the model is sure of an answer that is not the gold one", low=0, high=1),
    Column(
        "vote_unlearnt", "bool", "the gold answer was never learnt, and the model is sure of another", low=0, high=1
    ),
    Column("vote_place", "bool", "the words of the gold answer are likelier at another place", low=0, high=1),
    Column("vote_apart", "bool", "the gold answers of the row have nothing in common", low=0, high=1),
    Column("vote_mismatch", "bool", "other documents fit the gold summary better", low=0, high=1),
    Column("vote_unsupported", "bool", "names or numbers of the gold summary are not in the document", low=0, high=1),
    Column("vote_improbable", "bool", "the gold summary is less probable than those of similar rows", low=0, high=1),
    Column("vote_copied", "bool", "the gold summary is a stretch of the document", low=0, high=1),
    Column("evidence", "string", "what speaks against the label, in words"),
    # several runs of one version
    Column("across_confidence", "float", "mean over the runs of the confidence", low=0, high=1, direction="good"),
    Column("confidence_error", "float", "standard error over the runs of the confidence", low=0, high=0.5),
    Column("across_variability", "float", "mean over the runs of the variability", low=0, high=0.5),
    Column("variability_error", "float", "standard error over the runs of the variability", low=0, high=0.25),
    Column("across_aum", "float", "mean over the runs of the mean margin", direction="good"),
    Column("aum_error", "float", "standard error over the runs of the mean margin", low=0),
    Column("across_correctness", "float", "mean over the runs of the correctness", low=0, high=1, direction="good"),
    Column("across_suspicion", "float", "mean over the runs of the suspicion", low=0, high=1, direction="bad"),
    Column("across_suspect", "bool", "more than half of the runs flag the row", low=0, high=1, direction="bad"),
    Column("agreement", "float", "share of the runs that say the same about the flag", low=0.5, high=1),
    Column("runs_seen", "int", "runs that were trained on the row", "runs", low=0),
    # latent space
    Column("pc1", "float", "first principal component of the embedding"),
    Column("pc2", "float", "second principal component of the embedding"),
    Column("umap1", "float", "first coordinate of the UMAP projection (McInnes et al. 2018)"),
    Column("umap2", "float", "second coordinate of the UMAP projection (McInnes et al. 2018)"),
    Column("umap_fitted", "bool", "the UMAP was fitted on the row, which was not only placed in it", low=0, high=1),
    Column("cluster", "int", "cluster in the embedding space; -1 is none", low=-1),
    Column("cluster_name", "string", "words and metadata that set the cluster apart"),
    Column(
        "cluster_stability",
        "float",
        "mean Jaccard overlap of the cluster with its likest one over bootstrap samples (Hennig 2007)",
        low=0,
        high=1,
        direction="good",
    ),
    Column("cluster_similarity", "float", "cosine similarity to the centre of the cluster", low=-1, high=1),
    Column("duplicate_of", "string", "id of the first row with the same or nearly the same text; null if none"),
    Column(
        "duplicate_similarity",
        "float",
        "similarity to that row; 1 is the same text but for case and blanks",
        low=0,
        high=1,
    ),
    Column("density", "float", "mean cosine similarity to the nearest training rows", low=-1, high=1),
    Column("neighbour", "string", "id of the most similar training row"),
    Column("neighbour_similarity", "float", "cosine similarity of the most similar training row", low=-1, high=1),
    Column("neighbour_label", "string", "gold label of the most similar training row"),
    # evidence about mistakes
    Column("negation", "bool", "the text has a word that negates", low=0, high=1),
    Column("rare_share", "float", "share of the distinct words that no training text has", low=0, high=1),
    Column("words", "int", "number of words of the text fields", "words", low=0),
    Column(
        "truncated", "bool", "the input is longer than the model reads, and was cut", low=0, high=1, direction="bad"
    ),
    Column(
        "target_truncated",
        "bool",
        "the gold target is longer than the task reads, and was cut",
        low=0,
        high=1,
        direction="bad",
    ),
    Column("error_type", "string", "false positive, false negative or gold -> predicted; of texts: how far off"),
    Column("error_cause", "string", "what the evidence points to, or unknown"),
    Column("solution", "string", "what to try about the error cause"),
)
COLUMNS: dict[str, Column] = {definition.name: definition for definition in _DEFINITIONS}


def numerals(*numbers: float, least: int = 3) -> tuple[str, ...]:
    """Numbers in as few significant digits, ``least`` or more, as tell them apart; none before the point is rounded.

    >>> numerals(0.12345, 39.81), numerals(2009.0, 2012.0, 2019.0), numerals(1000.12, 1000.16)
    (('0.123', '39.8'), ('2009', '2012', '2019'), ('1000.1', '1000.2'))
    """
    texts: tuple[str, ...] = ()
    for digits in range(least, 18):
        texts = tuple(f"{number:.{max(digits, len(f'{abs(number):.0f}'))}g}" for number in numbers)
        if len(set(texts)) == len(set(numbers)):
            break
    return texts
