"""The parts of the page: each makes a section of blocks from the summary, in a language."""
