# ---
# jupyter:
#   course:
#     title: Regularization
#     minutes: 98
#     after: ["01"]
#     data: [digits]
#     able: >-
#       see overfitting, derive L2 and L1 penalties as priors, solve ridge regression in closed form
#       and the lasso by soft-thresholding, write dropout, tell weight decay from L2, and choose a
#       strength without fooling yourself
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 Regularization
#
# A curve is laid through twelve points. It meets every one of them: no curve can have a smaller
# error. Then it is asked for a point between two of them, and its answer lies several times farther
# out than any of the twelve. What went wrong, and how can one see it before a thirteenth point
# comes?
#
# **What you will do.** You make models overfit, look at their weights, and then cure them in four
# ways: with an L2 penalty, with an L1 penalty, with dropout, and by stopping early. You write each
# of them in a few lines of NumPy, two of them as a whole loop, and an independent witness confirms
# it: finite differences, Keras or scikit-learn. At the end a validation set picks the strength, and
# the test set is opened once.
#
# **What you will learn**
#
# - what overfitting looks like, in the curve and in the weights;
# - why a penalty is a prior: L2 is a Gaussian, L1 a Laplace distribution;
# - why L1 makes weights exactly zero and L2 does not;
# - what dropout really computes, and when weight decay is not L2;
# - what it costs to choose on the test set.
#
# **What you need.** Lesson 01 and Bayes' rule; from linear algebra, that a symmetric matrix
# stretches no direction by more than its largest eigenvalue; for what is marked *Deeper* also the
# singular value decomposition. No internet connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Overfitting, seen | 6 |
# | 2 A price on large weights: L2 | 18 |
# | 3 The answer in one line: ridge regression | 10 |
# | 4 Weights of exactly zero: L1 and soft-thresholding | 27 |
# | 5 Dropout: a coin for every unit | 11 |
# | 6 Weight decay is not always L2 | 11 |
# | 7 Early stopping: time as a penalty | 9 |
# | 8 Validation picks, the test set is touched once | 6 |
#
# **How the exercises work.** As in lesson 01: write the body of a function, run the cell below it,
# read the verdict. If you get stuck, go on: the check lends you the course's own function. Several
# exercises come *before* their derivation: try first, then unfold it below the check. What is
# marked *Deeper* may be skipped. Good places to break off are after section 3 and after section 5.

# %% [markdown]
# The next cell loads the tools. What you wrote in lesson 01 comes from the library, so that this
# lesson also works on its own. `compare` prints how far two answers are apart.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import keras
import numpy as np
from IPython.display import Markdown

from course_lib.data import digits
from course_lib.exercises import check
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import (
    mse,
    mse_gradient,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)
from course_lib.ledger import ledger
from course_lib.plots import regularization as figures
from course_lib.plots.losses import weights_as_images
from course_lib.transfer.autodiff import gradient as keras_gradient

keras.config.set_floatx("float64")


def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% [markdown]
# **Notation.** $N$ examples, $D$ features, one row of $X$ per example; $t$ are the targets, $w$ the
# weights, $Xw$ the predictions. $\lambda$ is the *strength* of a penalty, $\eta$ the learning rate.
# Where the features have a column of ones for the bias, it is the **last** column.

# %% [markdown]
# ## 1 Overfitting, seen
#
# *6 minutes*
#
# Twelve points of a sine, with noise. A polynomial is a linear model whose features are the powers
# of $x$: $y = b + w_1 x + w_2 x^2 + \dots$ Three of them are fitted by least squares, and then
# asked for 200 *fresh* points from the same source.
#
# **Guess first.** Degrees 1, 3 and 11. Which has the smallest error on the twelve points? Which on
# the fresh ones?

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
x, t, fresh_x, fresh_t = figures.noisy_sine()
curves = {}
for degree in (1, 3, 11):
    features = figures.powers(x, degree)  # columns x, x², ..., and the ones last
    weights = np.linalg.lstsq(features, t, rcond=None)[0]
    training = mse(features @ weights, t)
    fresh = mse(figures.powers(fresh_x, degree) @ weights, fresh_t)
    curves[f"degree {degree}"] = figures.powers(figures.GRID, degree) @ weights
    print(
        f"degree {degree:2}   training error {training:.3f}   fresh error {fresh:.3f}"
        f"   largest weight {np.abs(weights).max():4.0f}"
    )

# %% jupyter={"source_hidden": true}
figures.fits(x, t, curves)

# %% [markdown]
# Degree 1 cannot bend: it *underfits*. Degree 11 has twelve numbers for twelve points, goes through
# all of them, noise included, and swings far out in between: it *overfits*. Two things give it
# away: fresh data, and the weights. To bend so sharply it needs huge ones of opposite signs, which
# nearly cancel:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print("weights of x to the power of 1, 3, ..., 11:", weights[:-1:2].round().astype(int))
terms = weights * figures.powers(np.array([0.5]), 11)[0]
print(f"at x = 0.5: largest term {np.abs(terms).max():.0f}, all of them together {terms.sum():.1f}")

# %% [markdown]
# Was it an unlucky draw of the noise? Twenty draws:


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
def fresh_error(degree, seed):
    x, t, fresh_x, fresh_t = figures.noisy_sine(seed=seed)
    weights = np.linalg.lstsq(figures.powers(x, degree), t, rcond=None)[0]
    return mse(figures.powers(fresh_x, degree) @ weights, fresh_t)


draws = {degree: [fresh_error(degree, seed) for seed in range(20)] for degree in (1, 3, 11)}
for degree, errors in draws.items():
    print(f"degree {degree:2}   fresh error {np.median(errors):.2f}", end="   ")
    print(f"(from {min(errors):.2f} to {max(errors):.2f})")
print("degree 3 is the best in", np.sum(np.argmin(list(draws.values()), axis=0) == 1), "of 20")

# %% [markdown]
# ### The same with handwriting
#
# Real labels contain mistakes (Northcutt et al. 2021 found some in each of ten well-known test
# sets). So that the effect shows, we exaggerate: of a hundred digits, about a fifth get a wrong
# label. Besides there are two sets with clean labels: a *validation set*, on which we may look as
# often as we like, and a *test set*, which stays closed until section 8.


# %% jupyter={"source_hidden": true}
def few_digits(seed, wrong_share=0.2, count=100):
    """Training images, some with wrong labels; 300 for validation; the test set."""
    data, rng = digits.load(seed), np.random.default_rng(seed)
    order = rng.permutation(len(data.train_labels))
    few, held_out = order[:count], order[-300:]
    images, labels = data.train_images[few], data.train_labels[few]
    wrong = rng.random(count) < wrong_share
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    return {
        "training": (images, labels),
        "mislabeled": (images[wrong], labels[wrong]),
        "validation": (data.train_images[held_out], data.train_labels[held_out]),
        "test": (data.test_images, data.test_labels),
    }


# %% [markdown]
# The model is that of lesson 01, $z = xW + b$ with softmax and cross-entropy, trained by gradient
# descent. Two hooks wait for what follows: `penalty_gradient` adds something to the gradient of the
# weights, `disturb` changes the images. `train` returns the weights after every step.


# %%
def train(images, labels, penalty_gradient=lambda w: 0.0, disturb=lambda x: x, steps=500):
    weights, bias, path = np.zeros((64, 10)), np.zeros(10), []
    for _ in range(steps):
        seen = disturb(images)
        upstream = softmax_cross_entropy_gradient(seen @ weights + bias, labels)
        weights = weights - (seen.T @ upstream + penalty_gradient(weights))  # a learning rate of 1
        bias = bias - upstream.sum(axis=0)
        path.append((weights, bias))
    return path


# %% jupyter={"source_hidden": true}
def accuracy(model, images, labels):
    weights, bias = model
    return np.mean((images @ weights + bias).argmax(axis=1) == labels)


# %% [markdown]
# **Guess first.** A fifth of the labels are wrong, and the image does not tell which. Which
# accuracy can a linear model reach on the *training* set? And how many of the wrong labels does it
# reproduce?
#
# (In this lesson ± is the standard deviation over the splits or problems, unless a line says that
# it is a *standard error*: the standard deviation divided by the square root of the number of
# repetitions. It says how far the mean itself may be off.)

# %% jupyter={"source_hidden": true}
splits = [few_digits(seed) for seed in range(5)]
plain = [train(*split["training"])[-1] for split in splits]


# %% jupyter={"source_hidden": true}
def over_splits(models, which, splits=splits):
    scores = [accuracy(m, *split[which]) for m, split in zip(models, splits, strict=True)]
    return f"{np.mean(scores):3.0%} ± {np.std(scores, ddof=1):3.0%}"


# %% tags=["nbval-check-output"]
print("training             ", over_splits(plain, "training"))
print("the wrong among them ", over_splits(plain, "mislabeled"))
print("validation           ", over_splits(plain, "validation"))

# %% [markdown]
# It has learned nearly all wrong labels by heart. Could it learn *anything* by heart? The hardest
# question: labels that are shuffled, and longer training.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
images, labels = splits[0]["training"]
shuffled = np.random.default_rng(0).permutation(labels)
by_heart = train(images, shuffled, steps=5000)[-1]
print(f"shuffled labels, 5000 steps: training accuracy {accuracy(by_heart, images, shuffled):.0%}")

# %% [markdown]
# Some combination of the 64 pixels fits even that. Here are the weights of the first split, trained
# on the labels as they were. Do you recognize a digit?

# %% jupyter={"source_hidden": true}
weights_as_images(plain[0][0])

# %% [markdown]
# A pixel and its neighbor are often inked together. Are their weights alike, too?


# %% jupyter={"source_hidden": true}
def likeness(images):
    """Correlation of pixels with their neighbors, to the right and below."""
    grid = images.reshape(-1, 8, 8)
    grid = grid - grid.mean(axis=(1, 2), keepdims=True)
    pixels = np.concatenate([grid[:, :, :-1].ravel(), grid[:, :-1].ravel()])
    neighbors = np.concatenate([grid[:, :, 1:].ravel(), grid[:, 1:].ravel()])
    return np.corrcoef(pixels, neighbors)[0, 1]


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print(f"neighboring pixels: correlation of ink {likeness(images):.2f}")
print("of weights, in five splits:", *(f"{likeness(w.T):.2f}" for w, _ in plain))

# %% [markdown]
# Much less. The model has picked pixels, not strokes.

# %% [markdown]
# ## 2 A price on large weights: L2
#
# *18 minutes*
#
# ### By hand first
#
# The remedy suggests itself: make large weights cost something. The *strength* says how much. Drag
# it from left to right. Watch the fit, the weights (beyond ±1 their scale is logarithmic) and the
# two errors; the 200 fresh points are the validation set. Leave the menu at L2 for now.
#
# **Guess first.** Where is the *training* error smallest? Where the validation error?

# %%
figures.strength_explorer()

# %% [markdown]
# <details>
# <summary>Unfold when you have guessed</summary>
#
# The training error is smallest at the far left: a penalty can only pull the weights away from
# where it is least. The validation error is smallest in between. Further left the noise is fitted;
# further right the sine is flattened, too.
#
# </details>
#
# ### Exercise: `l2_penalty`
#
# Let weights pay their squares, times a strength $\lambda$ (the reason follows below):
#
# $$L(w) = \text{loss}(w) + \lambda \sum_j w_j^2$$
#
# Weights of 3 and $-1$ at a strength of 0.5 pay $0.5 \cdot (9 + 1) = 5$. As in Keras there is no ½
# and no mean. The function gets the weights without the bias, so all entries of its array pay.


# %%
def l2_penalty(weights, strength):
    """strength times the sum of the squared weights.

    weights: floats of any shape. strength: a number. Returns a single number.
    """
    ### BEGIN SOLUTION
    return strength * np.sum(weights**2)
    ### END SOLUTION


# %%
l2_penalty = check(l2_penalty)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: where the squares come from</summary>
#
# Lesson 01 asked for the weights that make the *data* most probable. Ask instead for the weights
# that are most probable *given the data*. Bayes' rule says
#
# $$p(w \mid \text{data}) \propto p(\text{data} \mid w)\; p(w)$$
#
# where $\propto$ says equal up to a factor, $p(w \mid \text{data})$ is the probability of the
# weights once the data are known, and $p(w)$, the *prior*, is what you believe before: here that
# weights are small, each Gaussian around zero with variance $\tau^2$. Take the negative logarithm,
# as before:
#
# $$-\log p(w \mid \text{data})
#   = \underbrace{-\log p(\text{data} \mid w)}_{\text{as in lesson 01}}
#   + \underbrace{\frac{1}{2\tau^2} \sum_j w_j^2}_{\text{the Gaussian prior}}
#   + \text{constant}$$
#
# The weights that minimize it are the *maximum a posteriori* estimate, MAP. For targets with
# Gaussian noise of variance $\sigma^2$ the first term is $\frac{1}{2\sigma^2} \sum_n (y_n -
# t_n)^2$ plus a constant. Multiply everything by $2\sigma^2/N$, which moves no minimum, to get the
# mean squared error of lesson 01:
#
# $$\frac{1}{N} \sum_n (y_n - t_n)^2 + \lambda \sum_j w_j^2
#   \qquad\text{with}\qquad \lambda = \frac{\sigma^2}{N \tau^2}$$
#
# The bias is left out: its prior is flat. A penalty on it would pull all predictions towards zero,
# as if zero were special.
#
# </details>
#
# A penalty is a *prior*: a belief about the weights, here that each is Gaussian around zero, with a
# variance $\tau^2$. If the targets have noise of variance $\sigma^2$, the strength is
# $\lambda = \sigma^2 / (N \tau^2)$. So noisy targets ask for more of it, more examples for less.
#
# ### Exercise: `l2_gradient`
#
# Training needs the penalty's gradient. How hard does a weight of 3 pull back, and how hard one of
# 0.3? Of all the squares in the sum, only one contains $w_j$.


# %%
def l2_gradient(weights, strength):
    """Gradient of l2_penalty by the weights.

    weights: floats of any shape. strength: a number. Returns an array of the shape of weights.
    """
    ### BEGIN SOLUTION
    return 2 * strength * weights
    ### END SOLUTION


# %%
l2_gradient = check(l2_gradient)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the derivative of one square</summary>
#
# $$\frac{\partial}{\partial w_j} \lambda \sum_i w_i^2 = 2 \lambda w_j$$
#
# The larger a weight, the harder it is pulled back; the pull fades as it nears zero.
#
# </details>

# %% tags=["nbval-ignore-output"]
some_weights = np.random.default_rng(0).normal(size=(4, 3))
theirs = float(keras.regularizers.L2(0.25)(some_weights))
compare(l2_penalty(some_weights, 0.25), {"Keras": theirs})
witness = numerical_gradient(lambda w: l2_penalty(w, 0.25), some_weights)
automatic = keras_gradient(keras.regularizers.L2(0.25), some_weights)
compare(l2_gradient(some_weights, 0.25), {"finite differences": witness, "Keras": automatic})

# %% [markdown]
# Before you copy a strength from a paper, ask whether there is a ½ in front. *Deeper:* these are
# rows of the course's *conventions ledger*; the column of Keras was measured just now.

# %% jupyter={"source_hidden": true}
Markdown(ledger(["l2-half", "l2-bias"], keras=keras))

# %% [markdown]
# **Guess first.** Now the hundred digits with their wrong labels. Will the penalty raise or lower
# the accuracy on the training set? And on the validation set? Which of the training labels does it
# give up first?

# %%
with_l2 = [
    train(*split["training"], penalty_gradient=lambda w: l2_gradient(w, 0.01))[-1]
    for split in splits
]

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
sets = ("training", "mislabeled", "validation")
for name, models in {"no penalty": plain, "L2, 0.01  ": with_l2}.items():
    print(name, *(f"{which} {over_splits(models, which)}" for which in sets), sep="   ")

# %% [markdown]
# It can no longer afford to learn most of the wrong labels by heart. And the weights, of the same
# split as above? They are smaller (see the scale at the right), and neighbors are more alike:

# %% jupyter={"source_hidden": true}
weights_as_images(with_l2[0][0])

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, models in {"no penalty": plain, "L2, 0.01  ": with_l2}.items():
    print(name, "likeness of neighbors:", *(f"{likeness(w.T):.2f}" for w, _ in models))

# %% [markdown]
# ## 3 The answer in one line: ridge regression
#
# *10 minutes*
#
# For the mean squared error of a linear model, the minimum with an L2 penalty can be written down.
# It is called *ridge regression* ($\lVert a \rVert^2$ is the sum of the squares of the entries of
# $a$):
#
# $$L(w) = \frac{1}{N} \lVert Xw - t \rVert^2 + \lambda \lVert w \rVert^2$$
#
# ### Exercise: `ridge_weights`
#
# $L$ is a bowl: it has one lowest place, where its gradient is zero. You have both parts of the
# gradient: lesson 01's, at the predictions, and `l2_gradient`. Set their sum to zero and solve for
# $w$. One example with one feature first, $x = 2$, $t = 6$, $\lambda = 2$, and no bias:
# $2 \cdot 2\,(2w - 6) + 2 \cdot 2\,w = 0$ gives $w = 2$, where least squares would give 3. With
# $D$ weights these are $D$ equations. Collect what multiplies $w$: that is a matrix $A$, $(D, D)$
# (`np.eye(D)` writes $\lambda w$ as a matrix times $w$), and `np.linalg.solve(A, b)` finds the $w$
# of $Aw = b$. The bias, last, does not pay.


# %%
def ridge_weights(features, targets, strength):
    """Weights that minimize ‖Xw − t‖²/N + strength·Σw², the last one (the bias) not penalized.

    features: (N, D) floats, the last column is that of the bias. targets: (N,) floats.
    strength: above 0. Returns (D,).
    """
    ### BEGIN SOLUTION
    number, size = features.shape
    penalty = strength * np.eye(size)
    penalty[-1, -1] = 0
    return np.linalg.solve(features.T @ features / number + penalty, features.T @ targets / number)
    ### END SOLUTION


# %%
ridge_weights = check(ridge_weights)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the gradient is zero</summary>
#
# The chain rule, through the gradient of the mean squared error at the predictions:
#
# $$\nabla L(w) = \frac{2}{N} X^\top (Xw - t) + 2 \lambda w$$
#
# Set it to zero, divide by 2 and bring all terms with $w$ to one side, with $I$ the unit matrix:
#
# $$\left( \frac{1}{N} X^\top X + \lambda I \right) w = \frac{1}{N} X^\top t$$
#
# As the bias is not penalized, the last entry of the diagonal of $I$ is zero. With $\lambda > 0$
# there is always one solution, even if there are fewer examples than features.
#
# </details>
#
# At the minimum the gradient vanishes. Two witnesses for it, which know nothing of the equations,
# and a third: downhill in small steps from zero, it must end at the same place.

# %% jupyter={"source_hidden": true}
features = figures.powers(x, 11)
not_bias = np.append(np.ones(11), 0.0)


def ridge_loss(w):
    return mse(features @ w, t) + l2_penalty(w * not_bias, 0.01)


def keras_ridge_loss(w):
    errors = keras.losses.mean_squared_error(t, keras.ops.matmul(features, w))
    return errors + keras.regularizers.L2(0.01)(w[:-1])


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
closed_form = ridge_weights(features, t, 0.01)
by_differences = numerical_gradient(ridge_loss, closed_form)
by_keras = keras_gradient(keras_ridge_loss, closed_form)
compare(0.0, {"zero, finite differences": by_differences, "zero, Keras": by_keras})

# %% tags=["nbval-ignore-output"]
w = np.zeros(12)
for _ in range(10000):
    w = w - 0.25 * (features.T @ mse_gradient(features @ w, t) + l2_gradient(w * not_bias, 0.01))
compare(closed_form, {"where gradient descent ends": w})

# %% [markdown]
# ### Deeper: what shrinks, and what does not
#
# Not all directions of the weights shrink alike. Those which the data determine well are kept;
# those about which the data say little, and which are mostly noise, are given up.
#
# <details>
# <summary>Deeper: the share that is kept</summary>
#
# Center the columns of $X$ and the targets; the bias is then gone. The singular value decomposition
# is $X = U S V^\top$: the columns $u_j$ of $U$ and $v_j$ of $V$ are directions of length 1, at
# right angles to each other, and $X v_j = s_j u_j$ with a number $s_j$. So $v_j$ is an eigenvector
# of $X^\top X / N$, with the eigenvalue $d_j = s_j^2 / N$. Multiply the equation above by
# $v_j^\top$, and it becomes one equation for one number, the weight along $v_j$:
#
# $$(d_j + \lambda)\; v_j^\top w = \frac{s_j}{N}\, u_j^\top t = d_j\, \frac{u_j^\top t}{s_j}$$
#
# Divide, and add up the directions:
#
# $$w_\text{ridge} = \sum_j \frac{d_j}{d_j + \lambda} \; v_j \, \frac{u_j^\top t}{s_j}$$
#
# Without the fraction it is the least-squares solution. So ridge regression keeps the share
# $d_j / (d_j + \lambda)$ of it: nearly all where the data determine the weights well
# ($d_j \gg \lambda$), nearly nothing where they do not.
#
# Why is that good? Noise falls into all directions $u_j$ alike, and the division by a small $s_j$
# blows it up.
#
# </details>

# %% jupyter={"source_hidden": true}
X = features[:, :-1] - features[:, :-1].mean(axis=0)
U, s, Vt = np.linalg.svd(X, full_matrices=False)
d = s**2 / len(X)


def by_directions(share, targets=t):
    return Vt.T @ (share * (U.T @ (targets - targets.mean())) / s)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
compare(by_directions(d / (d + 0.01)), {"the closed form": closed_form[:-1]})

# %% [markdown]
# The least-squares weights are a sum of two: those that fit the sine, and those that fit the noise.
# Here, and only here, we know both.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print("largest and smallest eigenvalue:", f"{d[0]:.1f} and {d[-1]:.0e}")
sine = np.sin(np.pi * x)
for name, part in {"sine ": sine, "noise": t - sine}.items():
    every, large = by_directions(1.0, part), by_directions(d >= d[5], part)
    print(f"size of the weights for the {name}: {np.linalg.norm(every):4.0f}", end="   ")
    print(f"without the five smallest eigenvalues: {np.linalg.norm(large):.0f}")

# %% jupyter={"source_hidden": true}
figures.shares_kept(d, {f"λ = {strength:g}": d / (d + strength) for strength in (1e-6, 1e-3, 1e-1)})

# %% [markdown]
# ### Deeper: is the strength really $\sigma^2 / (N \tau^2)$?
#
# Section 2 makes a prediction. Draw the weights from the prior, and the targets with that noise:
# then this strength should be the best one *on average*. We compare it with strengths around it.
#
# <details>
# <summary>Deeper: why the best</summary>
#
# For Gaussians the MAP is also the mean of $p(w \mid \text{data})$, and the mean has the least
# expected squared error. For other priors the two may differ.
#
# </details>

# %% jupyter={"source_hidden": true}
factors = np.array([1 / 4, 1 / 2, 1, 2, 4])


def squared_errors(number, sigma, tau, rng):
    inputs = np.column_stack([rng.normal(size=(number, 8)), np.ones(number)])
    truth = np.append(tau * rng.normal(size=8), 0.0)
    answers = inputs @ truth + sigma * rng.normal(size=number)
    predicted = sigma**2 / (number * tau**2)
    found = [ridge_weights(inputs, answers, factor * predicted) for factor in factors]
    return np.sum((found - truth)[:, :-1] ** 2, axis=1)


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
rng = np.random.default_rng(0)
print("squared error of the weights at 1/4, 1/2, 1, 2 and 4 times the predicted strength")
for number, sigma, tau in ((15, 1, 0.5), (30, 1, 0.5), (15, 2, 0.5), (15, 1, 1)):
    errors = np.mean([squared_errors(number, sigma, tau, rng) for _ in range(1000)], axis=0)
    print(f"N = {number}, σ = {sigma}, τ = {tau:3}, predicted", end=" ")
    print(f"{sigma**2 / (number * tau**2):.2f}:", *(f"{error:.3f}" for error in errors))
    assert factors[errors.argmin()] == 1

# %% [markdown]
# In each row the middle one is the smallest: twice the examples want half the strength, and twice
# the noise wants four times as much. In practice nobody tells you $\sigma$ and $\tau$. That is why
# strengths are chosen with a validation set (section 8).

# %% [markdown]
# ## 4 Weights of exactly zero: L1 and soft-thresholding
#
# *27 minutes*
#
# Another belief: most weights are near zero, and a few may be large. The Laplace distribution
# $p(w) \propto e^{-|w|/b}$ has a peak at zero and heavier tails than the Gaussian. Its negative
# logarithm is $|w|/b$ plus a constant. The penalty is called *L1*, or the *lasso*:
#
# $$L(w) = \text{loss}(w) + \lambda \sum_j |w_j|$$
#
# The pull of L2 fades near zero. The pull of L1 does not: it has the same size everywhere. But at
# zero it has no derivative, there is a kink. So how do we get to the minimum?
#
# ### Exercise: `soft_threshold`
#
# Start with one weight. A $v$ should be close to a given $w$, but each unit of $|v|$ costs $a$:
#
# $$\text{minimize over } v: \qquad \tfrac12 (v - w)^2 + a\,|v|$$
#
# Try $a = 1$ by hand. For $w = 3$: if $v$ is positive, the derivative is $v - 3 + 1$. Where is it
# zero? What about $w = -3$? And for $w = 0.5$: can the minimum be at a positive $v$, or at a
# negative one? Then write it for all $w$ and $a$.


# %%
def soft_threshold(weights, amount):
    """For every weight w the v that minimizes (v - w)²/2 + amount·|v|.

    weights: floats of any shape. amount: a number, not negative.
    Returns an array of the shape of weights.
    """
    ### BEGIN SOLUTION
    return np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)
    ### END SOLUTION


# %%
soft_threshold = check(soft_threshold)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: three cases</summary>
#
# - If the minimum is at some $v > 0$, the derivative is zero there: $v - w + a = 0$, so $v = w -
#   a$. It is positive only if $w > a$.
# - If it is at some $v < 0$: $v - w - a = 0$, so $v = w + a$, which needs $w < -a$.
# - In between, for $-a \le w \le a$, neither can be. What is left is the kink: $v = 0$, *exactly*.
#
# In words: move towards zero by $a$, and stop there.
#
# For L2 the same question, with $a v^2$ as the price, has the answer $v = w / (1 + 2a)$: smaller
# than $w$, and zero only if $w$ is. (So the zeros come from taking the *most probable* weights. The
# prior itself never draws an exact zero: a number from a Laplace distribution is zero with
# probability 0.)
#
# </details>
#
# Move towards zero, but stop *at* zero: that is *soft-thresholding*. L2 answers the same question
# otherwise:

# %% jupyter={"source_hidden": true}
figures.shrinking()

# %% [markdown]
# The witness: try many values of $v$, in steps of 0.0001, and take the best.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
v = np.linspace(-3, 3, 60001)
for w in (-2.0, -0.4, 0.0, 0.7, 1.5):
    tried = v[np.argmin((v - w) ** 2 / 2 + 0.6 * np.abs(v))]
    ours = soft_threshold(np.array([w]), 0.6)[0] + 0.0  # no -0
    print(f"w = {w:4}   best of all tried {tried:7.4f}   soft threshold {ours:7.4f}")
    assert abs(tried - ours) < 1e-3

# %% [markdown]
# ### Exercise: `lasso_weights`
#
# Now all weights of a linear model, with the squared error of many examples. One cannot write the
# answer down, but one can walk: a step down the gradient $g$ of the squared error, and then towards
# zero, with the function that you have just written. If the step is $1/c$ times the gradient, the
# penalty moves each weight by $\lambda / c$:
#
# $$w \leftarrow \text{soft-threshold}\left( w - \frac{g}{c},\; \frac{\lambda}{c} \right)$$
#
# $c$ is the largest curvature of the squared error. Its second derivatives are the matrix
# $\frac{2}{N} X^\top X$ (lesson 03 calls it the Hessian), and along no direction do they exceed its
# largest eigenvalue, which `np.linalg.eigvalsh` returns last.
#
# Start at zero. `mse_gradient` of lesson 01 gives the gradient at the predictions; $X^\top$ takes
# it to the weights. The bias, again the last weight, steps with the others, but is not moved
# towards zero.


# %%
def lasso_weights(features, targets, strength, steps):
    """Weights after some steps towards the minimum of ‖Xw − t‖²/N + strength·Σ|w|.

    features: (N, D) floats, the last column is that of the bias, which does not pay.
    targets: (N,) floats. strength: not negative. steps: how many. Returns (D,).
    """
    ### BEGIN SOLUTION
    curvature = 2 / len(features) * np.linalg.eigvalsh(features.T @ features)[-1]
    weights = np.zeros(features.shape[1])
    for _ in range(steps):
        gradient = features.T @ mse_gradient(features @ weights, targets)
        weights = weights - gradient / curvature
        weights[:-1] = soft_threshold(weights[:-1], strength / curvature)
    return weights
    ### END SOLUTION


# %%
lasso_weights = check(lasso_weights)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: why it never goes up</summary>
#
# Lay a bowl over the curve that touches it at $w$ and is nowhere below it: a step that goes down
# the bowl goes down the curve at least as far. In numbers: $f(v) = v^2$ has the curvature 2; take
# $c = 4$ and $w = 4$. The bowl $16 + 8(v - 4) + 2(v - 4)^2$ touches $f$ at 4, where both are 16.
# Its lowest point is at $v = 4 - 8/4 = 2$. There the bowl is 8, and $f$ only 4.
#
# Let $f$ be the squared error, $g$ its gradient at the present weights $w$.
#
# 1. No direction curves more than $c$, so a bowl of that curvature lies above $f$ and touches it at
#    $w$: $\;f(v) \le f(w) + g^\top (v - w) + \frac{c}{2} \lVert v - w \rVert^2$.
# 2. Complete the square. The bowl is $\frac{c}{2} \lVert v - (w - g/c) \rVert^2$ plus a constant:
#    its lowest point is one step of gradient descent away.
# 3. Add the penalty and divide by $c$. For each weight by itself: $\;\frac12 \left( v_j - (w -
#    g/c)_j \right)^2 + \frac{\lambda}{c} |v_j|$. That is the problem of one weight, with
#    $a = \lambda / c$.
#
# So the step goes to the minimum of bowl and penalty. As $f$ lies below the bowl, every step lowers
# $f$ plus penalty, or is at the minimum already.
#
# </details>
#
# This is ISTA, the *iterative shrinkage-thresholding algorithm*. Let it look for the 3 of 20
# features that matter, in 40 examples:

# %% jupyter={"source_hidden": true}
truth = np.zeros(20)
truth[[2, 9, 14]] = 2.0, -1.5, 1.0


def sparse_problem(seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(40, 20))
    return inputs, inputs @ truth + 0.5 * rng.normal(size=40)


def with_ones(inputs):
    return np.column_stack([inputs, np.ones(len(inputs))])


# %%
inputs, answers = sparse_problem(2)
found = lasso_weights(with_ones(inputs), answers, 0.25, 1000)
lasso, bias = found[:-1], found[-1]

# %% [markdown]
# Is it the minimum? There the pulls of the error and of the penalty are in balance. Where a weight
# is not zero, the gradient of the error is $-\lambda\,\text{sign}(w_j)$. Where it is zero, the
# error pulls with at most $\lambda$: not hard enough to get it off the kink. And scikit-learn, by
# another algorithm, finds the same weights. (It halves the squared error, so its `alpha` is half
# our strength.)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
pull = inputs.T @ mse_gradient(inputs @ lasso + bias, answers)
print("pull on weights that are not zero:", pull[lasso != 0].round(3), np.sign(lasso[lasso != 0]))
print(f"largest pull on a weight of zero: {np.abs(pull[lasso == 0]).max():.2f}")
assert np.allclose(pull[lasso != 0], -0.25 * np.sign(lasso[lasso != 0]))
assert np.abs(pull[lasso == 0]).max() <= 0.25

# %% tags=["nbval-ignore-output"]
from sklearn.linear_model import Lasso

theirs = Lasso(alpha=0.25 / 2, tol=1e-12).fit(inputs, answers)
compare(lasso, {"scikit-learn": theirs.coef_})

# %% [markdown]
# ### Exercise: `lasso_subgradient`
#
# Deep-learning libraries do it differently: they differentiate. What is the slope of
# $\lambda |w|$ for $w = 3$, and for $w = -0.001$? At the kink every line with a slope between
# $-\lambda$ and $\lambda$ stays below the curve, and each of these slopes is a *subgradient*. We
# take $0$: a weight of zero is left alone. So do TensorFlow and PyTorch; JAX takes $\lambda$.


# %%
def lasso_subgradient(weights, strength):
    """A subgradient of strength·Σ|w|: strength times the sign, 0 where a weight is 0.

    weights: floats of any shape. strength: a number. Returns an array of the shape of weights.
    """
    ### BEGIN SOLUTION
    return strength * np.sign(weights)
    ### END SOLUTION


# %%
lasso_subgradient = check(lasso_subgradient)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
smooth = np.array([-1.2, 0.7, 0.4])  # finite differences are no witness at a kink
witness = numerical_gradient(lambda w: 0.25 * np.sum(np.abs(w)), smooth)
keras_penalty = keras.regularizers.L1(0.25)  # Keras keeps strengths in float32; this one is exact
automatic = keras_gradient(keras_penalty, smooth)
compare(lasso_subgradient(smooth, 0.25), {"finite differences": witness, "Keras": automatic})

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print("ours at zero :", lasso_subgradient(np.zeros(1), 0.25))
print("Keras at zero:", keras_gradient(keras_penalty, np.zeros(1)))

# %% [markdown]
# **Guess first.** Three ways to the weights of our 20 features: L2 by `ridge_weights`, L1 by
# `lasso_weights`, L1 by 1000 steps along the subgradient. How many of the 17 useless weights does
# each set to exactly zero?

# %%
ridge = ridge_weights(with_ones(inputs), answers, 0.25)[:-1]
walk = [np.zeros(20)]
for _ in range(1000):
    gradient = inputs.T @ mse_gradient(inputs @ walk[-1] + bias, answers)
    walk.append(walk[-1] - 0.05 * (gradient + lasso_subgradient(walk[-1], 0.25)))

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, w in (("L2", ridge), ("L1, threshold", lasso), ("L1, subgradient", walk[-1])):
    useless = w[truth == 0]
    zero, largest = np.sum(useless == 0), np.abs(useless).max()
    print(f"{name:16} exactly zero: {zero:2}   largest: {largest:.3f}")

signs = np.sign(walk[-100:])[:, truth == 0]
jumping = np.any(signs[1:] != signs[:-1], axis=0)
print("useless weights that changed sign in the last 100 steps:", jumping.sum())

# %% jupyter={"source_hidden": true}
figures.weights_side_by_side(truth, {"L2": ridge, "L1 by thresholds": lasso})

# %% [markdown]
# L2 sets nothing to zero. The subgradient jumps to and fro across the kink and does not land on it.
# Soft-thresholding stops *at* zero; the few useless weights that it keeps are small. Keras'
# optimizers get the subgradient, so `keras.regularizers.L1` gives small weights, not zeros: set the
# small ones to zero yourself.
#
# One problem proves little. Twenty more of the kind, and the price: the penalty also pulls at the
# three weights that matter. Compare them with least squares on these three features alone, which
# nobody could have known beforehand.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
others = [sparse_problem(seed) for seed in range(100, 120)]
found = np.array([lasso_weights(with_ones(x), t, 0.25, 1000)[:-1] for x, t in others])
zeros = np.sum(found[:, truth == 0] == 0, axis=1)
print(f"of 17 useless weights, exactly zero: {zeros.mean():.1f} ± {zeros.std(ddof=1):.1f}", end="")
print(f" (at least {zeros.min()})")
print("problems in which a weight that matters was lost:", np.sum(found[:, truth != 0] == 0))

matter = truth != 0
alone = np.linalg.lstsq(with_ones(inputs[:, matter]), answers, rcond=None)[0][:-1]
print("the first problem: least squares on the three", alone.round(2))
print("                   lasso on all twenty       ", lasso[matter].round(2))

# %% [markdown]
# Now back to the twelve points and the polynomial.
#
# **Guess first.** A sine is odd: $\sin(-x) = -\sin x$. Which powers of $x$ are left when the
# penalty grows?

# %%
figures.strength_explorer("L1")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
some = np.array([0.01, 0.03, 0.05, 0.07, 0.1, 0.3, 1.0])
for strength, row in zip(some, figures.lasso_path(features, t, some), strict=True):
    print(f"strength {strength:4}: powers of x that are left", np.flatnonzero(row[:-1]) + 1)

# %% [markdown]
# The first power stays longest. The other odd ones are nearly interchangeable here: as the penalty
# grows, L1 swaps one for another, so that a power may go, and one that was gone may come. Of the
# even ones only the square holds on for a while, because the noise is not odd.

# %% [markdown]
# ## 5 Dropout: a coin for every unit
#
# *11 minutes*
#
# Another way to keep a model from leaning on a few lucky pixels: take some of them away, others in
# each step. Every entry of the input, or of a hidden layer, is dropped with probability $r$, the
# *rate*. The mask $m$ has a $1$ for each entry that is kept: a *Bernoulli* variable with mean
# $1 - r$, a coin for every unit and every example. What is kept is scaled up:
#
# $$\tilde a = \frac{m \cdot a}{1 - r}
#   \qquad\text{so that}\qquad
#   \mathbb{E}[\tilde a] = \frac{\mathbb{E}[m]\; a}{1 - r} = a$$
#
# In numbers: at a rate of 0.2 a 2 becomes 2.5 in four of five steps and 0 in the fifth; the mean
# is 2. So at test time there is no mask and no scaling. This is *inverted* dropout, as in Keras and
# PyTorch.
#
# *Deeper:* the paper of 2014 scaled at test time, and wrote $p$ for the share that is *kept*:

# %% jupyter={"source_hidden": true}
Markdown(ledger(["dropout-scale", "dropout-rate"], keras=keras))

# %% [markdown]
# ### Exercise: `dropout`
#
# The mask is an argument, so that the function itself is not random and can be checked.


# %%
def dropout(activations, keep_mask, rate):
    """Inverted dropout.

    activations: floats of any shape. keep_mask: booleans of that shape, True for what is kept.
    rate: share that is dropped, 0 <= rate < 1. Returns an array of the shape of activations.
    """
    ### BEGIN SOLUTION
    return activations * keep_mask / (1 - rate)
    ### END SOLUTION


# %%
dropout = check(dropout)

# %% [markdown]
# The same as Keras? Its layer throws its own coins; we read its mask off its result, and compare
# the scaling and the share that it drops. When it is not training, it does nothing.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
layer = keras.layers.Dropout(0.2, seed=0)
activations = np.random.default_rng(0).normal(size=(1000, 8))
theirs = keras.ops.convert_to_numpy(layer(activations, training=True))
resting = keras.ops.convert_to_numpy(layer(activations, training=False))

compare(dropout(activations, theirs != 0, 0.2), {"Keras": theirs})
compare(activations, {"Keras when not training": resting})
print(f"share that Keras dropped: {np.mean(theirs == 0):.2f}")
assert abs(np.mean(theirs == 0) - 0.2) < 0.02

# %% [markdown]
# **Guess first.** An activation of 2, a rate of 0.2, a hundred thousand masks. What is the mean, if
# the scaling is right, forgotten, or done with the rate instead of $1 - r$?

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
two, mask = np.full(100_000, 2.0), np.random.default_rng(0).random(100_000) >= 0.2
for name, values in {
    "right: m·a/(1−r)": dropout(two, mask, 0.2),
    "scaling forgotten: m·a": two * mask,
    "divided by the rate: m·a/r": two * mask / 0.2,
}.items():
    print(f"{name:27} mean {values.mean():.2f}   spread {values.std():.2f}")

# %% [markdown]
# (With a rate of ½, dividing by $r$ and by $1 - r$ is the same. That mistake survives every test at
# ½, so test at another rate.)
#
# ### Deeper: what the noise does
#
# The mean stays, but there is now a *variance*. For a linear model with squared error, dropout of
# the inputs is a penalty in disguise: L2 again, in which a weight pays for the size of its feature
# (Srivastava et al. 2014, section 9).
#
# <details>
# <summary>Deeper: which penalty</summary>
#
# A coin $m$ that is 1 with probability $1 - r$ and else 0 has the variance $r (1 - r)$. So
# $\tilde a = m a / (1 - r)$ has $\frac{r (1 - r)}{(1 - r)^2} a^2 = \frac{r}{1 - r} a^2$. The mean
# square of any number is the square of its mean plus its variance, and as the masks are
# independent, their variances add up:
#
# $$\mathbb{E}\left[ (\tilde x \cdot w - t)^2 \right]
#   = (x \cdot w - t)^2 + \frac{r}{1 - r} \sum_j x_j^2 w_j^2$$
#
# With softmax and cross-entropy, or with a nonlinear function behind the dropout, the formula holds
# only approximately.
#
# </details>

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
rng = np.random.default_rng(0)
one, w, target = rng.normal(size=8), rng.normal(size=8), 1.0
masks = rng.random((200_000, 8)) >= 0.2
noisy_errors = (dropout(np.tile(one, (200_000, 1)), masks, 0.2) @ w - target) ** 2

expected = (one @ w - target) ** 2 + 0.2 / (1 - 0.2) * np.sum(one**2 * w**2)
margin = noisy_errors.std() / np.sqrt(len(noisy_errors))
print(f"without dropout {(one @ w - target) ** 2:.3f}, by the formula {expected:.3f}")
print(f"mean over the masks {noisy_errors.mean():.3f} ± {margin:.3f} (standard error)")
assert abs(noisy_errors.mean() - expected) < 4 * margin

# %% [markdown]
# ### Does it help our digits?
#
# A new mask for every step:


# %%
def with_dropout(split, rate):
    coins = np.random.default_rng(0)
    return train(
        *split["training"], disturb=lambda x: dropout(x, coins.random(x.shape) >= rate, rate)
    )[-1]


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
dropped = {rate: [with_dropout(split, rate) for split in splits] for rate in (0.1, 0.3, 0.6)}
for rate, models in {0.0: plain, **dropped}.items():
    found = (f"{which} {over_splits(models, which)}" for which in sets)
    print(f"rate {rate:.1f}", *found, sep="   ")

# %% [markdown]
# It does, most at the middle rate, although the splits themselves differ by as much. What the model
# gives up first are the wrong labels; at the largest rate it misses more of the right ones, too,
# and about half of the gain is gone. Section 8 lets dropout compete, split by split.

# %% [markdown]
# ## 6 Weight decay is not always L2
#
# *11 minutes*
#
# *Weight decay* says: in every step, each weight loses a fixed share of itself.
#
# $$w \leftarrow w - \eta\, g - \eta\, \text{decay} \cdot w$$
#
# where $g$ is the gradient of the loss *without* penalty. This decay is *decoupled*: it is no part
# of the loss, and is not differentiated. L2 is "commonly known as weight decay" (Goodfellow et al.
# 2016, section 7.1.1). Is it the same?
#
# ### Exercise: `weight_decay_step`
#
# As in Keras: the learning rate multiplies the decay, and what decays is the old weights.


# %%
def weight_decay_step(weights, gradient, learning_rate, decay):
    """One step of gradient descent with decoupled weight decay.

    weights, gradient: floats of the same shape. Returns the new weights.
    """
    ### BEGIN SOLUTION
    return weights - learning_rate * gradient - learning_rate * decay * weights
    ### END SOLUTION


# %%
weight_decay_step = check(weight_decay_step)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
optimizer = keras.optimizers.SGD(0.125, weight_decay=0.25)
variable = keras.Variable(np.array([1.0, -2.0, 0.5]))
ours = np.array([1.0, -2.0, 0.5])
for gradient in np.random.default_rng(0).normal(size=(10, 3)):
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    ours = weight_decay_step(ours, gradient, 0.125, 0.25)
compare(ours, {"Keras, after ten steps": keras.ops.convert_to_numpy(variable)})

# %% [markdown]
# **Guess first.** Is it the same as a step with the gradient of an L2 penalty added to $g$? If so,
# with which $\lambda$? Here are a hundred steps of each on the 20 features of section 4:

# %% tags=["nbval-ignore-output"]
shrunk, decayed = np.zeros(20), np.zeros(20)
for _ in range(100):
    gradient = inputs.T @ mse_gradient(inputs @ shrunk, answers)
    shrunk = shrunk - 0.1 * (gradient + l2_gradient(shrunk, 0.25))
    gradient = inputs.T @ mse_gradient(inputs @ decayed, answers)
    decayed = weight_decay_step(decayed, gradient, 0.1, decay=2 * 0.25)
compare(shrunk, {"weight decay, after a hundred steps": decayed})

# %% [markdown]
# It *is*, with a decay of $2\lambda$: $w - \eta\,(g + 2\lambda w) = w - \eta\, g -
# \eta \cdot 2\lambda \cdot w$. For plain gradient descent the two are one.
#
# But many optimizers do not step along the gradient. Adam (lesson 04) divides each weight's
# gradient by, roughly, its usual size. Take the simplest such step: two useless weights, both 1 at
# the start. Their gradients just flip sign from step to step, one of them loud (±10), the other
# quiet (±0.1), and each is divided by its size. As the sign flips, these pushes cancel from step
# to step: what is left after many steps is the shrinking alone. The penalty's gradient can be
# added before the division, and is then divided, too; or the decay is applied after it.
#
# **Guess first.** Which of the two weights does L2 shrink more? Which one the decay?

# %%
loudness = np.array([10.0, 0.1])
inside, outside = np.ones(2), np.ones(2)
for step in range(1000):
    gradient = loudness * (-1) ** step
    inside = inside - 0.01 * (gradient + l2_gradient(inside, 0.05)) / loudness
    outside = weight_decay_step(outside, gradient / loudness, 0.01, decay=2 * 0.05)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print(f"L2 inside:      loud {inside[0]:.2f}   quiet {inside[1]:.2f}")
print(f"decay outside:  loud {outside[0]:.2f}   quiet {outside[1]:.2f}")

# %% [markdown]
# With L2 inside, the weight with loud gradients hardly shrinks, because its penalty is divided by
# 10 too, and the quiet one nearly vanishes. Weight decay treats both alike. So in an adaptive
# optimizer the two are different things, and which one `weight_decay` means depends on the library.
# Lesson 04 settles it, with AdamW.
#
# *Deeper:* even for SGD the libraries differ as soon as there is momentum (lesson 03):

# %% jupyter={"source_hidden": true}
Markdown(ledger(["sgd-weight-decay"], keras=keras))

# %% [markdown]
# ## 7 Early stopping: time as a penalty
#
# *9 minutes*
#
# The cheapest cure: do not finish. Training starts with weights of zero, and they grow on the way.
# Watch the validation loss meanwhile. (The first step has the number 0, as in a Python list:
# `path[0]` are the weights after one step.)


# %% jupyter={"source_hidden": true}
def losses_along(path, images, labels):
    return [softmax_cross_entropy(images @ weights + bias, labels) for weights, bias in path]


# %% jupyter={"source_hidden": true}
path = train(*splits[0]["training"], steps=2000)
training_losses = losses_along(path, *splits[0]["training"])
validation_losses = losses_along(path, *splits[0]["validation"])
figures.stopping_curves(training_losses, validation_losses, int(np.argmin(validation_losses)))

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
sizes = np.array([np.linalg.norm(weights) for weights, _ in path])
print(f"size of the weights after 10, 100, 1000 steps: {sizes[[9, 99, 999]].round(1)}")
print("it grew in every step:", bool(np.all(np.diff(sizes) > 0)))

# %% [markdown]
# In a real training you do not see the rest of the curve. When do you stop? Not at the first loss
# that is worse: curves tremble.
#
# ### Exercise: `early_stopping`
#
# Wait until the loss has not been below the best for some epochs in a row: that number is the
# *patience*. (An *epoch* is one pass through all training examples; here each step is one.) Then
# stop, and go back to the best weights. With the losses 3, 2, 4, 5, 1 and a patience of 2, training
# stops at epoch 3 (epochs are counted from 0), and the weights to keep are those of epoch 1. The 1
# was never seen. If the patience does not run out, training ends with the last epoch.


# %%
def early_stopping(validation_losses, patience):
    """Which epoch's weights to keep, and the epoch after which training stops.

    validation_losses: (E,) floats, one for each epoch. patience: epochs without a new best,
    at least 1. Returns (best epoch, last epoch), counted from 0. A loss that equals the best is
    no new best.
    """
    ### BEGIN SOLUTION
    best = 0
    for epoch in range(len(validation_losses)):
        if validation_losses[epoch] < validation_losses[best]:
            best = epoch
        if epoch - best == patience:
            break
    return best, epoch
    ### END SOLUTION


# %%
early_stopping = check(early_stopping)

# %% [markdown]
# Keras has the rule as a *callback*, an object that `fit` calls after each epoch. We call it
# ourselves, with your losses. Does it stop where yours does?

# %% tags=["nbval-check-output"]
best, last = early_stopping(validation_losses, patience=20)
print(f"ours : weights of step {best}, training stopped at step {last} of {len(path)}")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
callback = keras.callbacks.EarlyStopping(patience=20)
callback.set_model(keras.Sequential())
callback.on_train_begin()
callback.model.stop_training = False  # as `fit` does
for epoch, loss in enumerate(validation_losses):
    callback.on_epoch_end(epoch, {"val_loss": loss})
    if callback.model.stop_training:
        break
print(f"Keras: weights of step {callback.best_epoch}, training stopped at step {epoch}")
assert (best, last) == (callback.best_epoch, epoch)

# %% [markdown]
# ### Deeper: why it helps
#
# Few steps are like a strong penalty. For the squared error of a linear model it can be calculated:
# directions with large eigenvalues are learned first, and the small ones, where noise is blown up,
# come last. The next cells show the shares that are reached after 500 steps, beside those that
# ridge regression keeps. (They use what the first *Deeper* of section 3 has computed: run its cells
# first.)
#
# <details>
# <summary>Deeper: the share that is reached</summary>
#
# Take the directions $v_j$ of section 3. Along one of them the gradient is $2 d_j$ times the
# distance from the least-squares solution, so every step multiplies this distance by
# $1 - 2 \eta d_j$. After $T$ steps from zero the share
#
# $$1 - (1 - 2 \eta d_j)^T$$
#
# of the solution is reached. Ridge regression keeps $d_j / (d_j + \lambda)$. For a small eigenvalue
# the two are about $2 \eta T d_j$ and $d_j / \lambda$: the same, if $\lambda = 1 / (2 \eta T)$.
# For this case Ali et al. (2019) bound the risk of stopped training, in small steps, by that of
# ridge regression times a factor below 2.
#
# </details>

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
eta, steps = 0.2, 500
stopped = 1 - (1 - 2 * eta * d) ** steps

w = np.zeros(11)
for _ in range(steps):
    w = w - eta * X.T @ mse_gradient(X @ w, t - t.mean())
compare(by_directions(stopped), {"gradient descent, stopped": w})

# %% jupyter={"source_hidden": true}
strength = 1 / (2 * eta * steps)
figures.shares_kept(d, {f"{steps} steps": stopped, f"ridge, λ = {strength:g}": d / (d + strength)})

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
apart = np.abs(stopped - d / (d + strength)).max()
print(f"largest difference between the shares: {apart:.2f}")

# %% [markdown]
# Not the same, but alike: *the number of steps is a strength*. It also means that a model that you
# did not train to the end was regularized, whether you meant it or not.

# %% [markdown]
# ## 8 Validation picks, the test set is touched once
#
# *6 minutes*
#
# How strong should the penalty be? The training loss cannot tell: it is always least without one.
# So train with several strengths and ask the validation set.

# %% jupyter={"source_hidden": true}
strengths = np.array([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1])


def with_l2_of(split, strength, steps=500):
    return train(*split["training"], lambda w: l2_gradient(w, strength), steps=steps)[-1]


candidates = [[with_l2_of(split, strength) for strength in strengths] for split in splits]


# %% jupyter={"source_hidden": true}
def scores(models, split, which):
    return [accuracy(model, *split[which]) for model in models]


# %% jupyter={"source_hidden": true}
by_set = {
    which: np.array([scores(m, s, which) for m, s in zip(candidates, splits, strict=True)])
    for which in ("training", "validation")
}
figures.scores_by_strength(strengths, by_set)

# %% [markdown]
# With more strength the training accuracy falls. The validation accuracy rises at first, and
# falls where the penalty leaves too little freedom to learn anything.
#
# Each split chooses its strength by the accuracy on its own validation set. Dropout chooses its
# rate in the same way, early stopping its step by the validation loss. Only then the test set is
# opened: one number for each method, and no way back.


# %%
def picked(models, split):
    return models[np.argmax(scores(models, split, "validation"))]


def stopped_early(split):
    path = train(*split["training"], steps=2000)
    best, _ = early_stopping(losses_along(path, *split["validation"]), patience=20)
    return path[best]


# %% jupyter={"source_hidden": true}
by_rate = list(zip(*dropped.values(), strict=True))  # for each split, one model for each rate
chosen = {
    "nothing": plain,
    "L2": [picked(models, split) for models, split in zip(candidates, splits, strict=True)],
    "dropout": [picked(models, split) for models, split in zip(by_rate, splits, strict=True)],
    "early stopping": [stopped_early(split) for split in splits],
}

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
tested = {
    name: np.array([accuracy(m, *s["test"]) for m, s in zip(models, splits, strict=True)])
    for name, models in chosen.items()
}
for name, score in tested.items():
    gain = 100 * (score - tested["nothing"])
    print(f"{name:15} test {score.mean():.0%} ± {score.std(ddof=1):.0%}", end="   ")
    print(f"gain {gain.mean():.0f} ± {gain.std(ddof=1):.0f} points, least {gain.min():.0f}")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for other in ("dropout", "early stopping"):
    ahead = 100 * (tested["L2"] - tested[other])
    print(f"L2 is ahead of {other} by {ahead.mean():.1f} ± {ahead.std(ddof=1):.1f} points")
for name, models in chosen.items():
    print(f"{name:15} size of the weights {np.mean([np.linalg.norm(w) for w, _ in models]):.1f}")

# %% [markdown]
# All three help on every one of the splits, and all three keep the weights smaller. Which of them
# is best, five splits cannot tell: the differences are about as large as their spread, or smaller.
# (Nor is the race quite fair: L2 was offered seven strengths, dropout three rates.)
#
# Was it the wrong labels that made the difference? The control: the same hundred images with clean
# labels.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
clean = [few_digits(seed, wrong_share=0.0) for seed in range(5)]
by_strength = {s: [with_l2_of(split, s) for split in clean] for s in (0.0, 1e-4, 1e-3, 1e-2)}
for strength, models in by_strength.items():
    validated = over_splits(models, "validation", clean)
    print(f"clean labels, strength {strength:6}   validation {validated}")

# %% [markdown]
# None of these strengths gains anything. A penalty is no charm that improves every model. And
# with more images, still a fifth of them with a wrong label? Section 2 says that the strength
# should fall as $1/N$.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for count in (100, 300, 1000):
    larger = [few_digits(seed, count=count) for seed in range(5)]
    for strength in (0.0, 1 / count):
        models = [with_l2_of(split, strength) for split in larger]
        found = (f"{which} {over_splits(models, which, larger)}" for which in sets[1:])
        print(f"{count:4} images, strength {strength:.4f}", *found, sep="   ")

# %% [markdown]
# More images leave less to learn by heart, and less for a penalty to gain. Here three times the
# data, without any penalty, do more than the penalty. Or do they? All of these trainings end after
# 500 steps, and that is a penalty of its own (section 7). Train on:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
larger = [few_digits(seed, count=300) for seed in range(5)]
for strength in (0.0, 1 / 300):
    models = [with_l2_of(split, strength, steps=3000) for split in larger]
    found = (f"{which} {over_splits(models, which, larger)}" for which in sets[1:])
    print(f"300 images, 3000 steps, strength {strength:.4f}", *found, sep="   ")

# %% [markdown]
# Now 300 images without a penalty are no better than 100 with one: half of the wrong labels are
# learned by heart after all, only later. So get more data where you can, and still tell the
# training when to stop, or let a penalty do so.
#
# ### What would it cost to pick on the test set?
#
# "I tried some strengths, and the best one has a test accuracy of ..." It sounds harmless. This is
# a new experiment, on new splits of all the images. (The test set above has given its answer; its
# images may go into a new experiment.) We use ridge regression on one-hot labels, one column of
# weights for each class, because it takes a millisecond. Seventy images to train on, as many for
# validation as for the test, and all others measure the true accuracy.


# %% jupyter={"source_hidden": true}
def ridge_classifier(images, labels, strength):
    features = np.column_stack([images, np.ones(len(images))])
    columns = [ridge_weights(features, 1.0 * (labels == c), strength) for c in range(10)]
    weights = np.array(columns).T
    return weights[:-1], weights[-1]


# %% jupyter={"source_hidden": true}
data = digits.load(0)
pool = np.concatenate([data.train_images, data.test_images])
answers_of_pool = np.concatenate([data.train_labels, data.test_labels])
pick_strengths = np.logspace(-3, 0, 13)


def pick_twice(seed, size):
    """Reported and true accuracy, picked on the test set; then the same, picked on validation."""
    order = np.random.default_rng(seed).permutation(len(pool))
    cuts = 70, 70 + size, 70 + 2 * size
    train_part, *others = [(pool[i], answers_of_pool[i]) for i in np.split(order, cuts)]
    models = [ridge_classifier(*train_part, strength) for strength in pick_strengths]
    validation, test, truth = np.array([[accuracy(m, *part) for m in models] for part in others])
    on_test, on_validation = test.argmax(), validation.argmax()
    return test[on_test], truth[on_test], test[on_validation], truth[on_validation]


# %% [markdown]
# **Guess first.** Thirteen strengths, fifty test images, forty repetitions. By how many points is
# the reported accuracy too good, if the strength was picked on the test set? And with two hundred
# test images? (± is a standard error here: it says how far the mean of the forty may be off.)


# %% jupyter={"source_hidden": true}
def mean_and_error(values):
    """With the standard error of the mean."""
    return f"{values.mean():.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for size in (50, 200):
    by_test, true, by_validation, true_too = (
        100 * np.array([pick_twice(seed, size) for seed in range(40)]).T
    )
    print(f"{size} test images (± standard error)")
    print("  picked on the test set: too good by", mean_and_error(by_test - true), "points")
    print(
        "  picked on validation  : too good by", mean_and_error(by_validation - true_too), "points"
    )
    print("  in truth the first is better by", mean_and_error(true - true_too), "points")

# %% [markdown]
# The model that was picked on the test set is hardly better, if at all. Only its number is. Whoever
# picks the largest of thirteen noisy numbers picks the noise with it. The fewer test images, the
# larger the noise. It is the same overfitting as in section 1, with *you* as the training
# algorithm.

# %% [markdown]
# ## What you have now
#
# - **Overfitting**: small error on the training data, large on fresh data, large weights.
# - **L2**, a Gaussian prior: $\lambda \sum_j w_j^2$, gradient $2 \lambda w_j$. In Keras:
#   `kernel_regularizer=keras.regularizers.L2(λ)`.
# - **Ridge regression**, where the gradient is zero:
#   $(X^\top X / N + \lambda I)\, w = X^\top t / N$.
# - **L1**, a Laplace prior: $\lambda \sum_j |w_j|$; exact zeros come from
#   $\text{sign}(w) \max(|w| - a, 0)$ after each step, not from the subgradient. In Keras: `L1(λ)`,
#   which takes the subgradient.
# - **Dropout**: $m \cdot a / (1 - r)$ in training, nothing at test time. In Keras: `Dropout(r)`.
# - **Weight decay**: $w - \eta g - \eta\,\text{decay}\, w$. It is L2 with $\lambda$ = decay/2 for
#   plain gradient descent only. In Keras: `weight_decay=`.
# - **Early stopping**: time as a penalty. In Keras: `EarlyStopping(patience=...)`.
# - **The procedure**: train, choose on validation, test once.
#
# What was left out: with few data, one validation set is itself noisy, and *cross-validation* takes
# turns. Where there are no more data, *augmentation* changes copies of what there is. The step
# sizes of this lesson were not explained: that is lesson 03.
#
# ### On your own
#
# 1. The *elastic net* pays $\lambda_1 \sum |w| + \lambda_2 \sum w^2$. Derive its step for one
#    weight. How does it follow from `soft_threshold`?
# 2. Give section 4 two identical useful features. What does L1 do with the pair, what L2? Start
#    the loop of `lasso_weights` from other weights than zero and compare.
# 3. Put the bias under the penalty in `ridge_weights`, and add 100 to all targets of section 1.
#    What happens to the fit?
# 4. In the last experiment of section 8, choose among 40 models that each see a random half of the
#    pixels, in place of the 13 strengths. By how much is the reported accuracy too good now?
#
# <details>
# <summary>Answers</summary>
#
# 1. Minimize $\frac12 (v - w)^2 + a_1 |v| + a_2 v^2$. For $v > 0$ the derivative is
#    $v - w + a_1 + 2 a_2 v$, so $v = (w - a_1) / (1 + 2 a_2)$: soft-threshold with $a_1$, then
#    divide by $1 + 2 a_2$.
# 2. L1 sees only the sum of the two weights, as long as their signs agree: any way of sharing it
#    costs the same, and where the loop ends depends on where it starts. From zero both get the same
#    gradients and share alike. L2 has one answer: two halves, because
#    $2 \cdot (\frac12)^2 < 1^2$.
# 3. The whole curve is pulled down towards zero, and the powers of $x$ try to make up for it: the
#    fit gets worse, although only the origin of the scale has changed. Without the penalty on the
#    bias, adding 100 adds 100 to the bias and changes nothing else.
# 4. By about twice as much as with the strengths: half-blind models differ more from each other,
#    so there is more noise to pick from. In truth the picked ones are no better.
#
# </details>
#
# ### In practice
#
# `keras.layers.Dense(..., kernel_regularizer=keras.regularizers.L2(1e-4))`,
# `keras.layers.Dropout(0.3)` and
# `keras.callbacks.EarlyStopping(patience=..., restore_best_weights=True)`.
# Without `restore_best_weights` Keras keeps the *last* weights, not the best. With Adam use `AdamW`
# and its `weight_decay` rather than L2. And write down how often you have looked at the test set.
#
# ### Further reading
#
# - T. Hastie, R. Tibshirani, J. Friedman, *The Elements of Statistical Learning* (2nd edition,
#   2009), section 3.4: ridge and lasso; section 7.10: how selection goes wrong.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), chapter 7: most of this lesson;
#   section 7.8: early stopping as a penalty.
# - A. Ali, Z. Kolter, R. Tibshirani, *A Continuous-Time View of Early Stopping for Least Squares
#   Regression*, AISTATS 2019.
# - R. Tibshirani, *Regression Shrinkage and Selection via the Lasso*, Journal of the Royal
#   Statistical Society B 58 (1996).
# - A. Beck, M. Teboulle, *A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse
#   Problems*, SIAM Journal on Imaging Sciences 2 (2009): ISTA, and how to make it faster.
# - N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*,
#   Journal of Machine Learning Research 15 (2014).
# - I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019.
# - C. Northcutt, A. Athalye, J. Mueller, *Pervasive Label Errors in Test Sets Destabilize Machine
#   Learning Benchmarks*, NeurIPS Datasets and Benchmarks 2021.
