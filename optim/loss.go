package optim

import (
	"fmt"
	"math"
	"slices"

	"github.com/temper-ml/temper/graph"
)

// SoftmaxCrossEntropy is the loss of a classifier that ends in logits; the target is the class index.
type SoftmaxCrossEntropy struct {
	LabelSmoothing float64   // this much of the target's weight is spread over all classes
	ClassWeights   []float64 // factor of the loss of an example, by its class; nil: 1
}

// TargetLen implements graph.Loss.
func (SoftmaxCrossEntropy) TargetLen(int) int { return 1 }

// Activation implements graph.Loss.
func (SoftmaxCrossEntropy) Activation() string { return "Softmax" }

// Forward implements graph.Loss.
func (l SoftmaxCrossEntropy) Forward(pred, target []float32, n int) float64 {
	c := len(pred) / n
	sum := 0.0
	for i := range n {
		x, k := pred[i*c:(i+1)*c], int(target[i])
		top := slices.Max(x)
		z, mean := 0.0, 0.0
		for _, v := range x {
			z += math.Exp(float64(v - top))
			mean += float64(v-top) / float64(c)
		}
		logZ := math.Log(z)
		sum += l.weight(k) * (logZ - (1-l.LabelSmoothing)*float64(x[k]-top) - l.LabelSmoothing*mean)
	}
	return sum / float64(n)
}

// Backward implements graph.Loss.
func (l SoftmaxCrossEntropy) Backward(dpred, pred, target []float32, n int) {
	c := len(pred) / n
	for i := range n {
		x, d, k := pred[i*c:(i+1)*c], dpred[i*c:(i+1)*c], int(target[i])
		top, z := slices.Max(x), 0.0
		for _, v := range x {
			z += math.Exp(float64(v - top))
		}
		w := l.weight(k) / float64(n)
		for j, v := range x {
			want := l.LabelSmoothing / float64(c)
			if j == k {
				want += 1 - l.LabelSmoothing
			}
			d[j] = float32(w * (math.Exp(float64(v-top))/z - want))
		}
	}
}

func (l SoftmaxCrossEntropy) weight(k int) float64 {
	if k < len(l.ClassWeights) {
		return l.ClassWeights[k]
	}
	return 1
}

// checkTargets refuses targets that are no classes of a loss over classes, before the loss indexes by them. outputs is the number of the network's
// outputs, which are the classes.
func checkTargets(l graph.Loss, target []float32, outputs int) error {
	if !isClassifier(l) {
		return nil
	}
	return checkClasses(target, outputs)
}

// classTargets marks SoftmaxCrossEntropy, a pointer to it, and a loss that embeds it.
func (SoftmaxCrossEntropy) classTargets() {}

func isClassifier(l graph.Loss) bool {
	_, ok := l.(interface{ classTargets() })
	return ok
}

func checkClasses(target []float32, classes int) error {
	for i, t := range target {
		if !(t >= 0 && t < float32(classes)) || t != float32(int(t)) {
			return fmt.Errorf("target %g of example %d of the batch is not a class of a network with %d outputs", t, i, classes)
		}
	}
	return nil
}

// MeanSquaredError is the mean of the squared differences over all outputs.
type MeanSquaredError struct{}

// TargetLen implements graph.Loss.
func (MeanSquaredError) TargetLen(n int) int { return n }

// Activation implements graph.Loss.
func (MeanSquaredError) Activation() string { return "" }

// Forward implements graph.Loss.
func (MeanSquaredError) Forward(pred, target []float32, _ int) float64 {
	sum := 0.0
	for i, v := range pred {
		d := float64(v - target[i])
		sum += d * d
	}
	return sum / float64(len(pred))
}

// Backward implements graph.Loss.
func (MeanSquaredError) Backward(dpred, pred, target []float32, _ int) {
	f := 2 / float32(len(pred))
	for i, v := range pred {
		dpred[i] = (v - target[i]) * f
	}
}

// BinaryCrossEntropy is the loss of independent yes-or-no outputs that are logits; targets are 0 to 1, one an output.
type BinaryCrossEntropy struct{}

// TargetLen implements graph.Loss.
func (BinaryCrossEntropy) TargetLen(n int) int { return n }

// Activation implements graph.Loss.
func (BinaryCrossEntropy) Activation() string { return "Sigmoid" }

// Forward implements graph.Loss.
func (BinaryCrossEntropy) Forward(pred, target []float32, _ int) float64 {
	sum := 0.0
	for i, v := range pred {
		x := float64(v)
		sum += max(x, 0) - x*float64(target[i]) + math.Log1p(math.Exp(-math.Abs(x)))
	}
	return sum / float64(len(pred))
}

// Backward implements graph.Loss.
func (BinaryCrossEntropy) Backward(dpred, pred, target []float32, _ int) {
	f := 1 / float32(len(pred))
	for i, v := range pred {
		dpred[i] = (float32(1/(1+math.Exp(-float64(v)))) - target[i]) * f
	}
}
