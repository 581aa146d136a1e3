"""What a head looks at: the encoder's vectors, words weighted by TF-IDF, or both joined."""
