// Package optim trains a graph: solvers, learning-rate schedules, losses, metrics, and Fit, the loop with its hooks and checkpoints.
//
// The same Fit, graph and data give the same bits, whatever the number of threads, and whether the training ran in one piece or was interrupted,
// even killed, and resumed from its checkpoint.
package optim
