"""Annotators that answer from stored labels, so that an order of labelling can be measured."""
