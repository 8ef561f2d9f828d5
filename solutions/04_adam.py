# ---
# jupyter:
#   course:
#     title: Adam
#     minutes: 97
#     after: ["01", "02", "03"]
#     data: [digits]
#     able: >-
#       derive Adam from averages of gradients, write it as the paper and as Keras have it, tell
#       AdamW from L2, clip gradients, and say when plain SGD is the better choice
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 Adam
#
# Two lengths predict a third, and both matter equally. One is written in meters, the other in a
# unit twenty times as long. Gradient descent finds nearly all of the first weight within ten steps.
# After a hundred it has found little more than a third of the second, and no learning rate helps: a
# larger one explodes. Nobody would make such a mistake with units? A network makes it all the time,
# inside.
#
# **What you will do.** You build Adam, an optimizer that gives every weight a step size of its own,
# from two averages. You write it twice, once as in the paper and once as in Keras, and measure
# where the two part. Then you add a weight decay that takes the same share of every weight, and a
# brake for gradients that explode. At the end your Adam and your SGD of lesson 03 race, fairly, and
# you see who wins where.
#
# **What you will learn**
#
# - why one learning rate for all weights is not enough;
# - what bias correction repairs, and what happens if only half of it is made;
# - where epsilon stands, and when that decides everything;
# - why an L2 penalty inside Adam hardly shrinks some weights and erases others;
# - two cases in which plain SGD beats Adam.
#
# **What you need.** Lessons 01 to 03. Nothing else: no internet connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 One rate for all weights is not enough | 4 |
# | 2 An average that starts at zero: bias correction | 10 |
# | 3 A step size for every weight: AdaGrad and RMSProp | 19 |
# | 4 Adam, line by line | 24 |
# | 5 Two places for epsilon: the paper and Keras | 10 |
# | 6 AdamW: decay that bypasses the moments | 10 |
# | 7 When one gradient explodes: clipping by the global norm | 10 |
# | 8 A fair race on handwriting | 5 |
# | 9 When SGD wins | 5 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function. Some
# exercises come *before* their derivation: try first, then unfold it below the check. What is
# marked *Deeper* may be skipped. Good places to break off are after section 3 and after section 5.

# %% [markdown]
# The next cell loads the tools. Your own functions of lessons 01 and 03 come from the library, so
# that this lesson also works on its own.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import keras
import numpy as np
from IPython.display import Markdown

from course_lib.data import digits
from course_lib.exercises import check
from course_lib.foundations import sgd
from course_lib.foundations.losses import softmax_cross_entropy, softmax_cross_entropy_gradient
from course_lib.ledger import ledger
from course_lib.plots import adam as figures

keras.config.set_floatx("float64")

# %% [markdown]
# **Notation.** $w$ are weights, $g$ is the gradient of the loss by them,
# $\eta$ the learning rate. $t$ counts steps and **starts at 1** (in lessons 01 to 03 it is a
# target); $m$ and $v$ are *moments*, averages of $g$ and $g^2$ (not the mask of lesson 02, nor the
# velocity of lesson 03). Every formula of this lesson works on each weight alone: $g^2$, $\sqrt{v}$
# and quotients are taken entry by entry.

# %% [markdown]
# ## 1 One rate for all weights is not enough
#
# *4 minutes*
#
# Two lengths predict a third quantity, and both matter equally. The first is given in meters, the
# second in a unit twenty times as long, so that its numbers are smaller and its weight has to be
# larger. Physics does not care. Does gradient descent?

# %%
rng = np.random.default_rng(0)
meters = rng.normal(size=(200, 2))
units = np.array([1.0, 0.05])
features, true_weights = meters * units, 1 / units
targets = features @ true_weights


def gradient(weights):
    return sgd.least_squares_gradient(features, targets, weights)


# %% [markdown]
# Lesson 03 gave the limit of the learning rate, $2/\lambda_{\max}$. Stay just below it.
#
# **Guess first.** After 100 steps, which share of each weight has been found?

# %% tags=["nbval-check-output"]
limit = sgd.largest_stable_learning_rate(2 * features.T @ features / len(features))
weights = np.zeros(2)
for t in range(1, 1001):
    weights = sgd.sgd_step(weights, gradient(weights), 0.9 * limit)
    if t in (10, 100, 1000):
        print(f"step {t:4}: found {weights[0]:4.0%} of the first, ", end="")
        print(f"{weights[1] / true_weights[1]:4.0%} of the second")

# %% [markdown]
# The steep direction sets the limit, and the flat one pays: a step leaves the share
# $1 - \eta \lambda_{\min}$ of its error, which is close to one. Here you could rescale the
# features, and you should. But a network makes its own features in its hidden layers, and unless
# it has layers that normalize them, nobody rescales those. The weight of a rare word or of a unit
# that seldom fires meets other gradients than its neighbors.
#
# What we want is a learning rate *per weight*: small where gradients are large, large where they
# are small. Then we need to know how large the gradients of a weight usually are. That is an
# average, and it is where Adam begins.

# %% [markdown]
# ## 2 An average that starts at zero: bias correction
#
# *10 minutes*
#
# Gradients change while training goes on, so the average should forget. The *exponential average*
# keeps a share $\beta$ of what it was and takes in a share $1 - \beta$ of the new value:
#
# $$a_t = \beta\, a_{t-1} + (1 - \beta)\, x_t, \qquad a_0 = 0$$
#
# One number of memory, no list of old values. But it starts at zero, and zero is not data. Take
# $\beta = 1/2$ and values that are all 7. The average is $7/2$ after one step, $21/4$ after two: it
# creeps up to 7, though nothing but sevens was ever seen.
#
# ### Exercise: `bias_corrected_average`
#
# Repair it: divide each average by a number that depends on $\beta$ and on its time $t$ alone, so
# that sevens give 7 from the first step on. Which number? (How much of the average is made of data
# after one step, after two, after three?) Keep the plain average in a variable of its own; only
# what you store is corrected.


# %%
def bias_corrected_average(values, beta):
    """Exponential averages that start at 0, each corrected for that start.

    values: (T,) floats. Returns (T,).
    """
    ### BEGIN SOLUTION
    average, averages = 0.0, np.zeros(len(values))
    for t, value in enumerate(values, start=1):
        average = beta * average + (1 - beta) * value
        averages[t - 1] = average / (1 - beta**t)
    return averages
    ### END SOLUTION


# %%
bias_corrected_average = check(bias_corrected_average)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the sum of the weights</summary>
#
# Put the formula into itself, again and again:
#
# $$a_t = (1 - \beta) \left( x_t + \beta x_{t-1} + \beta^2 x_{t-2} + \dots
#   + \beta^{t-1} x_1 \right)$$
#
# Each value has a weight that depends on its age alone. In a true average the weights add up to
# one. Do they? The sum is a geometric series, $S = 1 + \beta + \dots + \beta^{t-1}$. Multiply by
# $1 - \beta$, and all terms but two cancel:
#
# $$(1 - \beta)\, S = (1 + \beta + \dots + \beta^{t-1}) - (\beta + \beta^2 + \dots + \beta^t)
#   = 1 - \beta^t$$
#
# The weights add up to $1 - \beta^t$. What is missing, $\beta^t$, is the weight of the zero at the
# start. So divide by the sum that is there:
#
# $$\hat a_t = \frac{a_t}{1 - \beta^t}$$
#
# If all $x_t$ have the same expected value (the mean over many draws), then the expected value of
# $a_t$ is $1 - \beta^t$ times that, and the expected value of $\hat a_t$ is right. Hence the name
# *bias correction*.
#
# </details>
#
# Move $\beta$ and $t$. For which $\beta$ is the plain average wrong for longest?

# %%
figures.average_explorer()

# %% [markdown]
# NumPy has a weighted mean, which divides by the sum of whatever weights it gets: does yours agree
# with it at all times? And the sevens:


# %% jupyter={"source_hidden": true}
def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% tags=["nbval-check-output"]
beta = 0.9
print("average of sevens:", bias_corrected_average(np.full(3, 7.0), beta).round(6))

# %% tags=["nbval-ignore-output"]
values = rng.normal(3.0, 1.0, size=50)
weighted = [np.average(values[:t], weights=beta ** np.arange(t)[::-1]) for t in range(1, 51)]
compare(bias_corrected_average(values, beta), {"NumPy's weighted mean": weighted})

# %% [markdown]
# How far back does it look? A value loses weight by a factor of about $e$ every $1/(1-\beta)$
# steps. The correction matters for a few times as long: the nearer $\beta$ is to 1, the longer the
# plain average is wrong.

# %% tags=["nbval-check-output"]
for beta in (0.9, 0.99, 0.999):
    age = round(1 / (1 - beta))
    print(f"β = {beta:5}: after {age:4} steps a value keeps {beta**age:.3f} of its weight", end="")
    print(f", and the weights add up to {1 - beta**age:.3f}")

# %% [markdown]
# ## 3 A step size for every weight: AdaGrad and RMSProp
#
# *19 minutes*
#
# Gradients have signs, and a plain average of them would cancel. So average their *squares*, and
# take the root at the end: the *root mean square*, in the units of the gradient.
#
# **AdaGrad** (2011) does not average yet. It adds up, and divides by the root of the sum:
#
# $$a \leftarrow a + g^2 \qquad\qquad w \leftarrow w - \eta \frac{g}{\sqrt{a + \varepsilon}}$$
#
# The small $\varepsilon$ keeps the denominator above zero, also where a gradient is always zero.
#
# ### Exercise: `adagrad_step`


# %%
def adagrad_step(weights, gradient, accumulated, learning_rate, epsilon):
    """One step of AdaGrad as in Keras; accumulated is the sum of squares so far.

    weights, gradient, accumulated: floats of the same shape.
    Returns (weights, accumulated), both new.
    """
    ### BEGIN SOLUTION
    accumulated = accumulated + gradient**2
    return weights - learning_rate * gradient / np.sqrt(accumulated + epsilon), accumulated
    ### END SOLUTION


# %%
adagrad_step = check(adagrad_step)

# %% [markdown]
# A sum never shrinks. If all gradients have size 1, then $a = t$, and the step is
# $\eta / \sqrt{t}$ (but for $\varepsilon$): AdaGrad brakes for ever. For convex (bowl-shaped)
# losses its authors prove that this is good. A network may be stopped by it before it has arrived.
#
# **RMSProp** (2012) lets the sum forget. It is the exponential average of section 2, with its
# $\beta$ called $\rho$, and without correction:
#
# $$a \leftarrow \rho\, a + (1 - \rho)\, g^2 \qquad\qquad
#   w \leftarrow w - \eta \frac{g}{\sqrt{a + \varepsilon}}$$
#
# ### Exercise: `rmsprop_step`
#
# As in Keras: $\varepsilon$ stands **inside** the root.


# %%
def rmsprop_step(weights, gradient, average, learning_rate, rho, epsilon):
    """One step of RMSProp as in Keras.

    weights, gradient, average: floats of the same shape. Returns (weights, average), both new.
    """
    ### BEGIN SOLUTION
    average = rho * average + (1 - rho) * gradient**2
    return weights - learning_rate * gradient / np.sqrt(average + epsilon), average
    ### END SOLUTION


# %%
rmsprop_step = check(rmsprop_step)

# %% [markdown]
# **Guess first.** All gradients are 1 and $\eta = 1$. How long are the 1st, the 100th and the
# 10,000th step of each?

# %% tags=["nbval-check-output"]
sum_of_squares, average = 0.0, 0.0
for t in range(1, 10_001):
    by_adagrad, sum_of_squares = adagrad_step(0.0, 1.0, sum_of_squares, 1.0, 1e-7)
    by_rmsprop, average = rmsprop_step(0.0, 1.0, average, 1.0, 0.9, 1e-7)
    if t in (1, 100, 10_000):
        print(f"step {t:5}: AdaGrad {-by_adagrad:.3f}   RMSProp {-by_rmsprop:.3f}")

# %% [markdown]
# AdaGrad fades away. RMSProp does not, but look at its *first* step: the average started at zero,
# was too small, and the step too long. You know the cure from section 2. RMSProp does not take it.
#
# ### The same path as Keras
#
# One step proves little: errors in the memory show only later. So follow Keras for eight steps, on
# all 640 weights of the digits classifier of lesson 01. Two small functions do it, and the rest of
# the lesson uses them; you need not read them to go on. A *rule* takes weights, gradient, what it
# remembers, and $t$.

# %%
data = digits.load(seed=0)
images, labels = data.train_images, data.train_labels
start, RATE = np.zeros((64, 10)), 0.125  # a rate that binary numbers hold exactly


def digits_gradient(weights):
    return images.T @ softmax_cross_entropy_gradient(images @ weights, labels)


# %% jupyter={"source_hidden": true}
def our_path(rule, memories, steps=8):
    weights, memory, path = start, [np.zeros_like(start)] * memories, []
    for t in range(1, steps + 1):
        weights, *memory = rule(weights, digits_gradient(weights), *memory, t)
        path.append(weights)
    return np.array(path)


def keras_path(optimizer, steps=8):
    variable, path = keras.Variable(start, dtype="float64"), []
    for _ in range(steps):
        optimizer.apply([digits_gradient(keras.ops.convert_to_numpy(variable))], [variable])
        path.append(keras.ops.convert_to_numpy(variable).copy())
    return np.array(path)


# %% tags=["nbval-ignore-output"]
ours = our_path(lambda w, g, a, t: adagrad_step(w, g, a, RATE, 1e-7), memories=1)
theirs = keras_path(keras.optimizers.Adagrad(RATE, initial_accumulator_value=0.0, epsilon=1e-7))
compare(ours, {"the path of Keras' AdaGrad": theirs})

ours = our_path(lambda w, g, a, t: rmsprop_step(w, g, a, RATE, 0.9, 1e-7), memories=1)
theirs = keras_path(keras.optimizers.RMSprop(RATE, rho=0.9, epsilon=1e-7))
compare(ours, {"the path of Keras' RMSProp": theirs})

# %% [markdown]
# Both agree at each step, because we chose Keras' form and told it to start AdaGrad's sum at zero.
# *Deeper:* libraries differ in these rules. These are the rows of the course's *conventions
# ledger*; the column of Keras was measured just now, by running it.

# %%
Markdown(ledger(["adagrad-epsilon", "adagrad-start", "rmsprop-epsilon", "rmsprop-rho"], keras))

# %% [markdown]
# ## 4 Adam, line by line
#
# *24 minutes*
#
# RMSProp divides by how large gradients have been of late. Momentum (lesson 03) goes on in the
# direction that they had of late. **Adam** (2015) does both, with two exponential averages, the
# *moments*, and corrects both for their start at zero.
#
# The first moment averages the gradient, the second its square:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g \qquad\qquad
#   v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$
#
# In numbers: gradients of 1, 1 and then $-1$, with $\beta_1 = 1/2$, make $m = 1/2$, $3/4$, $-1/8$:
# it turns slowly. Both start at zero. Section 2 says what is missing:
#
# $$\hat m = \frac{m}{1 - \beta_1^t} \qquad\qquad \hat v = \frac{v}{1 - \beta_2^t}$$
#
# And the step, as algorithm 1 of the paper has it:
#
# $$w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$
#
# The usual choices: $\beta_1 = 0.9$, $\beta_2 = 0.999$, a tiny $\varepsilon$. Of the two betas only
# $\beta_1$ is a momentum; $\beta_2$ says how long the *size* of gradients is remembered.
#
# ### Exercise: `adam_step`
#
# Return the moments *without* correction: the next step goes on from them.


# %%
def adam_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    """One step of Adam as in the paper; step is t, 1 at the first.

    weights, gradient, m, v: floats of the same shape. Returns (weights, m, v), all new.
    """
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), m, v
    ### END SOLUTION


# %%
adam_step = check(adam_step)

# %% [markdown]
# Keras puts epsilon in another place (section 5). With an epsilon too small to matter the two must
# agree. (On TensorFlow, Keras rounds its betas to single precision before it takes their powers.
# The betas below are near the usual ones and exact in binary, which keeps that rounding out of the
# comparison.)

# %% tags=["nbval-ignore-output"]
BETAS = 0.875, 1 - 2**-10
ours = our_path(lambda w, g, m, v, t: adam_step(w, g, m, v, t, RATE, *BETAS, 1e-14), 2)
theirs = keras_path(keras.optimizers.Adam(RATE, *BETAS, epsilon=1e-14))
compare(ours, {"the path of Keras' Adam": theirs})

# %% [markdown]
# **Guess first.** Somebody multiplies the loss by 1000. What happens to a step of SGD, and what to
# a step of Adam?

# %% tags=["nbval-check-output"]
g, zero = np.array([2.0, -0.003]), np.zeros(2)
for factor in (1, 1000):
    by_sgd = sgd.sgd_step(zero, factor * g, 0.1)
    by_adam, _, _ = adam_step(zero, factor * g, zero, zero, 1, 0.1, 0.9, 0.999, 1e-8)
    print(f"loss x {factor:4}:  SGD {by_sgd}   Adam {by_adam.round(4)}")

# %% [markdown]
# Adam's first step is $\eta$ times the *sign* of the gradient, whatever its size, as long as it is
# far above $\varepsilon$. Later steps are about as long while the gradients of a weight agree, and
# shorter when they contradict each other: then $\hat m$ is small and $\sqrt{\hat v}$ is not. So
# $\eta$ is now a length: *about how far a weight may move in a step*. (Steps are longer
# where the gradients outgrow those before them; section 7 has a sudden case.)
#
# ### Exercise: `adam_path`
#
# Now the loop. One step for each learning rate, from moments that are zero, each with the gradient
# where the step before it has arrived (`sgd.least_squares_gradient(features, targets, weights)`, as
# in section 1). What has to be remembered from step to step, and what is
# $t$?


# %%
def adam_path(features, targets, start, learning_rates, beta_1, beta_2, epsilon):
    """Adam on the mean squared error of features @ weights.

    features: (N, D). targets: (N,). start: the first weights, (D,). learning_rates: T numbers.
    All are floats. Returns the weights before the first step and after each, (T + 1, D).
    """
    ### BEGIN SOLUTION
    path = [start]
    m, v = np.zeros_like(start), np.zeros_like(start)
    for t, rate in enumerate(learning_rates, start=1):
        g = sgd.least_squares_gradient(features, targets, path[-1])
        weights, m, v = adam_step(path[-1], g, m, v, t, rate, beta_1, beta_2, epsilon)
        path.append(weights)
    return np.array(path)
    ### END SOLUTION


# %%
adam_path = check(adam_path)

# %% [markdown]
# Back to the meters of section 1. There the second weight has to grow from 0 to 20: at $\eta = 0.5$
# that is some forty steps.

# %% tags=["nbval-check-output"]
path = adam_path(features, targets, np.zeros(2), [0.5] * 100, 0.9, 0.999, 1e-8)
for t in (3, 10, 100):
    first, second = path[t] / true_weights
    print(f"step {t:4}: found {first:4.0%} of the first, {second:4.0%} of the second")

# %% [markdown]
# The flat direction is not left behind any more. Read the first weight too: it is carried past its
# goal and swings back. When it arrives its gradient is small, but $\hat m$ remembers the large
# ones.
#
# ### A race
#
# Three rules, one start, one learning rate. Find the best rate of *each*: they do not mean the
# same thing by it. Find out who diverges, and who never settles. Then turn the valley. SGD does not
# notice (its path turns with the valley). Do the others?

# %%
figures.optimizer_explorer()

# %% [markdown]
# <details>
# <summary>Unfold when you have looked</summary>
#
# SGD diverges beyond its limit, Adam and RMSProp do not: their steps are never longer than a few
# $\eta$. RMSProp pays for that: without a momentum its steps stay about as long as $\eta$, and it
# jumps to and fro across the minimum, the more widely the larger the rate.
#
# </details>
#
# A *saddle* is lowest in one direction and highest in another, and flat in the middle. SGD starts
# so close to its ridge that the gradient is nearly zero in the direction that leads away, and at
# small rates it waits there, while a division by the root of $v$ turns even a tiny gradient into a
# full step.
#
# And turning? Here is Adam's loss after the hundred steps, at a small rate and at a large one.


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
def valley_loss(name, rate):
    def rule(w, g, m, v, t):
        return adam_step(w, g, m, v, t, rate, 0.9, 0.999, 1e-8)

    surface = figures.SURFACES[name]
    return surface.height(figures.path(surface, rule, 2)[-1])


for rate in (0.03, 0.3):
    for name in ("valley along an axis", "the same valley, turned"):
        print(f"rate {rate:4}, {name:24} loss {valley_loss(name, rate):.0e}")

# %% [markdown]
# Along an axis, Adam's rates per weight undo the bad scale. On the turned valley the steep
# direction is no longer a weight, and at the small rate Adam is left far behind: it rescales
# *weights*, not directions. A larger rate and its momentum make up for that here, with two weights
# and exact gradients.
#
# ### Deeper: without the correction, the first ten steps
#
# Without it, both moments are too small. Do the errors cancel? Let all gradients be 1, so that
# every step should have the length $\eta$. The first row is what your `adam_step` does.
#
# **Guess first.** Leave both corrections out: are the first steps too short or too long? Then keep
# that of $m$ and leave out that of $v$.

# %% jupyter={"source_hidden": true}
lengths = {"both corrected": [], "none corrected": [], "only m corrected": []}
w, m, v = 0.0, 0.0, 0.0
for t in range(1, 11):
    before, (w, m, v) = w, adam_step(w, 1.0, m, v, t, 1.0, 0.9, 0.999, 1e-8)
    lengths["both corrected"].append(before - w)
    lengths["none corrected"].append(m / np.sqrt(v))
    lengths["only m corrected"].append(m / (1 - 0.9**t) / np.sqrt(v))
figures.curves(range(1, 11), lengths, "step t", "length of the step / η", logarithmic="y")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, length in lengths.items():
    print(f"{name:17} first step {length[0]:5.2f} η   tenth {length[-1]:5.2f} η", end="   ")
    print(f"all ten {sum(length):6.1f} η")

# %% [markdown]
# The slow average $v$ misses more than the fast $m$, and it stands in the denominator: the steps
# are too *long*. With $m$ alone corrected they are even longer than with none.
#
# ### Deeper: mistakes, measured
#
# Five mistakes that are easily made. Each changes only the step; the moments are yours. They train
# the digits classifier for fifty steps on all images, at three rates, and we read the training
# loss. Some pixels at the edge never have ink, in no image of the training set, so their gradients
# are exactly zero:

# %% tags=["nbval-check-output"]
print("pixels without ink:", np.flatnonzero((images == 0).all(axis=0)))

# %% [markdown]
#
# **Guess first.** Which of the mistakes end in NaN?

# %% jupyter={"source_hidden": true}
c1, c2 = (lambda t: 1 - 0.9**t), (lambda t: 1 - 0.999**t)
steps = {
    "right": lambda m, v, t: m / c1(t) / (np.sqrt(v / c2(t)) + 1e-8),
    "no correction": lambda m, v, t: m / (np.sqrt(v) + 1e-8),
    "only m corrected": lambda m, v, t: m / c1(t) / (np.sqrt(v) + 1e-8),
    "root forgotten": lambda m, v, t: m / c1(t) / (v / c2(t) + 1e-8),
    "t starts at 0": lambda m, v, t: m / c1(t - 1) / (np.sqrt(v / c2(t - 1)) + 1e-8),
    "epsilon added to the weights": lambda m, v, t: m / c1(t) / np.sqrt(v / c2(t)) + 1e-8,
}


def loss_after_fifty(step, rate):
    def rule(w, g, m, v, t):
        _, m, v = adam_step(w, g, m, v, t, rate, 0.9, 0.999, 1e-8)
        return w - rate * step(m, v, t), m, v

    with np.errstate(all="ignore"):
        return softmax_cross_entropy(images @ our_path(rule, 2, steps=50)[-1], labels)


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
rates = (RATE / 8, RATE, 8 * RATE)
print(f"{'rate':28}", *(f"{rate:8.2g}" for rate in rates))
for name, step in steps.items():
    print(f"{name:28}", *(f"{loss_after_fifty(step, rate):8.2g}" for rate in rates))

# %% [markdown]
# If $t$ starts at 0, both corrections are zero at the first step: a moment that is zero gives 0/0,
# and all others give infinity divided by infinity. So every weight is NaN at once. The last row is
# `m_hat / np.sqrt(v_hat) + epsilon`: division comes before addition, so epsilon shifts the weights
# and the denominator has no protection. It passes a test with random numbers, and gives 0/0 at the
# first pixel without ink.
#
# And be fair: leaving out *both* corrections helps at the smallest rate and hurts at the largest.
# The first steps are too long, as if the rate were larger. That is why this mistake is hard to
# find: it looks like a badly chosen rate.

# %% [markdown]
# ## 5 Two places for epsilon: the paper and Keras
#
# *10 minutes*
#
# The paper that introduced Adam suggests, in its own section 2, a faster order of the same
# computation: put both corrections into the learning rate. That saves two divisions for every
# weight, and all that is left is one new rate $\eta_t$ for all of them:
#
# $$w \leftarrow w - \eta_t\, \frac{m}{\sqrt{v} + \hat\varepsilon}$$
#
# That is Keras. The epsilon now stands beside the root of the *uncorrected* $v$, and the paper
# calls it $\hat\varepsilon$. (This hat is only a name: nothing about it is corrected.)
#
# At a given step the two corrections are the same numbers for every weight, so $\eta_t$ can make up
# for both at once. In numbers, at the first step with the usual betas: a gradient of 2 makes
# $m = 2/10$ and $v = 4/1000$, and $m / \sqrt v$ is $\sqrt{10}$, where it should be 1
# (section 4: the first step is $\eta$ long). So $\eta_1$ is $\eta / \sqrt{10}$.
#
# ### Exercise: `adam_step_keras`
#
# Which number is $\eta_t$? It has to be such that, without any epsilon, nothing changes.


# %%
def adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon):
    """One step of Adam as in Keras: epsilon beside the root of v as it is.

    weights, gradient, m, v: floats of the same shape. Returns (weights, m, v), all new.
    """
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
    return weights - rate * m / (np.sqrt(v) + epsilon), m, v
    ### END SOLUTION


# %%
adam_step_keras = check(adam_step_keras)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the new rate, and what became of epsilon</summary>
#
# $$\eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)}}
#   = \underbrace{\eta\, \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}}_{\eta_t, \text{ one number}}
#   \cdot \frac{m}{\sqrt{v}}$$
#
# With epsilons, Keras' form equals the paper's with
# $\varepsilon = \hat\varepsilon / \sqrt{1 - \beta_2^t}$: at the first step Keras' epsilon acts like
# one that is $1/\sqrt{0.001} \approx 32$ times larger.
#
# </details>
#
# Both forms with the same $\varepsilon = 10^{-7}$, on the digits, against Keras. **Guess first.**
# After eight steps a weight has moved by at most about one. Epsilon is tiny. In which decimal
# place will the two paths differ?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
theirs = keras_path(keras.optimizers.Adam(RATE, *BETAS, epsilon=1e-7))
paths, differences = {}, {}
for step in (adam_step, adam_step_keras):
    ours = our_path(lambda w, g, m, v, t, step=step: step(w, g, m, v, t, RATE, *BETAS, 1e-7), 2)
    paths[step.__name__] = ours
    differences[step.__name__] = np.abs(ours - theirs).max(axis=0)  # one for each weight
    print(f"{step.__name__:16} largest difference {differences[step.__name__].max():.1g}")
assert differences["adam_step_keras"].max() < 1e-12

# %% [markdown]
# Your second step is Keras' own, to the last digits. The paper's is far off. Where? Here are the
# five pixels with the largest differences:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
apart, path = differences["adam_step"], paths["adam_step"]
for pixel in np.argsort(-apart.max(axis=1))[:5]:
    c = apart[pixel].argmax()  # the class whose weight differs most
    first, eighth = (abs(digits_gradient(w)[pixel, c]) for w in (start, path[-2]))
    print(f"pixel {pixel:2}, class {c}: difference {apart[pixel, c]:.4f}   ink in", end=" ")
    print(f"{np.count_nonzero(images[:, pixel]):4} of {len(images)} images", end="   ")
    print(f"gradient first {first:.0e}, at the eighth step {eighth:.0e}")

# %% [markdown]
# The forms part at pixels that almost no image has ink on: the gradients of these weights are not
# zero, but tiny, and most of them become tinier still.

# %% [markdown]
# How tiny must a gradient be? Here is the first step for one weight. **Guess first.** The gradient
# is $10^{-6}$, ten times epsilon. How much of a full step $\eta$ do you get?


# %% jupyter={"source_hidden": true}
def keras_first_step(gradient):
    variable = keras.Variable([0.0], dtype="float64")
    keras.optimizers.Adam(1.0, *BETAS, epsilon=1e-7).apply([np.array([gradient])], [variable])
    return -float(variable[0])


def first_step(step, gradient):
    weights, _, _ = step(0.0, gradient, 0.0, 0.0, 1, 1.0, *BETAS, 1e-7)
    return -weights


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for g in (1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8):
    paper, ours, theirs = (
        first_step(adam_step, g),
        first_step(adam_step_keras, g),
        keras_first_step(g),
    )
    assert abs(ours - theirs) < 1e-6
    print(f"gradient {g:.0e}:  paper {paper:.3f} η   Keras {theirs:.3f} η")

# %% [markdown]
# Same name, same number, and a step several times shorter. As $1 - \beta_2^t$ comes close to one,
# the two forms come together again:

# %% tags=["nbval-check-output"]
for t in (1, 10, 100, 1000, 5000):
    print(f"step {t:4}: Keras' epsilon acts like {1 / np.sqrt(1 - 0.999**t):5.2f} of the paper's")

# %% [markdown]
# Tiny gradients are not exotic: rare features have them, saturated units, and losses that were
# scaled down. Where gradients stay far below epsilon, Adam is no longer Adam: the denominator is
# all epsilon, and the step is proportional to $m$, as in SGD with momentum.
#
# *Deeper:* a third place is *inside* the root, where Keras' RMSProp has it. There an epsilon of
# $10^{-8}$ acts like $\sqrt{10^{-8}} = 10^{-4}$ beside the root. So, what do the libraries do?

# %%
Markdown(ledger(["adam-step", "adam-epsilon", "adam-epsilon-default"], keras))

# %% [markdown]
# ## 6 AdamW: decay that bypasses the moments
#
# *10 minutes*
#
# Lesson 02 showed that for plain SGD an L2 penalty $\lambda \sum w^2$ and a *decay* of the weights
# are the same: both take the share $2 \eta \lambda$ of each weight away at each step. So libraries
# came to call the penalty "weight decay" (Loshchilov and Hutter, 2019). With Adam the two differ.
#
# Adam divides whatever it is given by the usual size of the gradient, the penalty's part too. In
# numbers: $w = 1$ and $\lambda = 1/4$, so that the penalty's gradient is $1/2$. Where the gradients
# have the size 10, its part of a step is about $\eta/20$; where they have the size 1, about
# $\eta/2$. A decay would take $\eta/2$ from both.
#
# In symbols: add the penalty's gradient $2 \lambda w$ to $g$, and it goes into $m$ *and* into $v$.
# Say that the gradients of a weight have the typical size $s$, larger than the penalty's. Then the
# step takes away about
#
# $$\eta\, \frac{2 \lambda w}{\sqrt{\hat v}} \approx \eta\, \frac{2 \lambda w}{s}$$
#
# Weights with large gradients hardly shrink. And where $s$ is smaller than the penalty's gradient,
# the penalty is all that Adam sees: it moves the weight by about $\eta$ a step until nothing is
# left. **AdamW** keeps the decay out of the moments. Its strength $d$ is the argument
# `weight_decay`; with $d = 2 \lambda$ it takes from each weight what the L2 penalty takes in plain
# SGD. First shrink, then step:
#
# $$w \leftarrow w - \eta\, d\, w \qquad\text{then}\qquad
#   w \leftarrow w - \eta_t\, \frac{m}{\sqrt{v} + \hat\varepsilon}$$
#
# where $m$ and $v$ see the gradient of the loss alone.
#
# ### Exercise: `adamw_step`
#
# Use your `adam_step_keras`.


# %%
def adamw_step(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon, weight_decay):
    """One step of AdamW as in Keras: decay the old weights, then adam_step_keras.

    weights, gradient, m, v: floats of the same shape. Returns (weights, m, v), all new.
    """
    ### BEGIN SOLUTION
    weights = weights - learning_rate * weight_decay * weights
    return adam_step_keras(weights, gradient, m, v, step, learning_rate, beta_1, beta_2, epsilon)
    ### END SOLUTION


# %%
adamw_step = check(adamw_step)

# %% [markdown]
# Keras has the rule twice: `AdamW`, and `Adam` with a `weight_decay`. Beware: PyTorch's `Adam` with
# a `weight_decay` is the L2 form, unless told otherwise.

# %% tags=["nbval-ignore-output"]
ours = our_path(lambda w, g, m, v, t: adamw_step(w, g, m, v, t, RATE, *BETAS, 1e-7, 0.25), 2)
for rule in (keras.optimizers.AdamW, keras.optimizers.Adam):
    settings = dict(zip(("beta_1", "beta_2"), BETAS, strict=True), epsilon=1e-7, weight_decay=0.25)
    compare(ours, {f"the path of Keras' {rule.__name__}": keras_path(rule(RATE, **settings))})

# %% [markdown]
# *Deeper:* what the papers, Keras and PyTorch mean by a weight decay.

# %%
Markdown(ledger(["adam-weight-decay", "adamw-decay", "adamw-decay-default"], keras))

# %% [markdown]
# ### The shrinkage, measured
#
# Thirteen groups of weights, all starting at 1. Their gradients are pure noise of mean zero, from
# tiny in the first group to large in the last. The loss wants nothing, so all that moves the mean
# of a group is the penalty. The same strength for all three: $d = 2\lambda$.

# %% jupyter={"source_hidden": true}
sizes = np.logspace(-2, 1, 13)
RATE_W, DECAY, STEPS = 2**-7, 0.5, 300


def share_left(rule, memories):
    rng = np.random.default_rng(0)
    weights, memory = np.ones((13, 200)), [np.zeros((13, 200))] * memories
    for t in range(1, STEPS + 1):
        noise = rng.normal(size=(13, 100))
        g = sizes[:, None] * np.hstack([noise, -noise])  # so that the noise itself has mean zero
        weights, *memory = rule(weights, g, *memory, t)
    return weights.mean(axis=1)


# %% jupyter={"source_hidden": true}
left = {
    "SGD with L2": share_left(
        lambda w, g, t: (sgd.sgd_step(w, g + DECAY * w, RATE_W),), memories=0
    ),
    "Adam with L2": share_left(
        lambda w, g, m, v, t: adam_step_keras(w, g + DECAY * w, m, v, t, RATE_W, *BETAS, 1e-7), 2
    ),
    "AdamW": share_left(
        lambda w, g, m, v, t: adamw_step(w, g, m, v, t, RATE_W, *BETAS, 1e-7, DECAY), 2
    ),
}

# %%
figures.curves(sizes, left, "size of the gradients", "share of the weight left", logarithmic="x")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print(f"expected of a decay: {(1 - RATE_W * DECAY) ** STEPS:.2f}")
print(f"expected of L2 in Adam for s = {sizes[-1]:.0f}: ", end="")
print(f"{(1 - RATE_W * DECAY / sizes[-1]) ** STEPS:.2f}")
for name, share in left.items():
    print(f"{name:13} small gradients {share[0]:.2f}   large gradients {share[-1]:.2f}")

# %% [markdown]
# SGD and AdamW take the same share from every weight. L2 inside Adam spares just those weights
# whose gradients are largest. (Those of the last group keep the share that is expected.) This is
# why "weight decay" in a paper or a program is a question, not an answer: which of the two, times
# the learning rate or not, with the factor 2 or without?
#
# <details>
# <summary>Deeper: AMSGrad</summary>
#
# It divides by the largest $v$ so far instead of the current one, so that the denominator of a
# weight can never shrink again; it repairs a gap in Adam's proof of convergence, and is
# `amsgrad=True` in Keras.
#
# </details>

# %% [markdown]
# ## 7 When one gradient explodes: clipping by the global norm
#
# *10 minutes*
#
# One corrupt image, one cliff in the loss of a recurrent network (lesson 08), and a single gradient
# is a thousand times too large. So is the step of SGD. Adam divides by what it has just seen, so
# its step is not a thousand times too long. But it does not soon forget, either.
#
# The remedy: lay all gradients of the model end to end, as one long vector. If its length exceeds a
# limit, shrink it to the limit. With arrays $g_1, \dots, g_L$ and the limit $c$:
#
# $$g_i \leftarrow g_i \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right) \qquad
#   \lVert g \rVert = \sqrt{\textstyle\sum_i \lVert g_i \rVert^2}$$
#
# One norm, one factor for all. The step becomes shorter, its direction stays. (If the norm is zero,
# there is nothing to shrink, and nothing to divide by.)
#
# ### Exercise: `clip_by_global_norm`


# %%
def clip_by_global_norm(gradients, max_norm):
    """Shrink all gradients by one factor if their joint norm exceeds max_norm.

    gradients: list of arrays of any shapes, which stay as they are. Returns a list of arrays.
    """
    ### BEGIN SOLUTION
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
    factor = max_norm / norm if norm > max_norm else 1.0
    return [gradient * factor for gradient in gradients]
    ### END SOLUTION


# %%
clip_by_global_norm = check(clip_by_global_norm)

# %% [markdown]
# In Keras this is `global_clipnorm`. Its neighbors `clipnorm` (each array by itself) and
# `clipvalue` (each entry by itself) can turn the direction. Here is how far, as the cosine of the
# angle between clipped and true gradient (1: the same direction; 0: at right angles):


# %% jupyter={"source_hidden": true}
def keras_clipped(gradients, **clipping):
    variables = [keras.Variable(np.zeros_like(g), dtype="float64") for g in gradients]
    keras.optimizers.SGD(1.0, **clipping).apply(gradients, variables)
    return np.concatenate([-keras.ops.convert_to_numpy(v) for v in variables])


# %% tags=["nbval-ignore-output"]
gradients = [np.array([3.0, 0.5]), np.array([0.2, -0.4, 0.1])]
whole = np.concatenate(gradients)
ours = np.concatenate(clip_by_global_norm(gradients, 0.5))
compare(ours, {"Keras' global_clipnorm": keras_clipped(gradients, global_clipnorm=0.5)})

# %% tags=["nbval-check-output"]
for name in ("global_clipnorm", "clipnorm", "clipvalue"):
    clipped = keras_clipped(gradients, **{name: 0.5})
    cosine = clipped @ whole / np.linalg.norm(clipped) / np.linalg.norm(whole)
    print(f"{name:16} cosine {cosine:.3f}   norm {np.linalg.norm(clipped):.3f}")

# %% [markdown]
# *Deeper:* when somebody clips "by norm", ask whose norm it is.

# %%
Markdown(ledger(["clip-norm"], keras))

# %% [markdown]
# **Guess first.** All gradients are 1, except that of step 5000, which is 1000. How long is that
# step of Adam? How long are the steps afterwards, and for how many steps does it show?

# %% jupyter={"source_hidden": true}
SHOCK = 5000


def step_lengths(max_norm):
    w, m, v, lengths = np.zeros(1), np.zeros(1), np.zeros(1), []
    for t in range(1, SHOCK + 8001):
        [g] = clip_by_global_norm([np.array([1000.0 if t == SHOCK else 1.0])], max_norm)
        before, (w, m, v) = w, adam_step(w, g, m, v, t, 1.0, 0.9, 0.999, 1e-8)
        lengths.append(before[0] - w[0])
    return np.array(lengths)[SHOCK - 1 :]


after = {"not clipped": step_lengths(np.inf), "clipped to norm 2": step_lengths(2.0)}
shown = np.arange(0, 8001, 20)
figures.curves(
    shown,
    {name: length[shown] for name, length in after.items()},
    "steps after the shock",
    "length of the step / η",
    logarithmic="y",
)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, length in after.items():
    print(f"{name}, steps after the shock:")
    print("   ", "   ".join(f"{k}: {length[k]:.2f} η" for k in (0, 10, 100, 1000, 8000)))
    print(f"    way lost since: {np.sum(1 - length[1:]):.0f} of 8000 full steps")

# %% [markdown]
# The shock's own step is a few times longer than usual, not a thousand times. What follows is the
# damage: $m$ forgets the shock in some fifty steps, $v$ in several thousand, and most of the way
# that training would have made until then is lost. Clipping prevents it.

# %% [markdown]
# ## 8 A fair race on handwriting
#
# *5 minutes*
#
# Does Adam train better? Better than what, tuned how, on which seeds? Let us make a fair race: the
# network of lesson 03 with one hidden layer, your Adam against SGD with momentum.
#
# Fair means: the same starts, batches and epochs, the same cosine schedule; each rule gets its own
# best learning rate, chosen on a *validation* set that is cut from the training images; five
# random splits, each tuned for itself; no test set has a say in any choice.
#
# All weights of the network lie in one long vector. Adam works entry by entry, so it does not mind.

# %% jupyter={"source_hidden": true}
HIDDEN = 32
SHAPES = (64, HIDDEN), (HIDDEN,), (HIDDEN, 10), (10,)
ENDS = np.cumsum([np.prod(shape) for shape in SHAPES])


def unpack(vector):
    return [part.reshape(s) for part, s in zip(np.split(vector, ENDS[:-1]), SHAPES, strict=True)]


def fresh_network(rng):
    layers = sgd.he_normal(rng, 64, HIDDEN), sgd.he_normal(rng, HIDDEN, 10)
    return np.concatenate([layers[0].ravel(), np.zeros(HIDDEN), layers[1].ravel(), np.zeros(10)])


# %% jupyter={"source_hidden": true}
def network_gradient(vector, x, labels):
    hidden, logits = sgd.two_layer_forward(x, *unpack(vector))
    upstream = softmax_cross_entropy_gradient(logits, labels)
    parts = sgd.hidden_layer_gradients(x, hidden, unpack(vector)[2], upstream)
    return np.concatenate([part.ravel() for part in parts])


def accuracy(vector, x, labels):
    _, logits = sgd.two_layer_forward(x, *unpack(vector))
    return np.mean(logits.argmax(axis=1) == labels)


# %%
def train(rule, memories, rate, x, labels, seed, epochs=12):
    rng = np.random.default_rng(seed)
    vector, total = fresh_network(rng), epochs * -(-len(labels) // 32)
    memory, t = [np.zeros_like(vector)] * memories, 0
    for _ in range(epochs):
        for batch in sgd.minibatches(rng.permutation(len(labels)), 32):
            now = sgd.cosine_with_warmup(t, total, 0, rate)
            t += 1
            g = network_gradient(vector, x[batch], labels[batch])
            vector, *memory = rule(now)(vector, g, *memory, t)
    return vector


# %% jupyter={"source_hidden": true}
RATES = 2.0 ** np.arange(-8, 0)


def adam_rule(rate):
    return lambda w, g, m, v, t: adam_step_keras(w, g, m, v, t, rate, 0.9, 0.999, 1e-7)


def momentum_rule(rate):
    return lambda w, g, velocity, t: sgd.momentum_step(w, g, velocity, rate, 0.9)


RULES = {"Adam": (adam_rule, 2), "SGD with momentum": (momentum_rule, 1)}

# %% [markdown]
# For one split: try all rates on three quarters of the training images, choose on the last quarter,
# train again on all of them, and test. `units` multiplies each pixel; for now it is 1.


# %% jupyter={"source_hidden": true}
def race(seed, units=1.0):
    """For each rule: validation accuracy at each rate, then the test accuracy at the best one."""
    split, results = digits.load(seed), {}
    x, labels, test_x = split.train_images * units, split.train_labels, split.test_images * units
    order = np.random.default_rng(seed).permutation(len(labels))
    fit, validation = np.split(order, [3 * len(order) // 4])
    for name, (rule, memories) in RULES.items():
        scores = []
        for rate in RATES:
            vector = train(rule, memories, rate, x[fit], labels[fit], seed)
            scores.append(accuracy(vector, x[validation], labels[validation]))
        vector = train(rule, memories, RATES[np.argmax(scores)], x, labels, seed)
        results[name] = scores, accuracy(vector, test_x, split.test_labels)
    return results


def show_scores(races):
    for name in RULES:
        tests = np.array([results[name][1] for results in races])
        print(f"{name:18} test accuracy {tests.mean():.1%} ± {tests.std(ddof=1):.1%}", end="   ")
        print("each split:", " ".join(f"{test:.1%}" for test in tests))
    gaps = np.array([results["Adam"][1] - results["SGD with momentum"][1] for results in races])
    print(f"Adam minus SGD     {gaps.mean():+.1%} ± {gaps.std(ddof=1):.1%}")


# %%
races = [race(seed) for seed in range(5)]
by_rate = {name: np.array([results[name][0] for results in races]).T for name in RULES}
figures.curves(RATES, by_rate, "learning rate", "validation accuracy", logarithmic="x")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
show_scores(races)
print("mean validation accuracy")
for name in RULES:
    best = by_rate[name].mean(axis=1).argmax()
    both = ", ".join(f"{other} {by_rate[other][best].mean():.1%}" for other in RULES)
    print(f"  at {name}'s best rate, {RATES[best]:.2g}: {both}")

# %% [markdown]
# Look at the curves, then at the numbers. The two rules want quite different rates: at Adam's best
# rate SGD is behind, and at SGD's best rate Adam fails. Compare them at *one* rate, and whoever
# chooses the rate chooses the winner. Tuned, they are level within the spread.
#
# Now make the features bad: every pixel gets a unit of its own, between a tenth and ten, drawn anew
# for each split.
#
# **Guess first.** Who suffers more? (The figure leaves out the largest rate.)


# %% jupyter={"source_hidden": true}
def random_units(seed):
    return 10 ** np.random.default_rng(seed).uniform(-1, 1, size=64)


bad_races = [race(seed, random_units(seed)) for seed in range(5)]
by_rate = {name: np.array([results[name][0][:-1] for results in bad_races]).T for name in RULES}
figures.curves(RATES[:-1], by_rate, "learning rate", "validation accuracy", logarithmic="x")

# %% tags=["nbval-check-output"]
show_scores(bad_races)

# %% [markdown]
# Here Adam earns its name (from *adaptive moment estimation*). Note that both lost: rescaling the
# pixels is still the better cure.

# %% [markdown]
# ## 9 When SGD wins
#
# *5 minutes*
#
# ### A round valley
#
# Least squares with twenty well-scaled features, and exact gradients. Each rule gets its best rate
# out of ten. How far is it from the true minimum after a hundred steps?


# %% jupyter={"source_hidden": true}
def distances(seed, rule, memories, rates):
    rng = np.random.default_rng(seed)
    x, targets = rng.normal(size=(500, 20)), rng.normal(size=500)
    minimum = np.linalg.lstsq(x, targets, rcond=None)[0]
    w, memory, path = np.zeros(20), [np.zeros(20)] * memories, []
    for t, rate in enumerate(rates, start=1):
        w, *memory = rule(rate)(w, sgd.least_squares_gradient(x, targets, w), *memory, t)
        path.append(np.linalg.norm(w - minimum))
    return np.array(path)


def sgd_rule(rate):
    return lambda w, g, t: (sgd.sgd_step(w, g, rate),)


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
best = {}
for name, rule, memories in (("SGD", sgd_rule, 0), ("Adam", adam_rule, 2)):
    ends = {}
    for rate in 2.0 ** np.arange(-10, 0):
        furthest = max(distances(seed, rule, memories, [rate] * 100)[-1] for seed in range(5))
        ends[rate] = max(furthest, 1e-12)  # what is smaller is rounding
    best[name] = min(ends, key=ends.get)
    power = np.ceil(np.log10(ends[best[name]]))
    print(f"{name:5} best rate {best[name]:.3g}, over five seeds at most 1e{power:+03.0f}")

# %% [markdown]
# SGD arrives, to the last digits: where the curvature is nearly the same in all directions, one
# rate fits all. Does Adam need more time? **Guess first**, then follow it for fifty times as long,
# with its best rate and with the cosine schedule of lesson 03 down from there.


# %% jupyter={"source_hidden": true}
def arrival(path):
    """In words that hold on every machine: where Adam jumps to is a matter of rounding."""
    first, resting = np.argmax(path < 1e-9), path[-1000:].max() < 1e-6
    return f"first below 1e−9 at step {first + 1}, then {'at rest' if resting else 'jumping away'}"


# %% jupyter={"source_hidden": true}
LONG = 5000
falling = [sgd.cosine_with_warmup(t, LONG, 0, best["Adam"]) for t in range(LONG)]
long_runs = {
    "SGD": distances(0, sgd_rule, 0, [best["SGD"]] * LONG),
    "Adam": distances(0, adam_rule, 2, [best["Adam"]] * LONG),
    "Adam, cosine": distances(0, adam_rule, 2, falling),
}
shown = np.arange(0, LONG, 20)
figures.curves(
    shown + 1,
    {name: np.maximum(path[shown], 1e-12) for name, path in long_runs.items()},
    "step",
    "distance from the minimum",
    logarithmic="y",
    words={name: arrival(path) for name, path in long_runs.items()},
)

# %% [markdown]
# Adam arrives as well, and then does not stay. Near the minimum the gradients vanish, $v$ forgets
# the large ones, and the rate of each weight, $\eta / \sqrt{\hat v}$, grows until it is beyond the
# limit of lesson 03. Then the weights jump away, and $v$ learns again what large gradients are. A
# schedule takes $\eta$ down to zero: the weights may still jump on the way, but at the end they
# rest.
#
# ### A trap for adaptive rules
#
# The second example was built by Wilson and colleagues (2017). Labels are $+1$ or $-1$, a few more
# of them positive. Feature one *is* the label. Features two and three are always 1. All others are
# private: each example has some that no other example has, one if it is positive, five if it is
# negative. So there is one honest feature and much to memorize. There are many more weights than
# training examples, so very many choices of the weights fit these perfectly. Which one does each
# rule find?


# %% jupyter={"source_hidden": true}
def trap(seed, n=40):
    """Features and labels of 2n examples; half for training, half new."""
    rng = np.random.default_rng(seed)
    targets = np.where(rng.random(2 * n) < 0.6, 1.0, -1.0)
    private = np.zeros((2 * n, 2 * n, 5))
    for i in range(2 * n):
        private[i, i, : 1 if targets[i] > 0 else 5] = 1
    x = np.column_stack([targets, np.ones((2 * n, 2)), private.reshape(2 * n, -1)])
    return x[:n], targets[:n], x[n:], targets[n:]


def trap_scores(seed, rule, memories, steps=1000):
    x, targets, new_x, new_targets = trap(seed)
    w, memory = np.zeros(x.shape[1]), [np.zeros(x.shape[1])] * memories
    for t in range(1, steps + 1):
        rate = (1 - t / steps) * (0.25 if memories == 0 else 0.01)
        w, *memory = rule(rate)(w, sgd.least_squares_gradient(x, targets, w), *memory, t)
    private = w[3:][x[:, 3:].any(axis=0)]
    parts = (x, targets), (new_x, new_targets)
    return *(np.mean(np.sign(a @ w) == b) for a, b in parts), w, private


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, rule, memories in (("SGD", sgd_rule, 0), ("Adam", adam_rule, 2)):
    train_scores, new_scores, ws, privates = zip(
        *(trap_scores(seed, rule, memories) for seed in range(5)), strict=True
    )
    print(f"{name:5} training {np.mean(train_scores):.0%}   new {np.mean(new_scores):.0%}", end="")
    print("   each seed:", " ".join(f"{score:.0%}" for score in new_scores))
    honest, constant = np.mean([w[0] for w in ws]), np.mean([w[1] for w in ws])
    private = np.mean([np.abs(p).mean() for p in privates])
    print(f"      weights: honest {honest:.2f}, each constant {constant:.2f}, ", end="")
    print(f"a private one that was seen ±{private:.2f}")

# %% tags=["nbval-check-output"]
print("share of positive labels among the new:", end="  ")
print(" ".join(f"{np.mean(trap(seed)[3] > 0):.0%}" for seed in range(5)))

# %% [markdown]
# Both fit the training data perfectly. SGD's steps are proportional to the gradient, and the honest
# feature has the largest by far: all examples have it, and all pull its weight the same way, while
# they pull those of the constant ones to and fro. Adam makes the steps of all weights
# about equally long, so that a private feature, seen once, ends with as large a weight as the
# honest one, seen forty times. In a new example the private features are unknown, and the two
# constant ones, which are always 1, together outvote the honest one: Adam says "positive" to
# everything. Compare the last line with Adam's score on each seed.
#
# It is a construction, with no noise and no network, and our races on digits showed nothing like
# it. What it proves is that *how* you arrive can decide *where* you arrive, if there is more than
# one minimum. For real tasks the evidence is mixed. Wilson and colleagues (2017) found better test
# results with tuned SGD than with adaptive rules, on images and on text. Choi and colleagues (2019)
# also tuned Adam's other settings, and then it was never worse. Zhang and colleagues (2020)
# report that Adam is ahead of SGD on attention models, which is what language models are built of.
#
# Of our own races we can say this: well scaled, tuned and with a schedule, the two were level;
# badly scaled, Adam was ahead. Try both, on validation data.

# %% [markdown]
# ## What you have now
#
# - **A forgetting average**, corrected for its start at zero:
#   $a \leftarrow \beta a + (1 - \beta) x$, divided by $1 - \beta^t$.
# - **AdaGrad** and **RMSProp**, a step size for every weight: $g / \sqrt{a + \varepsilon}$ with a
#   sum or an average of $g^2$. In Keras: `Adagrad`, `RMSprop`.
# - **Adam**, direction and size both averaged: $\eta\, \hat m / (\sqrt{\hat v} + \varepsilon)$. A
#   step is usually at most about $\eta$ long. In Keras: `Adam`, with $\hat\varepsilon$ beside
#   $\sqrt v$.
# - **AdamW**, decay that bypasses the moments: $w \leftarrow w - \eta\, d\, w$ before the step. In
#   Keras: `AdamW(weight_decay=...)`.
# - **Clipping**, one factor for all gradients: $\min(1, c / \lVert g \rVert)$. In Keras:
#   `global_clipnorm=1.0`.
# - **A fair race**: tune each rule on validation data, repeat, show the spread.
#
# What was left out: the proof of convergence (and its gap, which AMSGrad mends), methods that use
# curvature between weights and not just one scale per weight, and the warm-up of lesson 03. It is
# common with Adam; one reason given is that at first $v$ rests on few gradients (Liu and
# colleagues, 2020).
#
# ### On your own
#
# 1. Feed Adam gradients that alternate between $+1$ and $-1$. How long are its steps? Explain it
#    with $\hat m$ and $\hat v$.
# 2. With $\beta_1 = 0$ Adam becomes RMSProp, up to two differences. Which?
# 3. Set $\beta_2 = \beta_1 = 0.9$ and leave out the correction. Are the first steps too long or too
#    short now? Which $\beta_2$ makes the first step right?
# 4. Take the cosine schedule out of `train` in section 8. Does it change which rule wins?
# 5. In the round valley of section 9, give Adam a $\beta_2$ of 0.99, then of 0.9. How close does it
#    come, when does it jump away, and why?
#
# <details>
# <summary>Answers</summary>
#
# 1. The first is $\eta$ long. Then the signs cancel in $\hat m$: at every even step its size is
#    $(1 - \beta_1)/(1 + \beta_1)$, one nineteenth, and at the odd ones it shrinks to that, while
#    $\hat v$ stays 1.
# 2. RMSProp does not correct $v$ for its start, and in Keras its epsilon stands inside the root.
# 3. Too short: the step is $(1 - \beta_1)/\sqrt{1 - \beta_2}$, which is $\sqrt{1 - 0.9}$. It is 1
#    if $1 - \beta_2 = (1 - \beta_1)^2$.
# 4. Whatever you find, tune both rules again first: the best rate with a schedule need not be the
#    best one without.
# 5. Look for two effects: a shorter memory adapts sooner to small gradients, so that Adam comes
#    close earlier, and it forgets the large ones sooner, so that it jumps away earlier and oftener.
#
# </details>
#
# ### In practice
#
# `keras.optimizers.AdamW(1e-3, weight_decay=..., global_clipnorm=1.0)`, a warm-up, and biases and
# normalization layers (whose weights are *gamma* and *beta*, lesson 06) kept out of the decay:
# `optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])`, before training
# starts. When you carry settings from PyTorch to Keras or back, check three rows of the ledger:
# the place of epsilon, its default, and what `weight_decay` means.
#
# ### Further reading
#
# - D. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015: algorithm 1, and
#   section 3 for the correction.
# - J. Duchi, E. Hazan, Y. Singer, *Adaptive Subgradient Methods for Online Learning and Stochastic
#   Optimization*, Journal of Machine Learning Research 12 (2011): AdaGrad.
# - T. Tieleman, G. Hinton, *Lecture 6.5: RMSProp*, Neural Networks for Machine Learning, Coursera
#   (2012).
# - I. Loshchilov, F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019: AdamW.
# - S. Reddi, S. Kale, S. Kumar, *On the Convergence of Adam and Beyond*, ICLR 2018: AMSGrad.
# - R. Pascanu, T. Mikolov, Y. Bengio, *On the Difficulty of Training Recurrent Neural Networks*,
#   ICML 2013: clipping by the norm.
# - A. Wilson, R. Roelofs, M. Stern, N. Srebro, B. Recht, *The Marginal Value of Adaptive Gradient
#   Methods in Machine Learning*, NeurIPS 2017: section 9's trap.
# - D. Choi, C. Shallue, Z. Nado, J. Lee, C. Maddison, G. Dahl, *On Empirical Comparisons of
#   Optimizers for Deep Learning*, 2019.
# - J. Zhang and others, *Why Are Adaptive Methods Good for Attention Models?*, NeurIPS 2020.
# - L. Liu and others, *On the Variance of the Adaptive Learning Rate and Beyond*, ICLR 2020.
