package main

import (
	"cmp"
	"fmt"
	"slices"
)

// benchSide is what one side needed.
type benchSide struct {
	MedianMS  float64   `json:"median_ms"` // of all steps
	MinMS     float64   `json:"min_ms"`
	CPUMS     float64   `json:"cpu_ms"` // of a step; the median of the rounds
	PerSecond float64   `json:"images_per_second"`
	PeakMB    float64   `json:"peak_mb"` // the largest resident size of the process
	BaseMB    float64   `json:"base_mb"` // the same before data and network: runtime and libraries
	Rounds    []float64 `json:"round_median_ms"`
}

// benchRatio is the peer's figure divided by ours.
type benchRatio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	CPU    float64 `json:"cpu"`
	Low    float64 `json:"round_low"` // the range of the ratios of the rounds' medians
	High   float64 `json:"round_high"`
	Memory float64 `json:"peak_memory"`
}

// benchResult is one measurement.
type benchResult struct {
	benchJob
	benchSide
	Parameters int           `json:"parameters"`
	MACs       int           `json:"macs"`   // of one example
	GFLOPS     float64       `json:"gflops"` // 6 operations a multiply-accumulate, over the median
	OfPeak     float64       `json:"of_peak"`
	Allocs     float64       `json:"allocations_per_step"` // the median of the rounds
	AllocBytes float64       `json:"allocated_bytes_per_step"`
	Profile    *benchProfile `json:"profile"`
	Peer       *benchSide    `json:"peer,omitempty"`
	Ratio      *benchRatio   `json:"ratio,omitempty"`
}

func side(blocks []benchBlock, batch int, base float64) benchSide {
	s := benchSide{BaseMB: base}
	var steps, cpu []float64
	for _, b := range blocks {
		steps = append(steps, b.MS...)
		cpu = append(cpu, b.CPUMS/float64(len(b.MS)))
		s.Rounds = append(s.Rounds, median(b.MS))
		s.PeakMB = max(s.PeakMB, b.PeakMB)
	}
	s.MedianMS, s.MinMS, s.CPUMS = median(steps), slices.Min(steps), median(cpu)
	s.PerSecond = 1000 * float64(batch) / s.MedianMS
	return s
}

func ratios(ours, peer benchSide) *benchRatio {
	r := &benchRatio{
		Median: quotient(peer.MedianMS, ours.MedianMS), Min: quotient(peer.MinMS, ours.MinMS),
		CPU: quotient(peer.CPUMS, ours.CPUMS), Memory: quotient(peer.PeakMB, ours.PeakMB),
	}
	var each []float64
	for i, t := range ours.Rounds {
		each = append(each, quotient(peer.Rounds[i], t))
	}
	r.Low, r.High = slices.Min(each), slices.Max(each)
	return r
}

func (r *benchResult) allocations(blocks []benchBlock, steps int) {
	var count, bytes []float64
	for _, b := range blocks {
		count = append(count, b.Allocs/float64(steps))
		bytes = append(bytes, b.AllocBytes/float64(steps))
	}
	r.Allocs, r.AllocBytes = median(count), median(bytes)
}

// brief is the line that is shown while measuring.
func (r benchResult) brief() string {
	s := fmt.Sprintf("%.1f ms a step", r.MedianMS)
	if r.Peer != nil {
		s += fmt.Sprintf(", the peer %.1f ms, ratio %.2f", r.Peer.MedianMS, r.Ratio.Median)
	}
	return s
}

// quotient is a/b, and 0 where b is not known.
func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// benchScaling says how time follows threads and batch.
type benchScaling struct {
	Threads []benchScale `json:"threads,omitempty"` // from the fewest threads to each other number
	Batch   []benchScale `json:"batch,omitempty"`   // from the smallest batch to each other size
}

// benchScale compares two measurements that differ in one number.
type benchScale struct {
	benchJob
	From    int     `json:"from"` // threads or images a batch
	To      int     `json:"to"`
	Speedup float64 `json:"speedup"` // in images a second
	// MicrosPerImage is the time of a step for each image, at From and To.
	MicrosPerImage [2]float64 `json:"microseconds_per_image"`
}

// scaling compares all measurements that differ in threads or batch alone; nil where none do.
func scaling(results []benchResult) *benchScaling {
	s := &benchScaling{
		Threads: scales(results, func(j *benchJob) *int { return &j.Threads }),
		Batch:   scales(results, func(j *benchJob) *int { return &j.Batch }),
	}
	if s.Threads == nil && s.Batch == nil {
		return nil
	}
	return s
}

// scales compares, within measurements alike but for one number, the smallest with each other.
func scales(results []benchResult, number func(*benchJob) *int) []benchScale {
	least := map[benchJob]benchResult{}
	key := func(r benchResult) benchJob {
		j := r.benchJob
		*number(&j) = 0
		return j
	}
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b benchResult) int { return cmp.Compare(*number(&a.benchJob), *number(&b.benchJob)) })
	for _, r := range sorted {
		if _, ok := least[key(r)]; !ok {
			least[key(r)] = r
		}
	}
	var found []benchScale
	for _, r := range results {
		from := least[key(r)]
		a, b := *number(&from.benchJob), *number(&r.benchJob)
		if a == b {
			continue
		}
		found = append(found, benchScale{r.benchJob, a, b, r.PerSecond / from.PerSecond, [2]float64{1e6 / from.PerSecond, 1e6 / r.PerSecond}})
	}
	return found
}
