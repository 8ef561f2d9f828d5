"""What a learner meets outside a lesson: start page, progress, JupyterLab, doctor, downloads."""
