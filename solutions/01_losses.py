# ---
# jupyter:
#   course:
#     title: Losses
#     minutes: 91
#     data: [digits]
#     able: >-
#       derive mean squared error and cross-entropy from maximum likelihood, write them and their
#       gradients so that they never overflow, and train a reader of handwritten digits with them
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 Losses
#
# A network has trained for an hour. Then its loss reads `nan`, and so does every one of its
# weights. Another one trains without any complaint: its loss falls, the curve looks healthy, and it
# has learned to ignore its input. Both mistakes are one line long, both sit in the loss, and in
# this lesson you will meet both on purpose.
#
# **What you will do.** You write the two losses that nearly all of deep learning uses, and their
# gradients, in a line or two of NumPy each. You check the losses against Keras, and the gradients
# against Keras and against finite differences. At the end you write the training loop as well, and
# your own loss and gradient train a classifier that reads handwritten digits.
#
# **What you will learn**
#
# - where mean squared error and cross-entropy come from: you choose a distribution, and maximum
#   likelihood gives the loss;
# - why the gradient of softmax with cross-entropy is as simple as it is, and how it trains a model;
# - how numbers overflow, and how to rearrange a formula so that they do not;
# - which factors (½, 1/N, 1/(N·D)) differ between books and libraries.
#
# **What you need.** NumPy arrays and axes; derivatives and the chain rule; the logarithm of a
# product; the density of a Gaussian (normal) distribution; what it means that events are
# independent. No internet connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Regression: mean squared error | 15 |
# | 2 A witness: finite differences | 10 |
# | 3 The gradient of the mean squared error | 9 |
# | 4 Classification: softmax | 10 |
# | 5 Cross-entropy | 10 |
# | 6 Both in one: log-sum-exp | 10 |
# | 7 The gradient of softmax and cross-entropy | 12 |
# | 8 Your loss reads handwriting | 15 |
#
# **How the exercises work.** You write the body of a function; arrays hold floats, unless its text
# says otherwise. Run the cell below it: the check says whether the function is right. If not, it
# says which mistake it is, if it knows it, and otherwise shows a call that goes wrong. Hints
# are folded below the verdict. If you get stuck, go on: the check lends you the course's own
# function, and the rest of the lesson works. Some exercises come before their formula: derive it
# yourself first; the derivation is folded below the check. What is marked *Deeper* can be left out.
# A good place to break off is after section 3.
#
# After a restart of the kernel, and when you open the lesson again, run the cells above the one
# where you go on (menu *Run*, *Run All Above Selected Cell*). Red broken links beside a slider, or
# only a picture in its place, mean that the kernel was restarted: run its cell again.

# %% [markdown]
# The next cell loads the tools. Keras is the slow one: expect up to twenty seconds, once.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import keras
import numpy as np
from IPython.display import Markdown

from course_lib.data import digits
from course_lib.exercises import check
from course_lib.ledger import ledger
from course_lib.plots import losses as figures
from course_lib.transfer.autodiff import gradient as keras_gradient

keras.config.set_floatx("float64")

# %% [markdown]
# **Notation.** $N$ examples, $D$ outputs of a regression, $C$ classes. $y$ is what the model
# predicts, $t$ the target; $z$ are logits, the scores of the classes (section 4), $p$
# probabilities, $k_n$ the label of example $n$.
# Arrays have one example per row: `predictions` is $(N, D)$, `logits` is $(N, C)$.

# %% [markdown]
# ## 1 Regression: mean squared error
#
# *15 minutes*
#
# ### By hand first
#
# A few measurements $t$ at places $x$, and one straight line of predictions $y$. Drag the sliders
# until the total area of the squares is as small as you can make it. Each square has the error of
# one point as its side. Write down the smallest mean area that you reach.

# %%
figures.line_explorer()

# %% [markdown]
# You have just minimized a loss. But why *squares*? Why not absolute values, or fourth powers?
#
# ### Where the square comes from
#
# A loss says which errors you hold to be improbable. Under a Gaussian of standard deviation 1, an
# error of 1 is about 0.6 times as probable as none, an error of 3 only about 0.01 times. Minus the
# logarithms of these are ½ and 4½: three times the error, nine times the price.
#
# Say that every target is the prediction plus Gaussian noise of variance $\sigma^2$:
#
# $$p(t \mid y) = \frac{1}{\sqrt{2\pi\sigma^2}} \exp\left(-\frac{(t - y)^2}{2\sigma^2}\right)$$
#
# The noise of every target is independent of all others, so the probabilities multiply, over
# examples and outputs. *Maximum likelihood* asks for the model (here a slope and an intercept)
# whose predictions make the observed targets most probable. A logarithm turns the product into a
# sum (and $\log e^a$ is $a$), and a minus turns the maximum into a minimum:
#
# $$-\log \prod_{n,d} p(t_{nd} \mid y_{nd})
#   = \underbrace{\frac{1}{2\sigma^2}}_{\text{a factor}} \sum_{n,d} (y_{nd} - t_{nd})^2
#   + \underbrace{\frac{ND}{2} \log 2\pi\sigma^2}_{\text{a constant}}$$
#
# A positive factor and a constant do not move the minimum. What is left is a sum of squares. Up to
# that factor and that constant, the square is *minus the logarithm of the Gaussian*. Other noise
# gives another loss. *Laplace* noise, whose density falls as $e^{-|\text{error}|}$, has more far
# outliers; it gives absolute values, and these care less about a point that is far away.

# %%
figures.squared_and_absolute_error()

# %% [markdown]
# We do not ask you to believe it. The next cell draws targets with Gaussian noise and tries many
# slopes. For each it computes two things from the errors: the sum of their squares, and, without
# any logarithm, the density of all targets together, straight from the formula of the Gaussian.
# (With ten thousand targets this product would be rounded to zero: one more reason for the
# logarithm.)

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(0)
x = np.linspace(-1, 1, 40)
t = 1.5 * x + 0.3 * rng.normal(size=x.size)
slopes = np.linspace(0, 3, 601)

errors = slopes[:, None] * x - t
density = np.exp(-(errors**2) / (2 * 0.3**2)) / np.sqrt(2 * np.pi * 0.3**2)
least_squares = slopes[(errors**2).sum(axis=1).argmin()]
most_probable = slopes[density.prod(axis=1).argmax()]
print(f"slope with the least squares {least_squares:.3f}, most probable slope {most_probable:.3f}")
assert least_squares == most_probable

# %% [markdown]
# ### Exercise: `mse`
#
# A sum grows with the number of examples, a mean does not. This course follows Keras and divides
# by the number of *all* elements, $N \cdot D$:
#
# $$\text{mse}(y, t) = \frac{1}{ND} \sum_{n=1}^{N} \sum_{d=1}^{D} (y_{nd} - t_{nd})^2$$


# %%
def mse(predictions, targets):
    """Mean squared error over all elements.

    predictions, targets: (N, D) floats. Returns a single number.
    """
    ### BEGIN SOLUTION
    return np.mean((predictions - targets) ** 2)
    ### END SOLUTION


# %%
mse = check(mse)

# %% [markdown]
# How close did you come with the sliders? For a straight line NumPy can solve for the best one, and
# your `mse` says how good it is:

# %% tags=["nbval-check-output"]
slope, intercept = np.polyfit(figures.LINE_X, figures.LINE_T, deg=1)
line = slope * figures.LINE_X + intercept
best = mse(line[:, None], figures.LINE_T[:, None])
print(f"slope {slope:.2f}, intercept {intercept:.2f}: mean squared error {best:.3f}")

# %% [markdown]
# ### The same number as Keras
#
# Throughout this course a formula counts only when an independent implementation agrees.

# %%
predictions, targets = rng.normal(size=(2, 5, 3))

ours = mse(predictions, targets)
theirs = float(np.mean(keras.losses.mean_squared_error(targets, predictions)))
assert abs(ours - theirs) < 1e-6
print(f"ours {ours:.6f}, Keras {theirs:.6f}")

# %% [markdown]
# **Guess first.** A model returns predictions of shape `(4, 1)`, the targets have shape `(4,)`,
# and the predictions are *perfect*. What does `np.mean((predictions - targets) ** 2)` give? Write
# your guess down, then run.

# %% tags=["nbval-check-output"]
targets_flat = np.array([1.0, 2.0, 3.0, 4.0])
perfect = targets_flat[:, None]
print("shape of the difference:", (perfect - targets_flat).shape)
print("mean squared error     :", np.mean((perfect - targets_flat) ** 2))
always_the_mean = np.full((4, 1), targets_flat.mean())
print("if all are the mean    :", np.mean((always_the_mean - targets_flat) ** 2))

# %% [markdown]
# NumPy stretched both arrays and compared every prediction with *every* target. No error, no
# warning, and perfect predictions are not the best: the same number for everybody, the mean of the
# targets, costs less. So training does lower this loss, its curve looks healthy, and the model
# learns to ignore its input. Compare shapes before you subtract.

# %% [markdown]
# ## 2 A witness: finite differences
#
# *10 minutes*
#
# Soon you will derive gradients on paper. Before that, build the *witness* who will confirm them:
# in this course that is a second, independent way to compute the same number. The derivative is the
# slope between two points that are close together:
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h\,e_i) - f(x - h\,e_i)}{2h}$$
#
# where $e_i$ moves entry $i$ alone. Here $\partial f / \partial x_i$ is the derivative by entry
# $x_i$ while all others stay fixed, and the *gradient* is the array of all of these. Looking to
# both sides is more exact than looking to one; you will see by how much.
#
# <details>
# <summary>Deeper: why both sides</summary>
#
# Taylor's series says
# $f(x \pm h) = f \pm h f' + \tfrac{h^2}{2} f'' \pm \tfrac{h^3}{6} f''' + \dots$ In the difference
# of the two, the even terms cancel:
#
# $$\frac{f(x+h) - f(x-h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots
# \qquad\text{but}\qquad
# \frac{f(x+h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + \dots$$
#
# </details>
#
# **Guess first.** If $h$ becomes ten times smaller, how many times smaller does each error become?


# %% tags=["nbval-check-output"]
def slope_errors(h):
    forward = (np.exp(1 + h) - np.exp(1)) / h
    central = (np.exp(1 + h) - np.exp(1 - h)) / (2 * h)
    return f"h = {h:5g}   forward {abs(forward - np.e):.1e}   central {abs(central - np.e):.1e}"


for h in [1e-1, 1e-2, 1e-3]:
    print(slope_errors(h))

# %% [markdown]
# The error of the forward difference is proportional to $h$ and becomes ten times smaller; that of
# the central difference is proportional to $h^2$ and becomes a hundred times smaller.
#
# **Guess first.** So is the smallest $h$ the best?

# %% tags=["nbval-ignore-output"]
for h in [1e-5, 1e-8, 1e-11]:
    print(slope_errors(h))

# %% [markdown]
# <details>
# <summary>Unfold when you have guessed</summary>
#
# No. A float64 keeps some 16 digits of each value of $f$. The smaller $h$, the more of these digits
# are equal and cancel in the difference, and the division by $h$ magnifies the rounding of the
# rest. Near $h = 10^{-5}$ the two errors of the central difference balance.
#
# </details>
#
# Our step is $h = 10^{-5}$.

# %% [markdown]
# ### Exercise: `numerical_gradient`
#
# `np.ndindex(point.shape)` runs through the indices of an array of any shape:
# `for index in np.ndindex(point.shape): ...`, and `point[index]` is one number. Leave `point` as
# it was: perturb copies.


# %%
def numerical_gradient(function, point, step=1e-5):
    """Central differences.

    function: maps an array like point to a number. point: floats of any shape, must not change.
    Returns an array of the shape of point.
    """
    ### BEGIN SOLUTION
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        above, below = point.copy(), point.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = (function(above) - function(below)) / (2 * step)
    return gradient
    ### END SOLUTION


# %%
numerical_gradient = check(numerical_gradient)

# %% [markdown]
# ## 3 The gradient of the mean squared error
#
# *9 minutes*
#
# Which way should each prediction move, and how much does it matter? An example: one prediction of
# 3, and its target is 1. The loss is $(3 - 1)^2 = 4$. At a prediction of 4 it is 9, at 2 it is 1.
# In between, the loss grows by 8 while the prediction grows by 2: by 4 for each unit.
#
# Now all $N \cdot D$ of them. Take one prediction, $y_{ij}$: which terms of the mean contain it,
# and what is the derivative of these? Two factors are easily lost on the way.
#
# ### Exercise: `mse_gradient`


# %%
def mse_gradient(predictions, targets):
    """Gradient of the mean squared error by the predictions.

    predictions, targets: (N, D) floats. Returns (N, D).
    """
    ### BEGIN SOLUTION
    return 2 * (predictions - targets) / predictions.size
    ### END SOLUTION


# %%
mse_gradient = check(mse_gradient)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the derivation</summary>
#
# Of all the terms of the sum only one contains $y_{ij}$:
#
# $$\frac{\partial}{\partial y_{ij}} \frac{1}{ND} \sum_{n,d} (y_{nd} - t_{nd})^2
#   = \frac{1}{ND} \frac{\partial}{\partial y_{ij}} (y_{ij} - t_{ij})^2$$
#
# The chain rule: the outer derivative is $2(y_{ij} - t_{ij})$, the inner one is $1$.
#
# $$\frac{\partial\,\text{mse}}{\partial y_{ij}} = \frac{2}{ND} (y_{ij} - t_{ij})$$
#
# The $2$ is lost by readers of books that put ½ in front of the loss, and the $D$ by those who
# average over examples only.
#
# </details>
#
# Your formula has two witnesses: the finite differences, and Keras' *automatic differentiation*,
# which applies the chain rule to every step of the code. The finite differences carry their own
# small error; look at its size.


# %%
def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% tags=["nbval-ignore-output"]
formula = mse_gradient(predictions, targets)
witness = numerical_gradient(lambda y: mse(y, targets), predictions)
automatic = keras_gradient(
    lambda y: keras.ops.mean(keras.losses.mean_squared_error(targets, y)), predictions
)
compare(formula, {"finite differences": witness, "Keras": automatic})

# %% [markdown]
# ## 4 Classification: softmax
#
# *10 minutes*
#
# Is it a cat, a dog or a bird? A model returns three numbers, the *logits* $z$, and they may be
# anything. We need probabilities: positive, with sum one. Two steps do it. The exponential makes
# any number positive; dividing by the sum makes the sum one:
#
# $$p_c = \frac{e^{z_c}}{\sum_{j} e^{z_j}}$$
#
# Why the exponential and not, say, the square? Because then logits are *log-odds*. The *odds* of
# $a$ against $b$ are the ratio of their probabilities, $p_a / p_b = e^{z_a - z_b}$, so
#
# $$z_a - z_b = \log \frac{p_a}{p_b}$$
#
# Two things follow. Adding the same number to all logits of a row changes nothing. And one more
# unit of logit multiplies the odds by $e$, wherever you start.
#
# **Guess first.** The formula is right. What happens if a logit is 1000?

# %% tags=["nbval-check-output"]
z = np.array([1000.0, 1001.0, 1002.0])
with np.errstate(over="ignore", invalid="ignore"):
    print("as it stands   :", np.exp(z) / np.exp(z).sum())
shifted = z - z.max()
print("shifted by max :", np.exp(shifted) / np.exp(shifted).sum())

# %% [markdown]
# A float64 ends near $10^{308}$, and $e^{710}$ is beyond it. Infinity over infinity is NaN, and one
# NaN in a batch ruins every weight within two steps of training. The cure costs nothing: *adding
# the same number to all logits of a row changes nothing*, so subtract the row's maximum. Then the
# largest exponential is $e^0 = 1$.

# %%
figures.overflow_figure()

# %% [markdown]
# ### Exercise: `softmax`
#
# One example per row, so both the maximum and the sum run over `axis=1`. With `keepdims=True` they
# keep the shape $(N, 1)$ and NumPy stretches them over the row.


# %%
def softmax(logits):
    """Probabilities from logits, finite for logits of any size.

    logits: (N, C) floats. Returns (N, C), each row sums to 1.
    """
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %%
softmax = check(softmax)

# %% [markdown]
# Keras must agree, and a shift of all logits must change nothing:

# %% tags=["nbval-ignore-output"]
logits = rng.normal(scale=3, size=(6, 4))
theirs = keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=1))
compare(softmax(logits), {"Keras": theirs, "softmax after a shift": softmax(logits + 500)})

# %% [markdown]
# ## 5 Cross-entropy
#
# *10 minutes*
#
# The same principle as in section 1, with another distribution. The model gives the class that
# was observed the probability $p_{n,k_n}$. Labels are independent, probabilities multiply, and
# maximum likelihood minimizes the negative logarithm, averaged over the examples:
#
# $$\text{cross-entropy}(p, k) = -\frac{1}{N} \sum_{n=1}^{N} \log p_{n,k_n}$$
#
# Only the probability of the *observed* class appears. The label selects a term; it is not a
# number to multiply with: class 9 would cost nine times as much as class 1, and class 0 nothing.
#
# A sure and right answer costs $-\log 1 = 0$. A sure and wrong one costs $-\log 0 = \infty$, and
# one infinite example would hide all others. So probabilities are clipped below at $10^{-7}$, as in
# Keras.
#
# <details>
# <summary>Fine print: what else Keras does</summary>
#
# Keras also clips above, and divides each row by its sum. For ten classes, that moves the loss of
# rows that are probabilities by less than $10^{-6}$.
#
# </details>
#
# ### Exercise: `cross_entropy`
#
# `probabilities[np.arange(N), labels]` picks one number from each row.


# %%
def cross_entropy(probabilities, labels):
    """Mean of -log p[label], p clipped below at 1e-7.

    probabilities: (N, C) floats. labels: (N,) integers. Returns a single number.
    """
    ### BEGIN SOLUTION
    chosen = probabilities[np.arange(len(labels)), labels]
    return np.mean(-np.log(np.maximum(chosen, 1e-7)))
    ### END SOLUTION


# %%
cross_entropy = check(cross_entropy)

# %%
labels = rng.integers(0, 4, size=6)
probabilities = softmax(logits)

ours = cross_entropy(probabilities, labels)
theirs = float(np.mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities)))
assert abs(ours - theirs) < 1e-6
print(f"ours {ours:.6f}, Keras {theirs:.6f}")

# %% [markdown]
# **Guess first.** Ten classes, and the model knows nothing: every class gets the same probability.
# What is its cross-entropy? (A network with random weights starts training a little above this
# number. If it starts much higher, at 5 say, look at its last layer and at the scale of its
# inputs.)
#
# And what does a sure and wrong answer cost? `np.eye(10)` is the identity matrix; its row 0, taken
# as `[[0]]` to keep the shape (1, 10), gives all the probability to class 0. The label is 3.

# %% tags=["nbval-check-output"]
know_nothing = np.full((1, 10), 0.1)
print(f"know-nothing loss   {cross_entropy(know_nothing, np.array([3])):.4f}")
print(f"sure and wrong      {cross_entropy(np.eye(10)[[0]], np.array([3])):.4f}")

# %% [markdown]
# ## 6 Both in one: log-sum-exp
#
# *10 minutes*
#
# Clipping falsifies the loss, though only a little: whatever the model says, no example costs more
# than the second number above. And where the clip cuts, the gradient is zero, so the worst examples
# teach nothing.
#
# A logarithm undoes an exponential, so why compute either? With two logits, 200 and 0, and label 1,
# the loss is $-\log (e^{0} / (e^{200} + e^{0}))$, which is 200 to all digits that a computer keeps;
# no number on the way need be larger than that. Put softmax into the logarithm and simplify
# *before* you compute. What becomes of $z_k$? And what can you do with the sum, which may still
# overflow?
#
# ### Exercise: `softmax_cross_entropy`
#
# The mean over the examples of $-\log p_{n,k_n}$, from the logits, exact for logits of any size.


# %%
def softmax_cross_entropy(logits, labels):
    """Cross-entropy of softmax(logits), by log-sum-exp.

    logits: (N, C) floats. labels: (N,) integers. Returns a single number.
    """
    ### BEGIN SOLUTION
    top = logits.max(axis=1)
    log_sum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return np.mean(log_sum - logits[np.arange(len(labels)), labels])
    ### END SOLUTION


# %%
softmax_cross_entropy = check(softmax_cross_entropy)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: log-sum-exp</summary>
#
# $$-\log \frac{e^{z_k}}{\sum_j e^{z_j}} = \log \sum_j e^{z_j} - z_k$$
#
# The logarithm and the exponential of $z_k$ have canceled: nothing left to clip. The sum can still
# overflow, so take the maximum $m = \max_j z_j$ out, and put it back:
#
# $$\log \sum_j e^{z_j} = \log \left( e^{m} \sum_j e^{z_j - m} \right)
#   = m + \log \sum_j e^{z_j - m}$$
#
# </details>
#
# On ordinary logits, three ways give one number:

# %% tags=["nbval-ignore-output"]
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
in_two_steps = cross_entropy(softmax(logits), labels)
by_keras = float(from_logits(labels, logits))
compare(softmax_cross_entropy(logits, labels), {"two steps": in_two_steps, "Keras": by_keras})

# %% [markdown]
# Now a hopeless example: the right class has a logit 200 below the largest.

# %% tags=["nbval-check-output"]
hopeless, label = np.array([[200.0, 0.0, 0.0]]), np.array([1])
print("softmax, then clip :", round(float(cross_entropy(softmax(hopeless), label)), 3))
print("log-sum-exp        :", round(float(softmax_cross_entropy(hopeless, label)), 3))
print("Keras, from logits :", round(float(from_logits(label, hopeless)), 3))

# %% [markdown]
# *Deeper.* And a Keras model that ends in softmax, with a loss of probabilities? That depends on
# how the probabilities reach the loss.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
of_probabilities = keras.losses.SparseCategoricalCrossentropy()
activated = keras.activations.softmax(hopeless)
print("Keras, after its own softmax :", round(float(of_probabilities(label, activated)), 3))
print("Keras, the same as an array  :", round(float(of_probabilities(label, softmax(hopeless))), 3))

# %% [markdown]
# Build a model for classification *without* softmax at its end, and say `from_logits=True` in its
# loss: that is never clipped.
#
# <details>
# <summary>Fine print: why the two differ</summary>
#
# On TensorFlow, Keras remembers the logits behind its own softmax and goes back to them. Do not
# rely on it: an array or a change of precision loses them, and on other backends Keras clips in
# both cases.
#
# </details>

# %% [markdown]
# ## 7 The gradient of softmax and cross-entropy
#
# *12 minutes*
#
# Three classes, all logits 0, the label is the first class: each class has the probability ⅓. To
# lower the loss, which logits should rise, which should fall, and which of them most? The gradient
# says it in three numbers. The picture starts at other logits: drag all three to 0, and read them
# off. Then try others.

# %%
figures.logits_explorer()

# %% [markdown]
# Which rule do these numbers follow? Derive it: take one example with label $k$ and its loss $\ell
# = \log \sum_j e^{z_j} - z_k$, and differentiate by one logit $z_c$, term by term. The mean over
# the examples comes last.
#
# ### Exercise: `softmax_cross_entropy_gradient`


# %%
def softmax_cross_entropy_gradient(logits, labels):
    """Gradient of softmax_cross_entropy by the logits.

    logits: (N, C) floats. labels: (N,) integers. Returns (N, C).
    """
    ### BEGIN SOLUTION
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)
    ### END SOLUTION


# %%
softmax_cross_entropy_gradient = check(softmax_cross_entropy_gradient)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the derivation</summary>
#
# The first term:
#
# $$\frac{\partial}{\partial z_c} \log \sum_j e^{z_j}
#   = \frac{1}{\sum_j e^{z_j}} \cdot e^{z_c} = p_c$$
#
# The derivative of log-sum-exp *is* softmax. The second term, $-z_k$, has the derivative $-1$ if
# $c = k$ and $0$ otherwise. Together, with the mean $L = \frac{1}{N} \sum_n \ell_n$ over $N$
# examples:
#
# $$\frac{\partial L}{\partial z_{nc}} = \frac{1}{N} \left( p_{nc} - [c = k_n] \right)$$
#
# Here $[c = k_n]$ is 1 if $c = k_n$ and 0 if not. Over all classes these numbers are one row, with
# a 1 at the label and 0 elsewhere: the *one-hot* label.
#
# </details>
#
# *Probabilities minus labels*: a step against the gradient pushes the right class up by what it
# lacks, and every other class down by what it has too much. In each row the pushes cancel. The
# witnesses:

# %% tags=["nbval-ignore-output"]
formula = softmax_cross_entropy_gradient(logits, labels)
witness = numerical_gradient(lambda z: softmax_cross_entropy(z, labels), logits)
automatic = keras_gradient(lambda z: from_logits(labels, z), logits)
compare(formula, {"finite differences": witness, "Keras": automatic})
print(f"largest sum of a row: {np.abs(formula.sum(axis=1)).max():.1g}")

# %% [markdown]
# ### Why not squared error for classes?
#
# It looks just as good. But square the difference of probabilities and one-hot labels, and compare
# the gradients for a model that is more and more sure of the wrong class: its logit is far above
# that of the other.
#
# **Guess first.** Does the gradient vanish there? With cross-entropy? (You can try that with the
# sliders.) With squares?

# %% tags=["nbval-check-output"]
onehot, label = np.array([[0.0, 1.0]]), np.array([1])
for wrong in [1.0, 5.0, 10.0]:
    z = np.array([[wrong, 0.0]])
    by_entropy = softmax_cross_entropy_gradient(z, label)
    by_squares = numerical_gradient(lambda z: mse(softmax(z), onehot), z)
    print(
        f"logit of the wrong class {wrong:4}:  cross-entropy {np.abs(by_entropy).max():.5f}"
        f"   squared error {np.abs(by_squares).max():.5f}"
    )

# %% [markdown]
# The gradient of cross-entropy does not vanish where the model is sure and wrong, it comes close to
# its largest value there, $1/N$. That of the squared error does vanish: the surer the mistake, the
# less is learned from it.
#
# <details>
# <summary>Deeper: why it vanishes</summary>
#
# The chain rule brings in the derivative of softmax. For two classes $a$ and $b$,
# $p_a = e^{z_a} / (e^{z_a} + e^{z_b})$, and the quotient rule gives
# $\partial p_a / \partial z_a = p_a (1 - p_a)$: close to zero wherever the model is sure, *right or
# wrong*. In cross-entropy, with $a$ the right class, the derivative $-1/p_a$ of the logarithm
# cancels the factor $p_a$. What is left is $-(1 - p_a)$: close to zero only where the model is sure
# and *right*.
#
# </details>

# %% [markdown]
# ## 8 Your loss reads handwriting
#
# *15 minutes*
#
# Now the real thing: handwritten digits, each eight by eight pixels. A quarter of the images is put
# aside for testing.

# %% tags=["nbval-check-output"]
data = digits.load(seed=0)
print("train:", data.train_images.shape, "test:", data.test_images.shape)

# %% [markdown]
# One image is one row of 64 gray values, so that $N$ images are a matrix $X$, $(N, 64)$. The model
# is one matrix $W$, $(64, 10)$, and one bias $b$, $(10,)$. Its logits are $Z = XW + b$, $(N, 10)$.
# From section 7 you have the gradient at the logits, $G = \partial L / \partial Z$. *Gradient
# descent* takes a small *step* against the gradient, again and again, each time on all images: the
# learning rate times the gradient. (How large a step, and why not on all images at once, is lesson
# 03.)
#
# What is missing is the gradient by $W$ and by $b$. Which logits does $W_{jc}$ move, and by how
# much? A small case: one image of two pixels, $x = (2, 3)$, and two classes. If the weight from the
# first pixel to the second class grows by a little $h$, the logit of that class grows by $2h$, and
# the other stays. So the loss grows by $2h$ times the gradient at that logit. Now all images: what
# is $\partial L / \partial W$, as a product of matrices? Put shapes to them: $X$ is $(N, D)$, $G$
# is $(N, C)$, and the result has the shape of $W$, $(D, C)$. `X.T` swaps rows and columns.
#
# ### Exercise: `train_softmax`
#
# The whole loop: from zeros, `steps` times a step for weights and bias. The function is not only
# for digits: take all sizes from its arguments.


# %%
def train_softmax(images, labels, num_classes, learning_rate, steps):
    """Softmax regression by gradient descent on all examples, from zeros.

    images: (N, D) floats. labels: (N,) integers below num_classes, C.
    Returns weights (D, C), bias (C,), and the losses before each step, (steps,).
    """
    ### BEGIN SOLUTION
    weights, bias = np.zeros((images.shape[1], num_classes)), np.zeros(num_classes)
    losses = []
    for _ in range(steps):
        logits = images @ weights + bias
        losses.append(softmax_cross_entropy(logits, labels))
        upstream = softmax_cross_entropy_gradient(logits, labels)
        weights -= learning_rate * images.T @ upstream
        bias -= learning_rate * upstream.sum(axis=0)
    return weights, bias, np.array(losses)
    ### END SOLUTION


# %%
train_softmax = check(train_softmax)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the gradient by the weights</summary>
#
# A logit is $z_{nc} = \sum_j X_{nj} W_{jc} + b_c$, so $W_{jc}$ moves the logits of class $c$ alone,
# that of example $n$ by $X_{nj}$. The chain rule adds up all of them:
# $\partial L / \partial W_{jc} = \sum_n X_{nj} G_{nc}$. As matrices:
#
# $$\frac{\partial L}{\partial W} = X^\top G \qquad\qquad
#   \frac{\partial L}{\partial b} = \sum_n G_n$$
#
# </details>
#
# Ask the witness, on twenty images. The first step from zero is minus the gradient, times the
# learning rate.

# %% tags=["nbval-ignore-output"]
few, few_labels = data.train_images[:20], data.train_labels[:20]
first_step = train_softmax(few, few_labels, 10, learning_rate=1.0, steps=1)[0]
witness = numerical_gradient(lambda w: softmax_cross_entropy(few @ w, few_labels), 0 * first_step)
compare(-first_step, {"finite differences": witness})

# %% [markdown]
# **Guess first.** At which loss does training start, with all weights zero? (You have printed that
# number already.)

# %%
weights, bias, history = train_softmax(data.train_images, data.train_labels, 10, 1.0, 200)
figures.training_curves(history, unit="step")


# %% tags=["nbval-check-output"]
def accuracy(weights, bias, images, labels):
    return np.mean((images @ weights + bias).argmax(axis=1) == labels)


score = accuracy(weights, bias, data.test_images, data.test_labels)
print(f"loss: {history[0]:.3f} at the start, {history[-1]:.2f} at the end")
print(f"test accuracy: {score:.1%}")
assert score > 0.9

# %% [markdown]
# Is that good, or was it easy? And was it luck? A score means little without others to compare it
# with: what always answering the commonest class would score, what the same training reaches on
# labels that were shuffled, and how much the score moves from one random split to the next.


# %% tags=["nbval-check-output"]
def score_of_split(seed, shuffled=False):
    d = digits.load(seed)
    answers = d.train_labels
    if shuffled:
        answers = np.random.default_rng(seed).permutation(answers)
    weights, bias, _ = train_softmax(d.train_images, answers, 10, 1.0, 200)
    return accuracy(weights, bias, d.test_images, d.test_labels)


real = [score_of_split(seed) for seed in range(5)]
control = [score_of_split(seed, shuffled=True) for seed in range(5)]
commonest = np.bincount(data.test_labels).max() / len(data.test_labels)
print(f"five splits      {np.mean(real):.1%} ± {np.std(real, ddof=1):.1%} (standard deviation)")
print(f"shuffled labels  {np.mean(control):.0%}")
print(f"commonest class  {commonest:.0%}")

# %% [markdown]
# What has it learned? Each class has one weight per pixel, so its weights are an image. Ink on a
# blue pixel speaks for the class, ink on an orange one against it; white pixels do not matter.

# %%
figures.weights_as_images(weights)

# %% [markdown]
# And where does it fail? Always look at the mistakes. Would you have read these right?

# %%
test_probabilities = softmax(data.test_images @ weights + bias)
figures.wrong_predictions_figure(
    data.test_images, data.test_labels, test_probabilities.argmax(axis=1), test_probabilities
)

# %% [markdown]
# ## What you have now
#
# Two losses from one principle, maximum likelihood; their gradients, confirmed by two independent
# witnesses; and a linear classifier, trained by nothing but cross-entropy and its gradient. To
# revise from:
#
# - **Mean squared error**, minus the logarithm of Gaussian noise:
#   $\frac{1}{ND} \sum (y - t)^2$, with the gradient $\frac{2}{ND} (y - t)$. In Keras:
#   `keras.losses.MeanSquaredError()`.
# - **Finite differences**, the witness: $\frac{f(x+h) - f(x-h)}{2h}$, from both sides, because the
#   even terms of Taylor's series cancel.
# - **Softmax** of logits, which are log-odds: $p_c = e^{z_c - m} / \sum_j e^{z_j - m}$, with the
#   row's maximum $m$, because a shift changes nothing. In Keras: `keras.ops.softmax`.
# - **Cross-entropy**, minus the logarithm of the observed class's probability:
#   $\frac{1}{N} \sum_n \left( \log \sum_j e^{z_{nj}} - z_{n k_n} \right)$. In Keras:
#   `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`.
# - **Its gradient**, because log-sum-exp has the slope softmax: $G = \frac{1}{N} (p -
#   \text{onehot})$; of a linear model, added up over the examples: $X^\top G$ and $\sum_n G_n$. In
#   Keras: `compile`, `fit`.
#
# What was left out: we trained on all images at once, with a step size that we did not justify
# (lesson 03), and nothing kept the weights small (lesson 02). A linear model cannot see a stroke
# that moves by one pixel; networks with hidden layers come in lesson 03, pretrained ones in 05.
#
# ### On your own
#
# 1. Replace the Gaussian of section 1 by a Laplace distribution, $\frac{1}{2b} e^{-|t-y|/b}$.
#    Which loss comes out, and what is its gradient?
# 2. *Label smoothing* replaces the one-hot label by $(1-\varepsilon)\,\text{onehot} +
#    \varepsilon/C$. Derive the gradient. Which line of your code changes?
# 3. Start the training of section 8 from weights drawn with `scale=10` instead of zeros. What
#    happens to the first loss, and why?
#
# <details>
# <summary>Answers</summary>
#
# 1. $-\log p = |t - y| / b + \log 2b$: up to a factor and a constant, the mean absolute error. Its
#    gradient is $\text{sign}(y - t) / (ND)$, the same for a small error as for a large one. Where
#    $y = t$ there is a kink and no derivative; lesson 02 says what one does there.
# 2. The loss is $-\sum_c q_c \log p_c$ with the smoothed labels $q$, whose sum is 1. So the
#    gradient is $(p - q) / N$: only the line that subtracts the one-hot label changes.
# 3. It is far larger than that of knowing nothing. The logits are large now, so the model is sure,
#    and mostly of a wrong class; each of these examples costs the gap between two large logits.
#
# </details>
#
# ### In practice
#
# When you compare numbers between books, articles and libraries, ask three questions first: is it a
# sum or a mean? Over what? Is there a ½?
#
# *Deeper:* these are rows of the course's *conventions ledger*; the column of Keras was measured
# just now, by running it. Mind the last row: PyTorch's `CrossEntropyLoss` takes logits, and applies
# softmax itself. Give it probabilities, and it does so a second time, without a word.

# %% jupyter={"source_hidden": true}
rows = ["mse-mean", "cross-entropy-mean", "cross-entropy-input", "cross-entropy-of-softmax"]
Markdown(ledger(rows, keras=keras))

# %% [markdown]
# ### Further reading
#
# - C. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 1.2.5 and 4.3.4: both
#   losses from maximum likelihood.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), sections 4.1 and 6.2: overflow,
#   and why losses and output units belong together.
# - J. Nocedal, S. Wright, *Numerical Optimization* (2nd edition, 2006), section 8.1: how exact
#   finite differences can be.
