# ---
# jupyter:
#   course:
#     title: Fine-tuning
#     minutes: 95
#     data: [digits, elpv]
#     weights: [resnet50]
#     gpu: true
#     colab: true
#     able: >-
#       freeze and unfreeze layers and prove it, keep batch normalisation from harm, train a head
#       and then the stages below it with layer-wise rates and class weights, and say honestly
#       whether that beats frozen features
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 Fine-tuning
#
# **What you will do.** In lesson 05 the pretrained network was a finished instrument: you read off
# its features and trained a classifier on them. Now you open it. You decide which layers may move,
# protect the ones that break, give each its own speed, and train on solar cells. At the end you
# settle accounts: the same cells, the same splits, against the best frozen features.
#
# **What you will learn**
#
# - what `trainable` does, what `training` does, and why they are confused;
# - why batch normalisation needs protection, and which of two popular ways does not protect it;
# - why old layers should take smaller steps, and how Keras is made to take them;
# - how a frozen prefix, computed once, makes fine-tuning affordable on a laptop;
# - when a difference between two accuracies is a difference.
#
# **What you need.** Lessons 02 to 05. The images of solar cells and a pretrained network come with
# the course's extra `offline`; no network, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 Two switches | 10 |
# | 2 Which layers may move | 10 |
# | 3 Counting what is trained | 7 |
# | 4 Batch normalisation at inference | 10 |
# | 5 Batch normalisation remembers | 18 |
# | 6 Weights for rare classes | 8 |
# | 7 Smaller steps for older layers | 10 |
# | 8 What is frozen is computed once | 10 |
# | 9 The reckoning | 12 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function.

# %% [markdown]
# The next cell loads the tools. Two settings in the environment, made before you start JupyterLab,
# change the amount of work: with `COURSE_FULL=1` section 9 takes larger images, more splits and one
# more control (half an hour on a laptop), with `COURSE_QUICK=1` a few cells only, to see whether
# all runs.

# %%
import itertools
import logging
import os
from dataclasses import replace

from course_lib import settings

FULL, QUICK = settings.full(), settings.quick()
# Plumbing: TensorFlow reports errors only. oneDNN trains faster, but rounds as the processor likes.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="1" if FULL else "0")

import keras
import numpy as np
from IPython.display import Markdown

from course_lib.data import digits, elpv
from course_lib.exercises import check
from course_lib.ledger import ledger
from course_lib.plots import fine_tuning as figures
from course_lib.transfer import backbones, devices, features, finetune, layerwise

logging.getLogger("tensorflow").setLevel("ERROR")  # plumbing: it warns of compiling many models
number = keras.ops.convert_to_numpy

# %% [markdown]
# ## 1 Two switches
#
# *10 minutes*
#
# Before any image, a network of four units. `base` stands for what was pretrained, `head` for what
# is new. `calling` is what we pass when we call the base; you will see why.


# %%
def toy(**calling):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="relu", name="dense")(inputs)
    base = keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(hidden), name="base")
    outside = keras.Input((3,))
    logits = keras.layers.Dense(2, name="head")(base(outside, **calling))
    return keras.Model(outside, logits)


# %%
rng = np.random.default_rng(0)
x, y = rng.normal(size=(64, 3)), rng.integers(0, 2, 64)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def moved(model):
    """Names of the weights that an epoch of training changes."""
    model.compile(keras.optimizers.SGD(0.125), loss)
    before = [number(weight).copy() for weight in model.weights]
    model.fit(x, y, verbose=0)
    pairs = zip(model.weights, before, strict=True)
    return {w.path for w, old in pairs if not np.array_equal(number(w), old)}


# %% [markdown]
# **The first switch** is a property of a layer: `trainable`. Freeze the base, and its weights do
# not move. Not a little: not at all.

# %% tags=["nbval-check-output"]
model = toy()
model.get_layer("base").trainable = False
frozen = moved(model)
assert frozen == {"head/kernel", "head/bias"}
print("base frozen:", sorted(frozen))
print("all free:   ", sorted(moved(toy())))

# %% [markdown]
# `moved` compiles the model anew each time, and for a reason. Freeze layers of a model that has
# been trained, call `fit` again without `compile`, and what happens depends on the machinery below
# Keras: TensorFlow goes on as before, without a word; JAX stops with an error; PyTorch obeys. So
# always in this order: freeze, compile, fit.
#
# **The second switch** is an argument of a call: `training`. It freezes nothing. It tells the
# layers that behave differently in training to do so. We meet two of them: dropout (lesson 02), and
# batch normalisation.
#
# **Guess first.** A frozen dropout layer is called with `training=True`. Does it drop?

# %%
ones = np.ones((1, 1000))
dropout = keras.layers.Dropout(0.25, seed=0)
dropout.trainable = False

# %% tags=["nbval-check-output"]
for training in (True, False):
    share = np.mean(number(dropout(ones, training=training)) == 0)
    print(f"dropout, frozen, training={training!s:5}  drops anything: {share > 0}")

# %% [markdown]
# It does: to freeze is one thing, to be in training is another. And now the exception that causes
# all the confusion.
#
# **Guess first.** Then a frozen *batch normalisation* with `training=True`?

# %%
norm = keras.layers.BatchNormalization()
norm.build((None, 3))

# %% tags=["nbval-check-output"]
for trainable in (True, False):
    norm.trainable = trainable
    same = np.allclose(number(norm(x, training=True)), number(norm(x, training=False)))
    print(f"trainable={trainable!s:5}  the same in training and at inference: {same}")

# %% [markdown]
# For this one layer, `trainable=False` throws the second switch as well: frozen, it always behaves
# as at inference. Keras decided so (in PyTorch you have to call `.eval()`). Sections 4 and 5 show
# what these two behaviours are, and why the decision is a blessing.

# %% [markdown]
# ## 2 Which layers may move
#
# *10 minutes*
#
# Early layers of a network that saw a million photographs answer to edges and textures. Solar cells
# have those too. Late layers answer to parts of things, of dogs for instance (Zeiler & Fergus made
# it visible). So one leaves the early ones as they are, replaces the head, and lets move what lies
# between some layer and the head:
#
# $$\text{layer } l \text{ trains} \iff l \ge l_0 \;\text{ and }\; l \text{ is no batch
#   normalisation}$$
#
# (Freeze all layers, unfreeze all, give every layer new random weights: such recipes exist. That is
# training from scratch, with extra steps.)
#
# ### Exercise: `trainable_mask`


# %%
def trainable_mask(layer_names, first_trainable, is_batchnorm):
    """Which layers train: all from the named one to the output, except batch normalisation.

    layer_names: L names, input side first; is_batchnorm: (L,) booleans. Returns (L,) booleans.
    """
    ### BEGIN SOLUTION
    start = list(layer_names).index(first_trainable)
    return (np.arange(len(layer_names)) >= start) & ~np.asarray(is_batchnorm)
    ### END SOLUTION


# %%
trainable_mask = check(trainable_mask)

# %% [markdown]
# Now a real network. The next cell takes ResNet50 if its weights are there or can be fetched, and a
# smaller network with ImageNet weights otherwise, and says which. What is made `accelerated` uses
# the GPU well where there is one, in half precision, and shares the work out where there are
# several. (Without a GPU, ResNet50 takes minutes for what is said to take seconds here, and several
# gigabytes. With `COURSE_OFFLINE=1` in the environment before you start JupyterLab it is the
# smaller network.)

# %% tags=["not-stored", "nbval-ignore-output"]
SIZE = 32 if QUICK else 224 if FULL else 112
print(devices.report())
with devices.accelerated():
    backbone = backbones.load("auto", SIZE)

# %% [markdown]
# Where do we cut? Lesson 05 has found that a stage in the *middle* tells good cells from bad ones
# best. So the head sees such a stage and the one behind it. If there are still later ones, they are
# left out, not fine-tuned. `START` is the last stage that stays frozen.

# %% tags=["nbval-ignore-output"]
START, STAGES = {
    "efficientnet-lite0": ("stage4", ("stage4", "stage5")),
    "resnet50": ("conv4", ("conv4", "conv5")),
}[backbone.name]
MOVING = [stage for stage in STAGES if stage != START]
print(f"{backbone.name}: frozen up to {START}, the head sees {', '.join(STAGES)}")

# %%
network = backbone.up_to(STAGES[-1])
names = [layer.name for layer in network.layers]
is_norm = np.array([isinstance(x, keras.layers.BatchNormalization) for x in network.layers])

# %%
mask = trainable_mask(names, finetune.stage_start(backbone, MOVING[0]), is_norm)
for layer, trains in zip(network.layers, mask, strict=True):
    layer.trainable = bool(trains)

# %% tags=["nbval-ignore-output"]
print(f"{len(names)} layers, {is_norm.sum()} of them normalise")
moving = [layer for layer in network.layers if layer.trainable_weights]
print(f"{len(moving)} have weights that may move, from {moving[0].name} to {moving[-1].name}")
assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in moving)

# %% [markdown]
# ## 3 Counting what is trained
#
# *7 minutes*
#
# How many numbers may training change, with how many labelled images? An array of shape
# $(a, b, \dots)$ holds $a \cdot b \cdots$ numbers, and a single number, of shape $()$, holds one:
#
# $$P = \sum_{i \text{ trains}} \;\prod_j \text{shape}_{ij}$$
#
# ### Exercise: `trainable_parameters`


# %%
def trainable_parameters(shapes, mask):
    """How many numbers training may change.

    shapes: list of tuples, one for each array of weights; mask: as many booleans. Returns an int.
    """
    ### BEGIN SOLUTION
    return sum(int(np.prod(shape)) for shape, trains in zip(shapes, mask, strict=True) if trains)
    ### END SOLUTION


# %%
trainable_parameters = check(trainable_parameters)

# %% [markdown]
# First, two heads for VGG16, whose last maps have 7 by 7 places with 512 channels. One flattens
# them and puts a layer of 1,024 units on top. The other averages over the places and goes straight
# to two classes. Below them lie thirteen convolutions, each of 3 by 3 places from one number of
# channels to the next.
#
# **Guess first.** How many weights has each head, and how many have the convolutions?

# %% tags=["nbval-check-output"]
channels = [3, 64, 64, 128, 128, 256, 256, 256, *[512] * 6]
pairs = itertools.pairwise(channels)
heads = {
    "convolutions": [shape for a, b in pairs for shape in ((3, 3, a, b), (b,))],
    "head, flattened": [(7 * 7 * 512, 1024), (1024,), (1024, 2), (2,)],
    "head, averaged": [(512, 2), (2,)],
}
for name, shapes in heads.items():
    print(f"{name:15} {trainable_parameters(shapes, [True] * len(shapes)):>12,}")

# %% [markdown]
# Some freeze the convolutions so that little is left to train, and then put the first head on top.
#
# Now our own network. What can be trained if we cut at each stage, and what would be trained if we
# forgot batch normalisation?


# %%
def movable(stage, norms_too=False):
    start = names.index(finetune.stage_start(backbone, stage))
    chosen = trainable_mask(names, names[start], is_norm & (not norms_too))
    arrays = [w.shape for layer in network.layers for w in layer.weights if "moving" not in w.path]
    masks = [
        trains
        for layer, trains in zip(network.layers, chosen, strict=True)
        for w in layer.weights
        if "moving" not in w.path
    ]
    return trainable_parameters(arrays, masks)


# %% tags=["nbval-ignore-output"]
for stage in list(backbone.stages)[: list(backbone.stages).index(STAGES[-1]) + 1]:
    print(f"unfrozen from {stage:7} {movable(stage):>10,} weights", end="   ")
    print(f"with batch normalisation {movable(stage, norms_too=True):>10,}")
by_keras = sum(np.prod(w.shape) for w in network.trainable_weights)
print(f"Keras counts {by_keras:,} from {MOVING[0]} on")
assert movable(MOVING[0]) == by_keras

# %% [markdown]
# Two things to see: the last stage holds most of the weights, and batch normalisation adds next to
# none. But what it can spoil is not in this count. It also keeps numbers that no gradient changes,
# and the next two sections are about them.

# %% [markdown]
# ## 4 Batch normalisation at inference
#
# *10 minutes*
#
# Batch normalisation standardizes each channel, like `standardize` in lesson 05, and then lets the
# network choose another mean and deviation, $\beta$ and $\gamma$. In training, mean and variance
# are those of the batch. At inference there may be no batch: one image arrives. So the layer uses
# the mean $m$ and the variance $v$ that it has *stored*:
#
# $$\text{BN}(x) = \gamma\, \frac{x - m}{\sqrt{v + \varepsilon}} + \beta$$
#
# ### Exercise: `batchnorm_inference`
#
# $\varepsilon$ stands inside the root.


# %%
def batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon):
    """Batch normalisation with its stored statistics, one of each for every channel.

    x: (N, K); gamma, beta, moving_mean, moving_variance: (K,). Returns (N, K).
    """
    ### BEGIN SOLUTION
    return gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta
    ### END SOLUTION


# %%
batchnorm_inference = check(batchnorm_inference)

# %% [markdown]
# Against Keras, on a layer with statistics of its own:

# %%
norm = keras.layers.BatchNormalization(epsilon=0.25)
norm.build((None, 3))
gamma, beta, mean, variance = np.array([[2, 1, 3], [0, 1, -1], [0.5, 0, -2], [4, 0.25, 1]])
norm.set_weights([gamma, beta, mean, variance])

# %% tags=["nbval-ignore-output"]
ours = batchnorm_inference(x, gamma, beta, mean, variance, 0.25)
difference = np.abs(ours - number(norm(x, training=False))).max()
print(f"largest difference: {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# The two behaviours differ in kind. **Guess first.** We change the *other* examples of the batch.
# Does the answer for the first one change: at inference, and in training?

# %% tags=["nbval-check-output"]
others = np.vstack([x[:1], x[1:] + 5])
for training in (False, True):
    a, b = (number(norm(batch, training=training))[0] for batch in (x, others))
    print(f"training={training!s:5}  the first answer changes: {not np.allclose(a, b)}")

# %% [markdown]
# In training, every answer depends on the company it is in. In small batches that is noise, and
# fine-tuning often has small batches.

# %% [markdown]
# ## 5 Batch normalisation remembers
#
# *18 minutes*
#
# Where do the stored statistics come from? In training mode, each batch is mixed into them. It is
# the exponential average of lesson 04, with the share $\mu$ that it keeps, called *momentum*:
#
# $$m \leftarrow \mu\, m + (1 - \mu)\, \operatorname{mean}(x) \qquad\qquad
#   v \leftarrow \mu\, v + (1 - \mu)\, \operatorname{var}(x)$$
#
# In Keras the variance is divided by $N$, not by $N - 1$.
#
# ### Exercise: `batchnorm_moving_update`


# %%
def batchnorm_moving_update(moving_mean, moving_variance, batch, momentum):
    """The stored statistics after a batch in training mode, as in Keras.

    moving_mean, moving_variance: (K,); batch: (N, K). Returns (mean, variance), both new.
    """
    ### BEGIN SOLUTION
    return (
        momentum * moving_mean + (1 - momentum) * batch.mean(axis=0),
        momentum * moving_variance + (1 - momentum) * batch.var(axis=0),
    )
    ### END SOLUTION


# %%
batchnorm_moving_update = check(batchnorm_moving_update)

# %% [markdown]
# Three batches through Keras' layer, and through yours:

# %%
norm = keras.layers.BatchNormalization(momentum=0.75)
norm.build((None, 3))
mean, variance = np.zeros(3), np.ones(3)

# %% tags=["nbval-ignore-output"]
for batch in (x[:20], x[20:30] * 3, x[30:] + 1):
    norm(batch, training=True)
    mean, variance = batchnorm_moving_update(mean, variance, batch, 0.75)
stored = {"mean": (mean, norm.moving_mean), "variance": (variance, norm.moving_variance)}
for name, (ours, theirs) in stored.items():
    difference = np.abs(ours - number(theirs)).max()
    print(f"{name:8} largest difference: {difference:.1e}")
    assert difference < 1e-5

# %% [markdown]
# If your exercise was told to have PyTorch's momentum, this table says why. Its column for Keras is
# measured while you read.

# %% tags=["nbval-ignore-output"]
rows = ["batchnorm-momentum", "batchnorm-variance", "batchnorm-epsilon-default", "batchnorm-frozen"]
Markdown(ledger(rows, keras))

# %% [markdown]
# Note what this update is *not*: a step of gradient descent. No loss asks for it, no learning rate
# slows it down. With every batch in training mode, some of what the layer knew is washed out.
#
# ### The switch that does not protect
#
# So batch normalisation must run in inference mode while we fine-tune. A popular recipe does that
# with the second switch, once and for all, when the model is built: `base(inputs, training=False)`.
#
# **Guess first.** The base is unfrozen and trained with `fit`. Do the stored statistics stay?

# %% tags=["nbval-check-output"]
by_call = moved(toy(training=False))
by_layer = toy()
by_layer.get_layer("base").get_layer("norm").trainable = False
by_layer = moved(by_layer)
for name, weights in {"training=False in the call": by_call, "trainable=False": by_layer}.items():
    print(f"{name:27} statistics moved: {'norm/moving_mean' in weights}", end="   ")
    print(f"kernel moved: {'dense/kernel' in weights}")
assert "norm/moving_mean" in by_call
assert not {name for name in by_layer if name.startswith("norm")}

# %% [markdown]
# In Keras 3, `fit` calls the model with `training=True`, and that reaches every layer inside, over
# what the recipe wrote. `trainable=False` **on each batch normalisation layer** protects it, and
# the kernel may still move. (The recipe was right in Keras 2.) Set it last: `base.trainable = True`
# is passed on to every layer inside, and would undo it.
#
# ### What it costs
#
# A network with batch normalisation learns handwritten digits. Then the camera is replaced by one
# with faint pictures on a grey ground, and there are a hundred labels for it. Everything may move,
# but once batch normalisation is protected and once it is not.

# %%
data = digits.load(seed=0)


def pretrained():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((64,))
    for width in (64, 64):
        x = keras.layers.BatchNormalization()(keras.layers.Dense(width)(x))
        x = keras.layers.ReLU()(x)
    model = keras.Model(inputs, keras.layers.Dense(10)(x))
    model.compile(keras.optimizers.Adam(2**-8), loss)
    model.fit(data.train_images, data.train_labels, epochs=3 if QUICK else 15, verbose=0)
    return model


# %%
def faint(images):
    return 0.3 * images + 0.4


def norms(model):
    return [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]


def adapt(model, images, labels, protected):
    for layer in norms(model):
        layer.trainable = not protected
    model.compile(keras.optimizers.Adam(2**-10), loss)
    model.fit(images, labels, batch_size=16, epochs=5, verbose=0)


def accuracy_on_faint(model):
    said = model.predict(faint(data.test_images), verbose=0).argmax(axis=1)
    return np.mean(said == data.test_labels)


# %% tags=["nbval-ignore-output"]
digits_model = pretrained()
start = digits_model.get_weights()
print(f"before fine-tuning: {accuracy_on_faint(digits_model):.0%}")

# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(0)
draws = [rng.choice(len(data.train_labels), 100, replace=False) for _ in range(3)]
tuned = {}
for protected in (True, False):
    for draw, few in enumerate(draws):
        digits_model.set_weights(start)
        images = faint(data.train_images[few])
        adapt(digits_model, images, data.train_labels[few], protected)
        print(f"protected={protected!s:5}  {accuracy_on_faint(digits_model):.0%}")
        tuned[protected, draw] = digits_model.get_weights()

# %% [markdown]
# (Each line is another draw of the hundred labels.) Why? In training mode the layer standardizes
# with the new batches, and the weights learn to live with that. At inference it uses stored
# statistics that are still mostly those of the old camera: with Keras' usual momentum a batch
# replaces one hundredth of them, and there were not many batches. So the network is tested with
# numbers that it was never trained with. Protected, it is trained and tested with the same ones.
#
# If that is the reason, nothing is wrong with the *weights* of the unprotected networks.
#
# **Guess first.** We leave these weights alone and renew only the statistics, from the same hundred
# pictures. What then? And what if we do that to the network before any fine-tuning?


# %%
def renew(model, images):
    """Give batch normalisation the statistics of these images; a momentum of 0 keeps no others."""
    for layer in norms(model):
        layer.trainable, layer.momentum = True, 0.0
    model(images, training=True)
    for layer in norms(model):
        layer.momentum = 0.99


# %% tags=["nbval-ignore-output"]
steps = int(number(digits_model.optimizer.iterations))
print(f"{steps} batches of fine-tuning leave {0.99**steps:.0%} of the old statistics")
for draw, few in enumerate(draws):
    for name, weights in {"not protected": tuned[False, draw], "not trained": start}.items():
        digits_model.set_weights(weights)
        renew(digits_model, faint(data.train_images[few]))
        print(f"{name}, renewed: {accuracy_on_faint(digits_model):.0%}", end="   ")
    print()

# %% [markdown]
# So it was the statistics. And the control says more than we asked: renewed statistics beat
# protection here, without any training, and without labels (Li et al. call that *AdaBN*). This
# camera is a special case, though. It changes brightness and contrast, which is just what
# standardizing undoes; between photographs and solar cells there is more than that. Where batches
# are few and small, the safe rule is to protect batch normalisation. Break it knowingly, and then
# look after what is stored.

# %% [markdown]
# ## 6 Weights for rare classes
#
# *8 minutes*
#
# The images: solar cells, photographed while current makes them glow. Cracks and dead regions
# stay dark. You know them from lesson 05.

# %%
cells = elpv.load(SIZE, every=8 if QUICK else 1)
labels = cells.labels
print(f"{np.mean(labels):.0%} of the cells are defective")

# %% [markdown]
# Two thirds are sound, so a loss that averages over cells cares twice as much for sound ones. If
# that is not what you want, weigh each example by its class, so that every class weighs the same in
# total, and all examples together still weigh $N$. (Keras divides the loss by the number of
# examples, whatever they weigh; PyTorch's cross-entropy divides by their weight.) With $n_c$
# examples of class $c$:
#
# $$w_c = \frac{N}{C\, n_c} \qquad\qquad \sum_c n_c\, w_c = N$$
#
# ### Exercise: `class_weights`
#
# A class that does not occur gets the weight 0.


# %%
def class_weights(labels, num_classes):
    """Weights with which every class counts the same in the loss.

    labels: (N,) integers in 0..C-1. Returns (C,); 0 for a class without examples.
    """
    ### BEGIN SOLUTION
    counts = np.bincount(labels, minlength=num_classes)
    weights = len(labels) / (num_classes * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0)
    ### END SOLUTION


# %%
class_weights = check(class_weights)

# %%
weights = class_weights(labels, 2)
sums = [weights[c] * np.sum(labels == c) for c in (0, 1)]
print(f"sound cells weigh {sums[0]:.1f} together, defective ones {sums[1]:.1f}")
assert np.isclose(sums[0], sums[1])
assert np.isclose(sum(sums), len(labels))

# %% [markdown]
# ### Head first
#
# A head that knows nothing sends senseless gradients down into the stages that we want to keep. So
# it is trained alone first, as a linear probe on frozen features: seconds. `finetune.head` is one
# that standardizes, with dropout and an L2 penalty (lesson 02).
#
# What is frozen is computed once: `maps` are the outputs of the last frozen stage. One model goes
# on from there to the numbers that the head will see.

# %% tags=["nbval-ignore-output"]
BOTH = ("average", "maximum")
tail = finetune.tail(backbone, START, STAGES, BOTH)
maps = features.maps(backbone, cells.images, START).astype("float16")
rows = tail.predict(maps.astype("float32"), batch_size=64, verbose=0)
print(f"{len(maps)} images: maps of shape {maps.shape[1:]}, {rows.shape[1]} numbers for the head")

# %% [markdown]
# Some training cells are set aside for validation: their loss decides when to stop and which epoch
# to keep. `Plan` says how to train; AdamW (lesson 04), warm-up and cosine (lesson 03) are inside.

# %%
split = cells.random_split(seed=0)
shuffled = np.random.default_rng(0).permutation(split.train)
fit, validation = np.split(shuffled, [4 * len(shuffled) // 5])

# %%
HEAD = finetune.Plan(4 if QUICK else 12, batch_size=128, learning_rate=5e-3, patience=4)


def trained_head(weights=None, **parts):
    head = finetune.head(rows[parts["train"]], 2)
    run = finetune.fine_tune(head, [rows], labels, HEAD, class_weights=weights, **parts)
    return head, run


# %% tags=["nbval-ignore-output"]
plain, run = trained_head(train=fit, validation=validation)
print(f"{run.ended} after epoch {len(run.losses)}; the weights are those of {run.best_epoch}")
figures.training_curves(run.losses, run.validation_losses)

# %% [markdown]
# (Keras reports the validation loss without dropout and the training loss with it, so the second
# may lie above the first.) Now the same with class weights.
#
# **Guess first.** Which of these goes up, which goes down: defects found, sound cells rejected?

# %% tags=["nbval-ignore-output"]
weighted, _ = trained_head(class_weights(labels[fit], 2), train=fit, validation=validation)
defective, margins = labels[split.test] == 1, {}
for name, head in {"plain": plain, "weighted": weighted}.items():
    margins[name] = np.diff(head.predict(rows[split.test], verbose=0))[:, 0]
    said = margins[name] > 0
    found, rejected = said[defective].mean(), said[~defective].mean()
    print(f"{name:9} defects found {found:.0%}   sound rejected {rejected:.0%}", end="   ")
    print(f"accuracy {np.mean(said == defective):.0%}   balanced {(found + 1 - rejected) / 2:.0%}")

# %% [markdown]
# (A random split, which lesson 05 has shown to be too kind. It will do to compare two heads.)
#
# **Guess first.** The plain head calls a cell defective where its margin, logit against logit, is
# above 0. We lower that bar until the plain head rejects as many sound cells as the weighted one.
# Which of the two finds more defects then?

# %% tags=["nbval-ignore-output"]
bar = np.quantile(margins["plain"][~defective], 1 - np.mean(margins["weighted"][~defective] > 0))
for name, threshold in {"plain": bar, "weighted": 0.0}.items():
    found, rejected = (np.mean(margins[name][c] > threshold) for c in (defective, ~defective))
    print(f"{name:9} above {threshold:+.2f}: found {found:.0%}   sound rejected {rejected:.0%}")

# %% [markdown]
# Class weights have not made a better head. They have moved it along the curve of lesson 05, from
# the side where it rejects little to the side where it misses little, as another threshold does.
# What a missed crack costs, and what a good cell thrown away, your customer knows, not the loss.
# From here on we report plain accuracy, as the published results do, and so leave the weights out.

# %% [markdown]
# ## 7 Smaller steps for older layers
#
# *10 minutes*
#
# The head is new and has to move far. The stages below it know something already, and the older
# they are (the nearer to the input), the more general it is. So give every group of layers its own
# rate, smaller by one factor $d$ from group to group. For $G$ groups, $g = 0$ at the input:
#
# $$\eta_g = \eta\, d^{\,G - 1 - g}$$
#
# (Sometimes one reads of "a small learning rate for frozen layers". Frozen layers take no steps at
# all: layers like these are meant.)
#
# ### Exercise: `layerwise_learning_rates`


# %%
def layerwise_learning_rates(num_groups, base_learning_rate, decay):
    """A rate for every group of layers, smaller by the factor decay per group to the input.

    Returns (G,), from the input side; the last is base_learning_rate.
    """
    ### BEGIN SOLUTION
    return base_learning_rate * decay ** np.arange(num_groups)[::-1]
    ### END SOLUTION


# %%
layerwise_learning_rates = check(layerwise_learning_rates)

# %% [markdown]
# Your schedule of lesson 03 runs over all groups at once: a warm-up, so that Adam's averages and
# the head can settle before anything moves far, then half a cosine.
#
# With Adam the rate is a length: about how far a weight may move in a step. On the right, the
# lengths of all steps are added up. Move the factor. How much freedom does the older stage keep at
# one tenth?

# %%
figures.rates_explorer()

# %% [markdown]
# Keras' optimizers have one rate. The course's `LayerwiseAdamW` multiplies it, for each variable,
# by a factor. A visible proof: the first step of Adam is as long as the rate, whatever the
# gradient, if there is one (lesson 04). So one step on the toy must show your rates.

# %%
model = toy()
model.get_layer("base").get_layer("norm").trainable = False
rates = layerwise_learning_rates(2, 2**-6, 0.25)
before = {w.path: number(w).copy() for w in model.trainable_weights}

# %%
optimizer = layerwise.LayerwiseAdamW.by_group(2**-6, model, ends=["norm"], decay=0.25)
model.compile(optimizer, loss)
_ = model.train_on_batch(x, y)

# %% tags=["nbval-check-output"]
for path, rate in {"dense/kernel": rates[0], "head/kernel": rates[1]}.items():
    [weight] = [w for w in model.trainable_weights if w.path == path]
    step = np.abs(number(weight) - before[path]).max()
    print(f"{path:13} rate {rate:.6f}   longest step {step:.6f}")
    assert np.isclose(step, rate, rtol=1e-3)

# %% [markdown]
# ## 8 What is frozen is computed once
#
# *10 minutes*
#
# Frozen stages say the same about an image in every epoch. Why compute that in every epoch? Section
# 6 has stored the maps behind the last frozen stage. Fine-tuning can start from there: no image
# passes the first stages again, forwards or backwards.
#
# ### Augmentation, when images are fixed
#
# The usual augmentation draws a new random change for each image in each epoch, and that would
# change the maps. So we take a *finite* set of changes, and store the maps of each.
#
# **Guess first.** Which changes leave a solar cell a possible solar cell? Mirrored, turned by a
# quarter, turned by half, brighter, cut out at random?

# %% tags=["not-stored", "nbval-ignore-output"]
figures.variants_figure(cells.images[np.argmax(labels)], finetune.FLIPS)

# %% [markdown]
# Thin dark lines, the busbars, run across each cell, in all images the same way. Mirroring and a
# half turn keep that; a quarter turn makes cells that never occur. Darkness *is* the defect here,
# so changes of brightness are a risk. And a random cut-out may lose the crack and keep the label.
#
# That leaves four variants. They are one image, not four, and they go where their image goes: a
# variant of a test cell among the training cells would be a leak.

# %% tags=["nbval-ignore-output"]
flipped = [np.flip(cells.images, axes) for axes in finetune.FLIPS.values()]
variants = [features.maps(backbone, images, START).astype("float16") for images in flipped]
print(f"{len(variants)} variants, {sum(v.nbytes for v in variants) / 2**20:.0f} MiB")

# %% [markdown]
# ### The same answers
#
# Start behind the prefix or at the image: the model must say the same. `assemble` builds both from
# the same layers.

# %% tags=["nbval-ignore-output"]
whole = finetune.assemble(backbone, plain, STAGES, BOTH)
top = finetune.assemble(backbone, plain, STAGES, BOTH, start=START)
few = features.maps(backbone, cells.images[:8], START)
by_whole = number(whole(backbone.rgb(cells.images[:8]), training=False))
difference = np.abs(number(top(few, training=False)) - by_whole).max()
print(f"logits differ by at most {difference:.1e}")
assert difference < (1e-3 if backbone.precision == "float32" else 0.1)

# %% [markdown]
# And training from maps moves only what lies behind them. How many weights is that now, with the
# head, and in which groups?

# %% tags=["nbval-ignore-output"]
trained = finetune.unfreeze(top, finetune.stage_start(backbone, MOVING[0]))
print(f"{trained:,} weights train")
for group in layerwise.groups(top, list(backbone.stages.values())):
    print(f"from {group[0].name} to {group[-1].name}: {len(group)} layers")

# %% [markdown]
# ## 9 The reckoning
#
# *12 minutes*
#
# Both sides get the same training cells, the same test cells and the same flips. The split keeps
# the modules apart: everyone is tested on modules not seen before.
#
# ### What the experts were not sure of
#
# So far a cell was sound or defective. The experts did not always know.

# %% tags=["nbval-ignore-output"]
probability = cells.probability
for value in np.unique(probability):
    print(f"probability of a defect {value:.2f}: {np.sum(probability == value):5} cells")

# %% [markdown]
# To learn "sound" from a cell of 1/3 as firmly as from a cell of 0 is to learn the toss of a coin
# by heart. The cross-entropy of lesson 01 needs no toss. In the place of one class it takes a
# target $t_{nc}$ for each class: how probable the class is, by all that is known. So does
# `fine_tune`, with a row for each cell:
#
# $$L = -\frac{1}{N} \sum_n \sum_c t_{nc} \log p_{nc}$$

# %%
targets = np.stack([1 - probability, probability], axis=1)

# %% [markdown]
# This is for learning only. In the test a cell is what it was: defective if the probability is
# above one half, as in the published results.
#
# ### The opponent
#
# Frozen features as lesson 05 liked them best: averages and maxima of several stages from the
# middle on, with an RBF support vector machine. So that we do not praise fine-tuning for what the
# flips or the doubts did, the SVM gets both. Each feature is averaged over the flips, and a
# doubtful cell is shown as sound *and* as defective, with its targets as weights. (Its `C` was
# chosen on modules that were cut from the training cells.)


# %%
def svm(rows, split):
    """How defective an RBF-SVM finds each test cell, above 0: more than not; rows: (N, F)."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    twice, classes = np.tile(split.train, 2), np.repeat([0, 1], len(split.train))
    model = make_pipeline(StandardScaler(), SVC(C=3.0))
    model.fit(rows[twice], classes, svc__sample_weight=targets[twice, classes])
    return model.decision_function(rows[split.test])


# %%
def seen(model, variants):
    """What a model makes of the maps of all cells in each variant: (V, N, F)."""
    parts = [slice(i, i + 512) for i in range(0, len(cells.images), 512)]  # to save memory

    def rows(maps):
        return model.predict(maps.astype("float32"), batch_size=64, verbose=0)

    return np.stack([np.concatenate([rows(v[part]) for part in parts]) for v in variants])


# %% tags=["nbval-ignore-output"]
LATE = [stage for stage in backbone.stages if stage >= START and stage[-1].isdigit()]
frozen = seen(finetune.tail(backbone, START, LATE, BOTH), variants)
print(f"{frozen.shape[-1]} features of {', '.join(LATE)}")

# %% [markdown]
# ### The challenger
#
# Fine-tuning, all of it: head first, on all training cells now; then the stages, from stored maps,
# with layer-wise rates, warm-up, cosine and AdamW. What the head sees of a test cell is averaged
# over the flips, too.
#
# One thing is still unequal. A linear head is no SVM, and we want to compare features, not
# classifiers. So in the end the *same* SVM also takes the place of the head. The opponent keeps one
# advantage: its features are of more stages.


# %%
def head_first(before, split, seed):
    """A linear head, trained on what it sees of the training cells; before: (V, N, F)."""
    head = finetune.head(before[0][split.train], 2)
    plan = replace(HEAD, seed=seed)
    finetune.fine_tune(head, before, targets, plan, train=split.train)
    return head


# %% [markdown]
# How long, and how fast? The small images and the few epochs are there to save your time. The rates
# were tried, with the smaller network, on cells cut from the training cells of the first split as
# its test cells are: by module or, for the random split of the full mode, at random. Cut at random,
# a larger rate did better; by module it did worse. (Neither by two standard errors: enough to
# choose, not to conclude.)

# %%
EPOCHS = 1 if QUICK else 10 if FULL else 3
RATES = {"modules apart": 1e-3, "random split": 1e-3 if backbone.name == "resnet50" else 3e-3}


def fine_plan(kind, seed):
    """How to fine-tune for a kind of split."""
    return finetune.Plan(epochs=EPOCHS, learning_rate=RATES[kind], layer_decay=0.7, seed=seed)


def fine_tuned(network, variants, before, split, plan, saved=None):
    """A head and the network's weights, fine-tuned on the training cells."""
    pretrained = network.model.get_weights()
    head = head_first(before, split, plan.seed)
    model = finetune.assemble(network, head, STAGES, BOTH, start=START)
    finetune.unfreeze(model, finetune.stage_start(network, MOVING[0]))
    ends = list(network.stages.values())
    run = finetune.fine_tune(
        model, variants, targets, plan, train=split.train, ends=ends, checkpoint=saved
    )
    tuned = network.model.get_weights()
    network.model.set_weights(pretrained)
    if run.ended == "interrupted":
        raise KeyboardInterrupt
    return head, tuned


# %%
def seen_after(network, tuned, variants):
    """What a head sees of all cells, averaged over the flips, with these weights."""
    pretrained = network.model.get_weights()
    network.model.set_weights(tuned)
    rows = seen(finetune.tail(network, START, STAGES, BOTH), variants).mean(axis=0)
    network.model.set_weights(pretrained)
    return rows


# %% [markdown]
# **Guess first.** Who wins, and by how many cells in a hundred?

# %%
SEEDS = range(3 if FULL else 1)
KINDS = {"modules apart": cells.module_split}
if FULL:
    KINDS["random split"] = cells.random_split
RUNS = [(kind, KINDS[kind](seed), seed) for kind, seed in itertools.product(KINDS, SEEDS)]
found = {kind: {} for kind in KINDS}  # by method and seed, how defective each test cell is


def note(kind, method, seed, margin):
    found[kind].setdefault(method, {})[seed] = margin


# %% tags=["nbval-ignore-output"]
before = frozen[..., : rows.shape[1]]  # of the stages that the head sees
for kind, split, seed in RUNS:
    head = head_first(before, split, seed)
    margin = np.diff(head.predict(before.mean(axis=0)[split.test], verbose=0))[:, 0]
    note(kind, "all called sound", seed, np.full(len(split.test), -1.0))
    note(kind, "frozen, linear head", seed, margin)
    note(kind, "frozen, SVM", seed, svm(frozen.mean(axis=0), split))

# %% [markdown]
# And fine-tuning. It takes a quarter of a minute or so; a bar tells how far it is. (In the full
# mode it takes most of the half hour. There each epoch is saved in the folder of the cache:
# interrupt it, run the cell again, and it goes on.)


# %%
def saved(kind, seed):
    name = f"{backbone.name}-{SIZE}-{kind}-{seed}.npz".replace(" ", "-")
    return features.cache_folder() / "lesson06" / name if FULL else None


# %% tags=["nbval-ignore-output"]
challengers = {
    (kind, seed): fine_tuned(
        backbone, variants, before, split, fine_plan(kind, seed), saved(kind, seed)
    )
    for kind, split, seed in RUNS
}

# %% tags=["nbval-ignore-output"]
for kind, split, seed in RUNS:
    head, tuned = challengers[kind, seed]
    after = seen_after(backbone, tuned, variants)
    margin = np.diff(head.predict(after[split.test], verbose=0))[:, 0]
    note(kind, "fine-tuned, head", seed, margin)
    note(kind, "fine-tuned, SVM", seed, svm(after, split))

# %% [markdown]
# In the full mode there is one more control, for each kind of split: the same network with *random*
# weights, treated the same way. It tells whether these are features of ImageNet at all.

# %% tags=["nbval-ignore-output"]
if FULL:
    with devices.accelerated():
        control = backbones.load(backbone.name, SIZE, weights="random")
    drawn = [features.maps(control, images, START).astype("float16") for images in flipped]
    first = seen(finetune.tail(control, START, STAGES, BOTH), drawn)
    for kind, split, seed in RUNS[:: len(SEEDS)]:
        file = saved(f"random weights {kind}", seed)
        _, tuned = fine_tuned(control, drawn, first, split, fine_plan(kind, seed), file)
        note(kind, "random weights, SVM", seed, svm(seen_after(control, tuned, drawn), split))

# %% [markdown]
# ### Who is ahead

# %% tags=["nbval-ignore-output"]
TESTED = {(kind, seed): split.test for kind, split, seed in RUNS}


def right(kind, method):
    """Whether the test cells were judged rightly, an array of booleans for each split."""
    margins = found[kind][method].items()
    return [(margin > 0) == labels[TESTED[kind, seed]] for seed, margin in margins]


# %% tags=["nbval-ignore-output"]
scores = {
    kind: {method: np.array([np.mean(hits) for hits in right(kind, method)]) for method in methods}
    for kind, methods in found.items()
}
figures.scores_figure(scores, tested=len(split.test))

# %% [markdown]
# The bars are standard errors: with $n$ test cells and an accuracy $p$, chance alone moves the
# accuracy by $\sqrt{p (1 - p) / n}$. (In the full mode, upright ticks show the single splits.) But
# both methods were asked about the *same* cells, and where both are right, or both wrong, there is
# nothing to compare. What counts are the cells on which they disagree. If one alone is right on
# $b$ of them and the other alone on $c$:
#
# $$\text{difference} = \frac{b - c}{n} \qquad\qquad
#   \text{standard error} \approx \frac{\sqrt{b + c}}{n}$$

# %% tags=["nbval-ignore-output"]
for kind, method in itertools.product(found, ("fine-tuned, head", "fine-tuned, SVM")):
    ours, theirs = (np.concatenate(right(kind, m)) for m in (method, "frozen, SVM"))
    b, c, n = np.sum(ours & ~theirs), np.sum(~ours & theirs), len(ours)
    verdict = "a difference" if abs(b - c) > 2 * np.sqrt(b + c) else "no result"
    gains = 100 * (scores[kind][method] - scores[kind]["frozen, SVM"])
    print(f"{kind}, {method} against frozen, SVM: {b} cells to {c}, ", end="")
    print(f"{100 * (b - c) / n:+.1f} ± {100 * np.sqrt(b + c) / n:.1f} points: {verdict}")
    print("   split by split:", " ".join(f"{gain:+.1f}" for gain in gains))

# %% [markdown]
# Be strict: less than two standard errors is no result. And take even more than two as a hint, not
# as a proof: cells of one module tend to fail together, which this standard error does not know.
# That is what the other splits of the full mode are for. A gain that changes its sign from split to
# split is none.
#
# ### Beside the accuracy
#
# Accuracy has a ceiling here that no network can lift: what is right for a cell of 1/3 or 2/3? So
# here are the same answers once more, for the cells of which the experts were sure, and the area
# under the curve of lesson 05, which needs no threshold.


# %%
def area(margin, test):
    """Area under the curve, from 0 to 1."""
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(labels[test], margin)


def average(values):
    """Mean over the splits in percent and, of several, their standard deviation."""
    spread = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{spread} %"


# %% tags=["nbval-ignore-output"]
sure = (probability == 0) | (probability == 1)
for kind, method in [(kind, name) for kind, methods in found.items() for name in methods]:
    tests = [TESTED[kind, seed] for seed in found[kind][method]]
    hits = zip(tests, right(kind, method), strict=True)
    certain = [np.mean(hit[sure[test]]) for test, hit in hits]
    margins = found[kind][method].values()
    areas = [area(margin, test) for margin, test in zip(margins, tests, strict=True)]
    print(f"{kind}, {method}: {average(scores[kind][method])}", end=", ")
    print(f"of the sure cells {average(certain)}, area {average(areas)}")

# %% [markdown]
# Frozen features are the bar, and it is not a low one. Give the SVM the same flips and the same
# doubts, and what is left for fine-tuning is small: one split of small images can hardly show it,
# and the full mode has six splits of larger ones. Look there at the two kinds of split, too. The
# random one flatters everybody, for it asks about modules that it has shown.

# %% [markdown]
# ## What you have now
#
# - Two switches: `trainable` says who may learn, `training` says how layers behave. Only for batch
#   normalisation does the first throw the second.
# - A rule for batch normalisation in Keras 3: `trainable=False` on each such layer, before you
#   compile. `training=False` in the call protects nothing.
# - A recipe: head first on frozen features; then a few stages, from stored maps, with smaller rates
#   for older ones, warm-up and cosine, flips that the objects allow, and labels no surer than the
#   experts were.
# - A habit: the same splits for both sides, a control for each trick, and the standard error beside
#   the difference.
#
# Left out: unfreezing the whole network, and adapters and low-rank updates.

# %% [markdown]
# ### On your own
#
# - Set `SIZE` to 128 and `EPOCHS` to 5, for which you wait half a minute longer. Is fine-tuning
#   ahead now? And with another `seed` in `fine_plan`?
# - Unfreeze one stage more. Is it better, and is the difference larger than its standard error?
# - In section 5, replace the faint pictures by negatives, `0.55 - 0.3 * images`. Why do new
#   statistics not help now? How many epochs does it take, protected or not?
# - How much were the doubts worth? Take `np.eye(2)[labels]` for the targets, which changes both
#   sides.
# - Put your own images into a folder with a folder for each class, and load them with
#   `course_lib.data.folder`.
# - Interrupt a training (the square button). What does it say, and which weights do you have? Then
#   pass `checkpoint=` to `fine_tune` and do it again.
#
# ### In practice
#
# - Start with frozen features. They take seconds and set the bar.
# - If fine-tuning does not learn, look at batch normalisation and at the rate of the head first.
# - If it learns and then forgets, the rates of the older stages are too large.
# - Choose epochs and rates on validation data that are cut as the test data are: by module, by
#   patient, by day.
# - Say how many splits you used and what the spread was. One split is an anecdote.
#
# ### Further reading
#
# - Zeiler & Fergus, *Visualizing and understanding convolutional networks*, 2014.
# - Yosinski, Clune, Bengio & Lipson, *How transferable are features in deep neural networks?*,
#   2014.
# - Ioffe & Szegedy, *Batch normalization*, 2015.
# - Li, Wang, Shi, Liu & Hou, *Revisiting batch normalization for practical domain adaptation*,
#   2016: new statistics and nothing else.
# - Howard & Ruder, *Universal language model fine-tuning for text classification*, 2018: layer-wise
#   rates and gradual unfreezing.
# - Loshchilov & Hutter, *Decoupled weight decay regularization*, 2019.
# - Kornblith, Shlens & Le, *Do better ImageNet models transfer better?*, 2019.
# - Deitsch et al., *Automatic classification of defective photovoltaic module cells in
#   electroluminescence images*, 2019: the data, and the first results on them.
