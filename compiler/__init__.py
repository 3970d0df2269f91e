"""The compiler: load -> check -> plan -> estimate -> render -> verify -> write, pure functions until write."""
