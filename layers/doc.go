// Package layers is what people write: a Model of layers, traced into a graph.Graph.
//
// A layer opens a scope of its name (or of its Keras-like default: conv2d, dense, ..., numbered when repeated), so that its path stands in
// errors, in checkpoints and in the exported file.
package layers
