"""Shrinking: what is left is small and still has what it was shrunk for."""

from verify.counterexamples.shrinking import MOST_TRIES, shrunk

TABLES = {
    "process": {"family": "vp", "beta": "0.3 + 2.5*t"},
    "data": {"law": "gaussian", "mean": [1.37, 0.0, 0.0], "covariance": [0.25, 0.31, 0.77]},
    "scheme": {"kind": "euler-maruyama", "horizon": 1.73, "steps": 217, "grid": "geometric",
               "score_error": 0.371}}


def test_what_does_not_matter_goes():
    """If nothing matters, one step of one dimension with plain numbers and the plainest process is left."""
    found = shrunk(TABLES, lambda tables: True)
    assert found["process"] == {"family": "vp", "beta": "1"} or found["process"]["beta"] == "t"
    assert found["data"] == {"law": "gaussian", "dim": 1, "mean": 0.0, "covariance": 1.0}
    assert found["scheme"] == {"kind": "euler-maruyama", "horizon": 1.0, "steps": 1}


def test_what_matters_stays():
    """Steps above 40, a score error and two different variances stay, in few digits."""
    def still(tables):
        spread = tables["data"]["covariance"]
        return (tables["scheme"]["steps"] > 40 and tables["scheme"].get("score_error", 0) > 0.3
                and isinstance(spread, list) and max(spread) > 2 * min(spread))

    found = shrunk(TABLES, still)
    assert still(found) and 40 < found["scheme"]["steps"] <= 60
    assert found["data"]["covariance"] == [0.2, 0.8] and found["scheme"]["score_error"] in (0.4, 1.0)
    assert "grid" not in found["scheme"] and found["scheme"]["horizon"] == 1.0


def test_shrinking_ends():
    """No more problems are tried than is said, and one that cannot be made simpler stays as it is."""
    tried = []
    assert shrunk(TABLES, lambda tables: tried.append(tables)) == TABLES
    assert 0 < len(tried) <= MOST_TRIES
