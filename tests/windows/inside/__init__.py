"""What runs in a Windows Python, and nowhere else."""
