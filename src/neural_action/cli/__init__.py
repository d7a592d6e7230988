"""The command line: one command for each stage of the workflow, and commands that people call."""
