package temper

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/temper-ml/temper/export"
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

	Audit []export.AuditRow `json:"audit,omitempty"` // every weight tensor of the file

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
func (r *Result) weigh() error {
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
	for _, row := range r.Audit {
		if row.Promise != "" {
			r.Codes = max(r.Codes, row.Codes)
		}
	}
	total := export.Total(r.Audit)
	if r.Codes == 0 {
		r.Codes = total.Codes
	}
	r.Zeros, r.EntropyBytes = total.Sparsity(), int64(math.Ceil(total.EntropyBytes()))
	return nil
}
