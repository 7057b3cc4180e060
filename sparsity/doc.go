// Package sparsity prunes: Prune puts masks behind kernels and lets their zeros grow with the steps of training; Filters removes whole channels from
// the graph.
//
// Both are conditioners: Apply changes a graph in place, Describe tells layer by layer what is done and why. The order of conditioners is filters,
// prune, cluster, quantize; Apply refuses another one.
package sparsity
