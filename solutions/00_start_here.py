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
# # Start here
#
# This course derives the formulas behind training neural networks, and then uses them for transfer
# learning. You write each formula yourself, in a few lines of NumPy. You see it agree with finite
# differences and with Keras. When an answer is wrong, the course says which mistake it is, if it
# knows it, and otherwise shows a small call that goes wrong.
#
# On this page:
#
# - [How a lesson works](#How-a-lesson-works)
# - [The lessons](#The-lessons)
# - [Your progress](#Your-progress)
# - [Is this machine ready?](#Is-this-machine-ready?)
# - [When you need help](#When-you-need-help)
# - [Glossary, English and Chinese](#Glossary,-English-and-Chinese)

# %% [markdown]
# ## How a lesson works
#
# A lesson is a notebook like this one: text, and cells with code. To run a cell, click into it and
# press **Shift+Enter**. Run the cells in order, from the top.
#
# In an exercise you replace the line `raise NotImplementedError()` by your own code. Run that cell,
# then the one below it, which begins like `mse = check(mse)`. It answers at once:
#
# - **Correct**: go on.
# - **Not right yet**: it names the mistake, if it knows it. Otherwise it says what can be said of
#   your numbers, and shows a small call, what it should give and what yours gives: compute that one
#   by hand. Hints are folded below. Change your code, run both cells again.
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
# Where the text says **Guess first**, write a guess down before you run the cell. A guess that
# turns out wrong is what you will remember.
#
# JupyterLab saves your work every two minutes; **Ctrl+S** saves it now.

# %% [markdown]
# ## The lessons
#
# They build on each other, but each one runs on its own. If you know what the first ones teach,
# begin later. The minutes are what a lesson takes if you do its exercises.
#
# <!-- map -->
# <!-- /map -->

# %% [markdown]
# ## Your progress
#
# Run the next cell. Run it again whenever you come back: it reads what your checks have recorded.

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
# picture. They live as long as the kernel does, so a lesson that you open again has none. Click on
# their cell, choose **Run**, then **Run All Above Selected Cell**, and run the cell itself.
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
# terminal, in the course's folder, `cp -r notebooks my-answers`, then `git checkout -- notebooks`
# and `git pull`. What you have solved is still counted. Your functions are in `my-answers`; put
# them into the new notebooks where you want to go on.
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
