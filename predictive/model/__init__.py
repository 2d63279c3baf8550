"""The scoring model: LightGBM and a logistic regression on the same features, averaged in log-odds and calibrated."""
