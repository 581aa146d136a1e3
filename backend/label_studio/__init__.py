"""The only folder that speaks Label Studio: its API, labeling configs, tasks, results and queue order."""
