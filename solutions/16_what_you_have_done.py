# ---
# jupyter:
#   course:
#     title: What you have done
#     page: true
#     minutes: 5
#     able: see what you have solved, and choose what to do with it
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What you have done
#
# You began with the mean of some squares. Since then you have written, line by line, what libraries
# hide behind one call, and have seen your functions agree with theirs. You know what a
# pretrained network gives away and what it does not, and how a number that looks well can mean
# nothing.
#
# In JupyterLab, opened by `course lab`, this table fills in by itself. Elsewhere run the cell.

# %%
from course_lib.learner import start

start.my_progress()

# %% [markdown]
# An exercise that is not solved is no gap in a wall: every lesson runs on its own, and the check
# still lends what is missing. Go back to those that you would like to understand.

# %% [markdown]
# ## What you are able to do now
#
# Each link leads to the page of formulas at the end of its lesson. If you can say why one of them
# is as it is, you have what the lesson had to give.
#
# <!-- abilities -->
# <!-- /abilities -->

# %% [markdown]
# ## What to do with it
#
# **Use it.** Take a hundred photographs of your own in two folders, and run
# [the last section of lesson 06](06_fine_tuning.ipynb#11-Your-own-photographs) on them. Before you
# look at the score, write down which photographs belong together, and what a program would reach
# that never looks at them.
#
# **Doubt with it.** Take a paper or a post that promises a gain, and go through it with
# [the page to take home](15_famous_mistakes.ipynb#9-A-page-to-take-home). Which control is missing?
# What would you see if the promise were false?
#
# **Explain it.** Tell somebody, with a pencil only, why the gradient of softmax and cross-entropy
# is the difference of two vectors, or why a leak makes a bad model look good. Where you get stuck,
# open that lesson again: this is how you find what you only followed.
#
# **Come back.** In a month, reset a lesson with `course reset 01` in a terminal, which keeps your
# answers in a copy, and solve it once more without looking. What takes minutes then is yours.
#
# **Mend it.** A mistake of yours that the check could not name, a sentence that you had to read
# three times: please report it where you got the course from. Others will meet it too.
#
# Your progress, help and the glossary stay on the [start page](00_start_here.ipynb).
