"""What a loop starts from: tasks, texts, vectors and what earlier loops found."""
