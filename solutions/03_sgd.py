# ---
# jupyter:
#   course:
#     title: Stochastic gradient descent
#     minutes: 110
#     able: >-
#       say how large a step may be and why batches may be small, write SGD, momentum, Nesterov and
#       schedules as Keras has them, and train a network by backpropagation that you wrote yourself
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 Stochastic gradient descent
#
# **What you will do.** You write the step that trains nearly every network: gradient descent, then
# on a few examples at a time, then with momentum, then with a schedule. You find its limits by
# calculation and by experiment, and compare it with Keras. At the end you write backpropagation
# for a network of two layers and train it on the digits with nothing but your own functions.
#
# **What you will learn**
#
# - why a learning rate that is slightly too large destroys everything, and where that limit is;
# - what a small batch costs in noise and what it saves in time;
# - what momentum does, and why the same two numbers mean different things in Keras and PyTorch;
# - how a gradient travels backwards through a layer, and why a wrong one can go unnoticed.
#
# **What you need.** Lesson 01. From linear algebra: eigenvectors of a symmetric matrix are
# directions that it only stretches. No network, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Downhill on a straight line's error | 15 |
# | 2 How fast is too fast: the limit 2/λ | 15 |
# | 3 From the full batch to a few examples | 15 |
# | 4 A ball with mass: momentum | 15 |
# | 5 Looking ahead: Nesterov | 10 |
# | 6 Schedules: steps, cosine, warm-up | 10 |
# | 7 Two layers: backpropagation written out | 15 |
# | 8 Your network reads handwriting | 15 |
#
# **How the exercises work.** You write the body of a function and run the cell below it. The
# check says whether it is right and, if not, *which* mistake it found. If you get stuck, go on:
# the check lends you the course's own function, and the rest of the lesson works.

# %% [markdown]
# The next cell loads the tools. Keras is the slow one: expect up to twenty seconds, once.

# %%
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import keras
import numpy as np
from IPython.display import Markdown

from course_lib.data import digits
from course_lib.exercises import check
from course_lib.foundations.conventions import ledger
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import mse, softmax_cross_entropy, softmax_cross_entropy_gradient
from course_lib.plots import sgd as figures
from course_lib.transfer.autodiff import gradient as keras_gradient

keras.config.set_floatx("float64")

# %% [markdown]
# `mse`, `numerical_gradient` and the two functions of softmax and cross-entropy are your own from
# lesson 01.
#
# **Notation.** $w$ weights, $g$ gradient of the loss at $w$, $\eta$ learning rate, $\mu$ momentum,
# $v$ velocity. $N$ examples, $D$ inputs, $H$ hidden units, $C$ classes, $B$ examples in a batch.
# $\lambda$ is an eigenvalue of the Hessian, the matrix of second derivatives.

# %% [markdown]
# ## 1 Downhill on a straight line's error
#
# *15 minutes*
#
# In lesson 01 you laid a line through points by hand. Here are four hundred points; this time the
# gradient does it. A column of ones makes the intercept a weight like any other, so that the
# predictions are $Xw$ with $w = (\text{slope}, \text{intercept})$.

# %%
rng = np.random.default_rng(0)
x = rng.uniform(0.5, 3.5, size=400)
y = 0.8 * x + 2 + 0.5 * rng.normal(size=400)
X = np.stack([x, np.ones(400)], axis=1)

# %% [markdown]
# The loss is the mean squared error of $Xw$. Lesson 01 has its gradient by the predictions,
# $\frac{2}{N}(Xw - y)$. How does prediction $n$ depend on weight $j$? It is
# $\sum_i X_{ni} w_i$, so its derivative is $X_{nj}$. The chain rule adds up all the ways by which
# $w_j$ reaches the loss:
#
# $$\frac{\partial L}{\partial w_j} = \sum_{n=1}^{N} \frac{2}{N} (Xw - y)_n X_{nj}
# \qquad\text{so}\qquad g = \frac{2}{N} X^\top (Xw - y)$$
#
# ### Exercise: `least_squares_gradient`


# %%
def least_squares_gradient(features, targets, weights):
    """Gradient, by the weights, of the mean squared error of features @ weights.

    features: (N, D). targets: (N,). weights: (D,). Returns (D,).
    """
    ### BEGIN SOLUTION
    return 2 * features.T @ (features @ weights - targets) / len(targets)
    ### END SOLUTION


# %%
least_squares_gradient = check(least_squares_gradient)

# %%
some_weights = np.array([1.0, -1.0])
formula = least_squares_gradient(X, y, some_weights)
witness = numerical_gradient(lambda w: mse(X @ w, y), some_weights)
automatic = keras_gradient(
    lambda w: keras.ops.mean((keras.ops.sum(X * w, axis=1) - y) ** 2), some_weights
)
assert np.abs(formula - witness).max() < 1e-6
assert np.abs(formula - automatic).max() < 1e-6

# %% [markdown]
# ### Exercise: `sgd_step`
#
# The gradient points to where the loss grows fastest. Gradient descent goes the other way:
#
# $$w \leftarrow w - \eta g$$


# %%
def sgd_step(weights, gradient, learning_rate):
    """One step against the gradient.

    weights, gradient: the same shape. learning_rate: a number. Returns the new weights.
    """
    ### BEGIN SOLUTION
    return weights - learning_rate * gradient
    ### END SOLUTION


# %%
sgd_step = check(sgd_step)

# %% [markdown]
# Two functions, and a line finds its place. The exact answer is known for this problem, so we can
# see how close the descent comes.


# %% tags=["nbval-check-output"]
best = np.linalg.lstsq(X, y, rcond=None)[0]
weights = np.zeros(2)
for step in range(501):
    if step in (0, 10, 100, 500):
        print(f"after {step:3} steps: slope {weights[0]:.3f}, intercept {weights[1]:.3f}")
    weights = sgd_step(weights, least_squares_gradient(X, y, weights), 0.125)
print(f"the exact answer: slope {best[0]:.3f}, intercept {best[1]:.3f}")

# %% [markdown]
# ## 2 How fast is too fast: the limit 2/λ
#
# *15 minutes*
#
# **Guess first.** The rate was 0.125. What will 0.25 do: arrive twice as fast, arrive but zigzag,
# or something else? Write it down. Then drag the slider. The star is the best line; the ellipses
# are lines of equal loss.

# %%
hessian = 2 * X.T @ X / len(X)
figures.descent_explorer(hessian, best)

# %% [markdown]
# Between "a little slow" and "destroyed" there is one stop of the slider. Where does the border
# come from?
#
# The gradient of this loss is a matrix times the distance to the best weights,
# $g = H (w - w^*)$ with the *Hessian* $H = \frac{2}{N} X^\top X$. Call the distance the error,
# $e = w - w^*$. One step does
#
# $$e \leftarrow e - \eta H e = (1 - \eta H)\, e$$
#
# Along an eigenvector of $H$ with eigenvalue $\lambda$, $H$ only stretches, so the step only
# multiplies:
#
# $$e \leftarrow (1 - \eta\lambda)\, e$$
#
# - $0 < \eta\lambda < 1$: the error shrinks.
# - $\eta\lambda = 1$: this direction is solved in one step.
# - $1 < \eta\lambda < 2$: it shrinks and changes its sign each time. That is the zigzag.
# - $\eta\lambda > 2$: it changes its sign and *grows*.
#
# Each direction has its own $\lambda$, but there is one $\eta$ for all. The steepest direction is
# the first to break:
#
# $$\eta < \frac{2}{\lambda_{\max}}$$
#
# ### Exercise: `largest_stable_learning_rate`
#
# `np.linalg.eigvalsh` returns the eigenvalues of a symmetric matrix in ascending order.


# %%
def largest_stable_learning_rate(hessian):
    """The rate above which gradient descent on this quadratic diverges.

    hessian: (D, D), symmetric. Returns a number.
    """
    ### BEGIN SOLUTION
    return 2 / np.linalg.eigvalsh(hessian)[-1]
    ### END SOLUTION


# %%
largest_stable_learning_rate = check(largest_stable_learning_rate)

# %% [markdown]
# Now by experiment, without any eigenvalue: run, see whether the loss ever passes a thousand times
# its first value, and halve the interval between a rate that does not and one that does.


# %%
def diverges(rate, steps=3000):
    weights = np.zeros(2)
    first = mse(X @ weights, y)
    for _ in range(steps):
        weights = sgd_step(weights, least_squares_gradient(X, y, weights), rate)
        if mse(X @ weights, y) > 1000 * first:
            return True
    return False


# %%
def border(diverges, low=0.0, high=1.0):
    for _ in range(15):
        middle = (low + high) / 2
        low, high = (low, middle) if diverges(middle) else (middle, high)
    return low


# %% tags=["nbval-check-output"]
found, derived = border(diverges), largest_stable_learning_rate(hessian)
print(f"found by trying {found:.3f}   derived, 2/λmax {derived:.3f}")
assert abs(found / derived - 1) < 0.01

# %% [markdown]
# The steepest direction limits the rate, and the flattest then has to crawl at that rate. How bad
# it is depends on the *condition number* $\kappa = \lambda_{\max} / \lambda_{\min}$. At the best
# constant rate the slowest directions keep $(\kappa - 1)/(\kappa + 1)$ of their error each step.
#
# Often the cure is not a cleverer step but better data. Subtract the mean from `x`:

# %% tags=["nbval-check-output"]
centred = np.stack([x - x.mean(), np.ones(400)], axis=1)
for name, features in [("as it is", X), ("centred", centred)]:
    flat, steep = np.linalg.eigvalsh(2 * features.T @ features / len(features))
    kappa = steep / flat
    print(f"{name:9} λ {flat:.2f} and {steep:5.2f}   κ {kappa:4.1f}", end="   ")
    print(f"kept each step {(kappa - 1) / (kappa + 1):.2f}")

# %% [markdown]
# This is one reason why inputs of networks are centred and scaled. (We go on with the difficult
# version: there is more to see.)

# %% [markdown]
# ## 3 From the full batch to a few examples
#
# *15 minutes*
#
# So far every step looked at all $N$ examples. That is gradient descent. Two of the articles behind
# this course call it *stochastic* gradient descent, but nothing in it is random.
#
# The gradient is a mean over examples. To estimate a mean, you need not ask everybody: a random
# *mini-batch* of $B$ examples gives $g_B$, the mean of $B$ gradients. Two facts about the mean of
# $B$ independent draws, each with variance $\sigma^2$:
#
# $$\mathbb{E}[g_B] = g \qquad\qquad \operatorname{Var}[g_B] = \frac{\sigma^2}{B}$$
#
# It is right on average, and its variance falls as one over $B$. (Draws without repetition, as
# below, are even a little better: the factor is $\frac{1}{B}\frac{N - B}{N - 1}$, zero for
# $B = N$.)
#
# ### Exercise: `minibatches`
#
# In practice one shuffles the examples and cuts the shuffled order into pieces. One pass through
# all pieces is an *epoch*. The last piece may be short; do not throw it away.


# %%
def minibatches(order, batch_size):
    """Cut one epoch's order into batches.

    order: (N,) integers, a permutation. Returns a list of integer arrays, in the given order;
    the last may be shorter than batch_size.
    """
    ### BEGIN SOLUTION
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    ### END SOLUTION


# %%
minibatches = check(minibatches)

# %% [markdown]
# **Guess first.** Four times as many examples in a batch cost four times the time. By what factor
# does the *typical size* of the noise (the root of the variance) fall?
#
# We measure at $w = 0$: the squared distance between $g_B$ and the full gradient, averaged over
# the batches of a hundred epochs.


# %%
def gradient_variance(batch_size, epochs=100):
    rng = np.random.default_rng(batch_size)
    full = least_squares_gradient(X, y, np.zeros(2))
    distances = []
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(y)), batch_size):
            noisy = least_squares_gradient(X[batch], y[batch], np.zeros(2))
            distances.append(np.sum((noisy - full) ** 2))
    return np.mean(distances)


# %% [markdown]
# On logarithmic axes, $\sigma^2/B$ is a straight line of slope −1. We fit the slope.

# %% tags=["nbval-check-output"]
sizes = np.array([1, 2, 4, 8, 16, 40])
variances = np.array([gradient_variance(size) for size in sizes])
slope = np.polyfit(np.log(sizes), np.log(variances), 1)[0]
print(f"fitted slope {slope:.2f}")
assert abs(slope + 1) < 0.05

# %%
predicted = variances[0] / sizes * (len(y) - sizes) / (len(y) - 1)
figures.curves(
    sizes,
    {"measured": variances, "predicted from B = 1": predicted},
    "examples in a batch",
    "variance of the gradient",
    logarithmic="xy",
)

# %% [markdown]
# (A little steeper than −1, because of the draws without repetition.)
#
# So four times the work halves the noise: a bad bargain. Far from the minimum, where even a rough
# direction is good enough, many cheap steps beat one exact step. Here both may look at each
# example five times.


# %%
def descend(batch_size, learning_rate, epochs, seed=0):
    rng = np.random.default_rng(seed)
    path = [np.zeros(2)]
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(y)), batch_size):
            gradient = least_squares_gradient(X[batch], y[batch], path[-1])
            path.append(sgd_step(path[-1], gradient, learning_rate))
    return np.array(path)


# %%
full_batch, small_batches = descend(400, 0.125, epochs=5), descend(8, 0.0625, epochs=5)
figures.paths_on_contours(hessian, best, {"full batch": full_batch, "batches of 8": small_batches})

# %% [markdown]
# The mini-batches come close to the star, and then do not settle. Every batch has its own idea of
# where the minimum is. At a constant rate the steps have a constant noise, and the weights wander
# in a cloud around the minimum. **Guess first:** which makes the cloud smaller, a smaller rate or a
# larger batch?


# %%
def excess(path):
    """Mean loss above the minimum, over the second half of a path."""
    errors = path[len(path) // 2 :] - best
    return np.mean(np.sum(errors @ hessian * errors, axis=1) / 2)


# %% tags=["nbval-check-output"]
for batch_size, learning_rate in [(8, 0.03125), (8, 0.015625), (16, 0.03125)]:
    runs = [excess(descend(batch_size, learning_rate, 60, seed)) for seed in range(5)]
    mean, spread = 1000 * np.mean(runs), 1000 * np.std(runs, ddof=1)
    print(f"batch {batch_size:2}, rate {learning_rate:.6f}: {mean:.1f} ± {spread:.1f} thousandths")

# %% [markdown]
# Both do, to about half or a little less, because the size of the cloud is set by $\eta / B$. That
# is why a rate is tuned *for a batch size*, and why training usually ends with a smaller rate than
# it began with (section 6).

# %% [markdown]
# ## 4 A ball with mass: momentum
#
# *15 minutes*
#
# Gradient descent has no memory. In a narrow valley it runs from wall to wall, and along the valley
# it crawls. A ball with mass does better: pushes to the left and to the right cancel, pushes along
# the valley add up. Keep a *velocity* $v$, let it decay by a factor $\mu$, and add the new push:
#
# $$v \leftarrow \mu v - \eta g \qquad\qquad w \leftarrow w + v$$
#
# Follow $v$ back in time: it is a sum of all past gradients, $-\eta\,(g_t + \mu g_{t-1} + \mu^2
# g_{t-2} + \dots)$. If the gradient stays the same, this geometric series has the limit
#
# $$v = -\frac{\eta}{1 - \mu}\, g$$
#
# With $\mu = 0.9$ that is a step ten times as long as $\eta$ says. Remember the factor when you
# switch momentum on: a rate that was fine may be too large now.
#
# ### Exercise: `momentum_step`
#
# The velocity first, then the weights, with the *new* velocity.


# %%
def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    """Momentum as in Keras: the velocity contains the learning rate.

    weights, gradient, velocity: the same shape. Returns (weights, velocity), both new.
    """
    ### BEGIN SOLUTION
    velocity = momentum * velocity - learning_rate * gradient
    return weights + velocity, velocity
    ### END SOLUTION


# %%
momentum_step = check(momentum_step)

# %% [markdown]
# Set the momentum to 0: the path turns a corner and crawls. Raise it slowly: the crawl becomes a
# run, then a run that swings past the minimum. Is there a momentum that is too large? And where is
# the limit of the learning rate now?

# %%
figures.momentum_explorer(hessian, best)

# %% [markdown]
# Momentum *raises* the limit. Along an eigenvector, $v = e_t - e_{t-1}$, so the two lines become
# one:
#
# $$e_{t+1} = (1 + \mu - \eta\lambda)\, e_t - \mu\, e_{t-1}$$
#
# An error that is multiplied by $z$ in each step solves it if
# $z^2 - (1 + \mu - \eta\lambda) z + \mu = 0$. As $\eta$ grows, the first root to reach size 1 is
# $z = -1$, the zigzag. Put $z = -1$ in: $2 + 2\mu - \eta\lambda = 0$, so
#
# $$\eta < \frac{2\,(1 + \mu)}{\lambda_{\max}}$$
#
# We do not ask you to believe it:


# %%
def diverges_with_momentum(rate, momentum=0.5, steps=3000):
    weights = velocity = np.zeros(2)
    for _ in range(steps):
        gradient = least_squares_gradient(X, y, weights)
        weights, velocity = momentum_step(weights, gradient, velocity, rate, momentum)
        if np.abs(weights).max() > 1000:
            return True
    return False


# %% tags=["nbval-check-output"]
found, derived = border(diverges_with_momentum), largest_stable_learning_rate(hessian) * 1.5
print(f"μ = 0.5: found {found:.3f}   derived, 2(1 + μ)/λmax {derived:.3f}")
assert abs(found / derived - 1) < 0.01

# %% [markdown]
# What is it worth? With the best rate and momentum, the slowest direction keeps
# $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$ of its error per step (Polyak 1964), where plain descent
# keeps $(\kappa - 1)/(\kappa + 1)$. Steps until a thousandth of the error is left:

# %% tags=["nbval-check-output"]
for kappa in [10, 100, 10_000]:
    plain, ball = (np.log(1000) / np.log((k + 1) / (k - 1)) for k in (kappa, np.sqrt(kappa)))
    print(f"κ = {kappa:6,}: {plain:7,.0f} steps without momentum, {ball:4,.0f} with")

# %% [markdown]
# ### The same numbers as Keras, and not as PyTorch
#
# Four steps with Keras' own optimiser, the rate dropping after the second. (Keras keeps the
# learning rate in single precision: take rates that are exact in binary, such as 0.125.)

# %%
gradients = rng.normal(size=(4, 3))
one_drop = [0.125, 0.125, 0.03125, 0.03125]


# %%
def keras_path(optimizer):
    variable = keras.Variable(np.ones(3))
    for gradient, rate in zip(gradients, one_drop, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return keras.ops.convert_to_numpy(variable)


# %%
def our_path(rule, rates):
    weights, velocity = np.ones(3), np.zeros(3)
    for gradient, rate in zip(gradients, rates, strict=True):
        weights, velocity = rule(weights, gradient, velocity, rate, 0.9)
    return weights


# %%
gap = np.abs(
    our_path(momentum_step, one_drop) - keras_path(keras.optimizers.SGD(1.0, momentum=0.9))
).max()
assert gap < 1e-6
print("our momentum follows Keras")

# %% [markdown]
# PyTorch leaves the learning rate *out* of the velocity: $b \leftarrow \mu b + g$, then
# $w \leftarrow w - \eta b$. Put $v = -\eta b$ and the two are the same, **as long as η stays**.
#
# **Guess first.** What happens to the old velocity when $\eta$ drops to a quarter: in Keras, and in
# PyTorch?


# %%
def momentum_step_pytorch(weights, gradient, buffer, learning_rate, momentum):
    buffer = momentum * buffer + gradient
    return weights - learning_rate * buffer, buffer


# %% tags=["nbval-check-output"]
for name, rates in [("constant rate", [0.125] * 4), ("one drop", one_drop)]:
    gap = np.abs(our_path(momentum_step, rates) - our_path(momentum_step_pytorch, rates)).max()
    print(f"{name:13}: largest difference {gap:.3f}")

# %% [markdown]
# In Keras the ball keeps the speed that it has; in PyTorch it is braked at once. Neither is wrong,
# but numbers copied from one to the other are not the same training. Some texts weight the gradient
# with $1 - \mu$ as well. Then the factor $\frac{1}{1-\mu}$ is gone, and with $\mu = 0.9$ the same
# $\eta$ moves ten times less.

# %% [markdown]
# ## 5 Looking ahead: Nesterov
#
# *10 minutes*
#
# The ball will roll on by $\mu v$ whatever the gradient says. So why measure the slope *here*, if
# we know that we are about to be *there*? Nesterov's momentum, as Sutskever and others write it,
# measures ahead. With weights $\theta$:
#
# $$v \leftarrow \mu v - \eta\, g(\theta + \mu v) \qquad\qquad \theta \leftarrow \theta + v$$
#
# If the ball is about to run up the far wall, it learns so one step earlier and brakes.
#
# A library gets the gradient at the weights that it keeps. So Keras keeps the look-ahead point
# $w = \theta + \mu v$ as the weights. What is the next one? With the new $v$ and
# $\theta = w - \mu v_{\text{old}}$:
#
# $$w_{\text{new}} = \theta + v + \mu v = w - \mu v_{\text{old}} + v + \mu v
#   = w + \mu v - \eta g$$
#
# because $v - \mu v_{\text{old}} = -\eta g$. That is the rule of Keras:
#
# $$v \leftarrow \mu v - \eta g \qquad\qquad w \leftarrow w + \mu v - \eta g$$
#
# ### Exercise: `nesterov_step`


# %%
def nesterov_step(weights, gradient, velocity, learning_rate, momentum):
    """Nesterov's momentum as in Keras; the gradient was taken at the weights.

    weights, gradient, velocity: the same shape. Returns (weights, velocity), both new.
    """
    ### BEGIN SOLUTION
    velocity = momentum * velocity - learning_rate * gradient
    return weights + momentum * velocity - learning_rate * gradient, velocity
    ### END SOLUTION


# %%
nesterov_step = check(nesterov_step)

# %% [markdown]
# Is it the paper's method? Run both on the line of section 1: at each step, Keras' weights must be
# the paper's $\theta$ plus $\mu v$.

# %%
theta = weights = velocity = v = np.zeros(2)
for _ in range(20):
    ahead = theta + 0.9 * v
    theta, v = momentum_step(theta, least_squares_gradient(X, y, ahead), v, 0.03125, 0.9)
    gradient = least_squares_gradient(X, y, weights)
    weights, velocity = nesterov_step(weights, gradient, velocity, 0.03125, 0.9)
    assert np.abs(weights - (theta + 0.9 * v)).max() < 1e-10

# %%
nesterov = keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True)
assert np.abs(our_path(nesterov_step, one_drop) - keras_path(nesterov)).max() < 1e-6
print("our Nesterov follows Keras")

# %% [markdown]
# Go back to the explorer of section 4 and choose "Nesterov". At a small rate and a large momentum
# it swings less. But look at the limit of $\eta$: looking ahead *lowers* it.
#
# Here is what the paper, Keras and PyTorch mean. Keras' column was measured a moment ago by running
# Keras; the tests of this course measure PyTorch's column where PyTorch is installed.

# %%
Markdown(ledger(["momentum-learning-rate", "nesterov-gradient", "cosine-length"], keras=keras))

# %% [markdown]
# ## 6 Schedules: steps, cosine, warm-up
#
# *10 minutes*
#
# Section 3 left us with a conflict: a large rate to get there, a small one to settle. A *schedule*
# changes $\eta$ with the step $s$. Three pieces are in use:
#
# - **Steps**: multiply by a factor after every so many steps,
#   $\eta_s = \eta_0\, f^{\lfloor s / \text{every} \rfloor}$.
# - **Cosine**: fall along half a wave, slowly at both ends, to zero at the end.
# - **Warm-up**: rise from zero to the full rate over the first $W$ steps. The first weights are
#   random, and the loss may be steeper there than later: a rate that is fine afterwards can break
#   the start.
#
# ### Exercise: `cosine_with_warmup`
#
# With $T$ steps in all and $W$ of them for warming up:
#
# $$\eta_s = \begin{cases}
# \eta\, \dfrac{s}{W} & s < W \\[2ex]
# \dfrac{\eta}{2} \left( 1 + \cos \pi \dfrac{s - W}{T - W} \right) & s \ge W
# \end{cases}$$


# %%
def cosine_with_warmup(step, total_steps, warmup_steps, base_learning_rate):
    """Learning rate of a step, counted from 0. Returns a number."""
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return base_learning_rate * step / warmup_steps
    done = (step - warmup_steps) / (total_steps - warmup_steps)
    return base_learning_rate * (1 + np.cos(np.pi * done)) / 2
    ### END SOLUTION


# %%
cosine_with_warmup = check(cosine_with_warmup)

# %% [markdown]
# Keras' `CosineDecay` counts its `decay_steps` *after* the warm-up:

# %%
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, decay_steps=80, warmup_target=0.125, warmup_steps=20
)
for step in [0, 10, 20, 50, 99]:
    assert abs(cosine_with_warmup(step, 100, 20, 0.125) - float(schedule(step))) < 1e-6

# %%
steps = np.arange(100)
shapes = {
    "cosine": [cosine_with_warmup(s, 100, 0, 0.125) for s in steps],
    "cosine with warm-up": [cosine_with_warmup(s, 100, 20, 0.125) for s in steps],
    "halved every 25 steps": 0.125 * 0.5 ** (steps // 25),
}
figures.curves(steps, shapes, "step", "learning rate")

# %% [markdown]
# Does it help? The line again, batches of 8, ten epochs. The figures are the loss above the minimum
# at the very last step, over twenty orders of the examples.


# %%
def last_loss(rate_of_step, seed, epochs=10):
    rng, weights, step = np.random.default_rng(seed), np.zeros(2), 0
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(y)), 8):
            gradient = least_squares_gradient(X[batch], y[batch], weights)
            weights = sgd_step(weights, gradient, rate_of_step(step))
            step += 1
    return (weights - best) @ hessian @ (weights - best) / 2


# %% tags=["nbval-check-output"]
schedules = {
    "constant, large": lambda step: 0.0625,
    "constant, small": lambda step: 0.0625 / 16,
    "cosine": lambda step: cosine_with_warmup(step, 500, 0, 0.0625),
}
for name, rate_of_step in schedules.items():
    finals = [1000 * last_loss(rate_of_step, seed) for seed in range(20)]
    print(f"{name:15} {np.mean(finals):6.2f} ± {np.std(finals, ddof=1):5.2f} thousandths")

# %% [markdown]
# The large rate arrives and keeps jumping. The small one is calm but has not arrived. The cosine
# does both.

# %% [markdown]
# ## 7 Two layers: backpropagation written out
#
# *15 minutes*
#
# A linear model cannot combine pixels. Put a layer of $H$ *hidden units* in between, and a *ReLU*,
# $\max(a, 0)$, without which two linear layers would be one:
#
# $$a = x W_1 + b_1 \qquad h = \max(a, 0) \qquad z = h W_2 + b_2 \qquad
#   L = \text{cross-entropy}(z, k)$$

# %%
figures.network_figure()


# %%
def forward(x, weights_in, bias_in, weights_out, bias_out):
    hidden = np.maximum(x @ weights_in + bias_in, 0)
    return hidden, hidden @ weights_out + bias_out


# %% [markdown]
# *Backpropagation* is the chain rule, from the back to the front, one station at a time. Each
# station gets the gradient at its output and answers two questions: what is the gradient at my
# weights, and what is it at my input? We start with $G = \partial L / \partial z$, which you have
# from lesson 01: probabilities minus labels, over $N$.
#
# **The output layer's weights.** $z_{nc} = \sum_j h_{nj} W_{2,jc} + b_{2,c}$. The weight
# $W_{2,jc}$ reaches the loss through class $c$ of every example $n$, each time multiplied by
# $h_{nj}$:
#
# $$\frac{\partial L}{\partial W_{2,jc}} = \sum_n h_{nj} G_{nc}
# \quad\Rightarrow\quad \frac{\partial L}{\partial W_2} = h^\top G
# \qquad\qquad \frac{\partial L}{\partial b_2} = \sum_n G_n$$
#
# **Back to the hidden layer.** Unit $h_{nj}$ reaches the loss through *all* classes of its own
# example, each by its weight:
#
# $$\frac{\partial L}{\partial h_{nj}} = \sum_c G_{nc} W_{2,jc}
# \quad\Rightarrow\quad \frac{\partial L}{\partial h} = G\, W_2^\top$$
#
# **Through the ReLU.** Where $a > 0$, $h = a$ and the slope is 1. Where $a < 0$, $h$ is 0 and does
# not move. (At exactly 0 there is no slope; everybody takes 0.) As $h > 0$ wherever $a > 0$, the
# hidden values are all we need:
#
# $$\frac{\partial L}{\partial a} = \frac{\partial L}{\partial h} \cdot [\,h > 0\,]$$
#
# **The first layer's weights.** The same as for the output layer, with $x$ for $h$ and
# $\partial L / \partial a$ for $G$:
#
# $$\frac{\partial L}{\partial W_1} = x^\top \frac{\partial L}{\partial a}
# \qquad\qquad \frac{\partial L}{\partial b_1} = \sum_n \frac{\partial L}{\partial a_n}$$
#
# The mean's $1/N$ is in $G$ already. No station divides again.
#
# ### Exercise: `hidden_layer_gradients`
#
# Before you write, put shapes to every symbol. There is hardly a way to multiply wrongly shaped
# matrices here and not notice.


# %%
def hidden_layer_gradients(x, hidden, weights_out, upstream):
    """Backpropagation through two layers.

    x: (N, D). hidden: (N, H), after the ReLU. weights_out: (H, C).
    upstream: (N, C), gradient at the logits. Returns the four gradients
    (weights_in (D, H), bias_in (H,), weights_out (H, C), bias_out (C,)).
    """
    ### BEGIN SOLUTION
    at_hidden = upstream @ weights_out.T
    at_sums = at_hidden * (hidden > 0)
    return x.T @ at_sums, at_sums.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)
    ### END SOLUTION


# %%
hidden_layer_gradients = check(hidden_layer_gradients)

# %% [markdown]
# Now the witnesses, for all four gradients at once. Six examples with $D = 4$, $H = 5$, $C = 3$;
# the first weights are drawn with the variance $2/\text{inputs}$, which section 8 explains.


# %%
def first_parameters(seed, inputs=64, hidden=64, classes=10, scale=1.0):
    rng = np.random.default_rng(seed)
    weights_in = rng.normal(scale=scale * np.sqrt(2 / inputs), size=(inputs, hidden))
    weights_out = rng.normal(scale=scale * np.sqrt(2 / hidden), size=(hidden, classes))
    return [weights_in, np.zeros(hidden), weights_out, np.zeros(classes)]


# %%
def network_gradients(parameters, x, labels):
    hidden, logits = forward(x, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    return hidden_layer_gradients(x, hidden, parameters[2], upstream)


# %%
inputs, labels = rng.normal(size=(6, 4)), rng.integers(0, 3, size=6)
parameters = first_parameters(0, inputs=4, hidden=5, classes=3)
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# %%
def with_changed(index, changed):
    return [changed if n == index else p for n, p in enumerate(parameters)]


# %%
def our_loss(index, changed):
    return softmax_cross_entropy(forward(inputs, *with_changed(index, changed))[1], labels)


# %%
def keras_loss(index, changed):
    weights_in, bias_in, weights_out, bias_out = with_changed(index, changed)
    hidden = keras.ops.relu(keras.ops.matmul(inputs, weights_in) + bias_in)
    return from_logits(labels, keras.ops.matmul(hidden, weights_out) + bias_out)


# %%
for n, formula in enumerate(network_gradients(parameters, inputs, labels)):
    witness = numerical_gradient(lambda p, n=n: our_loss(n, p), parameters[n])
    automatic = keras_gradient(lambda p, n=n: keras_loss(n, p), parameters[n])
    assert np.abs(formula - witness).max() < 1e-6
    assert np.abs(formula - automatic).max() < 1e-6
print("four gradients, two witnesses each: they agree")

# %% [markdown]
# ## 8 Your network reads handwriting
#
# *15 minutes*
#
# Everything comes together: your batches, your momentum, your schedule, your gradients. `fit` takes
# the function that computes the gradients as an argument, so that it can train other models for
# comparison.


# %%
def step_all(parameters, gradients, velocities, rate):
    moved = zip(parameters, gradients, velocities, strict=True)
    return zip(*[momentum_step(p, g, v, rate, 0.9) for p, g, v in moved], strict=True)


# %%
def fit(
    parameters, gradients_of, images, labels, seed=0, epochs=20, peak=0.125, warmup=0.1, order=None
):
    rng, step = np.random.default_rng(seed), 0
    total = epochs * int(np.ceil(len(labels) / 32))
    velocities = [np.zeros_like(p) for p in parameters]
    for _ in range(epochs):
        shuffled = rng.permutation(len(labels)) if order is None else order
        for batch in minibatches(shuffled, 32):
            rate = cosine_with_warmup(step, total, int(warmup * total), peak)
            gradients = gradients_of(parameters, images[batch], labels[batch])
            parameters, velocities = step_all(parameters, gradients, velocities, rate)
            step += 1
    return parameters


# %%
def accuracy(parameters, images, labels):
    return np.mean(forward(images, *parameters)[1].argmax(axis=1) == labels)


# %% [markdown]
# **Guess first.** The linear model of lesson 01 reads about 96 of 100 digits. How many will this
# network read?

# %% tags=["nbval-check-output"]
data = digits.load(seed=0)
trained = fit(first_parameters(0), network_gradients, data.train_images, data.train_labels)
score = accuracy(trained, data.test_images, data.test_labels)
print(f"test accuracy {score:.1%}")
assert score > 0.95

# %% [markdown]
# Is that good, and is it the network that did it? The number needs company, on the same five
# splits: the linear model as lesson 01 trained it; the same linear model with today's training; and
# the network on shuffled labels.


# %%
def linear_gradients(parameters, x, labels):
    weights, bias = parameters
    upstream = softmax_cross_entropy_gradient(x @ weights + bias, labels)
    return x.T @ upstream, upstream.sum(axis=0)


# %%
def linear_accuracy(parameters, images, labels):
    return np.mean((images @ parameters[0] + parameters[1]).argmax(axis=1) == labels)


# %%
def lesson_01(images, labels):
    parameters = [np.zeros((64, 10)), np.zeros(10)]
    for _ in range(200):
        gradients = linear_gradients(parameters, images, labels)
        parameters = [sgd_step(p, g, 1.0) for p, g in zip(parameters, gradients, strict=True)]
    return parameters


# %%
def compare(seed):
    d = digits.load(seed)
    train, test = (d.train_images, d.train_labels), (d.test_images, d.test_labels)
    zeros = [np.zeros((64, 10)), np.zeros(10)]
    shuffled = np.random.default_rng(seed).permutation(d.train_labels)
    return {
        "linear, lesson 01": linear_accuracy(lesson_01(*train), *test),
        "linear, this training": linear_accuracy(fit(zeros, linear_gradients, *train, seed), *test),
        "network": accuracy(fit(first_parameters(seed), network_gradients, *train, seed), *test),
        "network, shuffled labels": accuracy(
            fit(first_parameters(seed), network_gradients, d.train_images, shuffled, seed), *test
        ),
    }


# %% tags=["nbval-check-output"]
rows = [compare(seed) for seed in range(5)]
for name in rows[0]:
    scores = [row[name] for row in rows]
    print(f"{name:25} {np.mean(scores):.1%} ± {np.std(scores, ddof=1):.1%}")

# %% tags=["nbval-check-output"]
wins = sum(row["network"] > row["linear, this training"] for row in rows)
print(f"the network beats the equally trained linear model on {wins} of {len(rows)} splits")
assert min(row["network"] for row in rows) > 0.95

# %% [markdown]
# Read the table from the bottom. Shuffled labels teach nothing, as they should. And nearly half of
# what the network gained over lesson 01 came from *training better*, not from the hidden layer:
# without the second row, we would have given the network too much credit.

# %% [markdown]
# ### The same weights as Keras
#
# Is our `fit` what Keras does? Five steps on five batches, from the same weights:

# %%
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
)
model.set_weights(first_parameters(0))
model.compile(keras.optimizers.SGD(0.125, momentum=0.9), loss=from_logits)
ours, velocities = first_parameters(0), [np.zeros_like(p) for p in first_parameters(0)]

# %%
for batch in minibatches(np.arange(160), 32):
    images, answers = data.train_images[batch], data.train_labels[batch]
    model.train_on_batch(images, answers)
    gradients = network_gradients(ours, images, answers)
    ours, velocities = step_all(ours, gradients, velocities, 0.125)
gaps = [np.abs(a - b).max() for a, b in zip(ours, model.get_weights(), strict=True)]
assert max(gaps) < 1e-6
print("after five steps, all weights agree with Keras")

# %% [markdown]
# ### Two famous mistakes, measured
#
# The first: *not shuffling*. The examples are sorted by class, and every batch shows one or two
# classes. The second: *a wrong gradient*. Someone forgot the mask of the ReLU.
#
# **Guess first.** Which of the two does more harm?


# %%
def forgot_the_mask(parameters, x, labels):
    hidden, logits = forward(x, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    at_sums = upstream @ parameters[2].T
    return x.T @ at_sums, at_sums.sum(axis=0), hidden.T @ upstream, upstream.sum(axis=0)


# %%
def score_of(seed, gradients_of=network_gradients, scale=1.0, is_sorted=False, **options):
    d = digits.load(seed)
    if is_sorted:
        options["order"] = np.argsort(d.train_labels, kind="stable")
    start = first_parameters(seed, scale=scale)
    trained = fit(start, gradients_of, d.train_images, d.train_labels, seed, **options)
    return accuracy(trained, d.test_images, d.test_labels)


# %% tags=["nbval-check-output"]
for name, mistake in [
    ("none", {}),
    ("not shuffled", {"is_sorted": True}),
    ("mask forgotten", {"gradients_of": forgot_the_mask}),
]:
    scores = [score_of(seed, **mistake) for seed in range(5)]
    print(f"{name:15} {np.mean(scores):.0%} ± {np.std(scores, ddof=1):.0%}")

# %% [markdown]
# Without shuffling the network forgets each class while it sees the next. The wrong gradient, on
# the other hand, still learns, about as well as a linear model. No error, no strange curve: only
# the witness of section 7 would have told. A network that learns is no proof that its gradients
# are right.
#
# ### A rate that is too large, and what warm-up does
#
# Four times the peak rate is beyond what this network stands at its start:

# %% tags=["nbval-ignore-output"]
for peak, warmup in [(0.125, 0.0), (0.125, 0.1), (0.5, 0.0), (0.5, 0.1)]:
    scores = [score_of(seed, peak=peak, warmup=warmup) for seed in range(5)]
    name = "with warm-up" if warmup else "without"
    print(f"peak {peak:5}, {name:12}: {np.mean(scores):.0%} ± {np.std(scores, ddof=1):.0%}")

# %% [markdown]
# At a moderate rate the warm-up changes nothing that we could measure. At the large rate it saves
# most of the training, but even then the moderate rate is better. (The two rows of the large rate
# differ a little from machine to machine: so close to the limit, the last digit of a number decides
# where training goes.)
#
# ### What the first weights do
#
# Why not start from zeros, as the linear model did? Then $h = 0$ and $W_2 = 0$, so *all* gradients
# of weights are products with zero: the network never leaves. (Equal numbers other than zero are
# hardly better: all hidden units get the same gradient and stay copies of each other.)
#
# So the weights must be random. How large? A sum of $D$ terms has a variance of $D$ times that of
# a term. A ReLU throws half away. To keep the size of the numbers from layer to layer, the weights
# need the variance $2/D$ (He and others, 2015). Through ten layers, "a bit off" is to the power of
# ten:

# %% tags=["nbval-check-output"]
for scale in [0.5, 1.0, 2.0]:
    h = np.random.default_rng(0).normal(size=(100, 256))
    for _ in range(10):
        h = np.maximum(h @ rng.normal(scale=scale * np.sqrt(2 / 256), size=(256, 256)), 0)
    print(f"{scale} times the right scale: size after ten layers {np.sqrt(np.mean(h**2)):.1g}")

# %% [markdown]
# **Guess first.** Our network has only one hidden layer. Which of these scales will harm it?

# %% tags=["nbval-check-output"]
for scale in [0.0, 0.01, 1.0, 10.0]:
    start = first_parameters(0, scale=scale)
    loss = softmax_cross_entropy(forward(data.train_images, *start)[1], data.train_labels)
    short, long = ([score_of(s, scale=scale, epochs=e) for s in range(5)] for e in (3, 20))
    print(
        f"scale {scale:5}: first loss {loss:4.1f}, accuracy {np.mean(short):.0%} after 3 epochs,"
        f" {np.mean(long):.0%} after 20"
    )

# %% [markdown]
# Zeros never learn. Too small starts slowly, too large starts with a loss far above "knows
# nothing", $\log 10 \approx 2.3$, and never quite recovers. Remember that first loss: it is the
# cheapest test of an initialisation.
#
# What did the hidden units learn? Ten of them, as images of their incoming weights. Unlike the
# classes of lesson 01 they are hard to read: a unit need not mean anything on its own.

# %%
figures.hidden_units(trained[0][:, :10])

# %% [markdown]
# ## What you have now
#
# The whole of training, in your own code: batches, steps with momentum, a schedule,
# backpropagation. Keras does the same, number for number. You can say why a rate breaks, what a
# batch size costs, and how to tell a right gradient from one that merely learns.
#
# What was left out: one learning rate for all weights, although some directions are steeper than
# others (lesson 04 gives each weight its own); penalties and dropout (lesson 02) for this network;
# and the settings were not tuned on a validation set, so neither model shows its best. The five
# splits share most of their training images, so their spread is only a rough guide.
#
# ### On your own
#
# 1. Put a third layer between the two. Which lines of `hidden_layer_gradients` repeat?
# 2. Derive the limit for Nesterov: put $z = -1$ into
#    $z^2 - (1 + \mu)(1 - \eta\lambda) z + \mu (1 - \eta\lambda) = 0$. Compare with the explorer.
# 3. Double the batch of section 8 to 64. By what should you multiply the learning rate to get the
#    same training? Try it, and count epochs *and* steps.
# 4. Let `fit` record the loss of each batch and draw it with `course_lib.plots.training_curves`,
#    for batches of 8 and of 256.
#
# ### In practice
#
# `keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True)` with a `CosineDecay` is still one of
# the strongest ways to train an image network. Tune the learning rate first, in factors of two or
# three; everything else matters less. When you copy settings from a paper, copy the batch size, the
# schedule *and* the convention of the momentum.
#
# ### Further reading
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), sections 6.5 (backpropagation),
#   8.1 and 8.3 (mini-batches, momentum).
# - I. Sutskever, J. Martens, G. Dahl, G. Hinton, *On the importance of initialization and momentum
#   in deep learning* (ICML 2013): the form that Keras follows.
# - G. Goh, *Why Momentum Really Works* (Distill, 2017): the quadratic of sections 2 and 4, with
#   pictures to play with.
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers* (ICCV 2015): the variance
#   $2/D$.
# - P. Goyal and others, *Accurate, Large Minibatch SGD* (2017): warm-up, and rates for large
#   batches.
