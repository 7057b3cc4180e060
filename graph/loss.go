package graph

// Loss is the scalar that training minimises, the mean over the examples of a batch. package optim has the usual ones.
type Loss interface {
	// Forward returns the mean loss of n examples; pred and target hold them one after the other.
	Forward(pred, target []float32, n int) float64
	// Backward writes the gradient of that mean by every element of pred.
	Backward(dpred, pred, target []float32, n int)
	// TargetLen is the number of target values of an example for a prediction of that many values: 1 for a class index.
	TargetLen(predLen int) int
	// Activation is the Kind that the loss applies itself, "Softmax" or "Sigmoid", or "": a network that ends in that Kind is trained
	// on what goes into it.
	Activation() string
}
