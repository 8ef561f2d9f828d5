# ---
# jupyter:
#   course:
#     title: Stochastic gradient descent
#     minutes: 110
#     data: [digits]
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
# **What you will do.** You write the step that networks are trained with: gradient descent, then on
# a few examples at a time, then with momentum, then with a schedule. You find its limits by
# calculation and by experiment, and compare it with Keras. At the end you write backpropagation
# for a network of two layers and train it on the digits, in NumPy alone.
#
# **What you will learn**
#
# - why a learning rate that is slightly too large makes the loss explode, and where that limit is;
# - what a small batch costs in noise and what it saves in work;
# - what momentum does, and why the same settings can train differently in Keras and in PyTorch;
# - how a gradient travels backwards through a layer, and why a wrong one can go unnoticed.
#
# **What you need.** Lesson 01. From linear algebra: the eigenvectors of a symmetric matrix are
# directions that it only stretches, by factors that are its eigenvalues. From statistics: mean and
# variance. No internet connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Gradient descent on a line fit | 15 |
# | 2 How fast is too fast: the limit 2/λ | 15 |
# | 3 From the full batch to a few examples | 15 |
# | 4 A ball with mass: momentum | 15 |
# | 5 Looking ahead: Nesterov | 10 |
# | 6 Schedules: steps, cosine, warm-up | 10 |
# | 7 Two layers: backpropagation written out | 15 |
# | 8 Your network reads handwriting | 15 |
#
# **How the exercises work.** You write the body of a function and run the cell below it. The
# check says whether it is right. If not, it says which mistake it is, if it knows it, and otherwise
# shows a small call that goes wrong. If you get stuck, go on: the check lends you the course's own
# function, and the rest of the lesson works.
#
# After a restart of the kernel, run the cells above again (menu *Run*, *Run All Above Selected
# Cell*). Red broken links beside a slider mean that the kernel was restarted: run its cell again.

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
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import mse, softmax_cross_entropy, softmax_cross_entropy_gradient
from course_lib.ledger import ledger
from course_lib.plots import sgd as figures
from course_lib.transfer.autodiff import gradient as keras_gradient

keras.config.set_floatx("float64")

# %% [markdown]
# `mse`, `numerical_gradient` and the two functions of softmax and cross-entropy do what those that
# you wrote in lesson 01 do; they are the course's copies.
#
# **Notation.** $t$ are targets, $w$ weights, $g$ gradient of the loss at $w$,
# $\eta$ learning rate, $\mu$ momentum, $v$ velocity. $N$ examples, $D$ inputs, $H$ hidden units,
# $C$ classes, $B$ examples in a batch.
# $A$ is the Hessian, the matrix of second derivatives of the loss, and $\lambda$ one of its
# eigenvalues (in lesson 02, $\lambda$ is the strength of a penalty).

# %% [markdown]
# ## 1 Gradient descent on a line fit
#
# *15 minutes*
#
# In lesson 01 you laid a line through points by hand. Here are four hundred points; this time the
# gradient does it. A column of ones makes the intercept a weight like any other, so that the
# predictions are $Xw$ with $w = (\text{slope}, \text{intercept})$.

# %%
rng = np.random.default_rng(0)
x = rng.uniform(0.5, 3.5, size=400)
targets = 0.8 * x + 2 + 0.5 * rng.normal(size=400)
X = np.stack([x, np.ones(400)], axis=1)

# %% [markdown]
# The loss is the mean squared error of $Xw$. Lesson 01 has its gradient by the predictions,
# $\frac{2}{N}(Xw - t)$. How does prediction $n$ depend on weight $j$? It is
# $\sum_i X_{ni} w_i$, so its derivative is $X_{nj}$. The chain rule adds up all the ways by which
# $w_j$ reaches the loss:
#
# $$\frac{\partial L}{\partial w_j} = \sum_{n=1}^{N} \frac{2}{N} (Xw - t)_n X_{nj}
# \qquad\text{so}\qquad g = \frac{2}{N} X^\top (Xw - t)$$
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

# %% [markdown]
# Your formula has two witnesses, as in lesson 01: finite differences, and the automatic
# differentiation of Keras.


# %%
def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% tags=["nbval-ignore-output"]
some_weights = np.array([1.0, -1.0])
formula = least_squares_gradient(X, targets, some_weights)
witness = numerical_gradient(lambda w: mse(X @ w, targets), some_weights)
automatic = keras_gradient(
    lambda w: keras.losses.mean_squared_error(targets, keras.ops.matmul(X, w)), some_weights
)
compare(formula, {"finite differences": witness, "Keras": automatic})

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
best = np.linalg.lstsq(X, targets, rcond=None)[0]
weights = np.zeros(2)
for step in range(501):
    if step in (0, 10, 100, 500):
        print(f"after {step:3} steps: slope {weights[0]:.3f}, intercept {weights[1]:.3f}")
    weights = sgd_step(weights, least_squares_gradient(X, targets, weights), 0.125)
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
# So 0.25 does not arrive at all. Between "converges" and "diverges" lies one stop of the slider.
# Where does the border come from?
#
# At the best weights $w^*$ the gradient is zero. Subtract that zero from the gradient anywhere
# else, and the targets cancel:
# $g = \frac{2}{N} X^\top (Xw - t) - \frac{2}{N} X^\top (Xw^* - t) = A (w - w^*)$, a matrix times
# the distance from there, with the *Hessian* $A = \frac{2}{N} X^\top X$. (A loss whose Hessian is
# the same everywhere, as here, is called *quadratic*.) Call the distance the error, $e = w - w^*$.
# One step does
#
# $$e \leftarrow e - \eta A e = (1 - \eta A)\, e$$
#
# Along an eigenvector of $A$ with eigenvalue $\lambda$, $A$ only stretches, so the step only
# multiplies:
#
# $$e \leftarrow (1 - \eta\lambda)\, e$$
#
# - $0 < \eta\lambda < 1$: the error shrinks.
# - $\eta\lambda = 1$: this direction is solved in one step.
# - $1 < \eta\lambda < 2$: it shrinks and changes its sign each time. That is the zigzag.
# - $\eta\lambda = 2$: it jumps from side to side for ever.
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
    first = mse(X @ weights, targets)
    for _ in range(steps):
        weights = sgd_step(weights, least_squares_gradient(X, targets, weights), rate)
        if mse(X @ weights, targets) > 1000 * first:
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
# (In a network the Hessian changes with the weights, so that $2/\lambda_{\max}$ is the limit of one
# place, not of the whole training. It matters all the same: full-batch training often drives
# $\lambda_{\max}$ up until it is about $2/\eta$, and goes on there; Cohen and others, 2021.)
#
# The steepest direction limits the rate, and the flattest then has to crawl at that rate. How bad
# it is depends on the *condition number* $\kappa = \lambda_{\max} / \lambda_{\min}$. The best
# constant rate is $\eta = 2/(\lambda_{\min} + \lambda_{\max})$, where the flattest and the steepest
# direction are equally slow: $1 - \eta\lambda_{\min} = \eta\lambda_{\max} - 1$. Put $\eta$ in, and
# each step keeps $(\kappa - 1)/(\kappa + 1)$ of their error.
#
# Often the cure is not a cleverer step but better inputs. Subtract the mean from `x`:

# %% tags=["nbval-check-output"]
centred = np.stack([x - x.mean(), np.ones(400)], axis=1)
for name, features in [("as it is", X), ("centred", centred)]:
    flat, steep = np.linalg.eigvalsh(2 * features.T @ features / len(features))
    kappa = steep / flat
    print(f"{name:9} λ {flat:.2f} and {steep:5.2f}   κ {kappa:4.1f}", end="   ")
    print(f"kept each step {(kappa - 1) / (kappa + 1):.2f}")

# %% [markdown]
# This is one reason why inputs of networks are centred and scaled (LeCun and others, 1998). We go
# on with the difficult version: there is more to see.

# %% [markdown]
# ## 3 From the full batch to a few examples
#
# *15 minutes*
#
# So far every step looked at all $N$ examples. That is gradient descent, and nothing in it is
# random. It becomes *stochastic* gradient descent, SGD, when each step looks at a few examples,
# drawn at random. (The optimiser that Keras calls `SGD` takes whatever gradient it is given.)
#
# The gradient is a mean over examples. To estimate a mean, you need not ask everybody: a random
# *mini-batch* of $B$ examples gives $g_B$, the mean of $B$ gradients. Two facts about the mean of
# $B$ independent draws, each with variance $\sigma^2$ (for vectors: the mean squared distance from
# the mean):
#
# $$\mathbb{E}[g_B] = g \qquad\qquad \operatorname{Var}[g_B] = \frac{\sigma^2}{B}$$
#
# It is right on average, and its variance falls as one over $B$. (Draws without repetition, as
# below, are even a little better: the factor is $\frac{1}{B}\frac{N - B}{N - 1}$ instead of
# $\frac{1}{B}$, zero for $B = N$.)
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
# **Guess first.** Four times as many examples in a batch are four times the work. By what factor
# does the *typical size* of the noise (the root of the variance) fall?
#
# We measure at $w = 0$: the squared distance between $g_B$ and the full gradient, averaged over
# the batches of a hundred epochs.


# %%
def gradient_variance(batch_size, epochs=100):
    rng = np.random.default_rng(batch_size)
    full = least_squares_gradient(X, targets, np.zeros(2))
    distances = []
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(targets)), batch_size):
            noisy = least_squares_gradient(X[batch], targets[batch], np.zeros(2))
            distances.append(np.sum((noisy - full) ** 2))
    return np.mean(distances)


# %% [markdown]
# On logarithmic axes, $\sigma^2/B$ is a straight line of slope −1. We fit the slope.

# %% tags=["nbval-check-output"]
sizes = np.array([1, 2, 4, 8, 16, 40])
variances = np.array([gradient_variance(size) for size in sizes])
predicted = variances[0] / sizes * (len(targets) - sizes) / (len(targets) - 1)
for name, values in [("measured", variances), ("without repetition, predicted", predicted)]:
    fitted = np.polyfit(np.log(sizes), np.log(values), 1)[0]
    print(f"{name}: slope {fitted:.2f}")
    assert abs(fitted + 1) < 0.05

# %%
figures.curves(
    sizes,
    {"measured": variances, "predicted from B = 1": predicted},
    "examples in a batch",
    "variance of the gradient",
    logarithmic="xy",
)

# %% [markdown]
# (A little steeper than −1, as it should be for draws without repetition.)
#
# So four times the work halves the noise: a bad bargain. (On a GPU the bargain is better, because
# it does many examples at once. That is one reason why batches are not smaller still.) Far from the
# minimum, where even a rough direction is good enough, many cheap steps beat one exact step. Here
# both may look at each example five times.


# %%
def descend(batch_size, learning_rate, epochs, seed=0):
    rng = np.random.default_rng(seed)
    path = [np.zeros(2)]
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(targets)), batch_size):
            gradient = least_squares_gradient(X[batch], targets[batch], path[-1])
            path.append(sgd_step(path[-1], gradient, learning_rate))
    return np.array(path)


# %%
full_batch, small_batches = descend(400, 0.125, epochs=5), descend(8, 0.0625, epochs=5)
figures.paths_on_contours(hessian, best, {"full batch": full_batch, "batches of 8": small_batches})

# %% [markdown]
# One path is an anecdote. So we repeat the small batches with twenty orders of the examples, and
# let the full batch choose the best of many rates:


# %%
def above_minimum(weights):
    return mse(X @ weights, targets) - mse(X @ best, targets)


def thousandths(losses):
    """Mean ± standard deviation."""
    return f"{1000 * np.mean(losses):6.2f} ± {1000 * np.std(losses, ddof=1):5.2f} thousandths"


# %% tags=["nbval-check-output"]
full = [above_minimum(descend(400, rate, 5)[-1]) for rate in np.linspace(0.01, 0.15, 15)]
small = [above_minimum(descend(8, 0.0625, 5, seed)[-1]) for seed in range(20)]
print(f"full batch, best of {len(full)} rates: {1000 * min(full):.0f} thousandths")
print(f"batches of 8:                {thousandths(small)}")

# %% [markdown]
# The mini-batches come close to the star, and then do not settle. The points do not lie on a line,
# so every batch has its own idea of where the minimum is. At a constant rate the weights wander in
# a cloud around it. **Guess first:** which makes the cloud smaller, a smaller rate or a larger
# batch?


# %%
def cloud(path):
    """Mean loss above the minimum, over the second half of a path."""
    return np.mean([above_minimum(weights) for weights in path[len(path) // 2 :]])


# %% tags=["nbval-check-output"]
for batch_size, learning_rate in [(8, 0.03125), (8, 0.015625), (16, 0.03125)]:
    clouds = [cloud(descend(batch_size, learning_rate, 60, seed)) for seed in range(5)]
    print(f"batch {batch_size:2}, rate {learning_rate:.6f}: {thousandths(clouds)}")

# %% [markdown]
# Both do: half the rate or twice the batch leaves less than half. For small rates and independent
# draws, theory says that the loss of the cloud is proportional to $\eta / B$ (Mandt and others,
# 2017); shuffled passes leave less, because the deviations of the batches of one epoch
# nearly cancel. That is why a rate is tuned *for a batch size*, and why training usually ends with
# a smaller rate than it began with (section 6).

# %% [markdown]
# ## 4 A ball with mass: momentum
#
# *15 minutes*
#
# Gradient descent has no memory. In a narrow valley it runs from wall to wall, and along the valley
# it crawls. A ball with mass does better: pushes to the left and to the right cancel, pushes along
# the valley add up. Keep a *velocity* $v$, let it decay by a factor $\mu$, the *momentum*, and add
# the new push:
#
# $$v \leftarrow \mu v - \eta g \qquad\qquad w \leftarrow w + v$$
#
# Follow $v$ back in time: it is a sum of all past gradients, $-\eta\,(g_t + \mu g_{t-1} + \mu^2
# g_{t-2} + \dots)$. If the gradient stays the same, this geometric series has the limit
#
# $$v = -\frac{\eta}{1 - \mu}\, g$$
#
# With $\mu = 0.9$ that is a step ten times as long as $\eta$ says.
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
# run, then a run that swings past the minimum. **Guess first.** Is there a momentum that is too
# large? And does momentum lower the limit of the learning rate, or raise it?

# %%
figures.momentum_explorer(hessian, best)

# %% [markdown]
# Without noise, momentum *raises* the limit. Along an eigenvector, $v = e_t - e_{t-1}$, so the two
# lines become one:
#
# $$e_{t+1} = (1 + \mu - \eta\lambda)\, e_t - \mu\, e_{t-1}$$
#
# An error that is multiplied by $z$ in each step solves it if
# $z^2 - (1 + \mu - \eta\lambda) z + \mu = 0$. The product of the two roots is $\mu$. So the larger
# one is never below $\sqrt\mu$ in size, whatever the rate: too large a momentum is slow.
#
# And the limit? A pair of complex roots has size $\sqrt\mu < 1$, and $z = 1$ solves it only where
# $\eta\lambda = 0$. So as $\eta$ grows, size 1 is first reached at $z = -1$, the zigzag. Put it in:
# $2 + 2\mu - \eta\lambda = 0$, and therefore
#
# $$\eta < \frac{2\,(1 + \mu)}{\lambda_{\max}}$$
#
# We do not ask you to believe it:


# %%
def diverges_with_momentum(rate, momentum, steps=3000):
    weights = velocity = np.zeros(2)
    for _ in range(steps):
        gradient = least_squares_gradient(X, targets, weights)
        weights, velocity = momentum_step(weights, gradient, velocity, rate, momentum)
        if np.abs(weights).max() > 1000:
            return True
    return False


# %% tags=["nbval-check-output"]
for momentum in [0.5, 0.9]:
    found = border(lambda rate, momentum=momentum: diverges_with_momentum(rate, momentum))
    derived = (1 + momentum) * largest_stable_learning_rate(hessian)
    print(f"μ = {momentum}: found {found:.3f}   derived, 2(1 + μ)/λmax {derived:.3f}")
    assert abs(found / derived - 1) < 0.01

# %% [markdown]
# What is it worth? With the best rate and momentum (Polyak 1964; we do not derive them),
#
# $$\eta = \left(\frac{2}{\sqrt{\lambda_{\min}} + \sqrt{\lambda_{\max}}}\right)^2
# \qquad\qquad
# \mu = \left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^2$$
#
# the error falls in the end by the factor $\sqrt\mu = (\sqrt\kappa - 1)/(\sqrt\kappa + 1)$ per
# step, where plain descent has $(\kappa - 1)/(\kappa + 1)$. We count the steps until a thousandth
# of the error is left, in two directions with $\lambda = 1$ and $\lambda = \kappa$:


# %%
def steps_to_a_thousandth(eigenvalues, rate, momentum):
    error, velocity, steps = np.ones(2), np.zeros(2), 0
    while np.abs(error).max() > 0.001:
        error, velocity = momentum_step(error, eigenvalues * error, velocity, rate, momentum)
        steps += 1
    return steps


# %% tags=["nbval-check-output"]
for kappa in [10, 100, 10_000]:
    eigenvalues, root = np.array([1.0, kappa]), np.sqrt(kappa)
    plain = steps_to_a_thousandth(eigenvalues, 2 / (1 + kappa), 0)
    ball = steps_to_a_thousandth(eigenvalues, (2 / (1 + root)) ** 2, ((root - 1) / (root + 1)) ** 2)
    print(f"κ = {kappa:6,}: {plain:6,} steps without momentum, {ball:3} with")

# %% [markdown]
# And with the noise of mini-batches? It is pushed into the velocity like everything else. **Guess
# first:** what does a momentum of 0.9 do to the cloud of section 3?


# %%
def descend_with_momentum(learning_rate, momentum, seed):
    rng = np.random.default_rng(seed)
    path, velocity = [np.zeros(2)], np.zeros(2)
    for _ in range(60):
        for batch in minibatches(rng.permutation(len(targets)), 8):
            noisy = least_squares_gradient(X[batch], targets[batch], path[-1])
            weights, velocity = momentum_step(path[-1], noisy, velocity, learning_rate, momentum)
            path.append(weights)
    return path


# %% tags=["nbval-check-output"]
for learning_rate, momentum in [(0.03125, 0.0), (0.03125, 0.9), (0.003125, 0.9)]:
    clouds = [cloud(descend_with_momentum(learning_rate, momentum, seed)) for seed in range(5)]
    print(f"rate {learning_rate:.6f}, momentum {momentum}: {thousandths(clouds)}")

# %% [markdown]
# It makes the cloud about ten times as large, $1/(1 - \mu)$, as theory says a rate ten times as
# large would. A tenth of the rate brings it back to about what it was. So when you switch momentum
# on, think of $\eta/(1 - \mu)$ as your learning rate.

# %% [markdown]
# ### The same numbers as Keras, and not as PyTorch
#
# Four steps with Keras' own optimiser, the rate dropping after the second.

# %%
four_gradients = np.random.default_rng(4).normal(size=(4, 3))
one_drop = [0.125, 0.125, 0.03125, 0.03125]


# %%
def keras_path(optimizer):
    variable = keras.Variable(np.ones(3))
    for gradient, rate in zip(four_gradients, one_drop, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return keras.ops.convert_to_numpy(variable)


# %%
def our_path(rule, rates, momentum=0.9):
    weights, velocity = np.ones(3), np.zeros(3)
    for gradient, rate in zip(four_gradients, rates, strict=True):
        weights, velocity = rule(weights, gradient, velocity, rate, momentum)
    return weights


# %% tags=["nbval-ignore-output"]
for momentum in [0.9, 0.875]:
    by_keras = keras_path(keras.optimizers.SGD(1.0, momentum=momentum))
    compare(our_path(momentum_step, one_drop, momentum), {f"Keras, momentum {momentum}": by_keras})

# %% [markdown]
# (Keras on TensorFlow rounds the momentum to single precision, even where weights and gradients are
# float64. 0.875 is exact in binary, so nothing is left of the difference there.)
#
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
# but with a rate that changes, the same settings are not the same training. Some texts weight the
# gradient with $1 - \mu$ as well. Then the factor $\frac{1}{1-\mu}$ is gone, and with $\mu = 0.9$
# the same $\eta$ moves ten times less.

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
# An optimiser is handed the gradient at the weights of the model. Keras therefore stores the
# look-ahead point, $w = \theta + \mu v$, as the model's weights. What is the next one? With the new
# $v$ and $\theta = w - \mu v_{\text{old}}$:
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
# Is it the paper's method? Run both on the line of section 1: after each step, your weights must be
# the paper's $\theta$ plus $\mu v$. And do you take the steps of Keras?


# %%
def nesterov_paths(steps=20, rate=0.03125, momentum=0.9):
    theta = weights = velocity = v = np.zeros(2)
    for _ in range(steps):
        ahead = least_squares_gradient(X, targets, theta + momentum * v)
        theta, v = momentum_step(theta, ahead, v, rate, momentum)
        here = least_squares_gradient(X, targets, weights)
        weights, velocity = nesterov_step(weights, here, velocity, rate, momentum)
        yield weights, theta + momentum * v


# %% tags=["nbval-ignore-output"]
ours, of_the_paper = np.array(list(nesterov_paths())).swapaxes(0, 1)
compare(ours, {"the paper's look-ahead point": of_the_paper})
by_keras = keras_path(keras.optimizers.SGD(1.0, momentum=0.9, nesterov=True))
compare(our_path(nesterov_step, one_drop), {"Keras": by_keras})

# %% [markdown]
# Go back to the explorer of section 4 and choose "Nesterov". At a small rate and a large momentum
# it swings less. But look at the limit of $\eta$: looking ahead *lowers* it, even below that of
# plain descent.
#
# Here is what the paper, Keras and PyTorch mean. The column of Keras was measured just now, by
# running it; the tests of this course measure PyTorch's column where PyTorch is installed.

# %%
Markdown(ledger(["momentum-learning-rate", "nesterov-gradient"], keras=keras))

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
    """Learning rate of a step.

    step: from 0 to total_steps. warmup_steps: how many of them climb, 0 for none.
    base_learning_rate: the largest rate. Returns a number.
    """
    ### BEGIN SOLUTION
    if step < warmup_steps:
        return base_learning_rate * step / warmup_steps
    done = (step - warmup_steps) / (total_steps - warmup_steps)
    return base_learning_rate * (1 + np.cos(np.pi * done)) / 2
    ### END SOLUTION


# %%
cosine_with_warmup = check(cosine_with_warmup)

# %% [markdown]
# Keras' `CosineDecay` counts its `decay_steps` *after* the warm-up. (It computes in single
# precision, whatever the model computes in: expect agreement to seven digits.)

# %% tags=["nbval-ignore-output"]
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, decay_steps=80, warmup_target=0.125, warmup_steps=20
)
ours = np.array([cosine_with_warmup(step, 100, 20, 0.125) for step in range(100)])
compare(ours, {"Keras": [float(schedule(step)) for step in range(100)]})

# %%
Markdown(ledger(["cosine-length"], keras=keras))

# %%
steps = np.arange(100)
shapes = {
    "cosine": [cosine_with_warmup(s, 100, 0, 0.125) for s in steps],
    "cosine with warm-up": [cosine_with_warmup(s, 100, 20, 0.125) for s in steps],
    "halved every 25 steps": 0.125 * 0.5 ** (steps // 25),
}
figures.curves(steps, shapes, "step", "learning rate")

# %% [markdown]
# Does it help? The line again, batches of 8, ten epochs, against constant rates from large to
# small. The numbers are the loss above the minimum after the very last step, over twenty orders of
# the examples.


# %%
def last_loss(rate_of_step, seed, epochs=10):
    rng, weights, step = np.random.default_rng(seed), np.zeros(2), 0
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(targets)), 8):
            gradient = least_squares_gradient(X[batch], targets[batch], weights)
            weights = sgd_step(weights, gradient, rate_of_step(step))
            step += 1
    return above_minimum(weights)


# %% tags=["nbval-check-output"]
constants = 0.0625 / 2 ** np.arange(5)
schedules = {f"constant {rate:g}": lambda step, rate=rate: rate for rate in constants}
schedules["cosine"] = lambda step: cosine_with_warmup(step, 500, 0, constants[0])
for name, rate_of_step in schedules.items():
    finals = [last_loss(rate_of_step, seed) for seed in range(20)]
    print(f"{name:19} {thousandths(finals)}")

# %% [markdown]
# The largest rate arrives and keeps jumping. The smallest is calm but has not arrived. No constant
# rate between them does both; the cosine does.

# %% [markdown]
# ## 7 Two layers: backpropagation written out
#
# *15 minutes*
#
# In a linear model each pixel has a vote of its own, whatever the other pixels show. Put a layer of
# $H$ *hidden units* in between, and a *ReLU* (rectified linear unit), $\max(a, 0)$, without which
# two linear layers would be one:
#
# $$a = x W_1 + b_1 \qquad h = \max(a, 0) \qquad z = h W_2 + b_2 \qquad
#   L = \text{cross-entropy}(\text{softmax}(z), k)$$

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
# from lesson 01: probabilities minus one-hot labels, over $N$.
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
# not move. (At exactly 0 there is no slope; the ReLU of Keras takes 0.) As $h > 0$ exactly where
# $a > 0$, the hidden values are all we need:
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
# Before you write, put shapes to every symbol. As long as $N$, $D$, $H$ and $C$ all differ, there
# is hardly a wrong way to multiply these matrices that has the right shape.


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
# Now the witnesses, for all four gradients. Six examples with $D = 4$, $H = 5$, $C = 3$; the first
# weights are drawn with the variance $2/\text{inputs}$, which section 8 explains.


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
six = np.random.default_rng(7)
inputs, labels = six.normal(size=(6, 4)), six.integers(0, 3, size=6)
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
    hidden = keras.ops.relu(keras.ops.add(keras.ops.matmul(inputs, weights_in), bias_in))
    return from_logits(labels, keras.ops.add(keras.ops.matmul(hidden, weights_out), bias_out))


# %% tags=["nbval-ignore-output"]
names = ["weights in", "bias in", "weights out", "bias out"]
for n, formula in enumerate(network_gradients(parameters, inputs, labels)):
    witness = numerical_gradient(lambda p, n=n: our_loss(n, p), parameters[n])
    automatic = keras_gradient(lambda p, n=n: keras_loss(n, p), parameters[n])
    print(names[n])
    compare(formula, {"finite differences": witness, "Keras": automatic})

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
# network read? (On one split first.)

# %% tags=["nbval-check-output"]
data = digits.load(seed=0)
trained = fit(first_parameters(0), network_gradients, data.train_images, data.train_labels)
score = accuracy(trained, data.test_images, data.test_labels)
print(f"test accuracy {score:.1%}")
assert score > 0.95

# %% [markdown]
# Is that good, and is it the hidden layer that did it? The number needs company, all on the same
# five splits: the network on shuffled labels; the linear model as lesson 01 trained it, two hundred
# full batches; the same linear model with today's training; and once more at four times the peak
# rate, because the rate above was chosen for the network and a linear model may want another.


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
def scores_on_split(seed):
    d, start = digits.load(seed), first_parameters(seed)
    train, test = (d.train_images, d.train_labels), (d.test_images, d.test_labels)
    zeros = [np.zeros((64, 10)), np.zeros(10)]
    mixed = d.train_images, np.random.default_rng(seed).permutation(d.train_labels)
    return {
        "network, shuffled labels": accuracy(fit(start, network_gradients, *mixed, seed), *test),
        "linear, lesson 01": linear_accuracy(lesson_01(*train), *test),
        "linear, this training": linear_accuracy(fit(zeros, linear_gradients, *train, seed), *test),
        "linear, four times the rate": linear_accuracy(
            fit(zeros, linear_gradients, *train, seed, peak=0.5), *test
        ),
        "network": accuracy(fit(start, network_gradients, *train, seed), *test),
    }


# %%
def mean_and_spread(values):
    """Mean ± standard deviation over the splits."""
    return f"{np.mean(values):6.1%} ± {np.std(values, ddof=1):.1%}"


# %% tags=["nbval-check-output"]
splits = [scores_on_split(seed) for seed in range(5)]
table = {name: np.array([split[name] for split in splits]) for name in splits[0]}
for name, scores in table.items():
    print(f"{name:28} {mean_and_spread(scores)}")

# %% tags=["nbval-check-output"]
old, new = table["linear, lesson 01"], table["linear, four times the rate"]
by_hidden_layer = table["network"] - new
for name, gain in [("training better", new - old), ("the hidden layer", by_hidden_layer)]:
    print(f"gained by {name:17} {100 * gain.mean():.1f} ± {100 * gain.std(ddof=1):.1f} points")
print(f"the network is ahead on {np.sum(by_hidden_layer > 0)} of {len(splits)} splits")

# %% [markdown]
# Shuffled labels teach nothing, as they should. And most of what the network gained over lesson 01
# came from *training better*, not from the hidden layer. Without the rows in the middle we would
# have given the network too much credit. (The rate of the fourth row was found on these same test
# images, so that row is a little too good; a fair choice needs a validation set.)

# %% [markdown]
# ### The same weights as Keras
#
# Are our steps those of Keras? Five steps on five batches, from the same weights:

# %%
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
)
model.set_weights(first_parameters(0))
model.compile(keras.optimizers.SGD(0.125, momentum=0.9), loss=from_logits)
ours, velocities = first_parameters(0), [np.zeros_like(p) for p in first_parameters(0)]

# %% tags=["nbval-ignore-output"]
for batch in minibatches(np.arange(160), 32):
    images, answers = data.train_images[batch], data.train_labels[batch]
    model.train_on_batch(images, answers)
    gradients = network_gradients(ours, images, answers)
    ours, velocities = step_all(ours, gradients, velocities, 0.125)
for name, mine, theirs in zip(names, ours, model.get_weights(), strict=True):
    compare(mine, {f"Keras, {name}": theirs})

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
    print(f"{name:15} {mean_and_spread([score_of(seed, **mistake) for seed in range(5)])}")

# %% [markdown]
# Without shuffling it is hardly better than guessing. What has such a network learnt?

# %% tags=["nbval-check-output"]
by_class = np.argsort(data.train_labels, kind="stable")
unshuffled = fit(
    first_parameters(0), network_gradients, data.train_images, data.train_labels, order=by_class
)
answers = forward(data.test_images, *unshuffled)[1].argmax(axis=1)
print("the class seen last:", data.train_labels[by_class[-1]], "  its answers:", np.unique(answers))

# %% [markdown]
# What it saw last. While it sees one class, it forgets the others. The wrong gradient, on the other
# hand, still learns, about as well as the linear model above. No error message, and a score that
# nobody would doubt: only the witnesses of section 7 would have told. A network that learns is no
# proof that its gradients are right.
#
# ### A rate that is too large, and what warm-up does
#
# Four times the peak rate is more than this network can bear. Ten splits, without a warm-up and
# with one over a tenth of the steps:

# %% tags=["nbval-check-output"]
for peak, places in [(0.125, 1), (0.5, -1)]:
    cold, warm = (
        np.array([score_of(seed, peak=peak, warmup=warmup) for seed in range(10)])
        for warmup in (0.0, 0.1)
    )
    means = [f"{round(100 * np.mean(scores), places):g}%" for scores in (cold, warm)]
    often = "most" if np.sum(warm > cold) > 5 else "half or fewer"
    print(f"peak {peak:5}: without {means[0]}, with {means[1]}, better on {often} of 10 splits")

# %% [markdown]
# At the moderate rate we can measure no effect of the warm-up. At the large rate it helps on
# average, but not on every split, and it is no cure: the moderate rate is better without any. Our
# network of two layers does not need it; it was made for deep networks and very large batches
# (Goyal and others, 2017). (The scores of the large rate are rounded to tens of percents, for the
# rest differs from machine to machine: so close to the limit, the last digit of a number decides
# where training goes.)
#
# ### What the first weights do
#
# Why not start from zeros, as the linear model did? Then $h = 0$ and $W_2 = 0$, so that the
# gradients of both matrices, and of the first bias, are products with zero. Only the last bias ever
# moves, and it knows no image. (Equal numbers other than zero are hardly better: all hidden units
# get the same gradient and stay copies of each other.)
#
# So the weights must be random. How large? A sum of $D$ independent terms with mean zero has $D$
# times the variance of one term. A ReLU throws half of the mean square away. To keep the size of
# the numbers from layer to layer, the weights need the variance $2/D$ (He and others, 2015).
# Through ten layers, "a bit off" is to the power of ten:

# %% tags=["nbval-check-output"]
for scale in [0.5, 1.0, 2.0]:
    layers = np.random.default_rng(0)
    h = layers.normal(size=(100, 256))
    for _ in range(10):
        h = np.maximum(h @ layers.normal(scale=scale * np.sqrt(2 / 256), size=(256, 256)), 0)
    print(f"{scale} times the right scale: size after ten layers {np.sqrt(np.mean(h**2)):.1g}")

# %% [markdown]
# **Guess first.** Our network has only one hidden layer. Which of the scales 0, 0.01, 1 and 10 will
# harm it?

# %% tags=["nbval-check-output"]
for scale in [0.0, 0.01, 1.0, 10.0]:
    start = first_parameters(0, scale=scale)
    loss = softmax_cross_entropy(forward(data.train_images, *start)[1], data.train_labels)
    short, long = ([score_of(s, scale=scale, epochs=e) for s in range(5)] for e in (3, 20))
    print(f"scale {scale:5}: first loss {loss:4.1f}, accuracy after", end="")
    print(f" 3 epochs {np.mean(short):4.0%}, after 20 {np.mean(long):4.0%}")

# %% [markdown]
# Zeros never learn. Too small starts slowly and then nearly catches up. Too large starts with a
# loss far above "knows nothing", $\log 10 \approx 2.3$, and has not recovered at the end. Remember
# that first loss: it is the cheapest test for weights that are too large. (It says nothing about
# weights that are too small: those know nothing either.)
#
# What did the hidden units of the first network learn? Ten of them, as images of their incoming
# weights. Unlike the classes of lesson 01 they are hard to read: a unit need not mean anything on
# its own.

# %%
figures.hidden_units(trained[0][:, :10])

# %% [markdown]
# ## What you have now
#
# The whole of training, in your own code: batches, steps with momentum, a schedule,
# backpropagation. Keras takes the same steps, up to rounding. You can say why a rate breaks, what a
# batch size costs, and how to tell a right gradient from one that merely learns.
#
# What was left out: one learning rate for all weights, although some directions are steeper than
# others (lesson 04 gives each weight its own); penalties and dropout (lesson 02) for this network;
# and no setting was tuned on a validation set, so that neither model shows its best. The splits
# share most of their training images, so their spread is only a rough guide.
#
# ### On your own
#
# 1. Put a third layer between the two. Which lines of `hidden_layer_gradients` repeat?
# 2. Derive the limit for Nesterov: put $z = -1$ into
#    $z^2 - (1 + \mu)(1 - \eta\lambda) z + \mu (1 - \eta\lambda) = 0$. Compare with the explorer.
# 3. Double the batch of section 8 to 64. By what should you multiply the learning rate to get about
#    the same training (section 3 has an idea)? Try it, and count epochs *and* steps.
# 4. Let `fit` record the loss of each batch and draw it with `course_lib.plots.training_curves`
#    and `unit="batch"`, for batches of 8 and of 256.
#
# ### In practice
#
# `keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True)` with a `CosineDecay` as the schedule
# is this lesson in one line. If you can tune only one number, tune the learning rate (Goodfellow
# and others, section 11.4.1), in factors of two or three. When you copy settings from a paper, copy
# the batch size, the schedule *and* the convention of the momentum.
#
# ### Further reading
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), sections 6.5 (backpropagation),
#   8.1 and 8.3 (mini-batches, momentum), 11.4.1 (which numbers to tune).
# - B. Polyak, *Some methods of speeding up the convergence of iteration methods* (USSR
#   Computational Mathematics and Mathematical Physics, 1964): momentum, and its best rate.
# - I. Sutskever, J. Martens, G. Dahl, G. Hinton, *On the importance of initialization and momentum
#   in deep learning* (ICML 2013): the form that Keras follows.
# - G. Goh, *Why Momentum Really Works* (Distill, 2017): the quadratic of sections 2 and 4, with
#   pictures to play with; its velocity leaves the learning rate out, as PyTorch's does.
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, *Efficient BackProp* (1998): why to centre and scale
#   inputs.
# - J. Cohen and others, *Gradient Descent on Neural Networks Typically Occurs at the Edge of
#   Stability* (ICLR 2021): what becomes of $2/\lambda_{\max}$ in networks.
# - S. Mandt, M. Hoffman, D. Blei, *Stochastic Gradient Descent as Approximate Bayesian Inference*
#   (JMLR 2017): the cloud around the minimum.
# - I. Loshchilov, F. Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts* (ICLR 2017):
#   the cosine.
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers* (ICCV 2015): the variance
#   $2/D$.
# - P. Goyal and others, *Accurate, Large Minibatch SGD* (2017): warm-up, and rates for large
#   batches.
