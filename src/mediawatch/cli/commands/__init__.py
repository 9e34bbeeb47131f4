"""What can be said to mediawatch: words, options and their help; what is done stands beside."""
