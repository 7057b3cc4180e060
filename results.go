package temper

import (
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/optim"
)

// Result is a line of the table: the network, conditioned in one way, measured.
type Result struct {
	Name     string   `json:"step"`            // float, ptq, qat, prune, pcqat ...: the file's name
	Chain    []string `json:"chain,omitempty"` // the conditioners in order; none for float
	File     string   `json:"file"`
	Accuracy float64  `json:"accuracy"` // over the whole test set; of an int8 file by executing it
	Bytes    int64    `json:"bytes"`

	// Of an int8 file.
	Gzip         int64   `json:"gzip_bytes,omitempty"`    // of the file, by gzip -9
	Zeros        float64 `json:"zeros,omitempty"`         // part of the weights
	Codes        int     `json:"codes,omitempty"`         // the most distinct codes that a conditioned weight tensor has; of an unconditioned network, any
	EntropyBytes int64   `json:"entropy_bytes,omitempty"` // of all weight tensors: elements times entropy of their codes

	Seconds float64 `json:"seconds"`          // spent in this run; stages shared with results before are theirs
	Stages  []Stage `json:"stages,omitempty"` // the trainings behind the result, in order; that of float first

	float, graph *graph.Graph // what training started from, and what was written
}

// Stage is one training.
type Stage struct {
	Name       string             `json:"name"` // train, or the conditioner's name
	Checkpoint string             `json:"checkpoint"`
	Epochs     []optim.EpochStats `json:"epochs"` // the learning curve
}
