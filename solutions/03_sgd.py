# ---
# jupyter:
#   course:
#     title: Stochastic gradient descent
#     minutes: 94
#     after: ["01"]
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
# A line is fitted to points, step by step, downhill. It finds its place. Then somebody doubles one
# number in the program, the learning rate, and the line flies away: every step lands further from
# the goal than the one before. Nothing in the program is wrong. Where between the two numbers is
# the border, and can one know it before one tries?
#
# **What you will do.** You write the step that networks are trained with: gradient descent, then on
# a few examples at a time, then with momentum, then with a schedule. You find its limits by
# calculation and by experiment, and compare it with Keras. At the end you write backpropagation
# and the training step of a network of two layers, and it learns to read digits, in NumPy alone.
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
# | 1 Gradient descent on a line fit | 16 |
# | 2 How fast is too fast: the largest rate | 9 |
# | 3 From the full batch to a few examples | 17 |
# | 4 A ball with mass: momentum | 10 |
# | 5 Deeper: looking ahead with Nesterov | 9 |
# | 6 Schedules: steps, cosine, warm-up | 9 |
# | 7 Two layers: backpropagation written out | 10 |
# | 8 Your network reads handwriting | 12 |
# | 9 Deeper: too large a rate, and the first weights | 2 |
#
# **How the exercises work.** Write the body of a function and run the cell below it. If you get
# stuck, go on: the check lends you the course's own function. Several exercises come *before* their
# derivation: try first, then unfold it below the check. What is marked *Deeper* may be skipped:
# without sections 5 and 9 the lesson takes about ten minutes less.
# Good places to break off are after section 3 and after section 6.

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
from course_lib.foundations import sgd as course
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import mse, softmax_cross_entropy, softmax_cross_entropy_gradient
from course_lib.ledger import ledger
from course_lib.plots import sgd as figures

keras.config.set_floatx("float64")

# %% [markdown]
# **Notation.** $t$ are targets, $w$ weights, $g$ gradient of the loss at $w$,
# $\eta$ learning rate, $\mu$ momentum, $v$ velocity. $N$ examples, $D$ inputs, $H$ hidden units,
# $C$ classes, $B$ examples in a batch. $A$ is the Hessian, the matrix of second derivatives of the
# loss, and $\lambda$ one of its eigenvalues (in lesson 02, $\lambda$ is the strength of a penalty).
# In all tables, ± is the standard deviation over the repetitions that are named beside it.

# %% [markdown]
# ## 1 Gradient descent on a line fit
#
# *16 minutes*
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
# Here is the failure of the first paragraph: the same points, the same start, the same eight steps,
# and two learning rates. The darker the ground, the larger the loss; the star is the best line.
# (The course's `sgd_path` takes the steps; you write yours in section 3.)

# %% jupyter={"source_hidden": true}
best, hessian = np.linalg.lstsq(X, targets, rcond=None)[0], 2 * X.T @ X / len(X)
eight = [np.arange(400)] * 8
figures.paths_on_contours(
    hessian,
    best,
    {
        f"learning rate {rate}": course.sgd_path(X, targets, np.zeros(2), eight, [rate] * 8)
        for rate in (0.125, 0.25)
    },
)

# %% [markdown]
# ### Exercise: `least_squares_gradient`
#
# The loss is the mean squared error of $Xw$. Lesson 01 has its gradient by the *predictions*,
# $\frac{2}{N}(Xw - t)$. What is it by the *weights*? In numbers: one example with
# $x = (3, 1)$, target 5, and $w = (1, 0)$. The prediction is 3, the loss falls as it grows, at the
# slope $2 \cdot (3 - 5) = -4$. If the first weight grows by a little, the prediction grows three
# times as fast. So the slope by the first weight is $-12$, and by the second $-4$. With more
# examples, each weight reaches the loss through every one of them.


# %%
def least_squares_gradient(features, targets, weights):
    """Gradient, by the weights, of the mean squared error of features @ weights.

    features: (N, D). targets: (N,). weights: (D,). All are floats. Returns (D,).
    """
    ### BEGIN SOLUTION
    return 2 * features.T @ (features @ weights - targets) / len(targets)
    ### END SOLUTION


# %%
least_squares_gradient = check(least_squares_gradient)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the chain rule</summary>
#
# Prediction $n$ is $\sum_i X_{ni} w_i$, so its derivative by $w_j$ is $X_{nj}$. The chain rule adds
# up all the ways by which $w_j$ reaches the loss:
#
# $$\frac{\partial L}{\partial w_j} = \sum_{n=1}^{N} \frac{2}{N} (Xw - t)_n X_{nj}
# \qquad\text{so}\qquad g = \frac{2}{N} X^\top (Xw - t)$$
#
# </details>
#
# Your formula has a witness, as in lesson 01: finite differences.


# %% jupyter={"source_hidden": true}
def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% tags=["nbval-ignore-output"]
some_weights = np.array([1.0, -1.0])
witness = numerical_gradient(lambda w: mse(X @ w, targets), some_weights)
compare(least_squares_gradient(X, targets, some_weights), {"finite differences": witness})

# %% [markdown]
# ### Exercise: `sgd_step`
#
# The gradient points to where the loss grows fastest. Gradient descent goes the other way:
#
# $$w \leftarrow w - \eta g$$


# %%
def sgd_step(weights, gradient, learning_rate):
    """One step against the gradient.

    weights, gradient: floats of the same shape. learning_rate: a number. Returns the new weights.
    """
    ### BEGIN SOLUTION
    return weights - learning_rate * gradient
    ### END SOLUTION


# %%
sgd_step = check(sgd_step)

# %% [markdown]
# Two functions, and a line finds its place:

# %% tags=["nbval-check-output"]
weights = np.zeros(2)
for step in range(501):
    if step in (0, 10, 100, 500):
        print(f"after {step:3} steps: slope {weights[0]:.3f}, intercept {weights[1]:.3f}")
    weights = sgd_step(weights, least_squares_gradient(X, targets, weights), 0.125)
print(f"the exact answer: slope {best[0]:.3f}, intercept {best[1]:.3f}")

# %% [markdown]
# ## 2 How fast is too fast: the largest rate
#
# *9 minutes*
#
# Drag the slider up from the left. **Guess first:** how will the path change before it explodes?

# %%
figures.descent_explorer(hessian, best)

# %% [markdown]
# At small rates the path goes down into the valley and creeps along its floor. At larger ones it
# zigzags across the valley, the wider the larger the rate, and still comes down. Then it explodes:
# between "converges" and "diverges" lies one stop of the slider.

# %% [markdown]
# ### Exercise: `largest_stable_learning_rate`
#
# Find the border in one dimension first. The loss $2w^2$ has the gradient $4w$, so one step makes
# of $w$ the number $w - \eta\, 4w = (1 - 4\eta)\, w$. Start at 1, and try rates: $\eta = 1/8$ leads
# to $1/2$, then to $1/4$; $\eta = 3/8$ to $-1/2$, then to $1/4$ as well; and $\eta = 5/8$? The 4 is
# the second derivative. With several weights there is a matrix of them, the Hessian $A$, and its
# eigenvalues take the place of the 4, each in its own direction. There is one $\eta$ for all of
# them.
#
# `np.linalg.eigvalsh` returns the eigenvalues of a symmetric matrix in ascending order.


# %%
def largest_stable_learning_rate(hessian):
    """The rate above which gradient descent on this quadratic diverges.

    hessian: (D, D) floats, symmetric. Returns a number.
    """
    ### BEGIN SOLUTION
    return 2 / np.linalg.eigvalsh(hessian)[-1]
    ### END SOLUTION


# %%
largest_stable_learning_rate = check(largest_stable_learning_rate)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: why the steepest direction decides</summary>
#
# At the best weights $w^*$ the gradient is zero. Subtract that zero from the gradient anywhere
# else, and the targets cancel:
# $g = \frac{2}{N} X^\top (Xw - t) - \frac{2}{N} X^\top (Xw^* - t) = A (w - w^*)$, with the Hessian
# $A = \frac{2}{N} X^\top X$. (A loss whose Hessian is the same everywhere, as here, is called
# *quadratic*.) Call the distance from the best weights the error, $e = w - w^*$. One step does
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
# The steepest direction is the first to break:
#
# $$\eta < \frac{2}{\lambda_{\max}}$$
#
# </details>
#
# Is the border so sharp? One percent below your limit, and one percent above it:

# %% tags=["nbval-check-output"]
limit = largest_stable_learning_rate(hessian)
for share in (0.99, 1.01):
    weights = np.zeros(2)
    for _ in range(1000):
        weights = sgd_step(weights, least_squares_gradient(X, targets, weights), share * limit)
    print(f"rate {share * limit:.3f}: loss after 1000 steps {mse(X @ weights, targets):.1g}")
assert mse(X @ weights, targets) > 1e6

# %% [markdown]
# The steepest direction limits the rate, and the flattest then has to crawl at that rate. How bad
# it is depends on the *condition number* $\kappa = \lambda_{\max} / \lambda_{\min}$. Often the cure
# is not a cleverer step but better inputs. Subtract the mean from `x`:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
centered = np.stack([x - x.mean(), np.ones(400)], axis=1)
for name, features in [("as it is", X), ("centered", centered)]:
    flat, steep = np.linalg.eigvalsh(2 * features.T @ features / len(features))
    print(f"{name:9} λ {flat:.2f} and {steep:5.2f}   κ {steep / flat:4.1f}")

# %% [markdown]
# This is one reason why inputs of networks are centered and scaled (LeCun and others, 1998). We go
# on with the difficult version: there is more to see.
#
# <details>
# <summary>Deeper: the best rate, and networks</summary>
#
# The best constant rate is $\eta = 2/(\lambda_{\min} + \lambda_{\max})$, where the flattest and the
# steepest direction are equally slow: $1 - \eta\lambda_{\min} = \eta\lambda_{\max} - 1$. Put $\eta$
# in, and each step keeps $(\kappa - 1)/(\kappa + 1)$ of their error.
#
# In a network the Hessian changes with the weights, so that $2/\lambda_{\max}$ is the limit of one
# place, not of the whole training. It matters all the same: full-batch training often drives
# $\lambda_{\max}$ up until it is about $2/\eta$, and goes on there, at the *edge of stability*
# (Cohen and others, 2021).
#
# </details>

# %% [markdown]
# ## 3 From the full batch to a few examples
#
# *17 minutes*
#
# So far every step looked at all $N$ examples. It becomes *stochastic* gradient descent, SGD, when
# each step looks at a few examples, drawn at random. The gradient is a mean over examples, and to
# estimate a mean you need not ask everybody.
#
# ### Exercise: `minibatches`
#
# In practice one shuffles the examples and cuts the shuffled order into pieces, the
# *mini-batches*. One pass through all pieces is an *epoch*. The last piece may be short; do not
# throw it away.


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
# We measure at $w = 0$: the squared distance between the gradient of a batch and the full gradient,
# averaged over the batches of a hundred epochs. On logarithmic axes, a power of $B$ is a straight
# line, and its slope is the power.


# %% jupyter={"source_hidden": true}
def gradient_variance(batch_size):
    rng, zero = np.random.default_rng(batch_size), np.zeros(2)
    batches = [b for _ in range(100) for b in minibatches(rng.permutation(400), batch_size)]
    noisy = [least_squares_gradient(X[b], targets[b], zero) for b in batches]
    full = least_squares_gradient(X, targets, zero)
    return np.mean(np.sum((np.array(noisy) - full) ** 2, axis=1))


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
sizes = np.array([1, 2, 4, 8, 16, 40])
variances = [gradient_variance(size) for size in sizes]
slope = np.polyfit(np.log(sizes), np.log(variances), 1)[0]
print(f"slope {slope:.2f}")
assert abs(slope + 1) < 0.05

# %% jupyter={"source_hidden": true}
figures.curves(
    sizes,
    {"measured": variances, "1/B": variances[0] / sizes},
    "examples in a batch",
    "variance of the gradient",
    logarithmic="xy",
)

# %% [markdown]
# The variance falls as $1/B$, so four times the work only halves the noise: a bad bargain. (A GPU
# makes it better: it does many examples at once.)
#
# <details>
# <summary>Deeper: why 1/B, and why a little steeper</summary>
#
# Two facts about the mean $g_B$ of $B$ independent draws, each with variance $\sigma^2$ (for
# vectors: the mean squared distance from the mean):
#
# $$\mathbb{E}[g_B] = g \qquad\qquad \operatorname{Var}[g_B] = \frac{\sigma^2}{B}$$
#
# It is right on average, and its variance falls as one over $B$. Draws without repetition, as in an
# epoch, are even a little better: the factor is $\frac{1}{B}\frac{N - B}{N - 1}$ instead of
# $\frac{1}{B}$, zero for $B = N$. That is why the measured line is a little steeper than $-1$.
#
# </details>
#
# ### Exercise: `sgd_path`
#
# Now the loop that every training program has inside. Each batch makes one step, at its own
# learning rate, and looks at its own examples only: `features[batch]` are the rows whose numbers
# stand in `batch`. Keep the weights before the first step and after each.


# %%
def sgd_path(features, targets, start, batches, learning_rates):
    """Mini-batch descent on the mean squared error of features @ weights.

    features: (N, D). targets: (N,). start: the first weights, (D,). batches: T integer arrays.
    learning_rates: T numbers. All others are floats. Returns the path, (T + 1, D).
    """
    ### BEGIN SOLUTION
    path = [start]
    for batch, rate in zip(batches, learning_rates, strict=True):
        gradient = least_squares_gradient(features[batch], targets[batch], path[-1])
        path.append(sgd_step(path[-1], gradient, rate))
    return np.array(path)
    ### END SOLUTION


# %%
sgd_path = check(sgd_path)

# %% [markdown]
# Many cheap steps against a few exact ones: both look at each example five times.


# %% jupyter={"source_hidden": true}
def shuffled_batches(batch_size, epochs, seed=0):
    rng = np.random.default_rng(seed)
    return [b for _ in range(epochs) for b in minibatches(rng.permutation(400), batch_size)]


def descend(batch_size, rate, epochs, seed=0):
    batches = shuffled_batches(batch_size, epochs, seed)
    return sgd_path(X, targets, np.zeros(2), batches, [rate] * len(batches))


# %%
paths = {"full batch": descend(400, 0.125, 5), "batches of 8": descend(8, 0.0625, 5)}
figures.paths_on_contours(hessian, best, paths)

# %% [markdown]
# One path is an anecdote. So we repeat the small batches with twenty orders of the examples, and
# let the full batch choose the best of many rates:


# %% jupyter={"source_hidden": true}
def above_minimum(weights):
    return mse(X @ weights, targets) - mse(X @ best, targets)


def mean_and_spread(losses):
    return f"{np.mean(losses):.4f} ± {np.std(losses, ddof=1):.4f}"


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
full = [above_minimum(descend(400, rate, 5)[-1]) for rate in np.linspace(0.01, 0.15, 15)]
small = [above_minimum(descend(8, 0.0625, 5, seed)[-1]) for seed in range(20)]
print(f"loss above the minimum, full batch, best of {len(full)} rates: ", end="")
print(f"{min(full):.4f}\nbatches of 8, 20 orders: {mean_and_spread(small)}")

# %% [markdown]
# The mini-batches come close to the star, and then do not settle: every batch has its own idea of
# where the minimum is, so at a constant rate the weights wander in a cloud around it. **Guess
# first:** which makes the cloud smaller, a smaller rate or a larger batch?


# %% jupyter={"source_hidden": true}
def cloud(path):
    """Mean loss above the minimum, over the second half of a path."""
    return np.mean([above_minimum(weights) for weights in path[len(path) // 2 :]])


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for batch_size, rate in [(8, 0.03125), (8, 0.015625), (16, 0.03125)]:
    clouds = [cloud(descend(batch_size, rate, 60, seed)) for seed in range(5)]
    print(f"batch {batch_size:2}, rate {rate:.6f}, 5 orders: {mean_and_spread(clouds)}")

# %% [markdown]
# Both do: half the rate or twice the batch leaves less than half. For small rates and independent
# draws, theory says that the loss of the cloud is proportional to $\eta / B$ (Mandt and others,
# 2017). That is why a rate is tuned *for a batch size*, and why training usually ends with a
# smaller rate than it began with (section 6).

# %% [markdown]
# ## 4 A ball with mass: momentum
#
# *10 minutes*
#
# Gradient descent has no memory. In a narrow valley it runs from wall to wall, and along the valley
# it crawls. A ball with mass does better: pushes to the left and to the right cancel, pushes along
# the valley add up.
#
# ### Exercise: `momentum_step`
#
# Keep a *velocity* $v$, let it decay by a factor $\mu$, the *momentum*, and add the new push. Then
# move, with the *new* velocity:
#
# $$v \leftarrow \mu v - \eta g \qquad\qquad w \leftarrow w + v$$


# %%
def momentum_step(weights, gradient, velocity, learning_rate, momentum):
    """Momentum as in Keras: the velocity contains the learning rate.

    weights, gradient, velocity: floats of the same shape. Returns (weights, velocity), both new.
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
# <details>
# <summary>Unfold when you have guessed</summary>
#
# Too large a momentum swings for long. And without noise, momentum *raises* the limit, to
# $2(1 + \mu)/\lambda_{\max}$: the line above the picture shows it.
#
# </details>
#
# How long is a step now? Let the gradient stay at 1, with $\mu = 1/2$ and $\eta = 1$. The
# velocity is $-1$, then $-3/2$, then $-7/4$: each push is still there, weaker. Where does it end?
# It is a sum of all past gradients, $v = -\eta\,(g_t + \mu g_{t-1} + \mu^2 g_{t-2} + \dots)$, a
# geometric series with the limit
#
# $$v = -\frac{\eta}{1 - \mu}\, g$$
#
# With $\mu = 0.9$ that is a step ten times as long as $\eta$ says.
#
# <details>
# <summary>Deeper: the limit, and what momentum is worth</summary>
#
# Along an eigenvector, $v = e_t - e_{t-1}$, so the two lines become one:
#
# $$e_{t+1} = (1 + \mu - \eta\lambda)\, e_t - \mu\, e_{t-1}$$
#
# An error that is multiplied by $z$ in each step solves it if
# $z^2 - (1 + \mu - \eta\lambda) z + \mu = 0$. The product of the two roots is $\mu$. So the larger
# one is never below $\sqrt\mu$ in size, whatever the rate: too large a momentum is slow.
#
# A pair of complex roots has size $\sqrt\mu < 1$, and $z = 1$ solves it only where
# $\eta\lambda = 0$. So as $\eta$ grows, size 1 is first reached at $z = -1$, the zigzag. Put it in:
# $2 + 2\mu - \eta\lambda = 0$.
#
# With the best rate and momentum (Polyak 1964; we do not derive them),
#
# $$\eta = \left(\frac{2}{\sqrt{\lambda_{\min}} + \sqrt{\lambda_{\max}}}\right)^2
# \qquad\qquad
# \mu = \left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^2$$
#
# the error falls in the end by the factor $\sqrt\mu = (\sqrt\kappa - 1)/(\sqrt\kappa + 1)$ per
# step, where plain descent has $(\kappa - 1)/(\kappa + 1)$: with $\kappa = 10\,000$, that is the
# difference between a few hundred steps and tens of thousands.
#
# </details>
#
# And with the noise of mini-batches? It is pushed into the velocity like everything else. **Guess
# first:** what does a momentum of 0.9 do to the cloud of section 3?


# %% jupyter={"source_hidden": true}
def descend_with_momentum(rate, momentum, seed):
    path, velocity = [np.zeros(2)], np.zeros(2)
    for batch in shuffled_batches(8, 60, seed):
        noisy = least_squares_gradient(X[batch], targets[batch], path[-1])
        weights, velocity = momentum_step(path[-1], noisy, velocity, rate, momentum)
        path.append(weights)
    return path


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for rate, momentum in [(0.03125, 0.0), (0.03125, 0.9), (0.003125, 0.9)]:
    clouds = [cloud(descend_with_momentum(rate, momentum, seed)) for seed in range(5)]
    print(f"rate {rate:.6f}, momentum {momentum}, 5 orders: {mean_and_spread(clouds)}")

# %% [markdown]
# It makes the cloud about ten times as large, $1/(1 - \mu)$: what the theory for small rates says
# of a rate ten times as large (which by itself would be beyond the limit here). A tenth of the rate
# brings it back to about what it was. So when you switch momentum on, think of $\eta/(1 - \mu)$ as
# your learning rate.
#
# Are these the steps of Keras? Four steps with Keras' own optimizer, the rate dropping after the
# second. (0.875 is exact in binary: Keras on TensorFlow rounds the momentum to single precision.)

# %% jupyter={"source_hidden": true}
four_gradients = np.random.default_rng(4).normal(size=(4, 3))
ONE_DROP = [0.125, 0.125, 0.03125, 0.03125]


def keras_path(optimizer):
    variable = keras.Variable(np.ones(3))
    for gradient, rate in zip(four_gradients, ONE_DROP, strict=True):
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return keras.ops.convert_to_numpy(variable)


def our_path(rule, rates=ONE_DROP):
    weights, velocity = np.ones(3), np.zeros(3)
    for gradient, rate in zip(four_gradients, rates, strict=True):
        weights, velocity = rule(weights, gradient, velocity, rate, 0.875)
    return weights


# %% tags=["nbval-ignore-output"]
by_keras = keras_path(keras.optimizers.SGD(1.0, momentum=0.875))
compare(our_path(momentum_step), {"Keras": by_keras})

# %% [markdown]
# *Deeper:* PyTorch leaves the learning rate *out* of the velocity. That is the same, **as long as η
# stays**. And when $\eta$ drops to a quarter?
#
# <details>
# <summary>Deeper: PyTorch's two lines</summary>
#
# $b \leftarrow \mu b + g$, then $w \leftarrow w - \eta b$. Put $v = -\eta b$, and for a constant
# $\eta$ they become those of Keras. When $\eta$ drops, PyTorch's $\eta b$ drops with it, at once.
#
# </details>

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, rates in [("constant rate", [0.125] * 4), ("one drop", ONE_DROP)]:
    in_pytorch = our_path(course.momentum_step_pytorch, rates)
    gap = np.abs(our_path(momentum_step, rates) - in_pytorch).max()
    print(f"{name:13}: largest difference {gap:.3f}")

# %% [markdown]
# In Keras the ball keeps the speed that it has; in PyTorch it is braked at once. Neither is wrong,
# but with a rate that changes, the same settings are not the same training.

# %% [markdown]
# ## 5 Deeper: looking ahead with Nesterov
#
# *9 minutes*
#
# The ball will roll on by $\mu v$ whatever the gradient says. So why measure the slope *here*, if
# we know that we are about to be *there*? Nesterov's momentum, as Sutskever and others write it,
# measures ahead. With weights $\theta$:
#
# $$v \leftarrow \mu v - \eta\, g(\theta + \mu v) \qquad\qquad \theta \leftarrow \theta + v$$
#
# If the ball is about to run up the far wall, it learns so one step earlier and brakes.
#
# ### Exercise: `nesterov_step`
#
# An optimizer is handed the gradient at the weights of the model. Keras therefore stores the
# look-ahead point, $w = \theta + \mu v$, as the model's weights, and gets $g$ there. The velocity
# is updated as before. What is the *next* look-ahead point, said with $w$, $g$ and the new $v$
# alone? (In numbers: $\theta = 1$, $v = 2$, $\mu = 1/2$, so $w = 2$. With $\eta g = 1/2$ the
# new $v$ is $1/2$ and the new $\theta$ is $3/2$. So the new $w$ has to be $7/4$.)


# %%
def nesterov_step(weights, gradient, velocity, learning_rate, momentum):
    """Nesterov's momentum as in Keras; the gradient was taken at the weights.

    weights, gradient, velocity: floats of the same shape. Returns (weights, velocity), both new.
    """
    ### BEGIN SOLUTION
    velocity = momentum * velocity - learning_rate * gradient
    return weights + momentum * velocity - learning_rate * gradient, velocity
    ### END SOLUTION


# %%
nesterov_step = check(nesterov_step)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: from θ to w</summary>
#
# With the new $v$ and $\theta = w - \mu v_{\text{old}}$:
#
# $$w_{\text{new}} = \theta + v + \mu v = w - \mu v_{\text{old}} + v + \mu v
#   = w + \mu v - \eta g$$
#
# because $v - \mu v_{\text{old}} = -\eta g$. That is the rule of Keras:
#
# $$v \leftarrow \mu v - \eta g \qquad\qquad w \leftarrow w + \mu v - \eta g$$
#
# </details>
#
# Go back to the explorer of section 4 and choose "Nesterov". At a small rate and a large momentum
# it swings less. But look at the limit of $\eta$: looking ahead *lowers* it, even below that of
# plain descent.

# %% tags=["nbval-ignore-output"]
by_keras = keras_path(keras.optimizers.SGD(1.0, momentum=0.875, nesterov=True))
compare(our_path(nesterov_step), {"Keras": by_keras})

# %% [markdown]
# *Deeper:* what the paper, Keras and PyTorch mean. The column of Keras was measured just now.

# %% jupyter={"source_hidden": true}
Markdown(ledger(["momentum-learning-rate", "nesterov-gradient", "cosine-length"], keras=keras))

# %% [markdown]
# ## 6 Schedules: steps, cosine, warm-up
#
# *9 minutes*
#
# Section 3 left us with a conflict: a large rate to get there, a small one to settle. A *schedule*
# changes $\eta$ with the step $s$. The simplest multiplies it by a factor after every so many
# steps. A *cosine* falls along half a wave, slowly at both ends, to zero. And a *warm-up* before it
# rises from zero to the full rate: the first weights are random, and the loss may be steeper there
# than later.

# %% jupyter={"source_hidden": true}
steps = np.arange(100)
shapes = {
    "cosine": [course.cosine_with_warmup(s, 100, 0, 0.125) for s in steps],
    "cosine with warm-up": [course.cosine_with_warmup(s, 100, 20, 0.125) for s in steps],
}
figures.curves(steps, shapes, "step", "learning rate")

# %% [markdown]
# ### Exercise: `cosine_with_warmup`
#
# Write the second curve, for $T$ steps in all and $W$ of them for warming up. First a straight line
# up: 0 at step 0, the base rate at step $W$. Then half a cosine down: the base rate at step $W$,
# half of it in the middle of what remains, 0 at step $T$. ($\cos$ goes from 1 at 0 to $-1$ at
# $\pi$: shift and scale it.)


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
# <details>
# <summary>Unfold when you have tried: the formula</summary>
#
# $$\eta_s = \begin{cases}
# \eta\, \dfrac{s}{W} & s < W \\[2ex]
# \dfrac{\eta}{2} \left( 1 + \cos \pi \dfrac{s - W}{T - W} \right) & s \ge W
# \end{cases}$$
#
# </details>
#
# Keras' `CosineDecay` counts its `decay_steps` *after* the warm-up. (It computes in single
# precision: expect agreement to seven digits.)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, decay_steps=80, warmup_target=0.125, warmup_steps=20
)
ours = np.array([cosine_with_warmup(step, 100, 20, 0.125) for step in range(100)])
compare(ours, {"Keras": [float(schedule(step)) for step in range(100)]})

# %% [markdown]
# Does it help? The line again, batches of 8, ten epochs, against constant rates from large to
# small: the loss above the minimum after the very last step, over twenty orders.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
falling = [cosine_with_warmup(step, 500, 0, 0.0625) for step in range(500)]
plans = {f"constant {rate:g}": [rate] * 500 for rate in (0.0625, 0.015625, 0.00390625)}
for name, rates in (plans | {"cosine": falling}).items():
    finals = [
        above_minimum(sgd_path(X, targets, np.zeros(2), shuffled_batches(8, 10, seed), rates)[-1])
        for seed in range(20)
    ]
    print(f"{name:19} {mean_and_spread(finals)}")

# %% [markdown]
# The largest rate arrives and keeps jumping. The smallest is calm but has not arrived. No constant
# rate here does both; the cosine does.

# %% [markdown]
# ## 7 Two layers: backpropagation written out
#
# *10 minutes*
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
def two_layer_forward(x, weights_in, bias_in, weights_out, bias_out):
    hidden = np.maximum(x @ weights_in + bias_in, 0)
    return hidden, hidden @ weights_out + bias_out


# %% [markdown]
# *Backpropagation* is the chain rule, from the back to the front, one station at a time. Each
# station gets the gradient at its output and answers two questions: what is the gradient at my
# weights, and what is it at my input? We start with $G = \partial L / \partial z$, which you have
# from lesson 01: probabilities minus one-hot labels, over $N$. (So the mean's $1/N$ is in $G$
# already, and no station divides again.)
#
# In numbers: one example, one hidden unit with $h = 3$, and a weight of 2 to the only output, where
# the gradient is $G = 1/10$. If the weight grows by a little, the output grows three times as fast,
# so the gradient at the weight is $3/10$. If $h$ grows by a little, the output grows twice as fast:
# $2/10$ at $h$. And at $a$? While the unit is on, $h = a$. When it is off, $h$ does not move.
# (`hidden > 0` is an array of True and False; times numbers it acts as 1 and 0.)
#
# ### Exercise: `hidden_layer_gradients`
#
# Say it with matrices. A weight reaches the loss through every example, a hidden unit through every
# class. Before you write, put shapes to every symbol: as long as $N$, $D$, $H$ and $C$ all differ,
# there is hardly a wrong way to multiply these matrices that has the right shape.


# %%
def hidden_layer_gradients(x, hidden, weights_out, upstream):
    """Backpropagation through two layers.

    x: (N, D). hidden: (N, H), after the ReLU. weights_out: (H, C).
    upstream: (N, C), gradient at the logits. All are floats. Returns the four gradients
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
# <details>
# <summary>Unfold when you have tried: the four stations</summary>
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
# **Through the ReLU.** Where $a > 0$, the slope is 1; where $a < 0$, it is 0. (At exactly 0 there
# is no slope; the ReLU of Keras takes 0.) As $h > 0$ exactly where $a > 0$, the hidden values are
# all we need:
#
# $$\frac{\partial L}{\partial a} = \frac{\partial L}{\partial h} \cdot [\,h > 0\,]$$
#
# **The first layer's weights.** The same as for the output layer, with $x$ for $h$ and
# $\partial L / \partial a$ for $G$:
#
# $$\frac{\partial L}{\partial W_1} = x^\top \frac{\partial L}{\partial a}
# \qquad\qquad \frac{\partial L}{\partial b_1} = \sum_n \frac{\partial L}{\partial a_n}$$
#
# </details>
#
# A witness for all four. The first weights are random, with the variance $2/\text{inputs}$
# (section 9 says why).


# %% jupyter={"source_hidden": true}
def first_parameters(seed, inputs=64, hidden=64, classes=10, scale=1.0):
    rng = np.random.default_rng(seed)
    weights_in = rng.normal(scale=scale * np.sqrt(2 / inputs), size=(inputs, hidden))
    weights_out = rng.normal(scale=scale * np.sqrt(2 / hidden), size=(hidden, classes))
    return [weights_in, np.zeros(hidden), weights_out, np.zeros(classes)]


# %% jupyter={"source_hidden": true}
rng = np.random.default_rng(7)
inputs, labels = rng.normal(size=(6, 4)), rng.integers(0, 3, size=6)
parameters = first_parameters(0, inputs=4, hidden=5, classes=3)
hidden, logits = two_layer_forward(inputs, *parameters)
upstream = softmax_cross_entropy_gradient(logits, labels)
formulas = hidden_layer_gradients(inputs, hidden, parameters[2], upstream)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for n, (formula, old) in enumerate(zip(formulas, parameters, strict=True)):

    def loss(new, n=n):
        changed = [new if i == n else p for i, p in enumerate(parameters)]
        return softmax_cross_entropy(two_layer_forward(inputs, *changed)[1], labels)

    compare(formula, {f"finite differences, gradient {n + 1}": numerical_gradient(loss, old)})

# %% [markdown]
# ## 8 Your network reads handwriting
#
# *12 minutes*
#
# ### Exercise: `training_step`
#
# Everything comes together: forward, the gradient at the logits (lesson 01's
# `softmax_cross_entropy_gradient`), back through the layers, and a step with momentum for each of
# the four arrays. All four gradients belong to the *old* parameters.


# %%
def training_step(parameters, velocities, images, labels, learning_rate, momentum):
    """One step of the two-layer network on a batch.

    parameters: a list, weights_in (D, H), bias_in (H,), weights_out (H, C), bias_out (C,).
    velocities: a list, the same shapes. images: (N, D) floats. labels: (N,) integers.
    Returns a list of eight: the new parameters, then the new velocities.
    """
    ### BEGIN SOLUTION
    hidden, logits = two_layer_forward(images, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    gradients = hidden_layer_gradients(images, hidden, parameters[2], upstream)
    new_parameters, new_velocities = [], []
    for p, g, v in zip(parameters, gradients, velocities, strict=True):
        p, v = momentum_step(p, g, v, learning_rate, momentum)
        new_parameters.append(p)
        new_velocities.append(v)
    return new_parameters + new_velocities
    ### END SOLUTION


# %%
training_step = check(training_step)

# %% [markdown]
# Are these the steps of Keras? Five batches, from the same weights:

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
data = digits.load(seed=0)
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
)
model.set_weights(first_parameters(0))
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(0.125, momentum=0.875), loss=from_logits)
ours, velocities = first_parameters(0), [np.zeros_like(p) for p in first_parameters(0)]
for batch in minibatches(np.arange(160), 32):
    images, answers = data.train_images[batch], data.train_labels[batch]
    model.train_on_batch(images, answers)
    new = training_step(ours, velocities, images, answers, 0.125, 0.875)
    ours, velocities = new[:4], new[4:]
for mine, theirs in zip(ours, model.get_weights(), strict=True):
    compare(mine, {f"Keras, shape {mine.shape}": theirs})

# %% [markdown]
# And the whole training: your batches, your schedule, your step. (`step` is an argument, so that
# `fit` can train other models for comparison.)


# %%
def fit(step, parameters, images, labels, seed=0, epochs=20, peak=0.125, warmup=0.1, order=None):
    rng, n = np.random.default_rng(seed), len(parameters)
    orders = [rng.permutation(len(labels)) if order is None else order for _ in range(epochs)]
    batches = [batch for shuffled in orders for batch in minibatches(shuffled, 32)]
    state = [*parameters, *(np.zeros_like(p) for p in parameters)]
    for s, batch in enumerate(batches):
        rate = cosine_with_warmup(s, len(batches), int(warmup * len(batches)), peak)
        state = step(state[:n], state[n:], images[batch], labels[batch], rate, 0.9)
    return state[:n]


def accuracy(parameters, images, labels):
    return np.mean(two_layer_forward(images, *parameters)[1].argmax(axis=1) == labels)


# %% [markdown]
# **Guess first.** The linear model of lesson 01 reads about 96 of 100 digits. How many will this
# network read? (On one split first.)

# %% tags=["nbval-check-output"]
trained = fit(training_step, first_parameters(0), data.train_images, data.train_labels)
score = accuracy(trained, data.test_images, data.test_labels)
print(f"test accuracy {score:.1%}")
assert score > 0.95

# %% [markdown]
# Is that good, and is it the hidden layer that did it? The number means little without others, all
# on the same five splits: the network on shuffled labels; the linear model as lesson 01 trained it,
# two hundred full batches; and the same linear model trained exactly as the network is, by `fit`:
# only the hidden layer is missing.


# %% jupyter={"source_hidden": true}
def lesson_01(images, labels):
    weights, bias = np.zeros((64, 10)), np.zeros(10)
    for _ in range(200):
        upstream = softmax_cross_entropy_gradient(images @ weights + bias, labels)
        weights = sgd_step(weights, images.T @ upstream, 1.0)
        bias = sgd_step(bias, upstream.sum(axis=0), 1.0)
    return lambda x: x @ weights + bias


def linear_step(parameters, velocities, images, labels, rate, momentum):
    weights, bias = parameters
    upstream = softmax_cross_entropy_gradient(images @ weights + bias, labels)
    weights, fast = momentum_step(weights, images.T @ upstream, velocities[0], rate, momentum)
    bias, speed = momentum_step(bias, upstream.sum(axis=0), velocities[1], rate, momentum)
    return [weights, bias, fast, speed]


# %% jupyter={"source_hidden": true}
def scores_on_split(seed):
    d, start = digits.load(seed), first_parameters(seed)
    images, labels, test = d.train_images, d.train_labels, (d.test_images, d.test_labels)
    mixed = np.random.default_rng(seed).permutation(labels)
    by_lesson_01 = lesson_01(images, labels)(test[0]).argmax(axis=1)
    weights, bias = fit(linear_step, [np.zeros((64, 10)), np.zeros(10)], images, labels, seed)
    by_fit = (test[0] @ weights + bias).argmax(axis=1)
    return {
        "shuffled labels": accuracy(fit(training_step, start, images, mixed, seed), *test),
        "linear, lesson 01": np.mean(by_lesson_01 == test[1]),
        "linear, trained alike": np.mean(by_fit == test[1]),
        "network": accuracy(fit(training_step, start, images, labels, seed), *test),
    }


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
splits = [scores_on_split(seed) for seed in range(5)]
scores = {name: 100 * np.array([split[name] for split in splits]) for name in splits[0]}
shuffled = scores.pop("shuffled labels")
print(f"network on shuffled labels: {shuffled.mean():.0f}% ± {shuffled.std(ddof=1):.0f}%")
by_training = scores["linear, trained alike"] - scores["linear, lesson 01"]
by_layer = scores["network"] - scores["linear, trained alike"]
print(f"gained by training better {by_training.mean():.1f} points, by the hidden layer ", end="")
print(f"{by_layer.mean():.1f}; the network is ahead on {np.sum(by_layer > 0)} of 5 splits")

# %% jupyter={"source_hidden": true}
figures.methods_figure({"five splits": scores}, "test accuracy in %")

# %% [markdown]
# Shuffled labels teach nothing, as they should. And a good part of what the network gained over
# lesson 01 came from *training better*, not from the hidden layer. Without the row in the middle we
# would have given the layer too much credit.
#
# ### Two famous mistakes, measured
#
# The first: *not shuffling*. The examples are sorted by class, and every batch shows one or two
# classes. The second: *a wrong gradient*. Someone forgot the mask of the ReLU.
#
# **Guess first.** Which of the two does more harm?


# %% jupyter={"source_hidden": true}
def mask_forgotten(parameters, velocities, images, labels, rate, momentum):
    hidden, logits = two_layer_forward(images, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    on = np.where(hidden > 0, hidden, 1e-300)  # so tiny, and above zero: no unit counts as off
    gradients = hidden_layer_gradients(images, on, parameters[2], upstream)
    rest = [rate] * 4, [momentum] * 4
    moved, speeds = zip(*map(momentum_step, parameters, gradients, velocities, *rest), strict=True)
    return [*moved, *speeds]


def score_of(seed, step=training_step, scale=1.0, is_sorted=False, **options):
    d = digits.load(seed)
    if is_sorted:
        options["order"] = np.argsort(d.train_labels, kind="stable")
    start = first_parameters(seed, scale=scale)
    return accuracy(
        fit(step, start, d.train_images, d.train_labels, seed, **options),
        d.test_images,
        d.test_labels,
    )


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
mistakes = {"not shuffled": {"is_sorted": True}, "mask forgotten": {"step": mask_forgotten}}
shown = {"no mistake": scores["network"]}
for name, mistake in mistakes.items():
    shown[name] = 100 * np.array([score_of(seed, **mistake) for seed in range(5)])
    print(f"{name:14} costs {np.mean(shown['no mistake'] - shown[name]):4.1f} points")

# %% jupyter={"source_hidden": true}
figures.methods_figure({"five splits": shown}, "test accuracy in %", chance=10)

# %% [markdown]
# Without shuffling it is hardly better than guessing: while the network sees one class, it forgets
# the others. The wrong gradient, on the other hand, still learns, about as well as the two linear
# models above. No error message, and a score that nobody would doubt: only the witness of section 7
# would have told. A network that learns is no proof that its gradients are right.
#
# What did the hidden units of the first network learn? Ten of them, as images of their incoming
# weights. Unlike the classes of lesson 01 they are hard to read: a unit need not mean anything on
# its own.

# %% jupyter={"source_hidden": true}
figures.hidden_units(trained[0][:, :10])

# %% [markdown]
# ## 9 Deeper: too large a rate, and the first weights
#
# *2 minutes*
#
# Four times the peak rate is more than this network can bear. Ten splits, without a warm-up and
# with one over a tenth of the steps (this takes ten seconds or so, twice that where others use the
# machine):

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
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
# average, not on every split, and it is no cure: the moderate rate is better without any. It was
# made for deep networks and very large batches (Goyal and others, 2017). (The scores of the large
# rate are rounded to tens of percents: so close to the limit, the last digit of a number decides
# where training goes.)
#
# **Why not start from zeros**, as the linear model did? Then $h = 0$ and $W_2 = 0$, so that the
# gradients of both matrices, and of the first bias, are products with zero. Only the last bias ever
# moves, and it knows no image. So the weights must be random. **Guess first:** which of the scales
# 0, 0.01, 1 and 10 times the right one will harm our network? (Again ten seconds or so.)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for scale in [0.0, 0.01, 1.0, 10.0]:
    start = first_parameters(0, scale=scale)
    logits = two_layer_forward(data.train_images, *start)[1]
    first = softmax_cross_entropy(logits, data.train_labels)
    short, long = ([score_of(s, scale=scale, epochs=e) for s in range(5)] for e in (3, 20))
    print(f"scale {scale:5}: first loss {first:4.1f}, accuracy after", end="")
    print(f" 3 epochs {np.mean(short):4.0%}, after 20 {np.mean(long):4.0%}")

# %% [markdown]
# Zeros never learn. Too small starts slowly and then nearly catches up. Too large starts with a
# loss far above "knows nothing", $\log 10 \approx 2.3$, and has not recovered at the end. Remember
# that first loss: it is the cheapest test for weights that are too large.
#
# <details>
# <summary>Deeper: how large is right</summary>
#
# A sum of $D$ independent terms with mean zero has $D$ times the variance of one term. A ReLU
# throws half of the mean square away. To keep the size of the numbers from layer to layer, the
# weights need the variance $2/D$ (He and others, 2015). Twice the deviation doubles the numbers at
# every layer: after ten layers they are about a thousand times as large.
#
# </details>

# %% [markdown]
# ## What you have now
#
# - **The gradient of a line**, all ways from a weight to the loss:
#   $g = \frac{2}{N} X^\top (Xw - t)$.
# - **A step**: $w \leftarrow w - \eta g$. In Keras: `SGD(learning_rate)`.
# - **The limit**, where the steepest direction jumps over its valley: $\eta < 2/\lambda_{\max}$.
# - **The noise** of a batch, a mean of $B$ draws: its variance falls as $1/B$, so that its size
#   falls as $1/\sqrt B$. In Keras: `fit(batch_size=32, shuffle=True)`.
# - **Momentum**, pushes add up: $v \leftarrow \mu v - \eta g$, $w \leftarrow w + v$; a step is
#   $1/(1 - \mu)$ times as long in the end. In Keras: `momentum=0.9`, and `nesterov=True` for
#   $w \leftarrow w + \mu v - \eta g$.
# - **A schedule**, large steps to arrive and small ones to settle. In Keras: `CosineDecay`.
# - **Backpropagation**: at the weights $h^\top G$, at the input $G\, W^\top$, at a ReLU
#   $[\,h > 0\,]$. Keras does it by itself; finite differences say whether it is right.
#
# What was left out: one learning rate for all weights, although some directions are steeper than
# others (lesson 04 gives each weight its own); penalties and dropout (lesson 02) for this network;
# and no setting was tuned on a validation set. The splits share most of their training images, so
# their spread is only a rough guide.
#
# ### On your own
#
# 1. Put a third layer between the two. Which lines of `hidden_layer_gradients` repeat?
# 2. Derive the limit for Nesterov: put $z = -1$ into
#    $z^2 - (1 + \mu)(1 - \eta\lambda) z + \mu (1 - \eta\lambda) = 0$. Compare with the explorer.
# 3. Double the batch of section 8 to 64. By what should you multiply the learning rate to get about
#    the same training (section 3 has an idea)?
# 4. Let `fit` record the loss of each batch and draw it with `course_lib.plots.training_curves`
#    and `unit="batch"`, for batches of 8 and of 256.
#
# <details>
# <summary>Answers</summary>
#
# 1. Three: the gradient at the hidden values (upstream times the weights transposed), the mask, and
#    the pair "input transposed times it, and its sum". A network of any depth is these in a loop.
# 2. $1 + (1 + \mu)(1 - \eta\lambda) + \mu(1 - \eta\lambda) = 0$ gives
#    $\eta\lambda = (2 + 2\mu)/(1 + 2\mu)$: the limit is $1 + 2\mu$ times lower than that of plain
#    momentum, and below that of plain descent.
# 3. By about 2: the cloud depends on $\eta/B$, and there are half as many steps in an epoch. Up to
#    the rate that the network can bear, that is: section 9 shows one that it cannot.
# 4. Both fall, but the curve of 8 trembles: the loss of a batch is a mean too, and its deviation is
#    $\sqrt{32}$ times as large. Per epoch the small batches are ahead at first, per second not
#    always.
#
# </details>
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
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, *Efficient BackProp* (1998): why to center and scale
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
