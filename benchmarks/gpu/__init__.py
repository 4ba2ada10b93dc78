"""What only a GPU can tell about the LivePortrait engine."""
