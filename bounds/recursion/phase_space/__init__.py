"""What the error recursion runs on in phase space, where every step is weighed by a matrix."""
