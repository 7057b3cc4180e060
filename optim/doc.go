// Package optim trains a graph: solvers, learning-rate schedules, losses, metrics, and Fit, the loop with its hooks and checkpoints.
package optim
