# ---
# jupyter:
#   course:
#     title: Losses
#     minutes: 90
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
# **What you will do.** You write the two losses that nearly all of deep learning uses, and their
# gradients, in a line or two of NumPy each. You prove each of them against finite differences and
# against Keras. At the end your own loss and your own gradient train a classifier that reads
# handwritten digits.
#
# **What you will learn**
#
# - where mean squared error and cross-entropy come from: they are not chosen, they are *derived*;
# - why the gradient of softmax with cross-entropy is just "probabilities minus labels";
# - how numbers overflow, and how to rearrange a formula so that they do not;
# - which factors (½, 1/N, 1/(N·D)) differ between books and libraries, and what that costs.
#
# **What you need.** NumPy arrays and axes; derivatives and the chain rule; the logarithm of a
# product. Nothing else: no network, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Regression: mean squared error | 15 |
# | 2 A witness: finite differences | 10 |
# | 3 The gradient of the mean squared error | 10 |
# | 4 Classification: softmax | 15 |
# | 5 Cross-entropy | 10 |
# | 6 Both in one: log-sum-exp | 10 |
# | 7 The gradient of softmax and cross-entropy | 10 |
# | 8 Your loss reads handwriting | 10 |
#
# **How the exercises work.** You write the body of a function and run the cell below it. The
# check says whether it is right and, if not, *which* mistake it found. Two hints are folded below
# the verdict. If you get stuck, go on: the check lends you the course's own function, and the rest
# of the lesson works.

# %% [markdown]
# The next cell loads the tools. Keras is the slow one: expect up to twenty seconds, once.

# %%
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import keras
import numpy as np

from course_lib.data import digits
from course_lib.exercises import check
from course_lib.plots import losses as figures
from course_lib.transfer.autodiff import gradient as keras_gradient

keras.config.set_floatx("float64")

# %% [markdown]
# **Notation.** $N$ examples, $D$ outputs of a regression, $C$ classes. $y$ is what the model
# predicts, $t$ the target; $z$ are logits, $p$ probabilities, $k_n$ the label of example $n$.
# Arrays have one example per row: `predictions` is $(N, D)$, `logits` is $(N, C)$.

# %% [markdown]
# ## 1 Regression: mean squared error
#
# *15 minutes*
#
# ### By hand first
#
# A few measurements, one straight line. Drag the sliders until the total area of the squares is
# as small as you can make it. Each square has the error of one point as its side.

# %%
figures.line_explorer()

# %% [markdown]
# You have just minimised a loss. But why *squares*? Why not absolute values, or fourth powers?
#
# ### Where the square comes from
#
# Say that every target is the prediction plus Gaussian noise of variance $\sigma^2$:
#
# $$p(t \mid y) = \frac{1}{\sqrt{2\pi\sigma^2}} \exp\left(-\frac{(t - y)^2}{2\sigma^2}\right)$$
#
# The examples are independent, so their probabilities multiply. *Maximum likelihood* asks for the
# predictions that make the observed targets most probable. A logarithm turns the product into a
# sum, and a minus turns the maximum into a minimum:
#
# $$-\log \prod_{n,d} p(t_{nd} \mid y_{nd})
#   = \underbrace{\frac{1}{2\sigma^2}}_{\text{a factor}} \sum_{n,d} (y_{nd} - t_{nd})^2
#   + \underbrace{\frac{ND}{2} \log 2\pi\sigma^2}_{\text{a constant}}$$
#
# A positive factor and a constant do not move the minimum. What is left is a sum of squares. The
# square is the *logarithm of the Gaussian*: other noise gives another loss. Laplace noise, which
# has more far outliers, gives absolute values, and these care less about a point that is far away.

# %%
figures.squared_and_absolute_error()

# %% [markdown]
# We do not ask you to believe it. The next cell tries many slopes and compares the two minima.

# %%
rng = np.random.default_rng(0)
x = np.linspace(-1, 1, 40)
t = 1.5 * x + 0.3 * rng.normal(size=x.size)
slopes = np.linspace(0, 3, 601)

errors = slopes[:, None] * x - t
squares = (errors**2).sum(axis=1)
negative_log_likelihood = squares / (2 * 0.3**2) + x.size / 2 * np.log(2 * np.pi * 0.3**2)
assert squares.argmin() == negative_log_likelihood.argmin()

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

    predictions, targets: (N, D). Returns a single number.
    """
    ### BEGIN SOLUTION
    return np.mean((predictions - targets) ** 2)
    ### END SOLUTION


# %%
mse = check(mse)

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

# %% [markdown]
# NumPy stretched both arrays and compared every prediction with *every* target. No error, no
# warning, and a loss that no training can lower. Compare shapes before you subtract.

# %% [markdown]
# ## 2 A witness: finite differences
#
# *10 minutes*
#
# Soon you will derive gradients on paper. Before that, build the witness who will confirm them.
# The derivative is the slope between two points that are close together:
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h\,e_i) - f(x - h\,e_i)}{2h}$$
#
# where $e_i$ moves entry $i$ alone. Why look to *both* sides? Taylor's series says
# $f(x \pm h) = f \pm h f' + \tfrac{h^2}{2} f'' \pm \tfrac{h^3}{6} f''' + \dots$ In the difference
# of the two, the even terms cancel:
#
# $$\frac{f(x+h) - f(x-h)}{2h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots
# \qquad\text{but}\qquad
# \frac{f(x+h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + \dots$$
#
# **Guess first.** If $h$ becomes ten times smaller, how many times smaller does each error become?

# %% tags=["nbval-check-output"]
for h in [1e-1, 1e-2, 1e-3]:
    forward = (np.exp(1 + h) - np.exp(1)) / h
    central = (np.exp(1 + h) - np.exp(1 - h)) / (2 * h)
    print(f"h = {h:5}   forward {forward - np.e:.1e}   central {central - np.e:.1e}")

# %% [markdown]
# ### Exercise: `numerical_gradient`
#
# `np.ndindex(point.shape)` runs through the indices of an array of any shape:
# `for index in np.ndindex(point.shape): ...`, and `point[index]` is one number. Leave `point` as
# it was: perturb copies.


# %%
def numerical_gradient(function, point, step=1e-5):
    """Central differences.

    function: maps an array like point to a number. point: any shape, must not change.
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
# *10 minutes*
#
# Which way should each prediction move? Take one of them, $y_{ij}$, and differentiate. Of all the
# terms of the sum only one contains it:
#
# $$\frac{\partial}{\partial y_{ij}} \frac{1}{ND} \sum_{n,d} (y_{nd} - t_{nd})^2
#   = \frac{1}{ND} \frac{\partial}{\partial y_{ij}} (y_{ij} - t_{ij})^2$$
#
# The chain rule: the outer derivative is $2(y_{ij} - t_{ij})$, the inner one is $1$.
#
# $$\frac{\partial\,\text{mse}}{\partial y_{ij}} = \frac{2}{ND} (y_{ij} - t_{ij})$$
#
# Two factors are lost most often: the $2$, by readers of books that put ½ in front of the loss,
# and the $D$, by those who average over examples only.
#
# ### Exercise: `mse_gradient`


# %%
def mse_gradient(predictions, targets):
    """Gradient of the mean squared error by the predictions.

    predictions, targets: (N, D). Returns (N, D).
    """
    ### BEGIN SOLUTION
    return 2 * (predictions - targets) / predictions.size
    ### END SOLUTION


# %%
mse_gradient = check(mse_gradient)

# %% [markdown]
# Three witnesses: the formula, the finite differences, and the automatic differentiation of Keras.

# %%
formula = mse_gradient(predictions, targets)
witness = numerical_gradient(lambda y: mse(y, targets), predictions)
automatic = keras_gradient(
    lambda y: keras.ops.mean(keras.losses.mean_squared_error(targets, y)), predictions
)
assert np.abs(formula - witness).max() < 1e-6
assert np.abs(formula - automatic).max() < 1e-6

# %% [markdown]
# ## 4 Classification: softmax
#
# *15 minutes*
#
# Is it a cat, a dog or a bird? A model returns three numbers, the *logits* $z$, and they may be
# anything. We need probabilities: positive, with sum one. Two steps do it. The exponential makes
# any number positive; dividing by the sum makes the sum one:
#
# $$p_c = \frac{e^{z_c}}{\sum_{j} e^{z_j}}$$
#
# Why the exponential and not, say, the square? Because then logits are *log-odds*. The ratio of
# two probabilities is $p_a / p_b = e^{z_a - z_b}$, so
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
# NaN in a batch ruins every weight. The cure costs nothing: *adding the same number to all logits
# of a row changes nothing*, so subtract the row's maximum. The largest exponent is then $e^0 = 1$.

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

    logits: (N, C). Returns (N, C), each row sums to 1.
    """
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %%
softmax = check(softmax)

# %%
logits = rng.normal(scale=3, size=(6, 4))
theirs = keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=1))
assert np.abs(softmax(logits) - theirs).max() < 1e-6
assert np.allclose(softmax(logits), softmax(logits + 500))  # a shift changes nothing

# %% [markdown]
# ## 5 Cross-entropy
#
# *10 minutes*
#
# The same principle as in section 1, with another distribution. The model gives the class that
# was observed the probability $p_{n,k_n}$. Examples are independent, probabilities multiply, and
# maximum likelihood minimises the negative logarithm, averaged over the examples:
#
# $$\text{cross-entropy}(p, k) = -\frac{1}{N} \sum_{n=1}^{N} \log p_{n,k_n}$$
#
# Only the probability of the *observed* class appears. The label selects a term; it is not a
# number to multiply with. (One published article that this course was written from multiplies:
# class 9 would cost nine times as much as class 1, and class 0 nothing.)
#
# A sure and right answer costs $-\log 1 = 0$. A sure and wrong one costs $-\log 0 = \infty$, and
# one infinite example would hide all others. So probabilities are clipped below, here as in Keras
# at $10^{-7}$.
#
# ### Exercise: `cross_entropy`
#
# `probabilities[np.arange(N), labels]` picks one number from each row.


# %%
def cross_entropy(probabilities, labels):
    """Mean of -log p[label], p clipped below at 1e-7.

    probabilities: (N, C). labels: (N,) integers. Returns a single number.
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
# What is its cross-entropy? (If a network starts training with a larger loss than this, something
# is wrong with its last layer. It is the cheapest test there is.)

# %% tags=["nbval-check-output"]
know_nothing = np.full((1, 10), 0.1)
print(f"know-nothing loss   {cross_entropy(know_nothing, np.array([3])):.4f}")
print(f"sure and wrong      {cross_entropy(np.eye(10)[[0]], np.array([3])):.4f}")

# %% [markdown]
# ## 6 Both in one: log-sum-exp
#
# *10 minutes*
#
# Clipping is a lie, if a small one: whatever the model says, no example costs more than the second
# number above. And where the clip cuts, the gradient is zero, so the worst examples teach nothing.
# Put softmax into the logarithm and simplify *before* you compute:
#
# $$-\log \frac{e^{z_k}}{\sum_j e^{z_j}} = \log \sum_j e^{z_j} - z_k$$
#
# The logarithm and the exponential of $z_k$ have cancelled: nothing left to clip. The sum can still
# overflow, so take the maximum $m = \max_j z_j$ out, and put it back:
#
# $$\log \sum_j e^{z_j} = \log \left( e^{m} \sum_j e^{z_j - m} \right)
#   = m + \log \sum_j e^{z_j - m}$$
#
# ### Exercise: `softmax_cross_entropy`
#
# The mean over the examples of $\log \sum_j e^{z_j} - z_k$, exact for logits of any size.


# %%
def softmax_cross_entropy(logits, labels):
    """Cross-entropy of softmax(logits), by log-sum-exp.

    logits: (N, C). labels: (N,) integers. Returns a single number.
    """
    ### BEGIN SOLUTION
    top = logits.max(axis=1)
    log_sum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return np.mean(log_sum - logits[np.arange(len(labels)), labels])
    ### END SOLUTION


# %%
softmax_cross_entropy = check(softmax_cross_entropy)

# %%
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
assert abs(softmax_cross_entropy(logits, labels) - cross_entropy(softmax(logits), labels)) < 1e-6
assert abs(softmax_cross_entropy(logits, labels) - float(from_logits(labels, logits))) < 1e-6

# %% [markdown]
# Now a hopeless example: the right class has a logit 200 below the others.

# %% tags=["nbval-check-output"]
hopeless, label = np.array([[200.0, 0.0, 0.0]]), np.array([1])
print("softmax, then clip :", round(float(cross_entropy(softmax(hopeless), label)), 3))
print("log-sum-exp        :", round(float(softmax_cross_entropy(hopeless, label)), 3))
print("Keras, from logits :", round(float(from_logits(label, hopeless)), 3))

# %% [markdown]
# This is why a Keras model for classification is best built *without* softmax at its end, with
# `from_logits=True` in its loss.

# %% [markdown]
# ## 7 The gradient of softmax and cross-entropy
#
# *10 minutes*
#
# Take one example with label $k$ and its loss $\ell = \log \sum_j e^{z_j} - z_k$. Differentiate by
# one logit $z_c$, term by term. The first term:
#
# $$\frac{\partial}{\partial z_c} \log \sum_j e^{z_j}
#   = \frac{1}{\sum_j e^{z_j}} \cdot e^{z_c} = p_c$$
#
# The derivative of log-sum-exp *is* softmax. The second term, $-z_k$, has the derivative $-1$ if
# $c = k$ and $0$ otherwise. Together, and with the mean over $N$ examples:
#
# $$\frac{\partial L}{\partial z_{nc}} = \frac{1}{N} \left( p_{nc} - [c = k_n] \right)$$
#
# *Probabilities minus labels.* Drag the logits and watch: the gradient pushes the right class up
# by what it lacks, and every other class down by what it has too much. In each row the pushes
# cancel.

# %%
figures.logits_explorer()

# %% [markdown]
# **Guess first.** Make a wrong class very sure of itself. Does the gradient vanish there?
#
# ### Exercise: `softmax_cross_entropy_gradient`


# %%
def softmax_cross_entropy_gradient(logits, labels):
    """Gradient of softmax_cross_entropy by the logits.

    logits: (N, C). labels: (N,) integers. Returns (N, C).
    """
    ### BEGIN SOLUTION
    gradient = softmax(logits)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)
    ### END SOLUTION


# %%
softmax_cross_entropy_gradient = check(softmax_cross_entropy_gradient)

# %%
formula = softmax_cross_entropy_gradient(logits, labels)
witness = numerical_gradient(lambda z: softmax_cross_entropy(z, labels), logits)
automatic = keras_gradient(lambda z: from_logits(labels, z), logits)
assert np.abs(formula - witness).max() < 1e-6
assert np.abs(formula - automatic).max() < 1e-6
assert np.abs(formula.sum(axis=1)).max() < 1e-12  # in each row the pushes cancel

# %% [markdown]
# ### Why not squared error for classes?
#
# It is a famous mistake, and one of the articles behind this course makes it. Square the difference
# of probabilities and one-hot labels, and the chain rule brings in the derivative of softmax, which
# is close to zero wherever the model is sure, *right or wrong*. The more wrong it is, the less it
# learns. Compare the gradients for a model that is more and more sure of the wrong class:

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
# ## 8 Your loss reads handwriting
#
# *10 minutes*
#
# Now the real thing: handwritten digits, each eight by eight pixels. A quarter of the images is put
# aside for testing.

# %% tags=["nbval-check-output"]
data = digits.load(seed=0)
print("train:", data.train_images.shape, "test:", data.test_images.shape)

# %% [markdown]
# The model is one matrix and one bias, $z = xW + b$. By the chain rule the gradient at the logits,
# $G = \partial L / \partial z$, becomes
#
# $$\frac{\partial L}{\partial W} = x^\top G \qquad\qquad
#   \frac{\partial L}{\partial b} = \sum_n G_n$$
#
# and *gradient descent* takes a small step against it, again and again. (How large a step, and why
# not on all images at once, is lesson 03.)


# %%
def train(images, labels, steps=200, learning_rate=1.0):
    weights, bias, history = np.zeros((64, 10)), np.zeros(10), []
    for _ in range(steps):
        logits = images @ weights + bias
        history.append(softmax_cross_entropy(logits, labels))
        upstream = softmax_cross_entropy_gradient(logits, labels)
        weights -= learning_rate * images.T @ upstream
        bias -= learning_rate * upstream.sum(axis=0)
    return weights, bias, history


def accuracy(weights, bias, images, labels):
    return np.mean((images @ weights + bias).argmax(axis=1) == labels)


# %% [markdown]
# Is $x^\top G$ right? Ask the witness, on twenty images.

# %%
some, their_labels = data.train_images[:20], data.train_labels[:20]
weights = rng.normal(size=(64, 10))
formula = some.T @ softmax_cross_entropy_gradient(some @ weights, their_labels)
witness = numerical_gradient(lambda w: softmax_cross_entropy(some @ w, their_labels), weights)
assert np.abs(formula - witness).max() < 1e-6

# %% [markdown]
# **Guess first.** At which loss does training start, with all weights zero? (You have printed that
# number already.)

# %%
weights, bias, history = train(data.train_images, data.train_labels)
figures.training_curves(history)

# %% tags=["nbval-check-output"]
score = accuracy(weights, bias, data.test_images, data.test_labels)
print(f"loss: {history[0]:.3f} at the start, {history[-1]:.2f} at the end")
print(f"test accuracy: {score:.1%}")
assert score > 0.9

# %% [markdown]
# Is that good, or was it easy? And was it luck? A number needs company: what always answering the
# commonest class would score, what the same training reaches on labels that were shuffled, and how
# much the score moves from one random split to the next.


# %% tags=["nbval-check-output"]
def score_of_split(seed, shuffled=False):
    d = digits.load(seed)
    answers = d.train_labels
    if shuffled:
        answers = np.random.default_rng(seed).permutation(answers)
    weights, bias, _ = train(d.train_images, answers)
    return accuracy(weights, bias, d.test_images, d.test_labels)


real = [score_of_split(seed) for seed in range(5)]
control = [score_of_split(seed, shuffled=True) for seed in range(5)]
commonest = np.bincount(data.test_labels).max() / len(data.test_labels)
print(f"five splits      {np.mean(real):.1%} ± {np.std(real, ddof=1):.1%}")
print(f"shuffled labels  {np.mean(control):.0%}")
print(f"commonest class  {commonest:.0%}")

# %% [markdown]
# What has it learnt? Each class has one weight per pixel, so its weights are an image. Ink on a
# bright pixel speaks for the class, ink on a dark one against it.

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
# witnesses; and a classifier that is nothing but the two.
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
# ### In practice
#
# In Keras, all of this is `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`. When you
# compare numbers between books, articles and libraries, ask three questions first: is it a sum or
# a mean? Over what? Is there a ½?
#
# ### Further reading
#
# - C. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 1.2.5 and 4.3.4: both
#   losses from maximum likelihood.
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), sections 4.1 and 6.2: overflow,
#   and why losses and output units belong together.
# - J. Nocedal, S. Wright, *Numerical Optimization* (2nd edition, 2006), section 8.1: how exact
#   finite differences can be.
