"""One file a stage of the workflow: read its inputs, call the package, write its outputs whole."""
