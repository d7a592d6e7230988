"""Looking at recordings before anything long starts: what a folder holds, how to read it, what a run would cost."""
