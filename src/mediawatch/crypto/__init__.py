"""What is kept secret at rest."""
