"""The kinds of questions that can be learned, each a `Learner`."""
