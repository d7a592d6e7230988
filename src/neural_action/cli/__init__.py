"""The command line: one command a stage of the workflow, and commands for people."""
