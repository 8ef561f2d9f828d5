# ---
# jupyter:
#   course:
#     title: Variational autoencoder
#     minutes: 100
#     after: ["01", "03", "04", "05"]
#     data: [digits]
#     able: >-
#       derive the bound that a variational autoencoder is trained with, write its loss, its sample
#       and all its gradients, see what each part is there for, and say with controls what an
#       encoder learned without labels is worth
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 Variational autoencoder
#
# A network has learned to press every handwritten digit into eight numbers, and to draw the digit
# again from these eight. It does that well. Then we give it eight numbers of our own choice, and
# ask for a new digit. It draws a smudge. Nobody ever told it what to do with numbers that belong to
# no digit. How could one tell it, and would what it learns on the way, without any label, help to
# read digits when labels are few?
#
# **What you will do.** You build a variational autoencoder from its probabilities: a loss for
# pictures, a bound, a divergence, a sample that gradients can pass, and the training step, all in
# NumPy. You move through its plane of codes by two sliders. Then you run an article's version of
# it beside yours, and put its encoder to work as lesson 05 did with a pretrained one.
#
# **What you will learn**
#
# - why an autoencoder draws badly, and what a probability for codes changes;
# - what the ELBO is a bound of, how far away it is, and why one ½ too many destroys it;
# - how a gradient passes through a random number;
# - what goes wrong without the divergence, and what with a mean over the pixels;
# - what an encoder learned without labels is worth, and against whom.
#
# **What you need.** Lessons 01 and 03 to 05. From statistics: the density of a Gaussian (a normal
# distribution), and that expectations add up. No internet connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 An autoencoder draws from nothing | 7 |
# | 2 The loss of a picture | 10 |
# | 3 A bound on the likelihood | 10 |
# | 4 The divergence in closed form | 17 |
# | 5 Chance that lets gradients through | 17 |
# | 6 The whole loss, and a training step | 22 |
# | 7 The article's listing | 5 |
# | 8 Deeper: the same in Keras | 5 |
# | 9 What the encoder is worth | 7 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function. A good place
# to break off is after section 5.

# %% [markdown]
# The next cell loads the tools. Batches, backpropagation and Adam are those of lessons 03 and 04,
# the course's copies.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import keras
import numpy as np

keras.config.set_floatx("float64")

# %% jupyter={"source_hidden": true}
from course_lib.data import digits
from course_lib.exercises import check
from course_lib.foundations.adam import adam_step_keras
from course_lib.foundations.feature_extraction import standard_error
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.sgd import (
    he_normal,
    hidden_layer_gradients,
    minibatches,
)
from course_lib.foundations.variational_autoencoder import (
    autoencoder_gradients,
    linear_gaussian_elbo,
    linear_gaussian_log_likelihood,
    linear_gaussian_posterior,
    log_normal,
)
from course_lib.plots import variational_autoencoder as figures
from course_lib.transfer.autodiff import gradient as keras_gradient

# %% [markdown]
# **Notation.** $x$ is a picture of $P$ pixels between 0 (white) and 1 (ink), $z$ its *code* of $D$
# numbers; $N$ pictures, $H$ hidden units. $a$ are logits of pixels. The encoder gives a code's mean
# $m$ and log-variance $v = \log \sigma^2$; $\varepsilon$ is noise. $p$ are densities of the model,
# $q$ is the encoder's. All logarithms are natural, so losses are in *nats*. In all tables, ± is the
# standard deviation over the repetitions that are named beside it.

# %% [markdown]
# ## 1 An autoencoder draws from nothing
#
# *7 minutes*
#
# An *autoencoder* is two networks in a row. The *encoder* turns a picture into a code, the
# *decoder* turns the code into a picture, and both are trained so that the picture that comes out
# is the one that went in. The code is narrow, so that it has to be a summary. Nobody needs labels.
#
# Each half is the network of lesson 03, with one hidden layer. Here it is once more, with its first
# weights, and a training loop with the Adam of lesson 04. (Noise is drawn for later; the
# autoencoder does not look at it.)


# %% jupyter={"source_hidden": true}
def two_layer_forward(x, weights_in, bias_in, weights_out, bias_out):
    hidden = np.maximum(x @ weights_in + bias_in, 0)
    return hidden, hidden @ weights_out + bias_out


# %% jupyter={"source_hidden": true}
def first_network(seed, numbers, outputs, hidden=64, pixels=64):
    """Encoder, four arrays, then decoder, four arrays; the encoder has as many outputs as asked."""
    rng = np.random.default_rng(seed)
    network = []
    for inputs, ends in [(pixels, outputs), (numbers, pixels)]:
        first, last = he_normal(rng, inputs, hidden), he_normal(rng, hidden, ends) / 4
        network += [first, np.zeros(hidden), last, np.zeros(ends)]
    return network


# %% jupyter={"source_hidden": true}
def fit(gradients_of, network, images, seed=0, epochs=40):
    rng, step = np.random.default_rng(seed), 0
    m = v = [np.zeros_like(array) for array in network]
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(images)), 32):
            step += 1
            noise = rng.normal(size=(len(batch), len(network[4])))
            gradients = gradients_of(images[batch], noise, network[:4], network[4:])
            each = zip(network, gradients, m, v, strict=True)
            moved = [adam_step_keras(*array, step, 0.002, 0.9, 0.999, 1e-7) for array in each]
            network, m, v = (list(part) for part in zip(*moved, strict=True))
    return network


# %%
def sigmoid(logits):
    small = np.exp(-np.abs(logits))  # never above 1, so that nothing overflows
    return np.where(logits >= 0, 1, small) / (1 + small)


def decode(codes, network):
    """Gray values: the logits of the decoder, through a sigmoid."""
    return sigmoid(two_layer_forward(codes, *network[4:])[1])


# %%
data = digits.load(seed=0)
images, unseen = data.train_images, data.test_images
autoencoder = fit(lambda x, _, *net: autoencoder_gradients(x, *net), first_network(0, 8, 8), images)
codes = two_layer_forward(images, *autoencoder[:4])[1]

# %% [markdown]
# How well does it draw digits that it has never seen, from their codes? And now without any
# encoder: codes of our own, each number drawn from the standard normal distribution.
#
# **Guess first.** Will they be digits? And what if we are kinder, and draw codes that have the mean
# and the covariance of the true ones?

# %%
rng = np.random.default_rng(1)
noise = rng.normal(size=(300, 8))
kinder = codes.mean(axis=0) + noise @ np.linalg.cholesky(np.cov(codes.T)).T
rebuilt = decode(two_layer_forward(unseen, *autoencoder[:4])[1], autoencoder)

# %% jupyter={"source_hidden": true}
drawn = {
    "digits, unseen": unseen,
    "through the code": rebuilt,
    "normal codes": decode(noise, autoencoder),
    "kinder codes": decode(kinder, autoencoder),
}

# %%
figures.rows_of_pictures({name: pictures[:12] for name, pictures in drawn.items()})

# %% [markdown]
# It rebuilds digits, and it does not draw any. Smudges are a matter of taste, so let us have a
# number: how far is a picture from the nearest known digit (root of the mean squared difference of
# pixels)? As a control, one gray average of all digits, the laziest of all pictures.


# %% jupyter={"source_hidden": true}
def from_nearest(pictures):
    """Distance of each picture from the nearest known digit."""
    squares = (pictures**2).sum(axis=1)[:, None] + (images**2).sum(axis=1)
    summed = squares - 2 * pictures @ images.T  # (a - b)² = a² + b² - 2ab
    return np.sqrt(np.maximum(summed.min(axis=1), 0) / images.shape[1])


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
drawn["the average digit"] = images.mean(axis=0)[None]
far = {name: np.median(from_nearest(pictures)) for name, pictures in drawn.items()}
for name, distance in far.items():
    print(f"{name:18} {distance:.2f} from the nearest known digit")
assert far["through the code"] < far["kinder codes"] < far["normal codes"]

# %% [markdown]
# Pictures from normal codes are further from any digit than the lazy average is. Even those from
# the kinder codes are hardly nearer than that. The true codes fill some crooked part of the eight
# dimensions, whatever part suited the training, and in between the decoder has never been asked for
# anything. These are the *holes* of an autoencoder.
#
# We want a decoder that knows what to make of every code that we are going to draw. Then codes need
# a distribution *from the start*, one that is known and easy to draw from, and training has to
# care for it. That is the plan of this lesson.

# %% [markdown]
# ## 2 The loss of a picture
#
# *10 minutes*
#
# First we need the probability of a picture. Take a pixel to be a coin: the decoder's logit $a$
# says with which probability $s = 1/(1 + e^{-a})$ it is ink. The pixels of a picture are tossed
# independently, once the code is known. Lesson 01 has taught us the loss that belongs to a
# probability: minus its logarithm. For one pixel, ink $x = 1$ or paper $x = 0$:
#
# $$-\log p(x|z) = -x \log s - (1 - x) \log (1 - s)$$
#
# Written like that it breaks: at $a = 40$, $s$ is exactly 1 in floating point, and $\log(1 - s)$ is
# minus infinity. You have met this in lesson 01, with softmax. What was the way out there, and what
# is it here? Put $s$ in and simplify, before you write any code.
#
# ### Exercise: `bernoulli_negative_log_likelihood`
#
# One number for each picture. It must be right for logits of any size, and for gray values
# $0 < x < 1$ too, which simply weigh the two terms.


# %%
def bernoulli_negative_log_likelihood(logits, images):
    """Minus the log-probability of each picture, every pixel a coin with its own logit.

    logits: (N, P) floats. images: (N, P) floats, from 0 to 1. Returns (N,), sums over the pixels.
    """
    ### BEGIN SOLUTION
    each = np.maximum(logits, 0) - logits * images + np.log1p(np.exp(-np.abs(logits)))
    return each.sum(axis=1)
    ### END SOLUTION


# %%
bernoulli_negative_log_likelihood = check(bernoulli_negative_log_likelihood)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula</summary>
#
# $-\log(1 - s) = \log(1 + e^{a})$; call it $\ell$. And $-\log s = \log(1 + e^{-a}) = \ell - a$.
# So everything together is $x\,(\ell - a) + (1 - x)\,\ell = \ell - a x = \log(1 + e^{a}) - a x$.
# For large $a$ that overflows, and for $a > 0$ one can pull $a$ out of the logarithm:
#
# $$\log(1 + e^{a}) - a x = \max(a, 0) - a x + \log\left(1 + e^{-|a|}\right)$$
#
# Its slope by $a$ is $\text{sigmoid}(a) - x$: what was said minus what was seen, as with softmax.
#
# </details>
#
# Two witnesses: Keras' binary cross-entropy, which averages over the pixels, and the slope that the
# formula above should have.


# %% jupyter={"source_hidden": true}
def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% tags=["nbval-ignore-output"]
logits = 3 * np.random.default_rng(0).normal(size=(5, 64))
by_keras = keras.losses.binary_crossentropy(images[:5], logits, from_logits=True)
ours = bernoulli_negative_log_likelihood(logits, images[:5])
compare(ours, {"Keras": 64 * keras.ops.convert_to_numpy(by_keras)})

# %% tags=["nbval-ignore-output"]
slope = numerical_gradient(lambda a: bernoulli_negative_log_likelihood(a, images[:5]).sum(), logits)
compare(sigmoid(logits) - images[:5], {"finite differences of yours": slope})

# %% [markdown]
# **Guess first.** Our digits are gray. What is the smallest loss that any decoder can reach on
# them: zero?

# %% tags=["nbval-check-output"]
best_logits = np.log(np.clip(images, 1e-9, 1) / np.clip(1 - images, 1e-9, 1))
floor = bernoulli_negative_log_likelihood(best_logits, images).mean()
guessing = bernoulli_negative_log_likelihood(np.zeros_like(images), images).mean()
print(f"perfect gray values {floor:.1f} nats a picture, all pixels ½ {guessing:.1f} nats")

# %% [markdown]
# Not zero: a gray pixel of ½ costs $\log 2$ even if it is predicted exactly. Hold the losses of
# this lesson against these two numbers.
#
# <details>
# <summary>Fine print: gray coins</summary>
#
# A coin cannot fall on a gray value. With gray pixels, $e^{-\text{loss}}$ is no normalized density
# of pictures, and $\log p(x)$ below means the logarithm of $\int p(z)\, e^{-\text{loss}}\, dz$. All
# the bounds hold for it word for word. Who wants a true density rounds the pixels to 0 and 1, or
# takes the continuous Bernoulli distribution (Loaiza-Ganem and Cunningham, 2019).
#
# </details>

# %% [markdown]
# ## 3 A bound on the likelihood
#
# *10 minutes*
#
# Now the distribution of codes. We fix it: the *prior* $p(z)$, of codes here and not of weights as
# in lesson 02, is the standard normal distribution, $\mathcal{N}(0, I)$. To make a picture, draw
# $z$ from it and let the decoder draw $x$ from $p(x|z)$. How probable is a given picture then? All
# codes may have made it:
#
# $$p(x) = \int p(z)\, p(x|z)\, dz$$
#
# Maximum likelihood wants $\log p(x)$ of the training pictures to be large. But the integral! Could
# we not draw a thousand codes and average $p(x|z)$? Nearly all of them belong to other pictures:
# their $p(x|z)$ is practically zero, and the average hangs on the luckiest draw.
#
# It would help to draw codes that *could* have made this $x$. Let a second distribution $q(z|x)$
# propose them: the encoder. Multiply and divide by it, and the integral is an expectation under
# $q$, written $\mathbb{E}_q$. The logarithm of a mean is never below the mean of the logarithms
# (*Jensen's inequality*: the logarithm bends downwards; the mean of 1 and 9 is 5, but the mean
# of their logarithms is only $\log 3$, for $\log 9 = 2 \log 3$):
#
# $$\log p(x) = \log \mathbb{E}_q\!\left[\frac{p(z)\, p(x|z)}{q(z|x)}\right]
#   \;\ge\; \mathbb{E}_q\!\left[\log \frac{p(z)\, p(x|z)}{q(z|x)}\right]
#   = \underbrace{\mathbb{E}_q[\log p(x|z)]
#     - \mathbb{E}_q\!\left[\log \frac{q(z|x)}{p(z)}\right]}_{\text{ELBO}}$$
#
# The left term asks that codes proposed for $x$ decode to $x$. The right one is the
# *Kullback-Leibler divergence* $\text{KL}(q \| p)$: how far the proposals are from the prior.
# Together they are the *evidence lower bound*, the ELBO.
#
# Is the bound any good? Take a model so simple that everything in it is known: one number $z$, one
# number $x$, and $x$ given $z$ normal with the mean $1.5 z$ and the variance $0.5$. Then $x$ is
# normal, too, and so is $p(z|x)$. We observe $x = 1$. Move the hill on the left, and watch how far
# the point stays below $\log p(x)$.
#
# **Guess first.** Where must the hill stand so that nothing is lost?

# %%
X, WEIGHT, VARIANCE = 1.0, 1.5, 0.5
figures.bound_explorer(X, WEIGHT, VARIANCE)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: what the gap is</summary>
#
# Write $p(z)\, p(x|z) = p(x)\, p(z|x)$ into the ELBO. $\log p(x)$ does not depend on $z$ and comes
# out:
#
# $$\text{ELBO} = \log p(x) - \text{KL}\big(q(z|x)\, \|\, p(z|x)\big)$$
#
# The gap is the divergence of the proposals from the true posterior. It is zero if and only if $q$
# is the posterior: on the left, where the hills coincide.
#
# </details>
#
# One of the five articles that this course corrects (002; lesson 15 has them all) has three
# formulas for this model. Its second one says
#
# $$p(x|z) = \mathcal{N}(0, I)$$
#
# **Guess first.** If that is so, what does the decoder learn? Here is the left term, the
# expectation of $\log p(x|z)$, for three decoders, as the article has it and as it should be.


# %%
mean, variance = linear_gaussian_posterior(X, WEIGHT, VARIANCE)
z = mean + np.sqrt(variance) * np.random.default_rng(0).normal(size=1000)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for weight in (0.0, 0.75, 1.5):
    article = np.mean(log_normal(X, 0.0 * weight * z, 1.0))
    right = np.mean(log_normal(X, weight * z, VARIANCE))
    print(f"decoder {weight:4} · z: the article's log p(x|z) {article:.2f}, ours {right:.2f}")

# %% [markdown]
# The same for all decoders: the code does not occur in it, so there is nothing to learn. What the
# article wrote down is the prior, $p(z)$.
#
# Its third formula is $\log p(x) \propto \mathbb{E}_q[\log p(x|z)] - \frac{1}{2} \text{KL}$, with
# "proportional to" for "at least", and with a ½. **Guess first:** a ½ in a loss, does it matter?
# Choose it in the explorer above. And in numbers, for three hills:

# %%
exact = linear_gaussian_log_likelihood(X, WEIGHT, VARIANCE)
hills = {"prior": (0.0, 1.0), "half way": (mean / 2, 0.5), "posterior": (mean, variance)}

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, (m, s) in hills.items():
    whole, half = (
        linear_gaussian_elbo(X, m, np.log(s), WEIGHT, VARIANCE, kl_weight) for kl_weight in (1, 0.5)
    )
    print(f"q = {name:9}: ELBO {whole:.3f}, with the ½ {half:.3f}; log p(x) is {exact:.3f}")

# %% [markdown]
# With the whole KL, the bound touches $\log p(x)$ and never passes it. With the ½ it passes:
# what is trained then is no bound on $\log p(x)$. (One may weigh the KL on purpose, to trade
# sharp pictures against tidy codes; with a weight above 1 that is called a β-VAE, and it is
# still a bound. But one has to say so.)

# %% [markdown]
# ## 4 The divergence in closed form
#
# *17 minutes*
#
# The encoder gives every code number a Gaussian of its own: a mean $m$ and a variance $\sigma^2$.
# Networks give numbers of any sign, so its output is the logarithm $v = \log \sigma^2$. The numbers
# of a code are independent under $q$ and under the prior, so that their divergences add up. For
# one of them, what is
#
# $$\text{KL}\big(\mathcal{N}(m, \sigma^2)\, \|\, \mathcal{N}(0, 1)\big)
#   = \mathbb{E}_q\big[\log q(z) - \log p(z)\big] \;?$$
#
# You need the logarithm of a Gaussian's density, $-\frac{1}{2}\big(\log 2\pi + \log \sigma^2 +
# (z - m)^2/\sigma^2\big)$, and two expectations: $\mathbb{E}_q[(z - m)^2] = \sigma^2$ and
# $\mathbb{E}_q[z^2] = m^2 + \sigma^2$. Derive it on paper. It is four lines. (To check yours:
# for $m = 1$ and $\sigma = 1$ it is ½.)
#
# ### Exercise: `kl_to_standard_normal`


# %%
def kl_to_standard_normal(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of each code.

    mean, log_variance: (N, D) floats. Returns (N,), sums over the numbers of a code.
    """
    ### BEGIN SOLUTION
    return np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1) / 2
    ### END SOLUTION


# %%
kl_to_standard_normal = check(kl_to_standard_normal)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the four lines</summary>
#
# $\log 2\pi$ stands in both and cancels. What is left is
#
# $$\mathbb{E}_q\!\left[-\tfrac{1}{2} \log \sigma^2 - \tfrac{1}{2} \frac{(z - m)^2}{\sigma^2}
#   + \tfrac{1}{2} z^2\right]
#   = -\tfrac{1}{2} v - \tfrac{1}{2} + \tfrac{1}{2}\,(m^2 + e^{v})$$
#
# and the sum over the numbers of a code is
#
# $$\text{KL} = \frac{1}{2} \sum_d \left(m_d^2 + e^{v_d} - 1 - v_d\right)$$
#
# Each summand is zero for $m = 0$, $v = 0$, and positive elsewhere, because $e^v > 1 + v$ for
# all other $v$. The ½ is inside already: perhaps the article has counted it twice.
#
# </details>
#
# A formula for an expectation has an obvious witness: draw, and average. By how much may the
# average be off? By a few standard errors.


# %%
rng = np.random.default_rng(0)
m, v = np.array([0.5, -1.0]), np.array([-1.0, 0.7])
formula = kl_to_standard_normal(m[None], v[None])[0]

# %% tags=["nbval-check-output"]
for draws in (100, 10_000, 1_000_000):
    z = m + np.exp(v / 2) * rng.normal(size=(draws, 2))
    ratio = (log_normal(z, m, np.exp(v)) - log_normal(z, 0.0, 1.0)).sum(axis=1)
    print(f"{draws:9,} draws: {ratio.mean():.2f}, standard error {ratio.std() / draws**0.5:.3f}")
print(f"          formula: {formula:.2f}")

# %% [markdown]
# Now the article's last sentence on this model: $D_{KL}$ is "an entropy distance that measures
# the difference between encoder and decoder".
#
# **Guess first.** We exchange the decoder for another one. How does the KL change? And is it a
# distance: is it the same from $q$ to $p$ as from $p$ to $q$?

# %% tags=["nbval-check-output"]
m, v = np.array([[1.0]]), np.array([[-2.0]])
there = kl_to_standard_normal(m, v)[0]
back = np.sum((m**2 + 1) / np.exp(v) - 1 + v) / 2
print(f"from q to the prior {there:.2f} nats, from the prior to q {back:.2f} nats")

# %% [markdown]
# It does not change at all: look at the arguments of your function, there is no decoder among them.
# It compares the encoder's $q$ with the *prior*. And it has a direction, so it is no distance. From
# the prior to a narrow $q$ it is large, because most codes of the prior are next to impossible
# under $q$.
#
# ### Exercise: `kl_gradients`
#
# Training needs its gradients. They are short; write them without looking anything up. (The sum
# over all codes: the 1/N of a mean comes later.)


# %%
def kl_gradients(mean, log_variance):
    """Gradients of the sum of kl_to_standard_normal over all codes.

    mean, log_variance: (N, D) floats. Returns (by the mean (N, D), by the log-variance (N, D)).
    """
    ### BEGIN SOLUTION
    return mean.copy(), (np.exp(log_variance) - 1) / 2
    ### END SOLUTION


# %%
kl_gradients = check(kl_gradients)

# %%
m, v = np.random.default_rng(1).normal(size=(2, 4, 3))
by_mean, by_log_variance = kl_gradients(m, v)

# %% tags=["nbval-ignore-output"]
slope = numerical_gradient(lambda m: kl_to_standard_normal(m, v).sum(), m)
compare(by_mean, {"finite differences, mean": slope})
slope = numerical_gradient(lambda v: kl_to_standard_normal(m, v).sum(), v)
compare(by_log_variance, {"finite differences, log-variance": slope})

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: what they pull at</summary>
#
# $\partial/\partial m = m$ and $\partial/\partial v = \frac{1}{2}(e^v - 1)$. The first pulls every
# mean towards 0, the second every variance towards 1. Left alone with the KL, every code becomes
# the prior, and tells the decoder nothing. Only the other term keeps codes apart.
#
# </details>

# %% [markdown]
# ## 5 Chance that lets gradients through
#
# *17 minutes*
#
# The other term of the ELBO is an expectation over $z$ drawn from $q$. Draw one code for each
# picture and decode it: an estimate that is right on average. But now the encoder's output decides
# only from *which distribution* a random number is drawn, and how does one differentiate a draw?
#
# **Guess first**, and write it down: you have a generator of numbers with mean 0 and deviation 1,
# and nothing else. How do you make from $\varepsilon$ a number with mean $m$ and log-variance $v$?
#
# ### Exercise: `reparameterize`


# %%
def reparameterize(mean, log_variance, noise):
    """A sample of N(mean, exp(log_variance)), made of noise from N(0, 1).

    mean, log_variance, noise: (N, D) floats. Returns (N, D).
    """
    ### BEGIN SOLUTION
    return mean + np.exp(log_variance / 2) * noise
    ### END SOLUTION


# %%
reparameterize = check(reparameterize)

# %% tags=["nbval-check-output"]
m, v = np.array([[2.0, -1.0]]), np.log([[0.25, 4.0]])
z = reparameterize(m, v, np.random.default_rng(0).normal(size=(1_000_000, 2)))
print("means", z.mean(axis=0).round(1), " variances", z.var(axis=0).round(2))

# %% [markdown]
# This is the *reparameterization trick*. All chance is in $\varepsilon$, which depends on nothing
# that is learned. Once $\varepsilon$ has been drawn, $z = m + e^{v/2} \varepsilon$ is an ordinary
# function of $m$ and $v$, and has ordinary derivatives.
#
# ### Exercise: `reparameterize_gradients`
#
# `upstream` is the gradient of some loss by $z$. What is it by $m$, and by $v$?


# %%
def reparameterize_gradients(upstream, log_variance, noise):
    """Backpropagation through reparameterize.

    upstream, log_variance, noise: (N, D) floats.
    Returns (by the mean, by the log-variance), both (N, D).
    """
    ### BEGIN SOLUTION
    deviation = np.exp(log_variance / 2)
    return upstream.copy(), upstream * noise * deviation / 2
    ### END SOLUTION


# %%
reparameterize_gradients = check(reparameterize_gradients)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the derivatives</summary>
#
# $\partial z / \partial m = 1$, so the gradient passes unchanged. $\partial z / \partial v =
# \frac{1}{2} e^{v/2} \varepsilon$: it depends on the noise. If this draw went to the right and the
# loss fell there, the variance should grow; if the loss rose, it should shrink.
#
# </details>
#
# The gradient is random now. Is it right on average? A test that can be computed by hand: the loss
# $z^2$, whose expectation is $m^2 + e^{v}$, so that the gradients must average to $2m$ and $e^{v}$.

# %%
noise = np.random.default_rng(2).normal(size=(1_000_000, 1))
m, v = np.full_like(noise, 0.7), np.full_like(noise, -0.5)

# %% tags=["nbval-check-output"]
upstream = 2 * reparameterize(m, v, noise)
by_mean, by_log_variance = reparameterize_gradients(upstream, v, noise)
print(f"by the mean {by_mean.mean():.2f}, exact {2 * 0.7:.2f}")
print(f"by the log-variance {by_log_variance.mean():.2f}, exact {np.exp(-0.5):.2f}")

# %% [markdown]
# It is. In the article's listing, the encoder has *one* output, `mu`, and the deviation is made of
# the same output, `torch.exp(self.encoder(x) * 0.5)`.
#
# **Guess first.** A code that should be precise, with a deviation of a tenth: where must it then
# lie?

# %% tags=["nbval-check-output"]
for mu in (-4.6, 0.0, 3.0):
    print(f"mu = {mu:4}: deviation {np.exp(mu / 2):.2f}")

# %% [markdown]
# At minus 4.6, whatever the picture shows: a precise code can lie in one far corner only. Mean and
# variance are two things that an encoder has to say, so it needs two outputs. Section 7 measures
# what comes of it.

# %% [markdown]
# ## 6 The whole loss, and a training step
#
# *22 minutes*
#
# The ELBO is to be made large, so the loss is its negative: the loss of the picture plus the
# divergence, averaged over the pictures of a batch.
#
# ### Exercise: `negative_elbo`
#
# Logits come first, as everywhere; they were decoded from samples of the codes.


# %%
def negative_elbo(logits, images, mean, log_variance):
    """Mean over the pictures of -log p(x|z) + KL(q(z|x) || p(z)).

    logits, images: (N, P) floats. mean, log_variance: (N, D) floats. Returns a number.
    """
    ### BEGIN SOLUTION
    loss = bernoulli_negative_log_likelihood(logits, images)
    return float(np.mean(loss + kl_to_standard_normal(mean, log_variance)))
    ### END SOLUTION


# %%
negative_elbo = check(negative_elbo)

# %% [markdown]
# Now everything together, and this time you write the whole way, forward and back. You have all
# pieces: `two_layer_forward(x, *four_arrays)` returns hidden units and outputs,
# `hidden_layer_gradients(x, hidden, weights_out, upstream)` is backpropagation through such a
# network, and three of the functions above do the middle. The encoder's outputs are means, then
# log-variances: `np.split(outputs, 2, axis=1)` separates them, `np.hstack` joins.
#
# One thing is new: the gradient must come out of the decoder *at its input*, the code. Lesson 03
# stopped at the first weights. What would come next there? (The hidden units' gradient, through the
# mask of the ReLU, and then?)
#
# Take a pencil and draw the way from pixels to loss, with all forks: the code's mean reaches the
# loss by two roads.
#
# ### Exercise: `vae_gradients`


# %%
def vae_gradients(images, noise, encoder, decoder):
    """Gradients of negative_elbo by all eight arrays, the encoder's first.

    images: (N, P) floats. noise: (N, D) floats.
    encoder: weights (P, H), bias (H,), weights (H, 2D), bias (2D,).
    decoder: weights (D, H), bias (H,), weights (H, P), bias (P,). Returns a list of eight arrays.
    """
    ### BEGIN SOLUTION
    count = len(images)
    hidden, outputs = two_layer_forward(images, *encoder)
    mean, log_variance = np.split(outputs, 2, axis=1)
    codes = reparameterize(mean, log_variance, noise)
    decoded, logits = two_layer_forward(codes, *decoder)

    at_logits = (sigmoid(logits) - images) / count
    by_decoder = hidden_layer_gradients(codes, decoded, decoder[2], at_logits)
    at_codes = ((at_logits @ decoder[2].T) * (decoded > 0)) @ decoder[0].T
    through_sample = reparameterize_gradients(at_codes, log_variance, noise)
    through_kl = kl_gradients(mean, log_variance)
    at_outputs = np.hstack(through_sample) + np.hstack(through_kl) / count
    by_encoder = hidden_layer_gradients(images, hidden, encoder[2], at_outputs)
    return [*by_encoder, *by_decoder]
    ### END SOLUTION


# %%
vae_gradients = check(vae_gradients)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the forks</summary>
#
# At the logits: $G = (\text{sigmoid}(a) - x)/N$. Back through the decoder, with its weights
# $W_1$, $W_2$ and hidden units $h$, to the code:
#
# $$\frac{\partial L}{\partial z} = \Big(\big(G\, W_2^\top\big) \cdot [h > 0]\Big)\, W_1^\top$$
#
# From there two roads lead to the encoder's outputs: through the sample, $\partial L/\partial z$
# and $\frac{1}{2} \frac{\partial L}{\partial z} e^{v/2} \varepsilon$; and through the divergence,
# $m/N$ and $\frac{1}{2}(e^v - 1)/N$. Where roads meet, gradients are added.
#
# </details>
#
# The witnesses, for all eight arrays: finite differences of the loss, and Keras' automatic
# differentiation, with the same noise.


# %%
def encode(images, network):
    """Means and log-variances of the codes."""
    return np.split(two_layer_forward(images, *network[:4])[1], 2, axis=1)


# %% jupyter={"source_hidden": true}
def our_loss(network, images, noise):
    mean, log_variance = encode(images, network)
    logits = two_layer_forward(reparameterize(mean, log_variance, noise), *network[4:])[1]
    return negative_elbo(logits, images, mean, log_variance)


# %% jupyter={"source_hidden": true}
def keras_loss(network, images, noise):
    ops = keras.ops

    def layers(x, first, bias, second, last):
        return ops.matmul(ops.relu(ops.matmul(x, first) + bias), second) + last

    mean, log_variance = ops.split(layers(images, *network[:4]), 2, axis=1)
    logits = layers(mean + ops.exp(log_variance / 2) * noise, *network[4:])
    pixels = keras.losses.binary_crossentropy(images, logits, from_logits=True)
    kl = ops.sum(mean**2 + ops.exp(log_variance) - 1 - log_variance, axis=1) / 2
    return ops.mean(images.shape[1] * pixels + kl)


# %%
few, noise = images[:6], np.random.default_rng(0).normal(size=(6, 2))
network = first_network(0, 2, 4, hidden=5)


def with_array(n, array):
    return [*network[:n], array, *network[n + 1 :]]


# %% tags=["nbval-ignore-output"]
for n, formula in enumerate(vae_gradients(few, noise, network[:4], network[4:])):
    by_hand = numerical_gradient(lambda a, n=n: our_loss(with_array(n, a), few, noise), network[n])
    by_keras = keras_gradient(lambda a, n=n: keras_loss(with_array(n, a), few, noise), network[n])
    compare(formula, {f"finite differences, array {n}": by_hand, "Keras": by_keras})

# %% [markdown]
# ### It learns
#
# The same loop as in section 1, and again eight numbers in a code.

# %%
eight = fit(vae_gradients, first_network(0, 8, 16), images)

# %% jupyter={"source_hidden": true}
drawn = {
    "autoencoder, normal codes": drawn["normal codes"],
    "autoencoder, kinder codes": drawn["kinder codes"],
    "VAE, normal codes": decode(np.random.default_rng(1).normal(size=(300, 8)), eight),
}

# %%
figures.rows_of_pictures({name: pictures[:12] for name, pictures in drawn.items()})

# %% [markdown]
# The same noise, two decoders. One pair of networks is an anecdote, so here are three, each trained
# from other first weights, and all three ways to draw with them:


# %% jupyter={"source_hidden": true}
def distances(seed):
    """Median distance from the nearest known digit, of the three ways to draw."""
    noise = np.random.default_rng([seed, 1]).normal(size=(300, 8))
    plain = fit(
        lambda x, _, *net: autoencoder_gradients(x, *net), first_network(seed, 8, 8), images, seed
    )
    known = two_layer_forward(images, *plain[:4])[1]
    kinder = known.mean(axis=0) + noise @ np.linalg.cholesky(np.cov(known.T)).T
    variational = fit(vae_gradients, first_network(seed, 8, 16), images, seed)
    ways = [(noise, plain), (kinder, plain), (noise, variational)]
    return [np.median(from_nearest(decode(codes, network))) for codes, network in ways]


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
far = np.array([distances(seed) for seed in (1, 2, 3)])
for name, column in zip(drawn, far.T, strict=True):
    print(f"{name:26} {column.mean():.3f} ± {column.std(ddof=1):.3f} from the nearest known digit")
assert np.all(far[:, 2] < far[:, 1])
assert np.all(far[:, 1] < far[:, 0])

# %% [markdown]
# What the variational autoencoder draws is nearer to real digits than what the autoencoder
# draws, even from the kinder codes, each time. It has a price, and you see it: the pictures are
# softer. (Softness brings a picture nearer by itself: in section 1, rebuilt digits were no
# further from known ones than real digits were. But the average, the softest of all, was far.) A
# code is no longer a point but a cloud, and the decoder has to serve every picture whose cloud
# reaches here.
#
# ### The map
#
# With two numbers in a code we can look at all of them. (With two, the autoencoder of section 1 has
# hardly any holes, either: its codes have nowhere else to go. Try it, number 2 of *On your own*.)

# %%
plane = fit(vae_gradients, first_network(0, 2, 4), images)
figures.plane_figure(lambda codes: decode(codes, plane))

# %% [markdown]
# Move the cross through the plane. Where do digits change into each other, and where is the decoder
# in doubt? On the right are the known digits with the nearest codes.

# %%
means, _ = encode(images, plane)
figures.plane_explorer(lambda codes: decode(codes, plane), means, images, data.train_labels)

# %% [markdown]
# Nobody told it that there are ten kinds of digits, yet digits of one kind lie together, because
# what looks alike is cheapest to describe together. Some kinds share a place: two numbers are not
# enough to keep ten kinds apart.
#
# ### How far below?
#
# In two dimensions the integral of section 3 can be done after all, on a fine grid of codes. So we
# can see the bound at work, on unseen digits. (An average over several draws of the noise.)


# %% jupyter={"source_hidden": true}
def log_likelihood(pictures, network):
    """log p(x) of each picture, by summing over a grid of codes."""
    line = np.linspace(-5, 5, 101)
    grid = np.array([(a, b) for a in line for b in line])
    logits = two_layer_forward(grid, *network[4:])[1]
    prior = log_normal(grid, 0.0, 1.0).sum(axis=1) + 2 * np.log(line[1] - line[0])
    paper = np.logaddexp(0, logits).sum(axis=1)
    joint = prior - paper + pictures @ logits.T
    top = joint.max(axis=1, keepdims=True)
    return top[:, 0] + np.log(np.exp(joint - top).sum(axis=1))


# %%
exact = log_likelihood(unseen, plane).mean()
rng = np.random.default_rng(0)
draws = [-our_loss(plane, unseen, rng.normal(size=(len(unseen), 2))) for _ in range(20)]

# %% tags=["nbval-ignore-output"]
kl = kl_to_standard_normal(*encode(unseen, plane)).mean()
print(f"log p(x) {exact:.2f} nats a picture, ELBO {np.mean(draws):.2f}, of it KL {kl:.2f}")
assert np.mean(draws) < exact

# %% [markdown]
# A bound, and a fairly tight one. What is missing is the divergence of the encoder's clouds from
# the true posterior. The clouds are Gaussian, with axes along the code's numbers; the posterior
# need not be, and for an unseen digit the encoder need not hit it either.

# %% [markdown]
# ## 7 The article's listing
#
# *5 minutes*
#
# Here is the training step that the article's listing takes, in our notation and with our sizes:
# one output for mean and log-variance, no sigmoid, the mean squared error over everything, no KL.
#
# **Guess first.** As printed, the listing compares $N$ pictures of shape $(N, 1, 28, 28)$, as its
# loader gives them, with $N$ rows of 784 numbers. What comes of that: an error, a warning, or a
# number that means nothing?

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
try:
    print(np.mean((np.zeros((5, 1, 28, 28)) - np.zeros((5, 784))) ** 2))
except ValueError as error:
    print(f"an error: {error}")

# %% [markdown]
# That one is harmless: nobody can overlook it. We flatten the pictures, and come to the mistakes
# that make no sound.


# %%
def listing_gradients(images, noise, encoder, decoder):
    hidden, mu = two_layer_forward(images, *encoder)
    sigma = np.exp(mu * 0.5)
    codes = mu + sigma * noise
    decoded, outputs = two_layer_forward(codes, *decoder)
    at_outputs = 2 * (outputs - images) / images.size
    at_codes = ((at_outputs @ decoder[2].T) * (decoded > 0)) @ decoder[0].T
    at_mu = at_codes * (1 + sigma * noise / 2)
    by_encoder = hidden_layer_gradients(images, hidden, encoder[2], at_mu)
    return [*by_encoder, *hidden_layer_gradients(codes, decoded, decoder[2], at_outputs)]


# %% [markdown]
# The obvious repair is to give the encoder its two outputs, to add the KL, and to go on
# averaging over the pixels, as `keras.losses.binary_crossentropy` and `nn.MSELoss` do. So that
# is in the race, too, with pixels as coins, so that the average is all in which it differs from
# the negative ELBO. Against the pixels, the KL then counts $P$ times as much. (A factor in front
# of everything does not matter: Adam divides it out.)


# %% jupyter={"source_hidden": true}
def pixels_averaged(images, noise, encoder, decoder):
    """P times the gradients of the mean over pictures of (mean over pixels) + KL."""
    hidden = two_layer_forward(images, *encoder)[0]
    at_outputs = np.hstack(kl_gradients(*encode(images, encoder))) / len(images)
    by_kl = [*hidden_layer_gradients(images, hidden, encoder[2], at_outputs), 0, 0, 0, 0]
    both = zip(vae_gradients(images, noise, encoder, decoder), by_kl, strict=True)
    return [whole + (images.shape[1] - 1) * kl for whole, kl in both]


# %% [markdown]
# We look at three things. The KL of the codes from the prior; the share of pixels outside 0 to 1 in
# pictures from normal codes; and how many *kinds* of digits these pictures show: a linear
# classifier, trained on the real digits, reads them, and $e^{\text{entropy}}$ of its answers counts
# kinds (10 if all ten come equally often, 1 if there is only one).
#
# **Guess first.** Which of the three shows the fewest kinds?


# %% jupyter={"source_hidden": true}
def kinds(pictures, reader):
    """e to the entropy of the classes that a classifier reads in pictures."""
    counts = np.bincount(reader.predict(np.clip(pictures, 0, 1)), minlength=10)
    shares = counts[counts > 0] / counts.sum()
    return np.exp(-np.sum(shares * np.log(shares)))


# %% jupyter={"source_hidden": true}
def measured(network, pictures_of, reader, test, seed):
    outputs = two_layer_forward(test, *network[:4])[1]
    mean, log_variance = np.split(outputs, 2, axis=1) if outputs.shape[1] == 4 else [outputs] * 2
    normal = np.random.default_rng(seed).normal(size=(1000, 2))
    pictures = pictures_of(two_layer_forward(normal, *network[4:])[1])
    outside = np.mean((pictures < 0) | (pictures > 1))
    kl = kl_to_standard_normal(mean, log_variance).mean()
    return [kl, 100 * outside, kinds(pictures, reader)], pictures


# %% jupyter={"source_hidden": true}
RACE = {
    "the article's listing": (listing_gradients, 2, lambda outputs: outputs),
    "KL, pixels averaged": (pixels_averaged, 4, sigmoid),
    "negative ELBO": (vae_gradients, 4, sigmoid),
}


def race(seed):
    from sklearn.linear_model import LogisticRegression

    d = digits.load(seed)
    reader = LogisticRegression(max_iter=300).fit(d.train_images, d.train_labels)
    for name, (gradients_of, outputs, pictures_of) in RACE.items():
        trained = fit(gradients_of, first_network(seed, 2, outputs), d.train_images, seed, 20)
        yield name, *measured(trained, pictures_of, reader, d.test_images, seed)


# %%
runs = [list(race(seed)) for seed in range(5)]
found = {name: np.array([run[n][1] for run in runs]) for n, name in enumerate(RACE)}

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print("five splits:              KL in nats    % outside 0 to 1    kinds of digits")
for name, rows in found.items():
    columns = [f"{c.mean():6.1f} ± {c.std(ddof=1):4.1f}" for c in rows.T]
    print(f"{name:22}", "     ".join(columns))

# %% jupyter={"source_hidden": true}
fewest = min(found, key=lambda name: found[name][:, 2].mean())
assert fewest == "KL, pixels averaged"
assert found["the article's listing"][:, 2].max() < found["negative ELBO"][:, 2].min()

# %%
figures.rows_of_pictures({name: pictures[:12] for name, _, pictures in runs[0]})

# %% [markdown]
# The listing's codes lie far away from the prior: normal codes meet only the edge of what its
# decoder knows, and show few kinds. And its linear outputs are not gray values. But the obvious
# repair shows fewer still. Averaged over the pixels, all the pixels together weigh as much as a
# single one did; the KL wins, every code becomes the prior, and the decoder draws one and the
# same picture: the *collapse* of the codes. Both terms have to be sums, in nats per picture.
# That is no matter of taste: it is what the bound says.

# %% [markdown]
# ## 8 Deeper: the same in Keras
#
# *5 minutes*
#
# In Keras, the sample is a layer that adds its divergence to the loss, and all the rest is
# `compile` and `fit`. `keras.losses.binary_crossentropy` averages over the pixels: you know what
# would happen.


# %%
class Sample(keras.layers.Layer):
    """A code from means and log-variances; its divergence is added to the loss."""

    def __init__(self, seed=0):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, outputs):
        mean, log_variance = keras.ops.split(outputs, 2, axis=1)
        variance = keras.ops.exp(log_variance)
        kl = keras.ops.sum(mean**2 + variance - 1 - log_variance, axis=1) / 2
        self.add_loss(keras.ops.mean(kl))
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.seeds)
        return mean + keras.ops.sqrt(variance) * noise


# %% jupyter={"source_hidden": true}
def picture_loss(images, logits):
    mean_over_pixels = keras.losses.binary_crossentropy(images, logits, from_logits=True)
    return 64 * mean_over_pixels


# %%
keras.utils.set_random_seed(0)
inputs = keras.Input((64,))
hidden = keras.layers.Dense(64, activation="relu")(inputs)
outputs = keras.layers.Dense(16)(hidden)

# %%
decoder = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(64)])
model = keras.Model(inputs, decoder(Sample()(outputs)))
model.compile(keras.optimizers.Adam(0.002), loss=picture_loss)

# %% tags=["nbval-ignore-output"]
history = model.fit(images, images, batch_size=32, epochs=15, verbose=0)
print(f"loss of the first epoch {history.history['loss'][0]:.1f}, of the last ", end="")
print(f"{history.history['loss'][-1]:.1f}; on unseen digits ", end="")
print(f"{model.evaluate(unseen, unseen, verbose=0):.1f} nats a picture")

# %% [markdown]
# Is it our network? With our weights in it, Keras' loss must be ours, up to the noise that each
# draws; and the encoder's part, which has no noise, up to rounding.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
model.set_weights([*eight, *model.get_weights()[8:]])  # what follows is the state of the noise
by_keras = keras.ops.convert_to_numpy(keras.Model(inputs, outputs)(unseen))
compare(np.hstack(encode(unseen, eight)), {"Keras' encoder": by_keras})

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
noise = np.random.default_rng(0).normal(size=(len(unseen), 8))
theirs, mine = model.evaluate(unseen, unseen, verbose=0), our_loss(eight, unseen, noise)
print(f"loss on unseen digits: Keras {theirs:.1f}, ours {mine:.1f}")
assert abs(theirs - mine) < 0.5

# %% [markdown]
# And its encoder as a pretrained base, as in lessons 05 and 06: keep the hidden layer, freeze it,
# put a head on it.

# %%
base = keras.Model(inputs, hidden)
base.trainable = False
classifier = keras.Sequential([base, keras.layers.Dense(10)])

# %%
classifier.compile(
    keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# %% tags=["nbval-ignore-output"]
classifier.fit(images[:100], data.train_labels[:100], epochs=30, verbose=0)
accuracy = classifier.evaluate(unseen, data.test_labels, verbose=0)[1]
print(f"one hundred labels, frozen encoder: {accuracy:.0%} of the unseen digits")

# %% [markdown]
# ## 9 What the encoder is worth
#
# *7 minutes*
#
# The article's title promises deep learning combined with *transfer learning*. But none of its
# three listings transfers anything: three networks are trained from nothing. So let us do what
# it promises. An encoder has seen all the training digits without a label. Then a few labels
# arrive. Does it help to read its features instead of the pixels?
#
# A claim like this needs opponents. All get the same labeled digits and the same linear classifier
# (the softmax regression of lesson 01, with a weak penalty):
#
# - the raw **pixels**: no learning without labels at all;
# - **PCA**, principal component analysis: how far a digit goes in the sixteen directions in which
#   the same unlabeled digits vary most;
# - a **random encoder**: the same hidden layer with its first weights;
# - the **encoder's hidden layer**, 64 features, and its **codes**, the eight means.
#
# And it needs a split that does not leak. Digits that stand together in the file tend to be by
# the same writer; the random split that we have used so far puts writers on both sides. So we
# cut the file into five blocks and test on each in turn: on writers that nobody has seen, the
# encoder included (but for those whose digits a cut may have divided). Labels are drawn three
# times for each block.
#
# **Guess first.** Rank them, for twenty labels in all.


# %% jupyter={"source_hidden": true}
def representations(train, seed):
    """Features of all digits by name, learned without labels on the training block's digits."""
    from sklearn.decomposition import PCA

    random = first_network(seed, 8, 16)
    trained = fit(vae_gradients, random, every[train], seed)
    return {
        "pixels": every,
        "PCA": PCA(16, random_state=0).fit(every[train]).transform(every),
        "random encoder": two_layer_forward(every, *random[:4])[0],
        "VAE, codes": encode(every, trained)[0],
        "VAE, hidden layer": two_layer_forward(every, *trained[:4])[0],
    }


# %% jupyter={"source_hidden": true}
def accuracy_with(features, labeled, train, test):
    """Accuracy on unseen digits of a linear classifier on features, scaled by one number."""
    from sklearn.linear_model import LogisticRegression

    features = features - features[train].mean(axis=0)
    features = features / np.sqrt(np.mean(np.sum(features[train] ** 2, axis=1)))
    model = LogisticRegression(C=10, max_iter=300).fit(features[labeled], classes[labeled])
    return model.score(features[test], classes[test])


# %% jupyter={"source_hidden": true}
def first_of_each_class(order, number):
    """The first examples of each class in the given order."""
    return np.concatenate([order[classes[order] == k][:number] for k in range(10)])


# %% jupyter={"source_hidden": true}
from sklearn.datasets import load_digits

every, classes = load_digits(return_X_y=True)
every = every / 16
blocks = np.array_split(np.arange(len(classes)), 5)
PER_CLASS = [1, 2, 5, 20]

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
scores = {}
for seed, test in enumerate(blocks):
    train = np.setdiff1d(np.arange(len(classes)), test)
    features = representations(train, seed)
    orders = [np.random.default_rng([seed, draw]).permutation(train) for draw in range(3)]
    for name, number in [(name, number) for name in features for number in PER_CLASS]:
        found = [
            accuracy_with(features[name], first_of_each_class(order, number), train, test)
            for order in orders
        ]
        scores.setdefault((name, number), []).append(100 * np.mean(found))


# %% jupyter={"source_hidden": true}
def row(name):
    cells = [scores[name, number] for number in PER_CLASS]
    return " ".join(f"{np.mean(cell):5.1f} ± {np.std(cell, ddof=1):3.1f}" for cell in cells)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print("% of unseen writers' digits,", " ".join(f"{10 * n:4} labels" for n in PER_CLASS))
for name in features:
    print(f"{name:28}", row(name))

# %% [markdown]
# The spread is large, but the opponents met the same blocks and the same labels. So compare block
# by block: the difference of the hidden layer's accuracy and an opponent's, its mean and its
# standard deviation over the five blocks. The rule of lesson 05: it is a difference if it is larger
# than two standard errors. These are more than the standard deviation over $\sqrt 5$, because the
# blocks share most of their training digits.


# %% jupyter={"source_hidden": true}
def gains(opponent, number):
    """Of the hidden layer over an opponent, block by block, in points."""
    return np.subtract(scores["VAE, hidden layer", number], scores[opponent, number])


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for name, number in [(n, k) for n in ("random encoder", "PCA", "pixels") for k in PER_CLASS]:
    gain = gains(name, number)
    mean, spread = gain.mean(), gain.std(ddof=1)
    verdict = "a difference" if abs(mean) > 2 * standard_error(gain, 1 / 5) else "no result"
    print(f"over {name:15}{10 * number:3} labels: {mean:+5.1f} ± {spread:3.1f} points, {verdict}")

# %%
assert gains("random encoder", 1).mean() > 2 * standard_error(gains("random encoder", 1), 1 / 5)

# %% [markdown]
# Read the first four lines, then the last four. Against random weights the encoder has learned
# something that helps, and it helps most where labels are fewest. Against the raw pixels, and
# against PCA, hardly anything is left: perhaps a few points for ten labels, and with many labels
# the pixels are ahead, if anyone is. (Of twelve lines, one or two may pass such a rule by chance.)
# Eight by eight pixels are few, they are aligned, and a linear classifier reads them well: there
# was little to prepare. And the codes, made to draw pictures, read worse on average than the layer
# before them.
#
# So the honest sentence is this: an encoder that is learned without labels is not free accuracy.
# Its loss rewards what *draws* a digit, and nothing says that this is what *names* it. Compare
# it with the raw inputs and with its own first weights before you praise it. (Lesson 05's
# encoder was learned with a million labels, on photographs. Section 9 there asks the same of it:
# what is its lead over raw pixels and over random weights?)

# %% [markdown]
# ## What you have now
#
# - **The loss of a picture**, each pixel a coin, stable in logits:
#   $-\log p(x|z) = \sum \max(a, 0) - a x + \log(1 + e^{-|a|})$. In Keras: $P$ times
#   `binary_crossentropy(x, a, from_logits=True)`.
# - **The divergence**, which keeps the clouds of codes near the prior:
#   $\text{KL} = \frac{1}{2} \sum (m^2 + e^v - 1 - v)$. In Keras: `layer.add_loss`.
# - **The sample**, whose chance is outside, so that gradients pass:
#   $z = m + e^{v/2} \varepsilon$. In Keras: a layer with `keras.random.normal`.
# - **The loss**, minus a lower bound on $\log p(x)$: both terms are sums, and their sum is
#   averaged over the pictures. In Keras: `compile`, `fit(x, x)`.
# - **The gap**, $\text{KL}\big(q(z|x)\, \|\, p(z|x)\big)$: none where the encoder is right.
# - **The worth of an encoder** learned without labels: what it adds to the raw inputs *and* to its
#   own first weights, on a split that does not leak.
#
# Left out: decoders with convolutions (lesson 07 has them), bounds with several samples, priors
# that are learned, and all rivals of this model, which draw sharper pictures.
#
# ### On your own
#
# 1. Weigh the KL with 4, then with ¼, in `vae_gradients`, and draw the rows of pictures again. What
#    changes in the pictures from normal codes, and what in the rebuilt ones?
# 2. Give the autoencoder of section 1 two numbers instead of eight, and drag it:
#    `plane_explorer` takes any decoder and codes. Where are its holes?
# 3. Compute the ELBO of section 6 with the average of the noise (zero) instead of draws. Is it
#    larger or smaller, and is it a bound?
# 4. Fine-tune: put the encoder's two hidden arrays into the two-layer network of lesson 03 and
#    train all of it on fifty labels, against the same network from its first weights.
#
# <details>
# <summary>Answers</summary>
#
# 1. With ¼, the clouds are smaller: rebuilt digits are sharper, and so are drawn ones, but those
#    are further from real digits, for there are holes again. With 4 the codes collapse, as in
#    section 7: for these small gray pictures, a code is not worth four times its price.
# 2. They are hard to find. With two numbers, the codes have to share the plane so closely that
#    little of it is unused. Holes are a matter of dimensions: the more numbers, the smaller the
#    part that true codes fill.
# 3. Larger: the decoder is best at the middle of a cloud. It is no bound any more, because the
#    expectation over $q$ is gone.
# 4. When we tried it (five blocks, four draws of the labels), there was no difference beyond the
#    spread: fine-tuning repairs bad first weights in a network as small as this one.
#
# </details>
#
# ### In practice
#
# - Look at both terms of the loss, always. A KL of zero means that the decoder ignores the code;
#   let the weight of the KL grow from 0 to 1 over the first epochs, or check your sums and means.
# - Draw from the prior, not only rebuilt pictures: only that shows the holes.
# - Choose the likelihood for the data: coins for black and white, a Gaussian *with its variance*
#   for real values.
# - For features to classify with, take the layer before the codes, and compare with raw inputs.
#
# ### Further reading
#
# - D. Kingma, M. Welling, *Auto-Encoding Variational Bayes* (ICLR 2014), sections 2 and 3,
#   appendices B and C.
# - D. Rezende, S. Mohamed, D. Wierstra, *Stochastic Backpropagation and Approximate Inference in
#   Deep Generative Models* (ICML 2014).
# - C. Bishop, *Pattern Recognition and Machine Learning* (2006), sections 2.3 (linear Gaussian
#   models) and 9.4 (the bound).
# - I. Higgins and others, *beta-VAE* (ICLR 2017): a weight on the KL, on purpose.
# - S. Bowman and others, *Generating Sentences from a Continuous Space* (CoNLL 2016): the collapse,
#   and a weight of the KL that grows.
# - G. Loaiza-Ganem, J. Cunningham, *The continuous Bernoulli: fixing a pervasive error in
#   variational autoencoders* (NeurIPS 2019).
