# ---
# jupyter:
#   course:
#     title: Kinds of transfer
#     minutes: 98
#     after: ["01", "03", "04"]
#     data: [digits]
#     able: >-
#       carry instances, features, models and relations over to a new task, each beside its
#       controls, say with a paired error whether it helped or hurt and how many labels it saved,
#       and choose a source before training
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 13 Kinds of transfer
#
# A network reads print. It has seen every digit in sixteen fonts, and makes hardly a mistake. Then
# we show it handwriting, and it gets two digits in five wrong. Yet it must know something that is
# of use here: what a stroke is, and that a ring with a tail is no zero. *What* could one carry over
# from print to handwriting: pictures, features, weights, or something else? And how would we know
# that it helped, and did not hurt?
#
# **What you will do.** You try the four kinds of transfer that textbooks list, and three of their
# neighbors, on one real task: reading handwriting with few labels, after print. Each kind stands
# beside what it has to beat.
#
# **What you will learn**
#
# - to say whether a transfer helps, with an error that fits paired runs, and which controls tell
#   why;
# - to count the labels that it saves;
# - to choose a source before training, and how far to trust the choice;
# - what weighted instances, aligned features, carried weights and relations are, in a few lines
#   each;
# - why a teacher's small probabilities can be worth more than its answers.
#
# **What you need.** Lessons 01, 03 and 04; lessons 05 and 06 for what fine-tuning is. No internet
# connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Does it help at all | 18 |
# | 2 How many labels it saves | 10 |
# | 3 Choosing a source before training | 11 |
# | 4 One example of each class | 8 |
# | 5 Instances, row by row | 13 |
# | 6 Features, each domain by its own measure | 4 |
# | 7 A relation, from regular to bold | 17 |
# | 8 A teacher's small probabilities | 11 |
# | 9 At once, or one after the other | 6 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function. A good place
# to break off is after section 4; sections 8 and 9 stand by themselves.

# %% [markdown]
# The next cell loads the tools. Batches, backpropagation and Adam are those of lessons 03 and 04.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import string

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

# %% jupyter={"source_hidden": true}
from course_lib.data import glyphs
from course_lib.exercises import check
from course_lib.foundations.adam import adam_step_keras
from course_lib.foundations.kinds_of_transfer import distillation_gradient, log_softmax
from course_lib.foundations.losses import softmax
from course_lib.foundations.sgd import (
    he_normal,
    hidden_layer_gradients,
    minibatches,
    two_layer_forward,
)
from course_lib.plots import kinds_of_transfer as figures
from course_lib.plots.variational_autoencoder import rows_of_pictures

# %% [markdown]
# **Notation.** $N$ examples, $D$ features, $C$ classes. The *source* is where there is plenty, the
# *target* is what we want to be good at. In tables, ± is one standard error of a mean, and we speak
# of a difference if it is larger than two of them, as in lesson 06.

# %% [markdown]
# ## 1 Does it help at all
#
# *18 minutes*
#
# The target: scikit-learn's handwritten digits, 8x8 pixels. Those that stand together in the file
# tend to be by one writer, so we cut the file into five blocks and test on each in turn: no writer
# is on both sides, but for those whose digits a cut may have divided. The sources: digits and
# capital letters, drawn in sixteen fonts by a hand that is a little unsteady.

# %% jupyter={"source_hidden": true}
images, labels = load_digits(return_X_y=True)
images = images / 16
blocks = np.array_split(np.arange(len(labels)), 5)
printed, printed_labels = glyphs.alphabet(string.digits, copies=5)
letters, letter_labels = glyphs.alphabet(string.ascii_uppercase, copies=3)

# %% tags=["nbval-check-output"]
print(f"{len(images):,} handwritten digits, {len(printed):,} printed, {len(letters):,} letters")

# %% jupyter={"source_hidden": true}
rows_of_pictures({"written": images[:14], "printed": printed[10:24], "letters": letters[52:66]})

# %% [markdown]
# The network is that of lesson 03 with one hidden layer; its training loop is folded, for you have
# written all of it before.


# %% jupyter={"source_hidden": true}
def new_network(classes, seed, hidden=64):
    rng = np.random.default_rng(seed)
    first, last = he_normal(rng, 64, hidden), he_normal(rng, hidden, classes) / 4
    return [first, np.zeros(hidden), last, np.zeros(classes)]


def fit(network, x, slope, steps, seed=0, frozen=False):
    """Adam; `slope(logits, rows)` is the gradient at the logits; frozen: the head alone learns."""
    rng, step, network = np.random.default_rng(seed), 0, list(network)
    m = v = [np.zeros_like(array) for array in network]
    m, v = list(m), list(v)
    while step < steps:
        for rows in minibatches(rng.permutation(len(x)), 32)[: steps - step]:
            step += 1
            hidden, logits = two_layer_forward(x[rows], *network)
            gradients = hidden_layer_gradients(x[rows], hidden, network[2], slope(logits, rows))
            for k in range(2 if frozen else 0, 4):
                moved = (network[k], gradients[k], m[k], v[k], step, 0.003, 0.9, 0.999, 1e-7)
                network[k], m[k], v[k] = adam_step_keras(*moved)
    return network


# %%
def fit_labels(network, x, y, steps, **options):
    onehot = np.eye(network[3].size)[y]
    return fit(network, x, lambda z, rows: (softmax(z) - onehot[rows]) / len(z), steps, **options)


def accuracy(network, x, y):
    return np.mean(two_layer_forward(x, *network)[1].argmax(axis=1) == y)


# %% [markdown]
# Here is the failure of the first paragraph, block by block, beside the share that is right of the
# print that it learned from. This is a first control, the *source only*: no label of the target at
# all.

# %%
reader = fit_labels(new_network(10, 0), printed, printed_labels, 1500)
alone = [accuracy(reader, images[test], labels[test]) for test in blocks]

# %% tags=["nbval-ignore-output"]
print(f"print {accuracy(reader, printed, printed_labels):.3f}, handwriting", np.round(alone, 2))
assert np.mean(alone) < 0.75

# %% [markdown]
# Now **the model** as what is carried over: we keep the hidden layer, put a new head on it, and
# train on a few labels of the target. There are two ways. In *feature extraction* (lesson 05) the
# hidden layer is frozen: it stays as it is, and the head alone learns. In *fine-tuning* (lesson 06)
# all of the network is trained, from the carried weights on. The second control is the *target
# only*: the same network from its first weights, with the same labels.
#
# As a source we take the *letters*. There is no digit among them, so nothing but the hidden layer
# can help. And we take the letters once more with their pixels shuffled, all in the same way. Every
# number that a letter has is still there, but what is a stroke in them is none in handwriting.
#
# We do all of it thirty times: five blocks, six draws of the labels. And in each run the network
# that is carried over is another one, trained from its own first weights, on its own shuffle of the
# pixels. Else we would compare two networks, and not two kinds of source. (The cell that trains the
# source networks takes twenty seconds or so, twice that where others use the machine. The one that
# calls `all_runs` takes ten.)

# %%
RUNS = range(30)


def trained_on(x, y, run):
    return fit_labels(new_network(y.max() + 1, run), x, y, 800, seed=run)


def shuffled(x, run):
    return x[:, np.random.default_rng([run, 2]).permutation(64)]


# %%
carried = {
    "letters": [trained_on(letters, letter_labels, run) for run in RUNS],
    "digits": [trained_on(printed, printed_labels, run) for run in RUNS],
    "letters, shuffled": [trained_on(shuffled(letters, run), letter_labels, run) for run in RUNS],
}


# %%
def few(per_class, run):
    """Labeled rows, and the block that is tested on. Runs 0 to 29: five blocks, six draws."""
    test = blocks[run % 5]
    order = np.random.default_rng(run).permutation(np.setdiff1d(np.arange(len(labels)), test))
    return np.concatenate([order[labels[order] == k][:per_class] for k in range(10)]), test


# %%
def read_with(source, per_class, run, frozen=False):
    """Accuracy in one run of a network that begins with a source's hidden layer, or with none."""
    rows, test = few(per_class, run)
    network = new_network(10, [run, 1])
    if source:
        network[:2] = carried[source][run][:2]
    network = fit_labels(network, images[rows], labels[rows], 300, frozen=frozen)
    return accuracy(network, images[test], labels[test])


# %%
def all_runs(source, frozen=False):
    return np.array([read_with(source, 5, run, frozen) for run in RUNS])


scratch, helped = all_runs(None), all_runs("letters")
shuffled_tuned = all_runs("letters, shuffled")
frozen = {name: all_runs(name, True) for name in ("letters", "letters, shuffled")}

# %% [markdown]
# Thirty runs each. Accuracy swings a good deal from run to run, because some writers are harder and
# some draws luckier. But run 3 with transfer and run 3 without have had the same writers and the
# same labels. What is the mean gain, and how far is it to be trusted? Think of three runs, with 7,
# 5 and 9 of ten right with transfer and 4, 5 and 3 without: what would you report?
#
# ### Exercise: `transfer_gain`
#
# The mean gain and the standard error of this mean, for runs that come in pairs.


# %%
def transfer_gain(transferred, scratch):
    """Mean gain of paired runs and its standard error.

    transferred, scratch: (N,) accuracies, N at least 2. Returns two numbers.
    """
    ### BEGIN SOLUTION
    gains = transferred - scratch
    return gains.mean(), gains.std(ddof=1) / np.sqrt(len(gains))
    ### END SOLUTION


# %%
transfer_gain = check(transfer_gain)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: why pairs</summary>
#
# Let a run's accuracy be $a + r$ with transfer and $b + r$ without, where $r$ is what the writers
# and the labels of this run do to both. The difference is $a - b$: $r$ is gone. Its variance over
# the runs is $\text{Var}(t) + \text{Var}(s) - 2\,\text{Cov}(t, s)$, and the more two runs of a
# pair have in common, the larger is what is subtracted. A mean of $N$ independent numbers has $1/N$
# of their variance, and an unbiased variance of $N$ numbers is divided by $N - 1$.
#
# </details>
#
# SciPy's paired t-test divides the mean gain by this very error. Do the two agree?

# %% jupyter={"source_hidden": true}
from scipy.stats import ttest_rel

mean, error = transfer_gain(helped, scratch)
assert np.isclose(mean / error, ttest_rel(helped, scratch).statistic)
print("mean / error is the t of scipy.stats.ttest_rel")


# %% jupyter={"source_hidden": true}
def report(name, transferred, base):
    mean, error = transfer_gain(np.asarray(transferred), np.asarray(base))
    verdict = "a difference" if abs(mean) > 2 * error else "no result"
    print(f"{name:30} {np.mean(transferred):.3f}, gain {mean:+.3f} ± {error:.3f}, {verdict}")
    return mean


# %% [markdown]
# One of the five articles that this course corrects (001; lesson 15 has them all) answers "Which
# advantages has transfer learning?" with: it improves the model's performance, above all where data
# are scarce.
#
# **Guess first.** With five labels a class: will each of the two sources help, do nothing, or hurt,
# fine-tuned and frozen?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"target only {scratch.mean():.3f}")
report("letters, fine-tuned", helped, scratch)
report("shuffled letters, fine-tuned", shuffled_tuned, scratch)
report("letters, frozen", frozen["letters"], scratch)
loss = report("shuffled letters, frozen", frozen["letters, shuffled"], scratch)
assert loss < -0.01

# %% [markdown]
# The last line looks like *negative transfer*: a network that would have been better off without
# its past. Is it? Two things were changed at once. This network has another past, and it is frozen.
#
# **Guess first.** Which control tells the two apart?
#
# <details>
# <summary>Unfold when you have guessed</summary>
#
# A hidden layer that is frozen as well, and has no past: first weights, as they were drawn.
#
# </details>

# %% tags=["nbval-ignore-output"]
nothing = all_runs(None, frozen=True)
report("first weights, frozen", nothing, scratch)
print("against first weights, frozen:")
gain = report("letters, frozen", frozen["letters"], nothing)
harm = report("shuffled letters, frozen", frozen["letters, shuffled"], nothing)
assert harm < 0 < gain

# %% [markdown]
# Frozen first weights lose, too: most of the loss comes from the freezing, and without this control
# we would have told you of a harm that is much larger than it is. But a part is left that the past
# in shuffled letters has to answer for. That *is* negative transfer, and it stands beside its
# control: a hidden layer that has learned strokes which are none here is worse than one that has
# learned nothing. Fine-tuned, the labels repair most of it. The letters' past is worth something in
# both ways: frozen, they are ahead of first weights by much; fine-tuned, they are ahead by little,
# since the labels teach the same.
#
# (An earlier version of this lesson had one shuffle and one source network for all runs, and found
# "no harm". Its ± knew of blocks and labels alone. What is drawn once, an error cannot see.)
#
# So the article's sentence lacks its condition. Transfer improves a model **if** what the source
# taught is true of the target as well, and if the labels have not taught it already; and without
# the controls one would never know.
#
# <details>
# <summary>Fine print: thirty runs are not thirty independent ones</summary>
#
# The training rows of two blocks overlap, and each block is tested on six times. So the true error
# of the mean is somewhat larger than what we print (Nadeau and Bengio, 2003). Read "a difference"
# as a hint where it is a narrow one.
#
# </details>

# %% [markdown]
# ## 2 How many labels it saves
#
# *10 minutes*
#
# A gain in accuracy says little to the person who pays for labels. They ask: *how many labels less
# do I need?* That is read off two learning curves, along a horizontal line. So we measure both
# curves, at 10 to 200 labels, which takes fifteen seconds or so.
#
# **Guess first.** Where will the gain be largest?

# %% jupyter={"source_hidden": true}
PER_CLASS = [1, 2, 5, 20]
sizes = 10.0 * np.array(PER_CLASS)
curves = {
    name: np.array([[read_with(source, k, run) for run in RUNS] for k in PER_CLASS])
    for name, source in (("target only", None), ("letters, then target", "letters"))
}

# %% tags=["nbval-ignore-output"]
for k, without, with_letters in zip(PER_CLASS, *curves.values(), strict=True):
    report(f"letters, {10 * k} labels", with_letters, without)
gains = curves["letters, then target"] - curves["target only"]
mean, error = transfer_gain(gains[1], gains[3])
print(f"the gain at 20 labels less that at 200: {mean:+.3f} ± {error:.3f}")

# %% [markdown]
# Where labels are few, the gain is plain; where they are many, little of it is left. The last line
# compares the two in the same runs, as section 1 compares two networks: it melts away as labels
# come in, for what the letters taught, the digits can teach as well.
#
# ### Exercise: `labels_to_reach`
#
# A curve is known at a few sizes, and we join its points by straight lines. Which number of labels
# reaches a target? Take the first crossing, for a measured curve may dip. If the first size is
# enough already, nobody knows what fewer would have done: say that size. If the target is never
# reached, say infinity.


# %%
def labels_to_reach(sizes, accuracies, target):
    """The number of labels at which the curve first reaches the target; inf if never.

    sizes: (K,) floats, rising. accuracies: (K,) floats. target: a number. Returns a number.
    """
    ### BEGIN SOLUTION
    for k in range(len(sizes)):
        if accuracies[k] >= target:
            if k == 0:
                return float(sizes[0])
            share = (target - accuracies[k - 1]) / (accuracies[k] - accuracies[k - 1])
            return float(sizes[k - 1] + share * (sizes[k] - sizes[k - 1]))
    return float("inf")
    ### END SOLUTION


# %%
labels_to_reach = check(labels_to_reach)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula</summary>
#
# With accuracies $a_{k-1} < t \le a_k$ at the sizes $s_{k-1}$ and $s_k$:
#
# $$s = s_{k-1} + \frac{t - a_{k-1}}{a_k - a_{k-1}}\,(s_k - s_{k-1})$$
#
# `np.interp(t, a, s)` does this where the curve rises all the way. Where it dips, or where the
# target lies beyond its ends, `np.interp` does not warn you.
#
# </details>

# %% jupyter={"source_hidden": true}
means = {name: np.mean(curve, axis=1) for name, curve in curves.items()}
target = np.mean([curve[2] for curve in means.values()])
assert np.isclose(
    labels_to_reach(sizes, means["target only"], target),
    np.interp(target, means["target only"], sizes),
)
print("on a curve that rises all the way: the same as np.interp")

# %%
figures.saving_explorer(sizes, means)

# %% [markdown]
# (The lines between the points are straight in the number of labels, and so bent on an axis that is
# logarithmic.) Move the target up. Where the curves are steep, a few labels stand for a lot of
# accuracy, and there are only few to be saved. Where they are flat, a small gain in accuracy can
# look like many saved labels, and a small error too. So name the target *before* you count.

# %% [markdown]
# ## 3 Choosing a source before training
#
# *11 minutes*
#
# We have three networks that could be carried over, and a fourth that knows nothing: first weights.
# Must we train with each of them to know which is best? Here one can. With twenty large networks
# and hours of fine-tuning for each one would rather have a cheap score: *do their features already
# hold the classes of my few labels apart?*
#
# ### Exercise: `nearest_centroid_score`
#
# For each example, look which class mean (*centroid*) its features are nearest to; the score is the
# share of examples for which that is their own class. One thing is easily forgotten: an example
# must not vote for itself. Guess first what happens to a class of two examples if it does.
#
# A loop over the examples will do.


# %%
def nearest_centroid_score(features, labels):
    """Share of examples nearest to the mean of their own class, each left out of it in turn.

    features: (N, D) floats. labels: (N,) integers, two of each class at least; of two means at the
    same distance the lower label. Returns a number from 0 to 1.
    """
    ### BEGIN SOLUTION
    classes, hits = np.unique(labels), 0
    for n in range(len(features)):
        others = np.arange(len(features)) != n
        centers = [features[others & (labels == k)].mean(axis=0) for k in classes]
        squared = ((np.array(centers) - features[n]) ** 2).sum(axis=1)
        hits += classes[squared.argmin()] == labels[n]
    return hits / len(features)
    ### END SOLUTION


# %%
nearest_centroid_score = check(nearest_centroid_score)

# %% [markdown]
# A witness is scikit-learn, which has such a classifier, and has leaving one out.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import NearestCentroid

x, y = np.random.default_rng(0).normal(size=(40, 6)), np.arange(40) % 4
theirs = cross_val_score(NearestCentroid(), x, y, cv=LeaveOneOut()).mean()
print("scikit-learn", theirs, "ours", nearest_centroid_score(x, y))
assert np.isclose(theirs, nearest_centroid_score(x, y))

# %% [markdown]
# Now the choice. In each run the score sees the 50 labels that we have, and nothing else. Then all
# four are trained, frozen, with these labels, and tested on the other writers. All of it takes ten
# seconds or so.

# %%
carried["first weights"] = [new_network(10, [run, 1]) for run in RUNS]


def score_and_outcome(source, run):
    rows, _ = few(5, run)
    hidden = two_layer_forward(images[rows], *carried[source][run])[0]
    return nearest_centroid_score(hidden, labels[rows]), read_with(source, 5, run, frozen=True)


# %% jupyter={"source_hidden": true}
table = np.array([[score_and_outcome(n, run) for n in carried] for run in RUNS])
before, after = table.mean(axis=0).T
best = table[:, :, 1].max(axis=1)
regret = best - [run[run[:, 0].argmax(), 1] for run in table]
blind = best - table[:, :, 1].mean(axis=1)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for name, guess, outcome in zip(carried, before, after, strict=True):
    print(f"{name:18} score before {guess:.3f}, accuracy after {outcome:.3f}")
print(f"the choice was below the best of its run by {regret.mean():.3f} on average", end=", ")
print(f"a blind one by {blind.mean():.3f}")
assert before[:2].min() > before[2:].max()
assert regret.mean() < 0.03

# %% [markdown]
# Without any training, the cheap score puts letters and printed digits well ahead of the shuffled
# letters and of the first weights. After training the four are closer together, for a head makes
# something of any features. The last line says what it costs to follow the score, and to choose
# blindly: a small part of it. But do not read a score as a forecast of the accuracy, it is none.
# Two articles answer "How do I choose a pretrained model?" with lists: the
# kind of task, similar data, cost. As a first filter that is fine. But by the list, letters with
# shuffled pixels are the same data as letters. A score on *your* labels is a better answer, and it
# costs one pass forward.

# %% [markdown]
# ## 4 One example of each class
#
# *8 minutes*
#
# How little is enough? With one label a class there is little to train a network with. What is left
# is to compare: the new example belongs to the class whose mean is nearest. With features that were
# learned elsewhere this is called *few-shot* learning, and the means are *prototypes*.
#
# ### Exercise: `prototype_predict`
#
# One mean for each class that occurs, and for each query the label of the nearest.


# %%
def prototype_predict(support, labels, queries):
    """The label of the nearest class mean, Euclidean; of two equally near the lower.

    support: (N, D) floats, labeled examples. labels: (N,) integers, any. queries: (M, D) floats.
    Returns (M,).
    """
    ### BEGIN SOLUTION
    classes = np.unique(labels)
    prototypes = np.array([support[labels == k].mean(axis=0) for k in classes])
    squared = ((queries[:, None] - prototypes) ** 2).sum(axis=2)
    return classes[squared.argmin(axis=1)]
    ### END SOLUTION


# %%
prototype_predict = check(prototype_predict)

# %% jupyter={"source_hidden": true}
theirs = NearestCentroid().fit(x[:20], y[:20]).predict(x[20:])
assert np.array_equal(theirs, prototype_predict(x[:20], y[:20], x[20:]))
print("the same classes as by scikit-learn's NearestCentroid")

# %% [markdown]
# **Guess first.** One label a class: prototypes of raw pixels, of the letters' hidden layer, or of
# a random one?


# %% jupyter={"source_hidden": true}
def shots(source, per_class):
    found = []
    for run in RUNS:
        rows, test = few(per_class, run)
        x = two_layer_forward(images, *carried[source][run])[0] if source else images
        found.append(np.mean(prototype_predict(x[rows], labels[rows], x[test]) == labels[test]))
    return found


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for k in (1, 5):
    pixels = shots(None, k)
    for name in ("letters", "first weights"):
        gain = report(f"{name}, {k} a class, over pixels", shots(name, k), pixels)
assert gain < -0.02

# %% [markdown]
# A random hidden layer loses much of what the pixels knew. The letters' layer keeps it with one
# label; that it adds to it is not shown. With five, the pixels are ahead: 8x8 pixels are a good
# feature already (lesson 09 found the same). Networks for few-shot learning are *trained* to have
# good prototypes, on thousands of small tasks. Ours was not.

# %% [markdown]
# ## 5 Instances, row by row
#
# *13 minutes*
#
# **Instances** are what one carries over in the simplest way of all: put the printed digits into
# the training set. We take 400 of them, and 10 to 50 labels of the target, so that print will have
# the say. Not every printed digit is a bad example of handwriting, though. Which?
#
# *TrAdaBoost* (Dai and others, 2007) lets the target decide. Train on both. Where the classifier is
# wrong on a *target* row, that row is hard: it gains weight, as in AdaBoost, which trains one
# classifier after another, each with an eye on what those before it got wrong. And where it is
# wrong on a *source* row? Think before you read on: should such a row gain weight as well, or lose
# it?
#
# ### Exercise: `tradaboost_weights`
#
# One round. The first `num_source` rows are of the source. Both betas are below 1. Wrong source
# rows are multiplied by one, wrong target rows divided by the other, and right ones stay.


# %%
def tradaboost_weights(weights, errors, num_source, beta_source, beta_target):
    """Weights after one round, not normalized.

    weights: (N,) floats, source rows first. errors: (N,), 1 where the classifier is wrong, else 0.
    Returns (N,).
    """
    ### BEGIN SOLUTION
    is_source = np.arange(len(weights)) < num_source
    return weights * np.where(is_source, beta_source, 1 / beta_target) ** errors
    ### END SOLUTION


# %%
tradaboost_weights = check(tradaboost_weights)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: where the two factors come from</summary>
#
# A source row that the classifier gets wrong contradicts what it has learned from the rest, and is
# probably one that does not hold for the target. So it loses weight, by the factor of the *Hedge*
# rule (of many advisers, each counts for less whenever it was wrong),
# $\beta = 1 / (1 + \sqrt{2 \ln n / T})$ for $n$ source rows and $T$ rounds, which bounds what one
# loses against the best source rows in hindsight. The target's factor is AdaBoost's,
# $\beta_t = \epsilon / (1 - \epsilon)$ with the weighted error $\epsilon$ on the target alone. For
# $\epsilon = 0.2$, a wrong target row becomes four times as heavy.
#
# </details>


# %%
def linear(x, y, weights):
    return LogisticRegression(C=10, max_iter=100).fit(x, y, weights / weights.mean())


def tradaboost(x, y, num_source, rounds=6):
    """The classifier of the last round."""
    parts = np.arange(len(x)) < num_source
    weights = np.where(parts, 1 / parts.sum(), 1 / (~parts).sum())
    beta_source = 1 / (1 + np.sqrt(2 * np.log(num_source) / rounds))
    for _ in range(rounds):
        model = linear(x, y, weights)
        errors = (model.predict(x) != y).astype(int)
        epsilon = np.clip(np.average(errors[~parts], weights=weights[~parts]), 0.01, 0.49)
        beta = epsilon / (1 - epsilon)
        weights = tradaboost_weights(weights, errors, num_source, beta_source, beta)
    return model


# %% [markdown]
# Controls: the target only; both in one heap; and both in one heap with the same total weight for
# the target as for the source, which is what TrAdaBoost starts from. In each the mean weight of a
# row is 1, so that the penalty counts alike. (What is judged of TrAdaBoost is its last classifier.
# In the paper, for two classes, the later half of the rounds vote; when we let them vote here, it
# changed next to nothing.) All of it together takes fifteen seconds or so.

# %% jupyter={"source_hidden": true}
some = np.random.default_rng(0).permutation(len(printed))[:400]


def instances(per_class, run):
    rows, test = few(per_class, run)
    x, y = np.r_[printed[some], images[rows]], np.r_[printed_labels[some], labels[rows]]
    alike, half = np.ones(len(x)), np.r_[np.full(400, len(rows)), np.full(len(rows), 400)]
    models = {
        "target only": linear(x[400:], y[400:], alike[400:]),
        "source only": linear(x[:400], y[:400], alike[:400]),
        "one heap": linear(x, y, alike),
        "half and half": linear(x, y, half),
        "TrAdaBoost": tradaboost(x, y, 400),
    }
    return {name: m.score(images[test], labels[test]) for name, m in models.items()}


# %%
by_size = {k: [instances(k, run) for run in RUNS] for k in (1, 5)}

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for k, found in by_size.items():
    print(f"{10 * k} labels")
    base = [run["target only"] for run in found]
    for name in list(found[0])[1:]:
        report(f"  {name}", [run[name] for run in found], base)
    half = [run["half and half"] for run in found]
    report("  TrAdaBoost over half and half", [run["TrAdaBoost"] for run in found], half)
    assert np.mean([run["one heap"] for run in found]) < np.mean(half)

# %% [markdown]
# Three lessons. With 10 labels, source rows help, if the target keeps half of the say; in one heap
# no help is shown. With 50 labels the heap is worse than the target alone: 400 printed rows outvote
# them. That is *negative transfer*, beside its control, the very same classifier without these
# rows. And most of what can be mended is mended by one number, the total weight of the source.
# (Half is still too much here: a small loss is left.) What does TrAdaBoost's choice of rows add to
# that? See the last line of each block. With 10 labels, nothing that shows. With 50, a little: much
# less than the total weight has mended. Why so little?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
rows, _ = few(5, 0)
x, y = np.r_[printed[some], images[rows]], np.r_[printed_labels[some], labels[rows]]
right = tradaboost(x, y, 400).score(x[:400], y[:400])
print(f"{right:.1%} of the source rows are right in the last round")
assert right > 0.9

# %% [markdown]
# Where hardly a source row is wrong, there is hardly anything to weigh. Without the control "half
# and half" we would have praised the algorithm.

# %% [markdown]
# ## 6 Features, each domain by its own measure
#
# *4 minutes*
#
# **Features** are carried over if source and target are first made alike. The simplest way:
# standardize each domain by *its own* mean and deviation, which takes no label of the target at
# all. (Lesson 12 is on this kind; here is only its place in the row.)


# %%
def standardized(x, like):
    deviation = like.std(axis=0)
    return (x - like.mean(axis=0)) / np.where(deviation > 0.02, deviation, 1)


linear_print = LogisticRegression(C=0.1, max_iter=300).fit(
    standardized(printed, printed), printed_labels
)

# %% jupyter={"source_hidden": true}
by_source, by_own = [], []
for test in blocks:
    others = np.setdiff1d(np.arange(len(labels)), test)
    for found, like in ((by_source, printed), (by_own, images[others])):
        found.append(linear_print.score(standardized(images[test], like), labels[test]))

# %% tags=["nbval-ignore-output"]
print(f"by the source's measure {np.mean(by_source):.3f}")
gain = report("each by its own", by_own, by_source)
print("gain by block", np.round(np.subtract(by_own, by_source), 2))
assert gain > 0

# %% [markdown]
# A gain in every block, for one line and no label. How much is that worth? Put it beside one label
# of each class: "target only" of section 2 at its left end, block by block, each the mean of its
# six draws. (That one is a network, and this is a linear classifier. So we compare two ways to read
# a block, not two sources.)

# %% tags=["nbval-ignore-output"]
ten_labels = curves["target only"][0].reshape(6, 5).mean(axis=0)  # run 5 d + b: draw d, block b
print(f"10 labels, target only {ten_labels.mean():.3f}")
_ = report("print, each by its own", by_own, ten_labels)

# %% [markdown]
# Between print without any label and ten labels without print, no difference is shown. Five blocks
# are few, and the error is large: all we can say is that the two are not far apart. Both are far
# from reading well. A shift of means and deviations is only a part of what is different between
# print and handwriting.

# %% [markdown]
# ## 7 A relation, from regular to bold
#
# *17 minutes*
#
# The fourth kind is the one that hardly anybody shows: **relations**. Not what things are is
# carried over, but how they stand to each other. Word vectors made this famous: the step from *man*
# to *king* is nearly that from *woman* to *queen*. We do it with type. From a regular capital to
# the bold one there is a step in the space of pixels. Learn it from 26 capitals, then apply it to
# small letters and digits, which were in no pair: does it find *their* bold ones?

# %% jupyter={"source_hidden": true}
REGULAR, BOLD, UNSEEN = "DejaVuSans", "DejaVuSans-Bold", string.ascii_lowercase + string.digits
heads, tails = (glyphs.draw(string.ascii_uppercase, file, side=16) for file in (REGULAR, BOLD))
rows_of_pictures(
    {"regular": heads[:10], "bold": tails[:10], "bold − regular": (tails - heads)[:10]}
)

# %% [markdown]
# ### Exercise: `relation_vector`
#
# One vector for all the pairs: what leads from a head to its tail, on average.


# %%
def relation_vector(heads, tails):
    """The mean of tail − head.

    heads, tails: (n, D) floats, row by row a pair. Returns (D,).
    """
    ### BEGIN SOLUTION
    return np.mean(tails - heads, axis=0)
    ### END SOLUTION


# %%
relation_vector = check(relation_vector)

# %% [markdown]
# **Guess first.** What happens to the relation if the pairs are mixed up, so that *A* is paired
# with a bold *Z*?

# %% tags=["nbval-ignore-output"]
bolder = relation_vector(heads, tails)
mixed_up = relation_vector(heads, tails[::-1])
print(f"largest difference {np.abs(bolder - mixed_up).max():.1g}")
assert np.allclose(bolder, mixed_up)

# %% [markdown]
# Nothing. The mean of differences is the difference of means. This simple kind of relation knows
# two *groups*, not pairs: it is the step between two domains, and a close relative of section 6.
#
# ### Exercise: `complete_relation`
#
# Start at a head, go along the relation, and see which of all vectors lies in that direction: the
# one with the largest cosine. One candidate has to be excluded. Which, and why?


# %%
def complete_relation(head, relation, vectors):
    """The row whose cosine to vectors[head] + relation is largest, the head excluded.

    head: a row number. relation: (D,) floats. vectors: (V, D) floats, none of them zero.
    Returns a row number.
    """
    ### BEGIN SOLUTION
    goal = vectors[head] + relation
    cosines = vectors @ goal / np.linalg.norm(vectors, axis=1) / np.linalg.norm(goal)
    cosines[head] = -np.inf
    return int(cosines.argmax())
    ### END SOLUTION


# %%
complete_relation = check(complete_relation)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the excluded one</summary>
#
# The step is short compared with the vectors, so that after it one is still nearest to where one
# came from. Without the exclusion the answer would nearly always be the head itself. That is the
# trick of the famous word analogies, too: a good part of their accuracy is owed to it, as one sees
# only beside the control "no step at all".
#
# </details>
#
# The crowd to choose from: small letters and digits in all four cuts of the typeface, the regular
# ones first. A hit is the bold one of the same character. Controls: no step at all, a step of the
# same length in a random direction, the step backwards, and, as *target only*, the step learned
# from the capitals of the family that is asked.


# %% jupyter={"source_hidden": true}
def hits(family, relation):
    """Share of regular characters for which the bold one of the same character is found."""
    cuts = [family + ending for ending in glyphs.FAMILIES[family]]
    crowd = np.concatenate([glyphs.draw(UNSEEN, file, side=16) for file in cuts])
    count = len(UNSEEN)
    return np.mean([complete_relation(n, relation, crowd) == n + count for n in range(count)])


# %% jupyter={"source_hidden": true}
random = np.random.default_rng(0).normal(size=bolder.shape)
random *= np.linalg.norm(bolder) / np.linalg.norm(random)
steps = {"no step": 0 * bolder, "random": random, "backwards": -bolder, "bolder": bolder}
found = {name: [hits(f, step) for f in glyphs.FAMILIES] for name, step in steps.items()}
capitals = {
    family: [glyphs.draw(string.ascii_uppercase, family + cut, side=16) for cut in cuts[:2]]
    for family, cuts in glyphs.FAMILIES.items()
}
found["its own step"] = [hits(f, relation_vector(*pair)) for f, pair in capitals.items()]

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"{'bold one found':14}", *(f"{family:>15}" for family in glyphs.FAMILIES))
for name, shares in found.items():
    print(f"{name:14}", *(f"{share:15.2f}" for share in shares))
assert found["bolder"][0] > max(found[name][0] for name in ("no step", "random", "backwards")) + 0.2

# %% [markdown]
# In the typeface that it was learned in, the step from capitals carries over to characters that
# were in no pair. In the other families, where strokes have other widths and places, compare each
# column with its controls. It finds as many as the step that the family's own capitals teach, or
# more: this relation hangs little on the typeface. And see how much "no step" finds already. A
# report of the line "bolder" alone would sell all of it as a relation.

# %% [markdown]
# ## 8 A teacher's small probabilities
#
# *11 minutes*
#
# There is another relation that can be carried over: how alike the classes are. A large network
# that looks at a 7 says "7", and besides "a little 1, a little 9, no 0". Labels do not say that.
# In *distillation*, a small student learns from what the teacher says, not from labels.
#
# Here is a hard test. The student never sees a single 3, in no picture and under no label. **Guess
# first.** How many of the 3s will it read, taught by labels? And taught by the teacher?
#
# The small probabilities are *very* small: a good teacher is nearly certain. So both divide their
# logits by a *temperature* $T$ before the softmax: $p = \text{softmax}(z_p / T)$ is what the
# teacher says, softened, and $q = \text{softmax}(z_q / T)$ the same of the student. And how is the
# student to be compared with the teacher? By the *Kullback-Leibler divergence* $\text{KL}(p \| q)$:
# the mean of $\ln(p / q)$, in which each class counts by its $p$. It is 0 if the student says what
# the teacher says, and above 0 if not. (Lesson 09 has the same divergence, between bell curves.)
#
# ### Exercise: `distillation_loss`
#
# $T^2\, \text{KL}(p \| q)$, the mean over the examples. It has to be right for logits of any size;
# `log_softmax` is at hand. In numbers: for the teacher's $p = (3/4, 1/4)$ and the student's
# $q = (1/2, 1/2)$ the divergence is
# $\frac34 \ln \frac32 + \frac14 \ln \frac12$. While you are at it: why the $T^2$?


# %%
def distillation_loss(student_logits, teacher_logits, temperature):
    """T² KL(teacher ‖ student), both softened by T, averaged over the examples.

    student_logits, teacher_logits: (N, C) floats. temperature: T, above 0. Returns a number.
    """
    ### BEGIN SOLUTION
    teacher = log_softmax(teacher_logits / temperature)
    student = log_softmax(student_logits / temperature)
    divergences = (np.exp(teacher) * (teacher - student)).sum(axis=1)
    return temperature**2 * divergences.mean()
    ### END SOLUTION


# %%
distillation_loss = check(distillation_loss)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the gradient, and why T²</summary>
#
# By the student's softened logits the gradient is $q - p$, as in lesson 01. The logits were
# divided by $T$: one $1/T$ from the chain rule. And for large $T$ both $p$ and $q$ come close to
# $1/C$, with $p - q \approx (z_p - z_q) / (T C)$ for logits of mean zero: another $1/T$. So the
# gradient would shrink as $1/T^2$, and the $T^2$ keeps it as large as that of a label, with which
# it is often mixed:
#
# $$\nabla_{z_q} L = T\, (q - p) / N$$
#
# </details>
#
# Witnesses: Keras' divergence, and finite differences of your loss for the gradient.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
from course_lib.foundations.gradients import numerical_gradient

teacher_z, student_z = np.random.default_rng(0).normal(size=(2, 4, 5))
by_keras = keras.losses.kl_divergence(softmax(teacher_z / 3), softmax(student_z / 3))
ours = distillation_loss(student_z, teacher_z, 3)
slopes = numerical_gradient(lambda z: distillation_loss(z, teacher_z, 3), student_z)
print(f"Keras {9 * np.mean(keras.ops.convert_to_numpy(by_keras)):.5f}, ours {ours:.5f}")
assert np.isclose(ours, 9 * np.mean(keras.ops.convert_to_numpy(by_keras)), rtol=1e-4)
assert np.allclose(slopes, distillation_gradient(student_z, teacher_z, 3), atol=1e-6)


# %%
def student(x, teacher_logits, temperature, seed):
    def slope(z, rows):
        return distillation_gradient(z, teacher_logits[rows], temperature)

    return fit(new_network(10, seed, hidden=32), x, slope, 1000, seed)


# %% jupyter={"source_hidden": true}
threes = {"teacher": [], "labels": [], "T = 1": [], "T = 5": []}
for seed, test in enumerate(blocks):
    train = np.setdiff1d(np.arange(len(labels)), test)
    teacher = fit_labels(new_network(10, seed, 128), images[train], labels[train], 1500)
    seen = train[labels[train] != 3]
    logits = two_layer_forward(images[seen], *teacher)[1]
    pupil = new_network(10, seed, hidden=32)
    readers = [teacher, fit_labels(pupil, images[seen], labels[seen], 1000)]
    readers += [student(images[seen], logits, t, seed) for t in (1, 5)]
    three = test[labels[test] == 3]
    for shares, network in zip(threes.values(), readers, strict=True):
        shares.append(accuracy(network, images[three], labels[three]))

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for name, shares in threes.items():
    print(f"{name:8} reads {np.mean(shares):.2f} of the 3s; by block", np.round(shares, 2))
assert np.mean(threes["T = 5"]) > np.mean(threes["labels"]) + 0.3

# %% [markdown]
# Taught by labels, it has never a reason to say "3", and never does. Taught by the softened teacher
# it reads most of the 3s, without ever having seen one: it has learned them from how much *like* a
# 3 some of the other digits are. At $T = 1$ these numbers are too small to teach anything in this
# time. (Here, too, there is a condition: the teacher has seen 3s.)

# %% [markdown]
# ## 9 At once, or one after the other
#
# *6 minutes*
#
# One article asks how transfer differs from *multi-task learning*, and answers: transfer cares for
# carrying knowledge over, multi-task for training at the same time. True, and what follows from it?
# Sequential: first the letters, then the digits. Multi-task: one network with 36 outputs, and as
# many rows of one task as of the other. Both have the letters and 50 labeled digits.
#
# **Guess first.** Which reads digits better, and which still reads letters afterwards?

# %% jupyter={"source_hidden": true}
one_after_the_other, at_once, still = [], [], []
for run in range(5):
    rows, test = few(5, run)
    past = carried["letters"][run]
    tuned = past[:2] + new_network(10, [run, 1])[2:]
    tuned = fit_labels(tuned, images[rows], labels[rows], 300)
    again = np.tile(rows, len(letters) // len(rows))
    x, y = np.r_[letters, images[again]], np.r_[letter_labels, 26 + labels[again]]
    both = fit_labels(new_network(36, run), x, y, 1500, seed=run)
    one_after_the_other.append(accuracy(tuned, images[test], labels[test]))
    at_once.append(accuracy([*both[:2], both[2][:, 26:], both[3][26:]], images[test], labels[test]))
    old_head = [*tuned[:2], *past[2:]]
    still.append([accuracy(net, letters, letter_labels) for net in (past, old_head, both)])

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
report("one after the other", one_after_the_other, scratch[:5])
report("at once", at_once, scratch[:5])
before, sequential, multi = np.mean(still, axis=0)
print(f"letters before {before:.2f}; after: sequential {sequential:.2f}, at once {multi:.2f}")
assert sequential < multi

# %% [markdown]
# For the digits there is no winner here, and with 50 labels there was little to win (section 1).
# For the letters there is one: who learns one task after the other forgets some of the first
# (*catastrophic forgetting*). The real difference is what one must have: multi-task needs the
# source's data at the time when the target is learned. A pretrained network is what one carries
# over when these data are a million photographs in somebody else's house.
#
# (Another article says that transfer *shares parameters*, and draws sharing, freezing and
# fine-tuning as stages of one chain. Shared are the weights of the second network, which both tasks
# move at the same time. The first one starts from a *copy*, and from then on the target alone moves
# it. Freezing and fine-tuning are two answers to the question whether it may: each layer gets one
# of them.)
#
# **The articles' questions, answered by what you have measured**
#
# - *Why transfer, what are its advantages?* They say: less data, less computing, better performance
#   and generalization. Measured: fewer labels (2), the more so where they are few; a loss from a
#   wrong source (1), and from too much of one (5). Only a control tells.
# - *What are its limits?* They say: domains that differ, much computing, a model that does not fit
#   the task. The first one is what all of this lesson measures. The second confuses two people:
#   whoever trains the large network pays, whoever takes it over saves. The third is what your
#   labels are for.
# - *Where does industry use it?* They say: medical images, driving, inspection. A list of places is
#   no evidence; for one of them, the inspection of cells, lessons 05, 06, 11 and 12 have some.
# - *How to choose a pretrained model?* They say: task, similarity, cost. Better: a score on your
#   own labels, before any training (3).
# - *How to choose an algorithm?* They say: supervised if the domains are similar, else
#   unsupervised. Rather, what you have decides: labels (1), rows of the source (5), rows of the
#   target without labels (6), a teacher (8).
# - *How does transfer differ from "traditional transfer learning"?* They say: knowledge against
#   structure and parameters. It is one term, translated twice; there is no such difference.
# - *From fine-tuning?* They say: fine-tuning is one way among others. Right: sections 4 to 8
#   fine-tune nothing.
# - *From multi-task learning?* They say: one carries over, the other trains at once. Right; and who
#   learns in sequence forgets (9).
# - *How to evaluate?* They say: cross-validation, reports, error analysis. What is missing: the
#   control, the pairs, and writers kept together (1). Lesson 11 has the rest.
#
# All of it was measured on *one* pair of domains, from type to handwriting (from regular to bold in
# section 7), and with a small network. Another pair may rank the four kinds otherwise: lesson 12
# has aligned features of cells, and got less from it. What carries over is how to find out.

# %% [markdown]
# ## What you have now
#
# - **The gain** of paired runs: mean of $d = t - s$, error $\text{std}(d)/\sqrt N$ with $N - 1$.
#   In SciPy: `ttest_rel`.
# - **Labels saved**: two curves, one target, the difference of the crossings.
# - **A source's score**: nearest class mean, leaving one out. In scikit-learn: `NearestCentroid`,
#   `LeaveOneOut`.
# - **Instances**: weigh the source's rows; its total weight matters most. In Keras:
#   `fit(..., sample_weight=...)`.
# - **Features**: each domain by its own mean and deviation. In Keras: one `Normalization` layer for
#   each domain, `adapt` on its data.
# - **Models**: keep the hidden layer. In Keras: `layer.set_weights`, `layer.trainable = False`.
# - **Relations**: the mean of tail − head; the head excluded; "no step" as a control.
# - **Distillation**: $T^2\, \text{KL}(p \| q)$ of softened probabilities. In Keras:
#   `T**2 * keras.losses.kl_divergence(p, q)`.
#
# Left out: graphs of relations, learning to learn (meta-learning), sources that are mixed.
#
# ### On your own
#
# 1. Freeze the letters' layer in section 2 (`frozen=True`). Where does the gain turn into a loss?
# 2. Learn the step in section 7 from the capitals of all four families at once. Does it help the
#    others?
# 3. Teach the student at $T = 3$. How many of the 3s does it read?
#
# <details>
# <summary>Answers</summary>
#
# 1. When we tried it, no gain was shown up to 50 labels, and a loss with 200: a frozen layer that
#    was made for letters is a limit that labels of the target cannot lift.
# 2. Try it with `np.concatenate`, and compare with "no step" in each column. Only what the steps of
#    the families have in common is left in their mean.
# 3. When we tried it, more 3s than with $T = 1$ and fewer than with $T = 5$.
#
# </details>
#
# ### In practice
#
# - Run the control *before* the transfer: target only, source only, first weights.
# - Keep groups together (writers, patients, modules), and report pairs.
# - Score every source that you could take on the labels that you have.
# - If a transfer hurts, lower the weight of the source before you give it up.
#
# ### Further reading
#
# - S. Pan, Q. Yang, *A Survey on Transfer Learning* (IEEE TKDE 2010): the four kinds, and negative
#   transfer.
# - W. Dai, Q. Yang, G. Xue, Y. Yu, *Boosting for Transfer Learning* (ICML 2007).
# - J. Snell, K. Swersky, R. Zemel, *Prototypical Networks for Few-shot Learning* (NeurIPS 2017).
# - T. Mikolov, W. Yih, G. Zweig, *Linguistic Regularities in Continuous Space Word Representations*
#   (NAACL 2013).
# - T. Linzen, *Issues in evaluating semantic spaces using word analogies* (RepEval 2016): the
#   excluded head, and other controls.
# - G. Hinton, O. Vinyals, J. Dean, *Distilling the Knowledge in a Neural Network* (2015).
# - R. Caruana, *Multitask Learning* (Machine Learning 1997).
