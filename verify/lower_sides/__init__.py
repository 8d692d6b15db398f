"""What samples prove about W2 from below."""
