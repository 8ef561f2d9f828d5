# ---
# jupyter:
#   course:
#     title: Famous mistakes, measured
#     minutes: 100
#     after: ["06", "11", "13"]
#     data: [digits]
#     able: >-
#       read a text on transfer learning as a referee does: find the claim, say what would refute
#       it, measure it in ten lines beside a control, repair it, and check a list of references
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 15 Famous mistakes, measured
#
# Five articles teach transfer learning. They are fluent, they agree with each other, and a search
# finds many like them. One prints a loss whose minimum is reached by a model that says yes to
# everything. One closes with a list of nine works, of which this course has read two. None of it
# looks wrong. How would you notice?
#
# A *referee* is a colleague who reads a paper before it is printed. Good referees know no more than
# you do now. They have a habit: at each sentence they ask *what would I see if this were false?*,
# and then they look.
#
# **What you will do.** You take twenty claims from the five articles, told in our words. For each
# one you guess, run an experiment of a few lines, see what came out beside what the claim promises,
# and read the control that could have saved it. Five functions you repair or write yourself.
#
# **What you will learn**
#
# - to turn a sentence into something that can be measured, and can fail;
# - to choose the control: the same thing without what is praised;
# - which mistakes make no sound: the code runs, the loss falls, the number is wrong;
# - what can be checked in a list of references offline, and what cannot;
# - to say "it stands" as readily as "it falls". Some of the twenty stand, under a condition.
#
# **What you need.** Lessons 06, 11 and 13; the page at the end leads to all others. No internet
# connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 The half of a formula | 14 |
# | 2 The distance from oneself | 14 |
# | 3 Formulas with the wrong name | 5 |
# | 4 What the listings do | 12 |
# | 5 The shuffled answers | 10 |
# | 6 The best of many checkpoints | 14 |
# | 7 What is promised | 13 |
# | 8 What a reference can prove | 15 |
# | 9 A page to take home | 3 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. This time the text shows a version with a mistake (a printed formula as a function,
# or a slip that comes easily), and you repair it. If you get stuck, go on: the check lends you the
# course's own function. A good place to break off is after section 4.

# %% [markdown]
# The next cells load the tools and the data of lesson 13: handwritten digits as the target, in five
# blocks of different writers; letters in sixteen fonts as the source. The training loop is folded,
# for you have written all of it before.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import re
import string
from urllib.parse import unquote

import keras
import numpy as np
import yaml
from scipy.stats import spearmanr
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge

# %% jupyter={"source_hidden": true}
from course_lib.data import glyphs
from course_lib.exercises import check
from course_lib.foundations.adam import adam_step_keras
from course_lib.foundations.evaluation import roc_auc
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.kinds_of_transfer import transfer_gain
from course_lib.foundations.losses import sigmoid, softmax
from course_lib.foundations.regularization import dropout
from course_lib.foundations.sgd import (
    he_normal,
    hidden_layer_gradients,
    minibatches,
    two_layer_forward,
)
from course_lib.lessons import root
from course_lib.plots import famous_mistakes as figures

# %%
images, labels = load_digits(return_X_y=True)
images = images / 16
blocks = np.array_split(np.arange(len(labels)), 5)  # of different writers
test = blocks[0]
train = np.setdiff1d(np.arange(len(labels)), test)
letters, letter_labels = glyphs.alphabet(string.ascii_uppercase, copies=3)


# %% jupyter={"source_hidden": true}
def new_network(classes, seed, hidden=64):
    rng = np.random.default_rng(seed)
    first, last = he_normal(rng, 64, hidden), he_normal(rng, hidden, classes) / 4
    return [first, np.zeros(hidden), last, np.zeros(classes)]


def fit(network, x, y, steps, seed=0, rate=0.003, adam=True, watch=None):
    """Batches of 32, Adam or plain SGD; `watch(step, network)` is called after each step."""
    rng, step, network = np.random.default_rng(seed), 0, list(network)
    m, v, onehot = [0 * a for a in network], [0 * a for a in network], np.eye(network[3].size)[y]
    while step < steps:
        for rows in minibatches(rng.permutation(len(x)), 32)[: steps - step]:
            step += 1
            hidden, logits = two_layer_forward(x[rows], *network)
            upstream = (softmax(logits) - onehot[rows]) / len(rows)
            slopes = hidden_layer_gradients(x[rows], hidden, network[2], upstream)
            for k in range(4):
                if adam:
                    moved = (network[k], slopes[k], m[k], v[k], step, rate, 0.9, 0.999, 1e-7)
                    network[k], m[k], v[k] = adam_step_keras(*moved)
                else:
                    network[k] = network[k] - rate * slopes[k]
            if watch:
                watch(step, network)
    return network


# %% jupyter={"source_hidden": true}
def accuracy(network, x, y):
    return np.mean(two_layer_forward(x, *network)[1].argmax(axis=1) == y)


def few(per_class, run):
    """Rows with a label, and the block that is tested on. Runs 0 to 9: five blocks, two draws."""
    block = blocks[run % 5]
    order = np.random.default_rng(run).permutation(np.setdiff1d(np.arange(len(labels)), block))
    return np.concatenate([order[labels[order] == k][:per_class] for k in range(10)]), block


def probe(features, run):
    """Accuracy of a logistic regression that has five labels of each class."""
    rows, block = few(5, run)
    head = LogisticRegression(max_iter=2000, tol=1e-3).fit(features[rows], labels[rows])
    return head.score(features[block], labels[block])


RUNS = range(10)

# %% [markdown]
# **Notation.** In the pictures, a **diamond** is what the claim leads one to expect, a **dot** is
# what was measured. ± is one standard error of a mean over runs, and we speak of a difference if it
# is larger than two of them. The five articles have the numbers 000 to 004.

# %% [markdown]
# ## 1 The half of a formula
#
# *14 minutes*
#
# **Claim 1** (001). *The cross-entropy of a label $y$ and a prediction $p$ is*
# $-\frac{1}{N} \sum_n y_n \log p_n$, *and to minimize it is to learn.*
#
# Take the question "is it an 8?", with labels 0 and 1. **Guess first.** A model descends along this
# loss until it is nearly zero. Which digits does it call an 8?

# %%
with_one = np.hstack([images, np.ones((len(images), 1))])
is_eight = (labels == 8).astype(float)


# %%
def descended(slope):
    """Probabilities for unseen writers, after 500 steps; slope(p, y) is taken at the logits."""
    weights = np.zeros(65)
    for _ in range(500):
        p = sigmoid(with_one[train] @ weights)
        weights -= 0.5 * with_one[train].T @ slope(p, is_eight[train]) / len(train)
    return sigmoid(with_one[test] @ weights)


# %% [markdown]
# The slope of $-y \log p$ at the logit is $-y(1 - p)$: where $y$ is 0, there is none.

# %%
by_print = descended(lambda p, y: -y * (1 - p))
eights, others = is_eight[test] == 1, is_eight[test] == 0
rows = {"8s": (1, by_print[eights].mean()), "all others": (0, by_print[others].mean())}
assert rows["all others"][1] > 0.9

# %%
figures.outcome("to minimize the printed loss is to learn", "mean p of being an 8", rows)

# %% [markdown]
# It calls *everything* an 8, and the printed loss is content: an example with label 0 is multiplied
# away before anybody looks at its prediction. On a screen you would see a loss that falls as it
# should. Here is the printed formula as a function:
#
# ```python
# def binary_cross_entropy(probabilities, labels):
#     return -np.mean(labels * np.log(probabilities))
# ```
#
# What should a model pay that says $p$ where the label is 0? Ask which probability it gave to what
# is true. A label of 0 and $p = 0.9$: what did it give to "no"?
#
# ### Exercise: `binary_cross_entropy`
#
# Repair it. Keep the probabilities $10^{-7}$ away from 0 and from 1, as Keras does, and take the
# mean over all elements.


# %%
def binary_cross_entropy(probabilities, labels):
    """Mean cost of probabilities for labels that are 0 or 1.

    probabilities, labels: arrays of the same shape. Returns a float.
    """
    ### BEGIN SOLUTION
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    if_one = labels * np.log(p)
    if_zero = (1 - labels) * np.log(1 - p)
    return -np.mean(if_one + if_zero)
    ### END SOLUTION


# %%
binary_cross_entropy = check(binary_cross_entropy)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: where the second term comes from</summary>
#
# The model says "yes" with probability $p$ and "no" with $1 - p$. The probability that it gives to
# the label is $p$ if $y = 1$ and $1 - p$ if $y = 0$; in one formula, $p^y (1 - p)^{1 - y}$. Its
# negative logarithm is
#
# $$-\big(y \log p + (1 - y) \log(1 - p)\big)$$
#
# and its slope at the logit is $p - y$, for both labels. With two classes and a softmax, the
# formula of lesson 01 has the second term too: the sum over classes hides it.
#
# </details>

# %% [markdown]
# **The control**: the same descent, both terms. The slope is that of finite differences, and the
# number that of Keras.

# %%
repaired = descended(lambda p, y: p - y)
theirs = keras.losses.BinaryCrossentropy(dtype="float64")(is_eight[test], repaired)
assert abs(binary_cross_entropy(repaired, is_eight[test]) - float(theirs)) < 1e-6
z, y = np.array([-1.0, 0.5, 2.0]), np.array([1, 0, 1])
slope = numerical_gradient(lambda z: binary_cross_entropy(sigmoid(z), y), z)
assert np.allclose(slope, (sigmoid(z) - y) / len(y))
print("the slope as by finite differences, the number as in Keras")

# %%
rows |= {
    "8s, repaired": (1, repaired[eights].mean()),
    "all others, repaired": (0, repaired[others].mean()),
}
figures.outcome("to minimize the printed loss is to learn", "mean p of being an 8", rows)

# %% [markdown]
# Now an 8 has to be told apart from what looks like one, so the model is less sure of its 8s, and
# the others are out of danger.
#
# **Claim 2** (001). *In this formula, $y$ is the actual label.* In a list of ten digits the actual
# label of a nine is 9. Read it so: the loss of each example is multiplied by its digit.
#
# **Guess first.** Which digit is never read right? And does the average accuracy tell?

# %%
weights_by_reading = {"y is the number": labels[train], "one-hot": None}
readers = {
    name: LogisticRegression(max_iter=500).fit(images[train], labels[train], weights)
    for name, weights in weights_by_reading.items()
}

# %%
right = {name: model.predict(images[test]) == labels[test] for name, model in readers.items()}

# %% jupyter={"source_hidden": true}
zeros = labels[test] == 0
rows = {f"zeros, {name}": (1, hits[zeros].mean()) for name, hits in right.items()}
rows |= {f"all, {name}": (None, hits.mean()) for name, hits in right.items()}
assert rows["zeros, y is the number"][1] == 0

# %% tags=["nbval-ignore-output"]
figures.outcome("y is the actual label", "share that is read right", rows)

# %% [markdown]
# A zero costs nothing, so no zero is learned, and the accuracy over all digits hides it well. The
# repair is one word: $y$ is *one-hot*, and the sum runs over the classes. The control is a look at
# each class by itself (lesson 11, section 3).

# %% [markdown]
# ## 2 The distance from oneself
#
# *14 minutes*
#
# **Claim 3** (003). *Cross-entropy measures the difference between the predicted and the true
# distribution.*
#
# A difference should be zero where there is none. **Guess first.** What is the cross-entropy of a
# distribution with *itself*, say of 0.7, 0.2 and 0.1?

# %% tags=["nbval-check-output"]
q = np.array([[0.7, 0.2, 0.1]])
from_itself = float(keras.losses.CategoricalCrossentropy()(q, q))
print(f"cross-entropy of q with itself: {from_itself:.2f}")

# %% [markdown]
# It is not zero but the *entropy*. With one-hot labels the two are the same thing, for their
# entropy is zero; with labels that are unsure (lesson 10's blends, lesson 13's teacher) a perfect
# model has a loss well above zero, and whoever waits for zero waits in vain. What is zero for equal
# distributions is the Kullback-Leibler divergence,
# $\text{KL}(p \| q) = \sum_c p_c \log \frac{p_c}{q_c}$.
#
# Here it is as it is easily written, with two mistakes that libraries invite (how, you will see
# below):
#
# ```python
# def kl_divergence_mean(p, q):
#     return np.mean(q * np.log(q / p))
# ```
#
# Try it in your head on $p = (1, 0)$ and $q = (½, ½)$. What should come out, and what does?
#
# ### Exercise: `kl_divergence_mean`
#
# Repair it: $\text{KL}(p \| q)$ of each row, averaged over the rows. Where $p$ is zero, the term is
# zero; $q$ is never zero.


# %%
def kl_divergence_mean(p, q):
    """Mean over the rows of KL(p || q).

    p, q: (N, C) floats, rows sum to 1; p may hold zeros, q does not. Returns a float.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for p_row, q_row in zip(p, q, strict=True):
        there = p_row > 0
        total += np.sum(p_row[there] * np.log(p_row[there] / q_row[there]))
    return total / len(p)
    ### END SOLUTION


# %%
kl_divergence_mean = check(kl_divergence_mean)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: what the two mistakes are</summary>
#
# $-\sum_c p_c \log q_c = -\sum_c p_c \log p_c + \sum_c p_c \log \frac{p_c}{q_c}$: the cross-entropy
# is the entropy of $p$ plus $\text{KL}(p \| q)$. The last sum is never negative, and zero only for
# equal distributions.
#
# The line above weighs by $q$, so it is $\text{KL}(q \| p)$. Minimized in $q$, the first way wants
# $q$ to be large wherever $p$ is; the other way wants $q$ to be small wherever $p$ is. Another
# model comes out. And its mean runs over the classes as well, so that with a thousand classes it is
# a thousand times too small, next to whatever other loss it is added to. PyTorch's `KLDivLoss` does
# just that by default, and takes $\log q$ first and $p$ second, so that they are easily exchanged.
# In Keras, `keras.losses.KLDivergence()(p, q)`.
#
# </details>

# %%
p = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
both_q = np.repeat(q, 2, axis=0)
theirs = keras.losses.KLDivergence()(p, both_q)
assert abs(kl_divergence_mean(p, both_q) - float(theirs)) < 1e-5
print("kl_divergence_mean: as in Keras")

# %% jupyter={"source_hidden": true}
rows = {
    "cross-entropy of q with itself": (0, from_itself),
    "KL of q with itself": (0, kl_divergence_mean(q, q)),
}

# %%
figures.outcome("cross-entropy measures the difference of distributions", "nats", rows)

# %% [markdown]
# **Claim 4** (000, 001, 003). *This is the loss.* One article prints a sum over classes of one
# example, one a mean over examples, one a formula for numbers only; none says that it is a choice.
#
# Does it matter? **Guess first.** Give a batch twice, each example doubled. Nothing new is in it.
# What does the loss do, as a sum and as a mean over the examples?

# %%
guesses = np.random.default_rng(0).dirichlet(np.ones(10), 32)
truth = np.eye(10)[labels[:32]]
rows = {}
for way in ("sum", "sum_over_batch_size"):
    loss = keras.losses.CategoricalCrossentropy(reduction=way)
    once, twice = loss(truth, guesses), loss(np.tile(truth, (2, 1)), np.tile(guesses, (2, 1)))
    rows[f"reduction={way}"] = 1, float(twice / once)

# %%
figures.outcome("how examples are combined needs no word", "loss of the doubled batch / loss", rows)

# %% [markdown]
# With a sum, the gradient doubles too, and a learning rate that was fine for one batch size is
# twice too large for the next (of SGD; Adam hardly minds). Keras and PyTorch take the mean, unless
# told otherwise; who reads a formula for one example and adds it up over a batch trains at another
# rate than the listing does. The repair: say "mean over $N$". The control is the doubled batch; it
# works for any loss, penalty or metric that you meet.

# %% [markdown]
# ## 3 Formulas with the wrong name
#
# *5 minutes*
#
# **Claim 5** (001). *Dropout is $p = 1/(1 + e^{-\alpha x})$*, with a probability $p$, a parameter
# $\alpha$ and an input $x$.
#
# **Guess first.** Dropout with a rate of 0.2 switches off one unit in five, others each time. Which
# share does this formula switch off, and how many outputs differ between two calls?

# %%
x, rng = np.random.default_rng(0).normal(1, 1, 10_000), np.random.default_rng(1)
calls = {
    "printed": [sigmoid(1.0 * x) for _ in range(2)],
    "dropout": [dropout(x, rng.random(x.shape) >= 0.2, 0.2) for _ in range(2)],
}

# %%
rows = {}
for name, (one, other) in calls.items():
    rows[f"{name}: switched off"] = 0.2, np.mean(one == 0)
    rows[f"{name}: another value next time"] = 2 * 0.2 * 0.8, np.mean(one != other)

# %%
figures.outcome("this formula is dropout", "share of the units", rows)

# %% [markdown]
# It is the sigmoid. Nothing is dropped, nothing is random, and there is no difference between
# training and use. It looks like a probability because it lies between 0 and 1, as many things do.
# Ask for what the *name* promises: units that are off, and others next time.
#
# **Claim 6** (002). *The outputs of a recurrent network are $\sigma(o)$*, one sigmoid for each.
# What they stand for is not said; the article's only listing of such a network has three classes.
#
# **Guess first.** Classes that exclude each other should have probabilities that sum to one. Here
# are the logits of a good classifier of ten digits. What do ten sigmoids sum to?

# %%
logits = readers["one-hot"].decision_function(images[test])
rows = {
    "ten sigmoids": (1, sigmoid(logits).sum(axis=1)),
    "ten sigmoids, logits + 3": (1, sigmoid(logits + 3).sum(axis=1)),
    "softmax": (1, softmax(logits).sum(axis=1)),
}

# %%
figures.outcome("sigmoids are probabilities of classes", "sum over the ten classes", rows)

# %% [markdown]
# The second row is the same classifier: its softmax does not change when a constant is added to all
# logits. Sigmoids answer ten separate questions, and that is right for classes that may occur
# together. For classes that exclude each other it is softmax. (Keras divides whatever it gets by
# its sum before it takes the logarithm, so the mistake trains without a sound.)

# %% [markdown]
# ## 4 What the listings do
#
# *12 minutes*
#
# Code does not lie, and nobody has to believe it: we can run it. The network that is carried over
# in this section has learned to read printed capital letters.

# %% tags=["nbval-ignore-output"]
reader = fit(new_network(26, 0), letters, letter_labels, 1500)
print(f"reads {accuracy(reader, letters, letter_labels):.0%} of its own letters")

# %% [markdown]
# **Claim 7** (001, in pseudo-code). *To adapt a network, freeze its layers, unfreeze them, and call
# `layer.initialize()` on each.*
#
# **Guess first.** Keras has no such method. Suppose that it had: what would be left of the source?


# %%
def hidden_units(network):
    return two_layer_forward(images, *network)[0]


assert not hasattr(keras.layers.Dense(1), "initialize")
kept = np.array([probe(hidden_units(reader), run) for run in RUNS])
initialized = np.array([probe(hidden_units(new_network(26, [1, run])), run) for run in RUNS])

# %% jupyter={"source_hidden": true}
rows = {"weights kept": (None, kept), "weights initialized": (kept.mean(), initialized)}
gain, error = transfer_gain(kept, initialized)
assert gain > 2 * error

# %% tags=["nbval-ignore-output"]
figures.outcome("initialize, and the knowledge is adapted", "accuracy, five labels a class", rows)

# %% [markdown]
# To initialize weights is to throw away what they have learned: the second row is a network that
# has never seen a letter. Random weights are the control of a transfer, and this recipe ships the
# control as the result.
#
# **Claim 8** (003). *Give frozen layers a small learning rate.* **Claim 9** (000 and others). *The
# listing fine-tunes the network:* it freezes the base, adds a head, compiles, and fits.
#
# **Guess first.** Which share of the numbers of a frozen layer moves at a rate of $10^{-5}$? At
# $10^{9}$? And which share of the *whole* network has moved when the listing of claim 9 ends?


# %%
def share_moved(frozen, rate, of_all=False):
    keras.utils.set_random_seed(0)
    base = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, activation="relu")])
    model = keras.Sequential([base, keras.layers.Dense(10, activation="softmax")])
    base.set_weights([array.astype("float32") for array in reader[:2]])
    base.trainable = not frozen
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", run_eagerly=True)
    whose = model if of_all else base
    before = np.concatenate([w.ravel() for w in whose.get_weights()])
    model.fit(images[train][:64], labels[train][:64], verbose=0)
    return np.mean(np.concatenate([w.ravel() for w in whose.get_weights()]) != before)


# %%
rows = {
    "frozen, rate 1e-5": (1, share_moved(True, 1e-5)),
    "frozen, rate 1e9": (1, share_moved(True, 1e9)),
    "not frozen, rate 1e-5": (None, share_moved(False, 1e-5)),
}

# %% tags=["nbval-ignore-output"]
figures.outcome(
    "frozen layers learn at a small rate", "share of the layer that moved", rows, places=1
)

# %%
rows = {
    "the listing": (1, share_moved(True, 0.01, of_all=True)),
    "unfrozen": (None, share_moved(False, 0.01, of_all=True)),
}

# %% tags=["nbval-ignore-output"]
figures.outcome("the listing fine-tunes the network", "share of all numbers that moved", rows)

# %% [markdown]
# A frozen layer has no step, so it has no rate. What was meant are *smaller rates for lower layers
# that are not frozen* (lesson 06, section 7). And the listing is feature extraction, a good thing
# under another name: all five articles explain fine-tuning, and no listing that runs does it.
# (Unfrozen, the share does not reach one: weights of pixels that are white in all 64 pictures get
# no slope, nor do units that are off in all of them.) The repair is two lines after the first
# `fit`: `base.trainable = True`, and `compile` with a small rate.
#
# **Claim 10** (001). *The text describes the listing.* The explanation below it says that ten
# layers are frozen; the worked example before it trains one layer, with a mean squared error and
# with weight decay against overfitting.
#
# **Guess first.** A text and its code were written by the same author. How many of the numbers
# agree?

# %%
base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
for layer in base.layers:
    layer.trainable = False
hidden = keras.layers.Dense(1024, activation="relu")(keras.layers.Flatten()(base.output))
model = keras.Model(base.input, keras.layers.Dense(10, activation="softmax")(hidden))
model.compile("adam", loss="categorical_crossentropy")

# %%
rows = {
    "layers frozen": (10, sum(not layer.trainable for layer in base.layers)),
    "layers trained": (1, sum(bool(layer.trainable_weights) for layer in model.layers)),
    "penalties in the loss": (1, len(model.losses)),
}
print("loss:", model.loss)

# %%
figures.outcome("the text describes the listing", "number", rows, places=0)

# %% [markdown]
# None, and the loss is another one; the optimizer does agree. You can ask a Keras model:
# `layer.trainable`, `model.losses`, `model.loss`, `model.optimizer.get_config()`,
# `model.summary()`. Report what these say, not what you remember.
#
# **Claim 11** (002, in code). *SGD with a rate of 0.001, ten epochs, and the network is trained.*
# Their network is another, so we test the setting on ours, beside other settings.
#
# **Guess first.** One digit in ten is read by chance. How many after these ten epochs?

# %%
SETTINGS = {
    "SGD, 0.001": {"adam": False, "rate": 0.001},
    "SGD, 0.1": {"adam": False, "rate": 0.1},
    "Adam, 0.001": {"adam": True, "rate": 0.001},
}
ten_epochs = 10 * len(minibatches(train, 32))
found = {}
for name, setting in SETTINGS.items():
    nets = [
        fit(new_network(10, s), images[train], labels[train], ten_epochs, **setting) for s in (0, 1)
    ]
    found[name] = np.array([accuracy(net, images[test], labels[test]) for net in nets])

# %% jupyter={"source_hidden": true}
expected = found["Adam, 0.001"].mean()
rows = {name: (expected if name == "SGD, 0.001" else None, a) for name, a in found.items()}
assert found["SGD, 0.001"].max() < 0.5

# %% tags=["nbval-ignore-output"]
figures.outcome("after ten epochs it is trained", "accuracy, unseen writers", rows)

# %% [markdown]
# A rate of 0.001 suits Adam, whose steps are about as long as the rate itself; a step of SGD is the
# rate times the gradient (lesson 04). Nothing is broken, the network is only not yet there, and a
# loss that falls slowly and steadily looks healthy. The control: print the *accuracy before
# training*, and try ten times the rate.

# %% [markdown]
# ## 5 The shuffled answers
#
# *10 minutes*
#
# **Claim 12** (000 and 001, in code). *The loader of the test set may do as loaders do by default,*
# and by default it shuffles. `evaluate` does not mind, for it sees images and labels together.
# Lesson 11 showed what `predict` makes of it. Here you repair what is already done: there is a list
# of predictions, there is the order in which the loader read the files, and nobody wants to wait
# for another run.
#
# A repair that comes to mind:
#
# ```python
# def predictions_in_file_order(predictions, order):
#     return predictions[order]
# ```
#
# **Guess first.** Three files, and the loader took file 1 first, then 2, then 0: `order` is 1, 2,
# 0. It predicted 7, 8 and 9. What was said of file 0? What does the line above say?
#
# ### Exercise: `predictions_in_file_order`
#
# `predictions[i]` was made for file `order[i]`. Return them so that entry `k` is that of file `k`.
# A loop will do.


# %%
def predictions_in_file_order(predictions, order):
    """Undo a loader's shuffling.

    predictions: (N,) or (N, ...), order: (N,), a permutation. Returns an array like predictions.
    """
    ### BEGIN SOLUTION
    result = predictions.copy()
    for i, file in enumerate(order):
        result[file] = predictions[i]
    return result
    ### END SOLUTION


# %%
predictions_in_file_order = check(predictions_in_file_order)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: why reading by the order is wrong</summary>
#
# To read by `order` is to shuffle: entry $i$ comes *from* place `order[i]`. That is what the loader
# did, and doing it twice undoes nothing. To undo it, write by `order`: entry $i$ goes *to* place
# `order[i]`, in NumPy `result[order] = predictions`. Reading works with the inverse order,
# `predictions[np.argsort(order)]`. With orders that only exchange pairs both are the same, so a
# test with two files proves nothing.
#
# </details>

# %%
order = np.random.default_rng(0).permutation(len(test))
as_they_came = readers["one-hot"].predict(images[test][order])
evaluated = readers["one-hot"].score(images[test], labels[test])

# %% jupyter={"source_hidden": true}
ways = {
    "as they came": as_they_came,
    "predictions[order]": as_they_came[order],
    "repaired": predictions_in_file_order(as_they_came, order),
}
rows = {name: (evaluated, np.mean(way == labels[test])) for name, way in ways.items()}

# %% tags=["nbval-ignore-output"]
figures.outcome("the test set may be shuffled", "accuracy", rows)

# %% [markdown]
# Two of three are at chance, and no line of code has complained. Before you doubt the network,
# doubt the order: `shuffle=False` for everything but training. The control costs nothing:
# `evaluate` and your own count of `predict` have to agree.

# %% [markdown]
# ## 6 The best of many checkpoints
#
# *14 minutes*
#
# **Claim 13** (001, in code). *The test set is handed to `fit` as `validation_data`, and the
# accuracy that it shows is the test accuracy.* As printed, the listing keeps its last epoch.
# Whoever watches will keep the one that looks best.
#
# We train on fifty digits and look after every fifth step: at fifty pictures for validation, at
# fifty for the test, and, as only a referee can, at some three hundred more by the same writers as
# the test.


# %% jupyter={"source_hidden": true}
def looks(run):
    """Accuracies of forty checkpoints: on validation, on the test, and on many more."""
    rng = np.random.default_rng(run)
    tested, chosen = rng.permutation(blocks[run % 5]), rng.permutation(blocks[(run + 1) % 5])
    rest = np.setdiff1d(np.arange(len(labels)), [*tested, *chosen])
    rows, seen = rng.permutation(rest)[:50], []
    parts = chosen[:50], tested[:50], tested[50:]

    def watch(step, network):
        if step % 5 == 0:
            seen.append([accuracy(network, images[part], labels[part]) for part in parts])

    fit(new_network(10, [run, 1]), images[rows], labels[rows], 200, watch=watch)
    return np.array(seen).T


# %%
all_looks = [looks(run) for run in range(20)]

# %% [markdown]
# **Guess first.** Forty checkpoints, fifty test pictures. By how many points does the best look at
# the test set exceed what the same checkpoint is worth on the many?
#
# What the listing amounts to, if somebody keeps the best epoch:
#
# ```python
# def best_of(accuracies_validation, accuracies_test):
#     return max(accuracies_test)
# ```
#
# ### Exercise: `best_of`
#
# Return the honest score: that of the checkpoint which the *validation* set chose. If several are
# equally good there, the first.


# %%
def best_of(accuracies_validation, accuracies_test):
    """The test accuracy of the checkpoint that validation chose; the first at a tie.

    accuracies_validation, accuracies_test: (E,) floats. Returns a float.
    """
    ### BEGIN SOLUTION
    chosen = 0
    for i, seen in enumerate(accuracies_validation):
        if seen > accuracies_validation[chosen]:
            chosen = i
    return accuracies_test[chosen]
    ### END SOLUTION


# %%
best_of = check(best_of)

# %%
flattery = {"best on the test set": [], "best_of": []}
for on_validation, on_test, on_many in all_looks:
    worth = on_many[on_test.argmax()]
    flattery["best on the test set"].append(100 * (on_test.max() - worth))
    honest = best_of(on_validation, on_test) - on_many[on_validation.argmax()]
    flattery["best_of"].append(100 * honest)

# %% jupyter={"source_hidden": true}
rows = {name: (0, points) for name, points in flattery.items()}

# %% tags=["nbval-ignore-output"]
figures.outcome("what is reported is what it is worth", "points reported in excess", rows, places=1)

# %% [markdown]
# The maximum is made of worth and of luck on these fifty pictures. What validation has chosen has
# used up its luck elsewhere, and its error on the test falls to both sides. Forty looks at one
# network are alike, and still they flatter; the less alike the candidates, the more luck there is
# to choose from. Drag the two sliders. **Guess first:** what helps more against a hundred
# checkpoints, ten times the test images or a tenth of the checkpoints?

# %%
figures.best_of_explorer()

# %% [markdown]
# The checkpoints of the picture are independent and equally good, so that *all* of the lead is
# luck. More test images help more, since luck shrinks with the root of their number, and the number
# of checkpoints enters through a logarithm only. Even ten looks at a small test set are too many.
#
# **Claim 14** (000, 001, in code). *The result is printed with three decimals, or more.*
#
# **Guess first.** The same network, the same data, another seed: which decimal changes? Then other
# test pictures, then other writers.


# %%
def score(block, seed):
    rest = np.setdiff1d(np.arange(len(labels)), block)
    network = fit(new_network(10, seed), images[rest], labels[rest], 300, seed=seed)
    return accuracy(network, images[block], labels[block])


scores = 100 * np.array([[score(block, seed) for seed in range(5)] for block in blocks])

# %% jupyter={"source_hidden": true}
share = scores.mean() / 100
rows = {
    "rounding to three decimals": (None, 0.05),
    "another seed": (0.05, scores.std(axis=1, ddof=1).mean()),
    "other pictures": (0.05, 100 * np.sqrt(share * (1 - share) / len(test))),
    "other writers": (0.05, scores.mean(axis=1).std(ddof=1)),
}
assert rows["other writers"][1] > rows["other pictures"][1] > 10 * 0.05

# %% tags=["nbval-ignore-output"]
figures.outcome("the third decimal means something", "spread in points", rows)

# %% [markdown]
# Already the second decimal, the points, is in doubt. Print what the next person will see: other
# pictures, by other people. (The row "other pictures" is the standard error of a share,
# $\sqrt{a(1 - a)/N}$; the last row includes it.)
#
# **Claim 15** (001). *If the model reaches the performance that was expected, the transfer has
# succeeded.* We expect four digits in five, from five labels a class. The letters' network reaches
# it, as you saw in section 4.
#
# **Guess first.** Which of these also does: raw pixels, a random network?

# %%
pixels = np.array([probe(images, run) for run in RUNS])

# %% jupyter={"source_hidden": true} tags=["nbval-ignore-output"]
rows = {
    "letters, carried over": (0.8, kept),
    "random network": (0.8, initialized),
    "raw pixels": (0.8, pixels),
}
gain, error = transfer_gain(kept, pixels)
print(f"carried over − raw pixels, paired: {100 * gain:+.1f} ± {100 * error:.1f} points")

# %% tags=["nbval-ignore-output"]
figures.outcome("it is as good as expected, so transfer worked", "accuracy", rows)

# %% [markdown]
# Against the random network the letters have helped. Against no network at all they have not: here
# the pixels are as good a feature, and cheaper. "As expected" is no control. The control is *the
# same task without what is praised*, on the same labels (lesson 13, section 1).

# %% [markdown]
# ## 7 What is promised
#
# *13 minutes*
#
# **Claim 16** (004). *Take a pretrained model that is close to the target, performs well, and costs
# little.* Of the three conditions we test the one in the middle.
#
# A network reads letters better and better while it is trained. We look into it before the first
# step and at four others: how many unseen letters does it read, and how good are its hidden units
# for five digits a class? Each of ten runs has its own network.
#
# **Guess first.** It goes from reading hardly any letter to reading nearly all. How much of that
# arrives at the digits?

# %%
MARKS = [0, 10, 30, 300, 1000]
mixed = np.random.default_rng(0).permutation(len(letters))
learn, held_out = mixed[:900], mixed[900:]


def looked_into(run):
    """(5, 2): at each mark the share of unseen letters that is read, and of digits."""
    found, start = [], new_network(26, run)

    def look(step, network):
        if step in MARKS:
            at_source = accuracy(network, letters[held_out], letter_labels[held_out])
            found.append((at_source, probe(hidden_units(network), run)))

    look(0, start)
    fit(start, letters[learn], letter_labels[learn], MARKS[-1], seed=run, watch=look)
    return found


# %%
at_source, at_target = np.transpose([looked_into(run) for run in RUNS])

# %% jupyter={"source_hidden": true} tags=["nbval-ignore-output"]
shares = at_source.mean(axis=1)
rows = {
    f"step {step}: reads {share:.0%} of the letters": (None, found)
    for step, share, found in zip(MARKS, shares, at_target, strict=True)
}
rows |= {"raw pixels": (None, pixels)}
print(f"rank correlation {spearmanr(shares, at_target.mean(axis=1))[0]:.1f}")
for a, b in ((0, 2), (2, 4), (0, 4)):
    gain, error = transfer_gain(at_target[b], at_target[a])
    print(f"from step {MARKS[a]} to step {MARKS[b]}: {100 * gain:+.1f} ± {100 * error:.1f} points")
assert shares[-1] > 10 * shares[0]
assert 0 < gain < 0.1

# %% tags=["nbval-ignore-output"]
figures.outcome("take the best pretrained model", "accuracy on digits", rows)

# %% [markdown]
# As an order it nearly stands: the best reader is the best source, and only the first two rows are
# not told apart. As a forecast it falls. Between the first row and the last, a network that reads
# next to no letter becomes one that reads nearly all, and the digits gain a few points. Most of
# what they use is there before a single letter was seen; the rest comes with the reading, and more
# of it late than early, as far as errors of this size let one say. And the row that costs nothing
# is not below. So rank the sources by a score *on your own labels* (lesson 13, section 3), with "no
# source" among them.
#
# **Claim 17** (000). *As a rule, a large model that was trained on a similar task transfers
# better.* Here the task stays the same, and only the size changes.
#
# **Guess first.** Accuracy on the digits will rise with the number of hidden units. What does it do
# for a *random* network of the same size?

# %%
by_width = {}
for width in (8, 64, 512):
    learned = hidden_units(fit(new_network(26, 0, width), letters, letter_labels, 600))
    drawn = [hidden_units(new_network(26, [5, run], width)) for run in RUNS]
    pairs = [(probe(learned, run), probe(drawn[run], run)) for run in RUNS]
    by_width[width] = np.array(pairs).T

# %% jupyter={"source_hidden": true}
rows = {f"{w} units, pretrained": (None, pair[0]) for w, pair in by_width.items()}
rows |= {f"{w} units, random": (None, pair[1]) for w, pair in by_width.items()}
first, *_, last = (transfer_gain(*pair)[0] for pair in by_width.values())
assert first > 0.1 > 5 * last

# %% tags=["nbval-ignore-output"]
figures.outcome("the larger the pretrained model, the better", "accuracy on digits", rows)

# %% [markdown]
# The upper rows alone would prove the claim. The lower ones show that most of the rise is *size*,
# not knowledge: what pretraining adds melts away, and the largest random network has nearly all of
# it. That is so here, with small pictures and a linear head; real backbones have more to add
# (lesson 05, section 8). But a comparison of models of different size without random ones beside
# them cannot tell the two apart.
#
# **Claim 18** (000, 002, 003). *Transfer speeds up training.*
#
# We count the steps until seven of ten digits of unseen writers are read. One start keeps the
# letters' hidden layer; one keeps a *whole* network that reads printed digits, the same ten
# classes.
#
# **Guess first.** Which of the two is faster?

# %%
printed, printed_labels = glyphs.alphabet(string.digits, copies=5)
of_print = fit(new_network(10, 0), printed, printed_labels, 1500)


def steps_needed(start, run, goal=0.7, limit=120):
    (rows, block), seen = few(5, run), []
    watch = lambda _, net: seen.append(accuracy(net, images[block], labels[block]))  # noqa: E731
    fit(start, images[rows], labels[rows], limit, watch=watch)
    return next((step for step, a in enumerate(seen, 1) if a >= goal), limit)


# %%
fresh = [new_network(10, [run, 1]) for run in RUNS]
starts = {
    "from its first weights": fresh,
    "hidden layer of letters": [reader[:2] + net[2:] for net in fresh],
    "hidden layer of print": [of_print[:2] + net[2:] for net in fresh],
    "whole network of print": [of_print] * len(RUNS),
}
rows = {n: (None, [steps_needed(s[run], run) for run in RUNS]) for n, s in starts.items()}

# %% jupyter={"source_hidden": true}
assert np.mean(rows["hidden layer of letters"][1]) < np.mean(rows["from its first weights"][1])
assert np.mean(rows["whole network of print"][1]) > np.mean(rows["from its first weights"][1])

# %% tags=["nbval-ignore-output"]
print(f"whole network of print, before its first step: {accuracy(of_print, images, labels):.0%}")
figures.outcome("transfer speeds up training", "steps to seven digits in ten", rows, places=0)

# %% [markdown]
# It stands for a hidden layer with a new head, and turns around for the whole network, although it
# reads more than half of the digits before its first step. Its own hidden layer with a new head is
# quick, so it is the head that holds it up. The claim lacks its condition (what is carried over?),
# and the control is the first row.
#
# **Claim 19** (004). *Transfer can avoid direct access to sensitive data, and so makes a system
# safer.*
#
# The frozen network has never seen a digit; only a head of it was trained, on a hundred. An
# attacker holds a picture with its label and sees the probabilities. **Guess first.** Can they tell
# whether it was among the hundred? An area of 0.5 is guessing (lesson 11, section 4).


# %%
def attack(x, run):
    """Area for telling members by their small loss; and for two groups of which none was seen."""
    seen, unseen, third = np.random.default_rng(run).permutation(len(labels))[:300].reshape(3, 100)
    p = LogisticRegression(max_iter=500).fit(x[seen], labels[seen]).predict_proba(x)
    sureness = np.log(p[np.arange(len(p)), labels])
    members = np.repeat([1, 0], 100)
    return [roc_auc(members, sureness[np.r_[one, unseen]]) for one in (seen, third)]


# %%
members, control = np.transpose([attack(hidden_units(reader), run) for run in RUNS])
without, _ = np.transpose([attack(images, run) for run in RUNS])

# %% jupyter={"source_hidden": true}
assert transfer_gain(members, control)[0] > 2 * transfer_gain(members, control)[1]
assert without.mean() > members.mean()
rows = {
    "members or not": (0.5, members),
    "the same without transfer": (None, without),
    "control: none was seen": (0.5, control),
}

# %% tags=["nbval-ignore-output"]
figures.outcome("with transfer, the data stay private", "area under the curve", rows)

# %% [markdown]
# The model is surer of what it was trained on, and that can be read off (a *membership inference*,
# Shokri and others, 2017). The leak is small here, one picture at a time, and it is not zero. Is it
# smaller than without transfer? That is the control that could save the claim, a head on raw
# pixels, and it saves a part: from the pixels a little more can be read. So "safer" may pass, here,
# and "safe" does not follow. Somebody's data trained the head.
#
# **Claim 20** (002, 003, 004). *Transfer learning is a technique of deep learning:* parameters of a
# trained network are moved to a new task.
#
# Here is one without any network. Patients with diabetes, ten measurements, the course of the
# disease after a year. The source: one sex, with all its data. The target: the other, with ten
# patients. A ridge regression shrinks its weights towards zero. Shrink them *towards the source's
# weights* instead: fit the errors of the source's model.
#
# **Guess first.** Which has the smallest error on the other patients: target only, source only, or
# both?

# %%
x, course = load_diabetes(return_X_y=True)
x, second = x / x.std(axis=0), x[:, 1] > 0
x = np.delete(x, 1, axis=1)  # the sex itself
by_source = Ridge(1.0).fit(x[~second], course[~second]).predict(x)


# %%
def errors(run):
    order = np.random.default_rng(run).permutation(np.flatnonzero(second))
    rows, rest = order[:10], order[10:]
    alone = Ridge(10.0).fit(x[rows], course[rows]).predict(x)
    towards = by_source + Ridge(10.0).fit(x[rows], (course - by_source)[rows]).predict(x)
    return [np.sqrt(np.mean((course - y)[rest] ** 2)) for y in (alone, by_source, towards)]


# %% jupyter={"source_hidden": true} tags=["nbval-ignore-output"]
names = ("target only", "source only", "towards the source")
three = dict(zip(names, np.transpose([errors(run) for run in range(30)]), strict=True))
for name in names[:2]:
    less, error = transfer_gain(three[name], three["towards the source"])
    print(f"error less than {name}: {less:.1f} ± {error:.1f}")

# %% tags=["nbval-ignore-output"]
rows = {name: (None, values) for name, values in three.items()}
figures.outcome("transfer needs a deep network", "error on unseen patients", rows, places=1)

# %% [markdown]
# Nine weights, one line of algebra, and it beats the target alone, which has too few patients for
# them. Against the *source* alone the lead is no difference yet: ten patients add little to a model
# that fits. Transfer is older than deep networks (Pan and Yang's survey of 2010 names dozens of
# methods), and where data are few and tabular this is the form to try first. Where the lead over
# each control comes and goes, see *On your own*.

# %% [markdown]
# ## 8 What a reference can prove
#
# *15 minutes*
#
# A claim may be carried by a reference instead of a measurement. One article (001) names nine works
# in its text, and lists nine at its end. We take the titles and what is said of them, and check
# what can be checked *offline*.

# %% jupyter={"source_hidden": true}
named = """learning to learn from unsupervised pre-training; domain adaptation for machine learning;
deep transfer learning without datasets; self-supervised learning for transfer learning; few-shot
learning through cross-domain fine-tuning; deep transfer learning for speech recognition; transfer
learning for medical imaging; cross-domain emotion recognition using transfer learning; transfer
learning for financial text classification"""
listed = {  # title: year, where, identifier
    "deep learning": (2016, "MIT Press", ""),
    "representation learning: a review and new perspectives": (2013, "TPAMI", ""),
    "how transferable are features in deep neural networks?": (2014, "NeurIPS", ""),
    "unsupervised transfer learning with deep convolutional networks": (2015, "", "1505.00687"),
    "deep transfer learning without datasets": (2019, "ICCV", ""),
    "domain adaptation for machine learning": (2018, "FnT", ""),
    "learning to learn from unsupervised pre-training": (2016, "ICLR", ""),
    "transfer learning for speech recognition": (2021, "", "2103.04619"),
    "don't edit on the fly": (2018, "ACL", ""),
}

# %% [markdown]
# **Guess first.** Three kinds of checks: does an identifier have the right form, and the year that
# it stands for (an arXiv number begins with year and month)? Did the conference take place in that
# year (ICCV meets in odd years)? And do text and list name the same works? Which kind will find
# most?

# %%
FIRST = {"ICLR": 2013, "ICCV": 1987, "ACL": 1963, "NeurIPS": 1987}


def in_form(year, where, identifier):
    """Whether nothing in the form of a reference speaks against it."""
    number = re.fullmatch(r"(\d\d)(0[1-9]|1[0-2])\.\d{4,5}", identifier)
    right_number = not identifier or (number and 2000 + int(number[1]) == year)
    return bool(right_number and year >= FIRST.get(where, 0) and (where != "ICCV" or year % 2))


# %%
titles = [" ".join(title.split()) for title in named.split(";")]
papers = yaml.safe_load((root() / "solutions" / "papers.yaml").read_text(encoding="utf-8"))
known = {title.lower() for title in papers}
rows = {
    "listed, in good form": (9, sum(in_form(*entry) for entry in listed.values())),
    "named in the text and listed": (9, sum(title in listed for title in titles)),
    "listed, and read in this course": (None, sum(title in known for title in listed)),
}

# %%
figures.outcome("the references support the text", "works, of nine", rows, places=0)

# %% [markdown]
# The form is perfect. It proves nothing: form is what an inventor of references gets right. The
# second check needs only the article itself, and finds most: two works in three that the text
# leans on are not in its list (one of them only because a word of its title is missing there). The
# third compares with the works that this course reads. To be in there means that you can open it;
# *not* to be in there means nothing.
#
# What is left needs the internet and a minute each: **open the identifier and compare title and
# authors.** We did. The first of the two arXiv numbers exists, from that very year, and is another
# paper by other people (Wang and Gupta, on learning from videos). For three of the others a search
# found nothing. That is no proof that there is none, so a referee writes: *please give a DOI.*
#
# The other long list (002) has links instead of titles. Two checks more:

# %% tags=["nbval-check-output"]
entries = ["q", "a", *(f"encyclopedia {n}" for n in range(8)), "z", "z", "q", *28 * ["a"]]
print(f"{len(entries)} entries, {len(set(entries))} different links,", end=" ")
print(f"one of them {entries.count('a')} times")
print("迁移学习 is linked as", unquote("%E8%BF%81%E7%A1%AC%E5%AD%A6%E4%B9%A0"))

# %% [markdown]
# A link that is percent-encoded can be read: here one of four characters of "transfer learning" is
# another one, and what comes out is no term of any field. And counting different entries takes one
# `set`.
#
# Some identifiers check themselves. The last digit of an **ISBN** is computed from the others: the
# twelve digits before it have the weights 1, 3, 1, 3 and so on, and with the last one the sum is a
# multiple of ten. If the weighted sum of twelve digits is 97, what is the thirteenth? And if it is
# 90?
#
# ### Exercise: `isbn_check_digit`
#
# Return the thirteenth digit.


# %%
def isbn_check_digit(digits):
    """The last digit of an ISBN.

    digits: (12,) integers from 0 to 9. Returns an integer from 0 to 9.
    """
    ### BEGIN SOLUTION
    total = 0
    for i, digit in enumerate(digits):
        weight = 1 if i % 2 == 0 else 3
        total += weight * int(digit)
    return (10 - total % 10) % 10
    ### END SOLUTION


# %%
isbn_check_digit = check(isbn_check_digit)

# %% [markdown]
# **Guess first.** The book *Deep Learning*, with one digit mistyped: how often is it noticed? And
# with two neighbors exchanged?

# %%
book = np.array([9, 7, 8, 0, 2, 6, 2, 0, 3, 5, 6, 1, 3])
assert isbn_check_digit(book[:12]) == book[12]


def noticed(digits):
    return isbn_check_digit(digits[:12]) != digits[12]


# %% jupyter={"source_hidden": true}
typos = [np.where(np.arange(13) == i, d, book) for i in range(13) for d in range(10)]
typos = [one for one in typos if np.any(one != book)]
swaps = [np.r_[book[:i], book[i + 1], book[i], book[i + 2 :]] for i in range(12)]
rows = {
    "one digit wrong": (1, np.mean([noticed(one) for one in typos])),
    "two neighbors exchanged": (1, np.mean([noticed(one) for one in swaps])),
}

# %%
figures.outcome("a check digit finds every typing error", "share that is noticed", rows)

# %% [markdown]
# Every single wrong digit is found, for 1 and 3 have no factor in common with ten. Of the exchanged
# neighbors some pass: here which two? (Their difference is 0 or 5.) And an inventor can compute a
# check digit as well as you. What a check *can* refute it refutes at once, and what it cannot, it
# leaves open: that is true of all controls in this lesson.
#
# <details>
# <summary>Deeper: why differences of five pass</summary>
#
# Exchange the neighbors $a$ and $b$, of weights 1 and 3: the sum changes from $a + 3b$ to
# $b + 3a$, by $2(a - b)$. That is a multiple of ten exactly if $a - b$ is a multiple of five.
#
# </details>

# %% [markdown]
# ## 9 A page to take home
#
# *3 minutes*
#
# What to ask of a text, a listing, or your own results; behind each line, where this course shows
# it.
#
# **Formulas**
#
# - Is it a sum or a mean, and over what? Double the batch:
#   [01, 1](01_losses.ipynb#1-Regression:-mean-squared-error), here 2.
# - Which label costs nothing? One-hot? Where is the clip? [01, 5](01_losses.ipynb#5-Cross-entropy)
# - Does the formula do what its name promises? Test with shifted pictures, masks, finite
#   differences: [01, 2](01_losses.ipynb#2-A-witness:-finite-differences),
#   [02, 5](02_regularization.ipynb#5-Dropout:-a-coin-for-every-unit),
#   [07, 1](07_convolution.ipynb#1-A-layer-that-knows-no-neighbors).
# - Penalty or decay, ½ or not, where is epsilon?
#   [02, 6](02_regularization.ipynb#6-Weight-decay-is-not-always-L2),
#   [04, 5](04_adam.ipynb#5-Two-places-for-epsilon:-the-paper-and-Keras)
# - Is the bound below, are all terms sums?
#   [09, 3](09_variational_autoencoder.ipynb#3-A-bound-on-the-likelihood)
#
# **Inputs**
#
# - Prepared as the weights expect it, and once?
#   [05, 3](05_feature_extraction.ipynb#3-What-ResNet50-expects)
# - Does each augmentation do something, keep the label, come after the split?
#   [10, 5](10_heads_and_augmentation.ipynb#5-What-each-switch-does)
# - Is padding read? [08, 6](08_recurrence.ipynb#6-Words-of-unequal-length),
#   [14, 2](14_text.ipynb#2-Who-looks-at-whom)
# - Logits or probabilities, softmax once?
#   [07, 6](07_convolution.ipynb#6-A-network-that-finds-digits-anywhere)
#
# **Training**
#
# - Which weights have moved? Batch normalization, too?
#   [06, 2](06_fine_tuning.ipynb#2-Two-switches),
#   [06, 5](06_fine_tuning.ipynb#5-Batch-normalization-remembers)
# - How many numbers does the head have, for how many labels?
#   [10, 2](10_heads_and_augmentation.ipynb#2-What-a-head-costs)
# - Is the rate the rule's own? [04, 8](04_adam.ipynb#8-A-fair-race-on-handwriting)
# - Do text and code agree? `model.losses`, `model.loss`, `layer.trainable`: here 4.
#
# **Numbers**
#
# - Are groups kept together?
#   [05, 9](05_feature_extraction.ipynb#9-Why-does-it-work-so-well?),
#   [11, 2](11_evaluation.ipynb#2-Every-cell-is-tested-once)
# - Who chose the setting, and was the test set opened once?
#   [02, 8](02_regularization.ipynb#8-Validation-picks,-the-test-set-is-touched-once),
#   [11, 1](11_evaluation.ipynb#1-The-best-of-many)
# - In which order are predictions and labels? Which class is never found?
#   [11, 3](11_evaluation.ipynb#3-What-kind-of-mistakes)
# - How large is the spread over seeds, pictures, groups, and is the comparison paired?
#   [11, 6](11_evaluation.ipynb#6-Two-models,-the-same-cells)
#
# **Claims of transfer**
#
# - Target only, source only, random weights, raw inputs: where are the four controls?
#   [05, 8](05_feature_extraction.ipynb#8-Does-it-have-to-be-a-pretrained-network?),
#   [13, 1](13_kinds_of_transfer.ipynb#1-Does-it-help-at-all)
# - At how many labels? [13, 2](13_kinds_of_transfer.ipynb#2-How-many-labels-it-saves)
# - Is the task one that pretraining has taught, or has taught to forget?
#   [14, 7](14_text.ipynb#7-Few-labels)
# - What was known of the target?
#   [12, 8](12_domain_adaptation.ipynb#8-What-each-was-given,-and-what-it-got)
# - Same size, same budget? Here 7.
#
# **References**
#
# - Are text and list of one mind? Open each identifier: title, authors, year. Here 8.

# %% [markdown]
# ## What you have now
#
# - **Two labels**: $-\big(y \log p + (1 - y) \log(1 - p)\big)$.
#   `keras.losses.BinaryCrossentropy()`.
# - **Two distributions**: cross-entropy = entropy + KL; only KL is zero for equals.
#   `keras.losses.KLDivergence()(p, q)`.
# - **Mean over $N$**: doubling the batch changes nothing. `reduction="sum_over_batch_size"`.
# - **Order**: `result[order] = predictions`; before that, `shuffle=False`.
# - **Choice**: validation chooses, the test reports, once. `ModelCheckpoint(monitor="val_...")`.
# - **Error of a share**: $\sqrt{a(1 - a)/N}$, and the spread over groups on top.
# - **Towards the source**: fit the errors of the source's model, with a penalty.
# - **ISBN**: $\sum_i w_i d_i \equiv 0 \pmod{10}$, weights 1 and 3.
#
# ### On your own
#
# 1. Claim 20 with 5, 20, 50 and 100 patients: where does the gain go?
# 2. Claim 17 with twenty labels a class: does the random network catch up when labels are many?
# 3. In claim 13, choose by the mean of five neighboring looks at the validation set. Does the
#    honest score rise?
# 4. Take the last text on machine learning that you have read. Write down three of its claims, and
#    for each one what you would see if it were false.
#
# <details>
# <summary>Answers</summary>
#
# 1. When we tried it, the lead over the target alone was largest with the fewest patients, and with
#    a hundred hardly anything was left of it. "Source only" stays where it is: the more patients,
#    the larger the lead over it. With twenty, both controls were beaten.
# 2. When we tried it, it did not: eight random units stay as far behind as before, and of the
#    largest networks both are equally good, with few labels and with many. Here width closes the
#    gap, labels hardly.
# 3. By less than a point, when we tried it; and what the chosen checkpoint is worth on the many
#    rose by no more than two errors. Neighboring checkpoints are nearly the same network.
# 4. If you find a claim for which nothing would be seen, it says nothing. That, too, is a finding.
#
# </details>
#
# ### In practice
#
# - Write the control before the experiment, and the sentence after it.
# - If a number surprises you, doubt order, split and scale, in this sequence, and the idea last.
# - Say what stands. A report in which everything falls is as lazy as one in which everything
#   shines.
# - Point at the sentence, not at the author. All twenty are easy to make; some of them we have
#   made.
#
# ### Further reading
#
# - S. Kapoor, A. Narayanan, *Leakage and the reproducibility crisis in machine-learning-based
#   science* (Patterns 2023).
# - Z. Lipton, J. Steinhardt, *Troubling Trends in Machine Learning Scholarship* (2018).
# - S. Kornblith, J. Shlens, Q. Le, *Do Better ImageNet Models Transfer Better?* (CVPR 2019): claim
#   16, on large networks.
# - R. Shokri, M. Stronati, C. Song, V. Shmatikov, *Membership Inference Attacks Against Machine
#   Learning Models* (IEEE S&P 2017).
# - S. Pan, Q. Yang, *A Survey on Transfer Learning* (IEEE TKDE 2010): before deep networks.
