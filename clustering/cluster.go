package clustering

import (
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/graph"
)

// Grid is where centroids may lie.
type Grid string

// The grids.
const (
	Int8  Grid = "int8"  // integers of the file, shared by the channels of a layer, each with its own scale
	Float Grid = "float" // any weight, as in TFMOT: quantization a channel spreads them to many codes
)

// Cluster is the conditioner. The zero value is 16 codes a layer on the int8 grid.
type Cluster struct {
	Codes            int   // distinct values of a kernel, 3 to 255, zero included (on the float grid 2, where zeros are not kept); default 16
	Grid             Grid  // default Int8
	Init             Init  // default KMeansPlusPlus
	PerChannel       bool  // a codebook for each output channel; see the warning of Describe
	PerChannelDense  bool  // on the int8 grid: one scale an output of a Dense layer too, as in fakequant.Config
	PreserveSparsity *bool // keep zeros zero and nothing else; default: on for kernels that were pruned
	Mean             bool  // a centroid's gradient is the mean over its weights instead of the sum
	Seed             uint64
	Rules            []Rule // the first that matches a layer counts
}

// Rule overrides the settings for layers by name. A layer that a rule matches is clustered, unless the rule skips it.
type Rule struct {
	Match      string // a path.Match pattern of the layer path, such as "conv2d_1" or "block*/conv2d"; or of the kind, such as "Dense"
	Skip       bool   // leave the layer alone
	Codes      int    // 0: as in Cluster
	PerChannel bool
}

// Name is the conditioner's name in tables and recipes.
func (Cluster) Name() string { return "cluster" }

// Steps is 0: clustering has no schedule.
func (Cluster) Steps() int { return 0 }

// Apply clusters the kernels of g in place. On an error g is unchanged.
func (c Cluster) Apply(g *graph.Graph) error {
	work := g.Clone()
	c.defaults()
	layers, err := c.layers(work)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	if !slices.ContainsFunc(layers, func(l layer) bool { return l.reason == "" }) {
		return fmt.Errorf("cluster: no layer of %s is clustered: add a rule that names one", g.Name)
	}
	for _, l := range layers {
		if l.reason != "" || l.shares != "" {
			continue
		}
		if err := c.insert(work, l); err != nil {
			return fmt.Errorf("cluster: %s: %w", l.head.Layer(), err)
		}
	}
	if err := work.Check(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	*g = *work
	return nil
}

func (c *Cluster) defaults() {
	if c.Codes == 0 {
		c.Codes = 16
	}
	if c.Grid == "" {
		c.Grid = Int8
	}
	if c.Init == "" {
		c.Init = KMeansPlusPlus
	}
}

func (c Cluster) check(g *graph.Graph, heads []*graph.Op) error {
	if c.Grid != Int8 && c.Grid != Float {
		return fmt.Errorf("grid %q is none of %q and %q", c.Grid, Int8, Float)
	}
	if !slices.Contains(Inits, c.Init) {
		return fmt.Errorf("initialisation %q is none of %s", c.Init, join(Inits))
	}
	for _, r := range c.Rules {
		if err := g.CheckPattern(r.Match, heads); err != nil {
			return err
		}
	}
	return nil
}

func join[T ~string](words []T) string {
	var all []string
	for _, w := range words {
		all = append(all, string(w))
	}
	return strings.Join(all, ", ")
}

// insert puts a Cluster behind the kernel of a layer.
func (c Cluster) insert(g *graph.Graph, l layer) error {
	if c.Grid == Int8 {
		if err := positiveNorm(g, l.head); err != nil {
			return err
		}
	}
	v := l.kernel
	grid := c.Grid == Int8
	kind := graph.Cluster{Grid: grid, PerChannel: l.perChannel, Zero: grid || l.zero, Apart: l.zero, Hold: l.zero && !l.masked, Mean: c.Mean}
	x, err := graph.Const(v)
	if err != nil {
		return err
	}
	n := l.codes
	if kind.Zero {
		n--
	}
	name := root(v).Name + "/cluster"
	if g.Value(name) != nil { // of another layer that shares the kernel
		name = l.head.Name + "/" + name
	}
	shape, in := graph.Shape{n}, []*graph.Value{v}
	if l.perChannel {
		shape = graph.Shape{v.Shape.Channels(), n}
	}
	centroids, ranges := c.start(g, l, x, n)
	add := func(name string, shape graph.Shape, data []float32) error {
		made, err := g.AddVar(name, graph.Scale, true, shape, data)
		if err == nil {
			in = append(in, made.Value)
		}
		return err
	}
	if err := add(name+"/centroids", shape, centroids); err != nil {
		return err
	}
	if kind.Grid {
		shape := graph.Shape{2}
		if len(ranges) > 2 {
			shape = graph.Shape{2, len(ranges) / 2}
		}
		if err := add(name+"/range", shape, ranges); err != nil {
			return err
		}
	}
	o, err := g.NewOp(name, kind, in...)
	if err != nil {
		return err
	}
	for _, r := range l.readers {
		r.In[1] = o.Out
	}
	return nil
}

// start returns the centroids and, on the int8 grid, the ranges of the scales.
func (c Cluster) start(g *graph.Graph, l layer, x []float32, n int) (centroids, ranges []float32) {
	channels := l.kernel.Shape.Channels()
	r := graph.Stream(c.Seed, root(l.kernel).Name+"/cluster")
	if c.Grid == Float {
		books := 1
		if l.perChannel {
			books = channels
		}
		for b := range books {
			centroids = append(centroids, c.Init.centroids(every(x, b, books), n, l.zero, r)...)
		}
		return centroids, nil
	}
	if l.perChannel {
		ranges = make([]float32, 2*channels)
		for ch := range channels {
			f := gridFit{x: every(x, ch, channels), scales: 1, n: n, apart: l.zero, init: c.Init, r: r}
			book, m := f.run()
			centroids = append(centroids, book...)
			ranges[ch], ranges[channels+ch] = -m[0], m[0]
		}
		return centroids, ranges
	}
	f := gridFit{x: x, scales: 1, n: n, apart: l.zero, init: c.Init, r: r}
	if l.scales {
		f.scales, f.importance = channels, importance(g, l.head, channels)
	}
	book, m := f.run()
	for _, v := range m {
		ranges = append(ranges, -v)
	}
	return book, append(ranges, m...)
}

// every is x[from], x[from+step], ...
func every(x []float32, from, step int) []float32 {
	if step == 1 {
		return x
	}
	y := make([]float32, 0, len(x)/step)
	for i := from; i < len(x); i += step {
		y = append(y, x[i])
	}
	return y
}

// root is the Var at the begin of a chain of conditioners.
func root(v *graph.Value) *graph.Value {
	for v.Op != nil {
		v = v.Op.In[0]
	}
	return v
}
