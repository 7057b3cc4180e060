package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/mnist"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// benchRow is one measurement.
type benchRow struct {
	Model     string  `json:"model"`
	Mode      string  `json:"mode"` // float or qat
	Batch     int     `json:"batch"`
	MedianMS  float64 `json:"median_ms"`
	MinMS     float64 `json:"min_ms"`
	PerSecond float64 `json:"images_per_second"`
	PeakMB    float64 `json:"peak_mb"` // of the process, so far
	Allocs    float64 `json:"allocations_per_step"`
}

func (a *app) bench() *cobra.Command {
	var names []string
	var batch, steps int
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure training: step time, images/s, peak memory",
		Long: `Trains networks on MNIST for some steps, in float and with quantization
awareness, and prints the median and the least time of a step.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`,
		Example: "  temper bench --model arm-example --steps 100",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if batch < 1 || steps < 1 {
				return usageError{fmt.Errorf("--batch %d and --steps %d must be positive", batch, steps)}
			}
			digits, err := mnist.Load()
			if err != nil {
				return err
			}
			var rows []benchRow
			for _, name := range names {
				for _, mode := range []string{"float", "qat"} {
					r, err := benchOne(cmd, name, mode, batch, steps, digits.Train)
					if err != nil {
						return err
					}
					fmt.Fprintf(a.err, "%s %s: %.1f ms a step\n", name, mode, r.MedianMS)
					rows = append(rows, r)
				}
			}
			return a.print(map[string]any{"threads": runtime.GOMAXPROCS(0), "steps": steps, "results": rows}, func(out io.Writer) {
				w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "model\tmode\tbatch\tmedian ms\tmin ms\timg/s\tallocations/step\tpeak MB (process)")
				for _, r := range rows {
					fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f\n", r.Model, r.Mode, r.Batch, r.MedianMS, r.MinMS, r.PerSecond, r.Allocs, r.PeakMB)
				}
				w.Flush()
			})
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&names, "model", []string{"arm-example", "ds-cnn"}, "networks")
	f.IntVar(&batch, "batch", 128, "batch size")
	f.IntVar(&steps, "steps", 50, "measured steps, after 5 to warm up")
	return cmd
}

func benchOne(cmd *cobra.Command, name, mode string, batch, steps int, data *datasets.Set) (benchRow, error) {
	m, err := models.ByName(name, models.Options{Seed: 1, Input: data.Shape(), Classes: 10})
	if err != nil {
		return benchRow{}, usageError{err}
	}
	g, err := m.Trace()
	if err != nil {
		return benchRow{}, err
	}
	if mode == "qat" {
		q := fakequant.QAT{Config: fakequant.Config{Calibration: data.Sample(100, 1)}}
		if err := q.Apply(g); err != nil {
			return benchRow{}, err
		}
	}
	const warm = 5
	var times []float64
	var before, after runtime.MemStats
	last := time.Now()
	hook := optim.Hook{AfterStep: func(step int, _ float64) error {
		times = append(times, time.Since(last).Seconds()*1000)
		if step == warm {
			runtime.ReadMemStats(&before)
		}
		last = time.Now()
		return cmd.Context().Err()
	}, BeforeStep: func(*graph.Graph, int) error { return nil }}
	fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Batch: batch, Epochs: 1, Seed: 1}
	if _, err := fit.Run(cmd.Context(), g, data.Take(0, batch*(steps+warm)), hook); err != nil {
		return benchRow{}, err
	}
	runtime.ReadMemStats(&after)
	times = times[min(warm, len(times)-1):]
	slices.Sort(times)
	r := benchRow{Model: name, Mode: mode, Batch: batch, MedianMS: times[len(times)/2], MinMS: times[0], PeakMB: peakMB()}
	r.PerSecond = float64(batch) / r.MedianMS * 1000
	r.Allocs = float64(after.Mallocs-before.Mallocs) / float64(len(times))
	return r, nil
}
