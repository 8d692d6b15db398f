"""What samples say of W2: one-sided statements at a stated confidence."""
