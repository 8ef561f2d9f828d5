# ---
# jupyter:
#   course:
#     title: Text
#     minutes: 88
#     after: ["01", "05", "06"]
#     weights: [minilm]
#     able: >-
#       cut text into pieces, write attention and the other parts of a transformer, run a real BERT
#       on your own functions, and say at how many labels its features beat counting words, and for
#       which tasks they are worth nothing
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 14 Text
#
# Here are some sentences from the documentation of four libraries. A student who has read a few
# thousand pages of English needs to see perhaps five of each to tell which library the next one
# comes from. A model that counts words needs hundreds. All articles say that BERT is the student.
# Is it, and for which tasks?
#
# **What you will do.** You write the parts of a transformer one by one. At the end *your functions
# are BERT*: a real encoder with 22 million published weights runs on them. Then you measure what
# its features are worth, against controls.
#
# **What you will learn**
#
# - how text becomes numbers, and what a model does with a word that it has never seen;
# - what attention computes, and why it is scaled and masked;
# - what masked and next-token pretraining are;
# - from how many labels on counting words is as good as BERT, and a task on which BERT is worse
#   than a network that has learnt nothing.
#
# **What you need.** Lessons 01, 05 and 06. No internet connection, no GPU. The encoder comes with
# the packages; where it is missing, the lesson says so and runs on small first weights.
#
# | section | minutes |
# |---|---|
# | 1 Words in pieces | 13 |
# | 2 Who looks at whom | 17 |
# | 3 A token's own scale | 10 |
# | 4 A soft switch | 8 |
# | 5 One vector for a text | 12 |
# | 6 Guess the hidden word | 12 |
# | 7 Few labels | 10 |
# | 8 The top layer, trained | 6 |
#
# **How the exercises work.** As before: write the body of a function, run the cell below it, read
# the verdict. If you get stuck, go on: the check lends you the course's own function. A good place
# to break off is after section 5.

# %%
import os

# Plumbing: TensorFlow reports errors only; one thread is fastest for small matrices.
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", OPENBLAS_NUM_THREADS="1")

import numpy as np
from scipy.special import erf

# %%
from course_lib.data import docstrings
from course_lib.errors import CourseError
from course_lib.exercises import check
from course_lib.foundations.losses import softmax
from course_lib.transfer import minilm, tokens
from course_lib.transfer import text as encoders

# %% [markdown]
# ## 1 Words in pieces
#
# *13 minutes*
#
# A network computes with numbers, so each word needs a row of a table. A table of all words would
# have no row for the word that was coined yesterday. BERT's has 30,522 rows: common words, and
# *pieces*, of which longer words are made. A piece that stands inside a word begins with `##`.
#
# **Guess first.** How is "unaffable" cut, if the table has un, ##aff, ##able, ##a and ##f?
#
# ### Exercise: `wordpiece`
#
# Go from the left. At each place take the *longest* piece that the table has. If there is none,
# the whole word is `["[UNK]"]`.


# %%
def wordpiece(word, vocabulary):
    """The pieces of a word, from the left, each as long as possible; else ["[UNK]"].

    word: a string, not empty. vocabulary: a set of pieces. Returns a list of strings.
    """
    ### BEGIN SOLUTION
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces
    ### END SOLUTION


# %%
wordpiece = check(wordpiece)

# %%
vocabulary = tokens.vocabulary()
for word in ("network", "overfitting", "backpropagation", "zzyzx"):
    print(f"{word:16}", *wordpiece(word, set(vocabulary)))

# %% [markdown]
# ## 2 Who looks at whom
#
# *17 minutes*
#
# The row of "bank" is the same in "river bank" and in "bank account". What it means here, the
# other words say. So each token asks a question (its *query*), each has a label on its door (its
# *key*) and something to tell (its *value*). How well a query fits a key is their dot product.
#
# ### Exercise: `attention`
#
# Each token gets a mixture of the values. The shares of a row sum to 1, are larger the better query
# and key fit, and padding has none of them. What must be done to dot products of $D$ numbers, so
# that their size does not grow with $D$? `softmax` of lesson 01 is at hand.


# %%
def attention(queries, keys, values, mask):
    """One head of scaled dot-product attention.

    queries, keys, values: (T, D). mask: (T,) 1 for real tokens, 0 for padding; it hides keys.
    Returns (T, D).
    """
    ### BEGIN SOLUTION
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    return softmax(np.where(mask > 0, scores, -np.inf)) @ values
    ### END SOLUTION


# %%
attention = check(attention)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula, and why the root</summary>
#
# $$A = \text{softmax}\left(\frac{Q K^T}{\sqrt{D}} + M\right) V$$
#
# with $M = -\infty$ in the columns of padding, whose exponential is 0. For independent numbers of
# mean 0 and variance 1 each product of two has variance 1, and the sum of $D$ of them has variance
# $D$: deviation $\sqrt D$. Undivided, a softmax over such scores is nearly all on one token, and
# its gradient nearly 0.
#
# </details>

# %% [markdown]
# ## 3 A token's own scale
#
# *10 minutes*
#
# ### Exercise: `layer_norm`
#
# Each token with mean 0 and variance 1, whatever the others are; then column by column stretched by
# gamma and moved by beta. Epsilon is added to the variance, before the root.


# %%
def layer_norm(x, gamma, beta, epsilon):
    """Each row with mean 0 and variance 1, times gamma, plus beta.

    x: (T, D). gamma, beta: (D,). epsilon: a number. Returns (T, D).
    """
    ### BEGIN SOLUTION
    centered = x - x.mean(axis=1, keepdims=True)
    variance = (centered**2).mean(axis=1, keepdims=True)
    return gamma * centered / np.sqrt(variance + epsilon) + beta
    ### END SOLUTION


# %%
layer_norm = check(layer_norm)

# %% [markdown]
# <details>
# <summary>Unfold when you have tried: the formula</summary>
#
# $$y_{tj} = \gamma_j \frac{x_{tj} - m_t}{\sqrt{s_t^2 + \varepsilon}} + \beta_j$$
#
# with mean $m_t$ and variance $s_t^2$ over the $D$ numbers of token $t$.
#
# </details>

# %% [markdown]
# ## 4 A soft switch
#
# *8 minutes*
#
# ### Exercise: `gelu`
#
# ReLU multiplies by 0 or 1. GELU multiplies $x$ by the probability that a standard normal number is
# below $x$, which is $\frac12 (1 + \text{erf}(x / \sqrt2))$. `erf` is at hand.


# %%
def gelu(x):
    """x times the probability that a standard normal number is below x; any shape."""
    ### BEGIN SOLUTION
    return x * (1 + erf(x / np.sqrt(2))) / 2
    ### END SOLUTION


# %%
gelu = check(gelu)

# %% [markdown]
# ## 5 One vector for a text
#
# *12 minutes*
#
# ### Exercise: `mean_pool`
#
# The mean of the real tokens, brought to length 1, so that a dot product of two texts is a cosine.


# %%
def mean_pool(tokens, mask):
    """The mean of the real tokens, of length 1.

    tokens: (T, D). mask: (T,) 1 for real tokens, 0 for padding. Returns (D,).
    """
    ### BEGIN SOLUTION
    mean = tokens[mask > 0].mean(axis=0)
    return mean / np.linalg.norm(mean)
    ### END SOLUTION


# %%
mean_pool = check(mean_pool)

# %% [markdown]
# You have all parts. A layer of BERT is attention in several heads and two dense layers, each added
# to what was there and normalized. The next cell is the whole encoder, and it calls nothing but
# your functions.

# %%
EPSILON = 1e-12


def dense(x, pair):
    return x @ pair[0] + pair[1]


def layer(x, mask, w, heads):
    split = [np.split(dense(x, pair), heads, axis=1) for pair in (w.query, w.key, w.value)]
    mixed = np.concatenate(
        [attention(*of_head, mask) for of_head in zip(*split, strict=True)], axis=1
    )
    x = layer_norm(x + dense(mixed, w.mixed), *w.mixed_norm, EPSILON)
    return layer_norm(x + dense(gelu(dense(x, w.inner)), w.outer), *w.outer_norm, EPSILON)


def bert(w, ids, mask):
    x = layer_norm(w.words[ids] + w.positions[: len(ids)], *w.norm, EPSILON)
    for of_layer in w.layers:
        x = layer(x, mask, of_layer, w.heads)
    return x


# %%
try:
    weights, encoder = minilm.minilm_weights(), encoders.load()
except CourseError as error:
    print(error, "Until then this lesson runs on first weights and leaves out sections 7 and 8.")
    weights, encoder = minilm.random_weights(), None

# %% [markdown]
# Witness: the same weights in Keras' own layers.

# %%
SENTENCES = ["A cat sits on the mat.", "The kitten is resting on a rug.", "Tax law is complicated."]
rows = [[vocabulary[piece] for piece in tokens.pieces(s, vocabulary)] for s in SENTENCES]
ids = tokens.padded(rows)
vectors = np.array([mean_pool(bert(weights, row, row != 0), row != 0) for row in ids])
if encoder is not None:
    assert np.allclose(vectors, encoders.embedded(encoder, SENTENCES), atol=1e-5)

# %% tags=["nbval-ignore-output"]
print(np.round(vectors @ vectors.T, 2))

# %% [markdown]
# ## 6 Guess the hidden word
#
# *12 minutes*
#
# Where do the weights come from? BERT was shown text in which some tokens were hidden, and had to
# guess them: *masked* pretraining. GPT guesses the *next* token, and may look to the left only.
#
# ### Exercise: `masked_token_loss`


# %%
def masked_token_loss(logits, targets, masked):
    """Mean cross-entropy over the places where a token was hidden.

    logits: (T, V). targets: (T,) integers. masked: (T,), 1 where hidden. Returns a number.
    """
    ### BEGIN SOLUTION
    top = logits.max(axis=1, keepdims=True)
    log_sums = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    losses = log_sums - logits[np.arange(len(targets)), targets]
    return losses[masked > 0].mean()
    ### END SOLUTION


# %%
masked_token_loss = check(masked_token_loss)

# %% [markdown]
# ## 7 Few labels
#
# *10 minutes*

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

texts, fields = docstrings.load(150)

# %%
counts = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
features = {"TF-IDF": (counts, 10)}
if encoder is not None:
    for name, source in {"MiniLM": encoder, "first weights": encoders.load("random")}.items():
        scaled = StandardScaler().fit_transform(encoders.embedded(source, texts, longest=48))
        features[name] = (scaled, 0.05)


# %%
def probe(name, labels, number, draw):
    x, strength = features[name]
    order = np.random.default_rng(draw).permutation(len(labels))
    train, test = order[:number], order[-200:]
    model = LogisticRegression(C=strength, max_iter=2000).fit(x[train], labels[train])
    return model.score(x[test], labels[test])


# %% tags=["nbval-ignore-output"]
for name in features:
    means = [np.mean([probe(name, fields, n, d) for d in range(5)]) for n in (20, 50, 100, 400)]
    print(f"{name:14}", *(f"{mean:.2f}" for mean in means))

# %% [markdown]
# A task on which pretraining is worth nothing: does the text end with a period?

# %% tags=["nbval-ignore-output"]
period = np.array([text.endswith(".") for text in texts]).astype(int)
print(f"majority {period.mean():.2f}")
for name in features:
    means = [np.mean([probe(name, period, n, d) for d in range(5)]) for n in (50, 400)]
    print(f"{name:14}", *(f"{mean:.2f}" for mean in means))

# %% [markdown]
# ## 8 The top layer, trained
#
# *6 minutes*

# %% [markdown]
# ## What you have now
