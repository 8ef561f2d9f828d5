# ---
# jupyter:
#   course:
#     title: Start here
#     page: true
#     minutes: 5
#     able: find your way through the course, see how far you have come, and get help
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Transfer Learning from First Principles
#
# ![Three pictures from the lessons. A kernel of nine numbers draws the outlines of a pagoda. A
# network takes three photographs for a palace, a daisy and a military uniform. A plane of
# handwritten digits turns smoothly from one digit into the next.](attachment:start.jpg)
#
# A network that others have trained on a million photographs can learn *your* task from a hundred
# of your own. This course shows why, and when it goes wrong. You derive each formula, write it in
# a few lines of NumPy, and see it agree with finite differences and with Keras. When an answer is
# wrong, the course says which mistake it is, if it knows it, and otherwise shows a call that
# goes wrong. Nothing needs an internet connection or a GPU.
#
# **[Begin with lesson 01, Losses](01_losses.ipynb)**, or first see below what it is about.

# %% [markdown]
# ## Two minutes with a pretrained network
#
# Click into the next cell and press **Shift+Enter**. It takes about twenty seconds.

# %%
from course_lib.learner import first_look

first_look.show()

# %% [markdown]
# **The photographs.** The network has names for a thousand things, and must choose among them.
# Neither a pagoda nor a dahlia is one of them, so it takes what comes nearest.
#
# **The solar cells** were photographed in the light that they give off themselves. The network has
# never seen such a picture, and it has no name for a crack. But what it looks for in photographs
# serves here too: on top of it, a small classifier has learned from cells of other modules, and was
# asked about these twelve. What it got wrong is marked, and nothing was chosen to look well.
#
# **By lesson 06 you know why this works, and when it lies.** Twelve cells prove little. In lesson
# 05 you sort such cells remarkably well without looking at any image, and find out what a good
# score was worth.
#
# (Photographs: danielbuechele and vultilion, CC BY 2.0; U.S. Navy, public domain. Cells: ELPV, CC
# BY-NC-SA 4.0.)

# %% [markdown]
# ## Your progress
#
# In JupyterLab, opened by `course lab`, this table fills in by itself. Elsewhere run the cell.

# %%
from course_lib.learner import start

start.my_progress()

# %% [markdown]
# Every check that you run in JupyterLab or Visual Studio Code adds one line to `progress.jsonl`, a
# text file beside this notebook. It stays on this machine, and a restart of the kernel does not
# touch it. To start again from zero, delete that file in the list on the left, or run
# `course progress --reset` in a terminal.
#
# On Binder everything is lost when the session ends, which may be after ten minutes without a
# click. Download your notebooks before you leave.

# %% [markdown]
# ## Is it for you?
#
# You have written functions and loops in Python, and you have met derivatives, matrices and
# probabilities, perhaps long ago. You need to know nothing of neural networks. Lessons 02 and 03
# also use eigenvalues, and say where. Five questions to find out; answer before you unfold.
#
# **1. NumPy.** `scores` has the shape `(4, 3)`, one row for each example. What is the shape of
# `scores.max(axis=1)`, and what does it hold?
#
# <details>
# <summary>Answer</summary>
#
# `(4,)`: the largest score of each example. If you said `(3,)`, try it; *axis* is the direction
# that disappears, and lesson 01 uses it in every exercise.
#
# </details>
#
# **2. Matrices.** $X$ is of shape $(5, 3)$ and $W$ of shape $(3, 2)$. Which of $XW$ and $WX$ is
# there, and of what shape?
#
# <details>
# <summary>Answer</summary>
#
# $XW$, of shape $(5, 2)$. The two sizes in the middle must agree: 3 and 3, but not 2 and 5.
#
# </details>
#
# **3. Derivatives.** What is the derivative of $(3w - 2)^2$ by $w$?
#
# <details>
# <summary>Answer</summary>
#
# $6\,(3w - 2)$, by the chain rule: $2\,(3w - 2)$ times the inner derivative, $3$. This rule is
# what training a network consists of. If it is rusty, one evening with a textbook is enough.
#
# </details>
#
# **4. Logarithms.** Why is $\log(a \, b \, c)$ easier to work with than $a \, b \, c$?
#
# <details>
# <summary>Answer</summary>
#
# It is the sum $\log a + \log b + \log c$. A sum is differentiated term by term, and it does not
# become too small for a computer, as a product of many probabilities does.
#
# </details>
#
# **5. Probability.** A detector is wrong once in ten, each time independently. How probable is it
# that it gets three cells right?
#
# <details>
# <summary>Answer</summary>
#
# $0.9 \cdot 0.9 \cdot 0.9 = 0.729$. Probabilities of independent events are multiplied.
#
# </details>
#
# Three or more were easy: [begin](01_losses.ipynb). Fewer: begin all the same, and take more time
# for lesson 01. It explains what it uses.

# %% [markdown]
# ## What you will have made
#
# - a reader of handwritten digits that runs on your own loss and your own gradients (lesson 01),
#   then on your own backpropagation (03) and your own Adam (04);
# - a detector of defective solar cells, and an honest account of what its score is worth (05, 06);
# - a network fine-tuned on photographs of yours (06);
# - a whole ImageNet network, run through convolutions that you wrote (07), a reader of words in
#   many languages (08), and a network that invents digits (09);
# - heads, augmentation, an honest evaluation, adaptation to another kind of cell and four kinds of
#   transfer, each beside the control that could refute it (10 to 13);
# - a BERT with published weights that runs on six functions of yours (14);
# - a referee's verdict on twenty claims that you find everywhere, and a page of questions to take
#   home (15).

# %% [markdown]
# ## How a lesson works
#
# A lesson is a notebook like this one: text, and cells with code. To run a cell, click into it and
# press **Shift+Enter**. Run the cells in order, from the top. A line that ends in three dots is
# a collapsed cell, plumbing or a picture: run it like the others; you need not open it. (A click on
# the dots does.)
#
# In an exercise you replace the line `raise NotImplementedError()` by your own code. Run that cell,
# then the one below it, which begins like `mse = check(mse)`. It answers at once:
#
# - **Correct**: go on.
# - **Not right yet**: it names the mistake, if it knows it. Otherwise it says what can be said of
#   your numbers, and shows a call, what it should give and what yours gives. Mostly it is small:
#   compute it by hand. Hints are folded below. Change your code, run both cells again.
# - **Not attempted yet**: the cell above still says `raise NotImplementedError()`.
# - **It stopped with an error**, or **Out of time**: it says in which line, or that a loop never
#   ends.
#
# A red `NameError: name 'mse' is not defined` comes from Python, not from the check: a cell above
# was not run.
#
# You are never stuck. Until your answer is right, the check lends you the course's own function, so
# that the rest of the lesson works, and you can come back later. Nothing that you try is counted
# against you.
#
# Where the text says *Guess first*, write a guess into the field below it before you run the
# cell. It is kept in the notebook, and shown again where the answer stands. (Where there is no
# field, as in Visual Studio Code, take a sheet of paper.) A guess that turns out wrong is what you
# will remember.
#
# Without a mouse, the keys **up** and **down** go from cell to cell, **Enter** goes into a cell and
# **Esc** out of it. **Tab** reaches the links, fields, sliders and folds in and below a cell, and
# **Shift+Enter** goes on from there.
#
# JupyterLab saves your work every two minutes; **Ctrl+S** saves it now.

# %% [markdown]
# ## The lessons
#
# They build on each other, but each one runs on its own. If you know what the first ones teach,
# begin later.
#
# <!-- hours -->
# <!-- /hours -->
#
# <!-- attached picture -->
# <!-- /attached picture -->
#
# <!-- map -->
# <!-- /map -->

# %% [markdown]
# ## Is this machine ready?
#
# The next cell looks at this machine: Python, packages, memory, disk, data, pretrained weights,
# Keras. It takes about ten seconds, the first time up to a minute.
#
# A line that begins with *Fine* is as it should be. A *Note* stops no lesson. What is *Missing*
# does, and the line below it says what to do.

# %%
start.machine()

# %% [markdown]
# ## When you need help
#
# **A cell seems to hang.** While it works, a star stands beside it: `[*]`. Loading Keras takes up
# to twenty seconds, once in each lesson. If a cell goes on for more than a minute, press the square
# above the notebook (*Interrupt the kernel*), and look for a loop in your code that never ends.
#
# **A name is not defined, or results look odd.** Cells may have run in another order than they
# stand in, or the kernel has been restarted. In the menu choose **Run**, then **Restart Kernel and
# Run All Cells**. What you wrote stays; only what was computed is computed again.
#
# **The sliders of a figure do nothing**, have red broken links beside them, or there is only a
# picture. Most of them live as long as the kernel does, so a lesson that you open again has none.
# Click on their cell, choose **Run**, then **Run All Above Selected Cell**, and run that cell too.
#
# **The kernel died.** Memory ran out, most likely. In the menu choose **Kernel**, then **Shut Down
# All Kernels**, open one lesson only, and run it again.
#
# **I cannot find my mistake.** Unfold the hints below the verdict, or ask for them:
# `check(mse, hint=2)` says how to think about it, `check(mse, hint=3)` also where the lesson
# derives it, and `check(mse, hint=4)` also in which line to look, if one change would make your
# function right. If you still cannot find it, look into the solved lesson:
# `course lab --solution 01` in a terminal opens it.
#
# **I want a lesson as it was at first.** In a terminal, `course reset 01` brings back that lesson,
# and keeps your answers in a copy beside it.
#
# **There is a newer version of the course.** Your answers stay if you copy them first: in a
# terminal, in the course's folder, enter
# `cp -r notebooks my-answers && git checkout -- notebooks && git pull`. What you have solved is
# still counted. Your functions are in `my-answers`; put them into the new notebooks where you want
# to go on. Next time, take another name for the copy. In PowerShell, enter the three parts one
# after the other.
#
# **Something is missing or does not start.** Run `course doctor` in a terminal (**File**, **New**,
# **Terminal**). It says the same as the cell above, and what to do.
#
# **I will be without internet.** No lesson needs it. `course fetch`, run while you have it, also
# gets the larger pretrained network, for the lessons that use one.
#
# **The course is wrong, or the page is.** Please report it where you got the course from: the
# lesson, the section, what you did, what you expected, what you saw, and the lines that
# `course doctor` prints.

# %% [markdown]
# ## Glossary, English and Chinese
#
# <!-- glossary -->
# <!-- /glossary -->
