// Package graph is the model language of Temper: a small graph of operations over float32 NHWC values.
//
// A Graph has Inputs, Vars, Ops in order of execution, and Outputs. Every Op is an instance of a Kind (Conv2D, Dense, FakeQuant, ...) and has
// exactly one output Value. Shapes are static but for the batch, which is always the first dimension of an activation. All numbers live in
// Vars: weights, moving statistics, quantization ranges, masks. Layers write a graph through a Builder, conditioners rewrite it with Passes,
// a Session runs it, a Checkpoint saves it, and the exporter reads it. The text form (Graph.String, Parse) is the same everywhere:
//
//	graph digits
//	input x [batch,28,28,1]
//	var conv/kernel [3,3,1,32] weight trainable
//	conv/conv = Conv2D(x, conv/kernel) {"Padding":"same"} [batch,28,28,32]
//	output conv/conv
//
// Layouts: activations are NHWC. In every kernel the output channel is the last axis: Conv2D [kh,kw,cin,cout], DepthwiseConv2D
// [kh,kw,cin*multiplier] with output channel c*multiplier+m, TransposeConv2D [kh,kw,cin,cout], Dense [in,out].
//
// A Session realises the graph as a Gorgonia expression graph, one for each mode and batch size; Gorgonia differentiates it and its tape
// machine runs it (adapter.go implements its ops, realize.go makes its graphs and machines, fork.go sums its gradients; nothing
// else knows Gorgonia).
package graph
