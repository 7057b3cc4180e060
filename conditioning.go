package temper

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/temper-ml/temper/clustering"
	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/sparsity"
)

// Tuning is the training behind a conditioner: the recipe's, but for these.
type Tuning struct {
	Epochs       int     `yaml:"epochs" json:"epochs"`               // 0: none, the weights stay
	LearningRate float64 `yaml:"learning-rate" json:"learning-rate"` // of the start; the schedule is that of the recipe's training
}

func (t Tuning) tuning() Tuning { return t }

func (t Tuning) check() error {
	if t.Epochs < 0 || !(t.LearningRate > 0) || math.IsInf(t.LearningRate, 0) {
		return fmt.Errorf("epochs %d must not be negative and learning-rate %g must be a positive number", t.Epochs, t.LearningRate)
	}
	return nil
}

// PruneStep makes weights zero by magnitude. Begin, End and Frequency are steps; where they are 0, they follow from the number of steps in the training.
type PruneStep struct {
	Tuning    `yaml:",inline"`
	Sparsity  float64     `yaml:"sparsity" json:"sparsity"` // default 0.8, or that of nm
	Schedule  string      `yaml:"schedule" json:"schedule"` // polynomial (default) or constant
	Initial   float64     `yaml:"initial" json:"initial"`   // of polynomial: the sparsity at begin
	Power     float64     `yaml:"power" json:"power"`       // of polynomial, default 3
	Begin     int         `yaml:"begin" json:"begin"`
	End       int         `yaml:"end" json:"end"`             // default half of the training; -1: a constant schedule never ends
	Frequency int         `yaml:"frequency" json:"frequency"` // steps between updates of the masks; default 100, fewer in a short training
	Global    bool        `yaml:"global" json:"global"`       // one threshold for all layers together
	NM        string      `yaml:"nm" json:"nm"`               // such as 2:4: two zeros of every four weights along the input channels
	Block     string      `yaml:"block" json:"block"`         // such as 1x8: zeros in blocks of input by output channels
	Pooling   string      `yaml:"pooling" json:"pooling"`     // how blocks are ranked: avg (default) or max
	Rules     []PruneRule `yaml:"layers" json:"layers"`
}

// PruneRule overrides the settings of layers by path, pattern or Kind. One without settings takes a layer that is left alone by default.
type PruneRule struct {
	Match    string  `yaml:"match" json:"match"`
	Skip     bool    `yaml:"skip" json:"skip"`
	Sparsity float64 `yaml:"sparsity" json:"sparsity"`
	NM       string  `yaml:"nm" json:"nm"`
	Block    string  `yaml:"block" json:"block"`
}

// ClusterStep gives each layer a codebook.
type ClusterStep struct {
	Tuning           `yaml:",inline"`
	Codes            int           `yaml:"codes" json:"codes"`                         // default 16, zero included
	Grid             string        `yaml:"grid" json:"grid"`                           // int8 (default) or float (TFMOT's)
	Init             string        `yaml:"init" json:"init"`                           // linear, random, density, k-means++ (default)
	PerChannel       bool          `yaml:"per-channel" json:"per-channel"`             // a codebook an output channel: costs much on an NPU
	PreserveSparsity *bool         `yaml:"preserve-sparsity" json:"preserve-sparsity"` // default: where layers were pruned
	Gradient         string        `yaml:"gradient" json:"gradient"`                   // of a centroid, over its weights: sum (default) or mean
	Rules            []ClusterRule `yaml:"layers" json:"layers"`
}

// ClusterRule overrides the settings of layers by path, pattern or Kind. One without settings takes a layer that is left alone by default.
type ClusterRule struct {
	Match      string `yaml:"match" json:"match"`
	Skip       bool   `yaml:"skip" json:"skip"`
	Codes      int    `yaml:"codes" json:"codes"`
	PerChannel bool   `yaml:"per-channel" json:"per-channel"`
}

// FiltersStep removes whole filters, and with them the channels that they make.
type FiltersStep struct {
	Tuning   `yaml:",inline"`
	Ratio    float64      `yaml:"ratio" json:"ratio"`       // part of the filters that goes, default 0.3
	Norm     string       `yaml:"norm" json:"norm"`         // how they are ranked: l2 (default) or l1
	Multiple int          `yaml:"multiple" json:"multiple"` // keep a multiple of so many, default 1
	Rules    []FilterRule `yaml:"layers" json:"layers"`
}

// FilterRule overrides the ratio of layers by path, pattern or Kind.
type FilterRule struct {
	Match string  `yaml:"match" json:"match"`
	Skip  bool    `yaml:"skip" json:"skip"`
	Ratio float64 `yaml:"ratio" json:"ratio"`
}

var (
	pruneSchedules = []string{"polynomial", "constant"}
	gradients      = []string{"sum", "mean"}
	grids          = []string{string(clustering.Int8), string(clustering.Float)}
)

func (s *PruneStep) defaults() {
	set(&s.Epochs, 2)
	set(&s.LearningRate, 0.002)
	set(&s.Sparsity, 0.8)
	set(&s.Schedule, "polynomial")
}

func (s *ClusterStep) defaults() {
	set(&s.Epochs, 1)
	set(&s.LearningRate, 0.0003)
	set(&s.Codes, 16)
	set(&s.Grid, string(clustering.Int8))
	set(&s.Init, string(clustering.KMeansPlusPlus))
	set(&s.Gradient, "sum")
}

func (s *FiltersStep) defaults() {
	set(&s.Epochs, 2)
	set(&s.LearningRate, 0.001)
	set(&s.Ratio, 0.3)
	set(&s.Norm, "l2")
	set(&s.Multiple, 1)
}

// DefaultPrune is the step with its defaults.
func DefaultPrune() PruneStep {
	var s PruneStep
	s.defaults()
	return s
}

// DefaultCluster is the step with its defaults.
func DefaultCluster() ClusterStep {
	var s ClusterStep
	s.defaults()
	return s
}

// Name is the step's name in recipes and tables.
func (PruneStep) Name() string { return sparsity.Prune{}.Name() }

// Name is the step's name in recipes and tables.
func (ClusterStep) Name() string { return clustering.Cluster{}.Name() }

// Name is the step's name in recipes and tables.
func (FiltersStep) Name() string { return sparsity.Filters{}.Name() }

// Check refuses settings that cannot be; the error names the recipe's key. Those that depend on the network are refused by the conditioner.
func (s PruneStep) Check() error {
	if err := s.check(); err != nil {
		return err
	}
	for _, x := range []float64{s.Sparsity, s.Initial} {
		if !(x >= 0 && x < 1) {
			return fmt.Errorf("sparsity %g must be in [0, 1)", x)
		}
	}
	_, err := s.prune(math.MaxInt32)
	return err
}

// Check refuses settings that cannot be; the error names the recipe's key.
func (s ClusterStep) Check() error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Codes < 2 || s.Codes > 255 {
		return fmt.Errorf("codes %d: want 2 to 255, zero included", s.Codes)
	}
	for _, w := range []struct {
		what, word string
		known      []string
	}{{"grid", s.Grid, grids}, {"init", s.Init, inits()}, {"gradient", s.Gradient, gradients}} {
		if !slices.Contains(w.known, w.word) {
			return unknown(w.what, w.word, w.known)
		}
	}
	for _, r := range s.Rules {
		if r.Codes != 0 && (r.Codes < 2 || r.Codes > 255) {
			return fmt.Errorf("layers %q: codes %d: want 2 to 255, zero included", r.Match, r.Codes)
		}
	}
	return nil
}

func inits() []string {
	var all []string
	for _, i := range clustering.Inits {
		all = append(all, string(i))
	}
	return all
}

// Check refuses settings that cannot be; the error names the recipe's key.
func (s FiltersStep) Check() error {
	switch {
	case s.check() != nil:
		return s.check()
	case !(s.Ratio >= 0 && s.Ratio < 1):
		return fmt.Errorf("ratio %g must be in [0, 1)", s.Ratio)
	case s.Norm != "l1" && s.Norm != "l2":
		return unknown("norm", s.Norm, []string{"l1", "l2"})
	case s.Multiple < 1:
		return fmt.Errorf("multiple %d must be positive", s.Multiple)
	}
	return nil
}

// prune is the conditioner for a training of so many steps; 0: none.
func (s PruneStep) prune(steps int) (sparsity.Prune, error) {
	p := sparsity.Prune{Global: s.Global, Pooling: s.Pooling}
	var err error
	if p.N, p.M, p.Block, err = pattern(s.NM, s.Block); err != nil {
		return p, err
	}
	for _, r := range s.Rules {
		n, m, block, err := pattern(r.NM, r.Block)
		if err != nil {
			return p, fmt.Errorf("layers %q: %w", r.Match, err)
		}
		p.Rules = append(p.Rules, sparsity.Rule{Match: r.Match, Skip: r.Skip, Sparsity: r.Sparsity, N: n, M: m, Block: block})
	}
	p.Schedule, err = s.schedule(p.N, p.M, max(steps, 2))
	return p, err
}

// schedule is the one of the step. By default its end leaves half of the training to weights whose masks stand still, and its last update is its end.
func (s PruneStep) schedule(n, m, steps int) (sparsity.Schedule, error) {
	target := s.Sparsity
	if m > 0 {
		target = float64(n) / float64(m)
	}
	end, every := s.End, s.Frequency
	if end == 0 {
		end = s.Begin + max((steps-s.Begin)/2, 1)
	}
	switch s.Schedule {
	case "constant":
		if every == 0 {
			every = min(100, max((max(end, steps)-s.Begin)/4, 1))
		}
		c := sparsity.Constant{Sparsity: target, Begin: s.Begin, End: end, Frequency: every}
		return c, c.Check()
	case "polynomial":
		if every == 0 {
			every = min(100, max((end-s.Begin)/8, 1))
		}
		if s.End == 0 && every < end {
			end -= (end - s.Begin) % every
		}
		for s.Frequency == 0 && (end-s.Begin)%every != 0 {
			every--
		}
		p := sparsity.Polynomial{Initial: s.Initial, Final: target, Begin: s.Begin, End: end, Power: s.Power, Frequency: every}
		return p, p.Check()
	}
	return nil, unknown("schedule", s.Schedule, pruneSchedules)
}

// pattern reads "2:4" and "1x8".
func pattern(nm, block string) (n, m int, size [2]int, err error) {
	if nm != "" {
		if !scan(nm, ":", &n, &m) || n < 1 || m <= n {
			return 0, 0, size, fmt.Errorf("nm %q: want zeros:weights, such as 2:4", nm)
		}
	}
	if block != "" {
		if !scan(block, "x", &size[0], &size[1]) || min(size[0], size[1]) < 1 {
			return 0, 0, size, fmt.Errorf("block %q: want input x output channels, such as 1x8", block)
		}
	}
	return n, m, size, nil
}

// scan reads two whole numbers with a mark between.
func scan(s, mark string, a, b *int) bool {
	left, right, ok := strings.Cut(s, mark)
	if !ok {
		return false
	}
	for _, x := range []struct {
		s  string
		to *int
	}{{left, a}, {right, b}} {
		n := 0
		for _, c := range x.s {
			if c < '0' || c > '9' || n > 1<<20 {
				return false
			}
			n = 10*n + int(c-'0')
		}
		if x.s == "" {
			return false
		}
		*x.to = n
	}
	return true
}

// Conditioner is the step for a training of so many steps.
func (s PruneStep) Conditioner(_ *datasets.Set, steps int) (Conditioner, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s.prune(steps)
}

// Conditioner is the step.
func (s ClusterStep) Conditioner(_ *datasets.Set, _ int) (Conditioner, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	c := clustering.Cluster{Codes: s.Codes, Grid: clustering.Grid(s.Grid), Init: clustering.Init(s.Init), PerChannel: s.PerChannel,
		PreserveSparsity: s.PreserveSparsity, Mean: s.Gradient == "mean", Seed: clusterSeed}
	for _, r := range s.Rules {
		c.Rules = append(c.Rules, clustering.Rule{Match: r.Match, Skip: r.Skip, Codes: r.Codes, PerChannel: r.PerChannel})
	}
	return c, nil
}

// clusterSeed draws the initial centroids; a constant, for the weights differ already from seed to seed.
const clusterSeed = 1

// Conditioner is the step.
func (s FiltersStep) Conditioner(_ *datasets.Set, _ int) (Conditioner, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	f := sparsity.Filters{Ratio: s.Ratio, Norm: s.Norm, Multiple: s.Multiple}
	for _, r := range s.Rules {
		f.Rules = append(f.Rules, sparsity.FilterRule{Match: r.Match, Skip: r.Skip, Ratio: r.Ratio})
	}
	return f, nil
}
