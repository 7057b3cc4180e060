package temper

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/atomicfile"
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

// add appends a line of the table, and writes results.json anew.
func (u *runner) add(r Result, begin time.Time) error {
	info, err := os.Stat(r.File)
	if err != nil {
		return err
	}
	r.Bytes, r.Seconds = info.Size(), time.Since(begin).Seconds()
	u.results = append(u.results, r)
	js, err := json.MarshalIndent(u.results, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(u.o.Out, resultsFile), append(js, '\n'))
}

// weigh counts what a file's weights can be compressed to.
func (r *Result) weigh(m *tflite.Model) error {
	data, err := os.ReadFile(r.File)
	if err != nil {
		return err
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	r.Gzip = int64(zipped.Len())
	counted, err := promised(r.graph)
	if err != nil {
		return err
	}
	weights, zeros, entropy := 0, 0, 0.0
	for _, t := range weightTensors(m) {
		counts := [256]int{}
		for _, b := range t.Data {
			counts[b]++
		}
		codes := 0
		for _, n := range counts {
			if n > 0 {
				codes++
				entropy -= float64(n) * math.Log2(float64(n)/float64(len(t.Data)))
			}
		}
		weights += len(t.Data)
		zeros += counts[0]
		if counted[t.Name] {
			r.Codes = max(r.Codes, codes)
		}
	}
	r.Zeros, r.EntropyBytes = float64(zeros)/float64(max(weights, 1)), int64(math.Ceil(entropy/8))
	return nil
}

// weightTensors are the weights that operators multiply by.
func weightTensors(m *tflite.Model) []*tflite.Tensor {
	var all []*tflite.Tensor
	for _, s := range m.Subgraphs {
		for _, o := range s.Operators {
			switch o.Code {
			case tflite.CONV_2D, tflite.DEPTHWISE_CONV_2D, tflite.FULLY_CONNECTED, tflite.TRANSPOSE_CONV:
				if t := s.Tensors[o.Inputs[1]]; t.Data != nil && !slices.Contains(all, t) {
					all = append(all, t)
				}
			}
		}
	}
	return all
}

// promised are the kernels of a graph that a conditioner promised something of; without any, all kernels.
func promised(g *graph.Graph) (map[string]bool, error) {
	kernels, conditioned := map[string]bool{}, map[string]bool{}
	for _, o := range g.Ops {
		if !o.IsLinear() {
			continue
		}
		v := o.In[1]
		for v.Op != nil {
			v = v.Op.In[0]
		}
		kernels[v.Name] = true
		p, err := graph.PromiseOf(o.In[1])
		if err != nil {
			return nil, err
		}
		if p != (graph.Promise{}) {
			conditioned[v.Name] = true
		}
	}
	if len(conditioned) > 0 {
		return conditioned, nil
	}
	return kernels, nil
}
