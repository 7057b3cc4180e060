package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/internal/compute"
)

// Cluster replaces each weight of a kernel by the nearest centroid, the lower of two that are as near. Every forward pass associates anew. A
// centroid's gradient is the sum of those of its members; the weights get theirs straight through, so that they can change over.
//
// The centroids are a Var [n], or [c,n] for PerChannel, a codebook for each channel of x's last dimension. Without Grid they are weights, as in
// TFMOT. With Grid they live on the integers that the file stores: the third input is the range of a symmetric narrow quantizer of 8 bits, [2] or
// [2,c], a centroid v is a part of that range and stands for the code round(127 v), and y = code * scale, to the bit what FakeQuant makes of y with the same
// range. So one codebook serves all channels, each with its own scale, and quantization changes nothing. Centroids and range are
// trained straight through the rounding (the range as LSQ does, Esser et al., 2020).
//
// With Zero there is one centroid more, which is 0 and stays 0, so that zeros are kept. With Apart too, no other weight maps to it.
type Cluster struct {
	Grid       bool `json:",omitempty"`
	PerChannel bool `json:",omitempty"`
	Zero       bool `json:",omitempty"`
	Apart      bool `json:",omitempty"` // with Zero: what is not zero goes to the nearest of the others
	Hold       bool `json:",omitempty"` // with Apart: weights that are zero get no gradient; for kernels that no Mask holds
	Mean       bool `json:",omitempty"` // a centroid's gradient is the mean over its members
}

// maxCentroids is more than an int8 file has codes.
const maxCentroids = 256

// gridLevels are the codes of the int8 grid: -127 to 127.
var gridLevels = quant.Levels{Bits: 8, Narrow: true, PerAxis: true}

// gridCodes is how many of them are positive.
const gridCodes = 127

func init() {
	const steps = "has steps; the straight-through gradient is tested by its formula"
	x, conv := Shape{6, 4}, Shape{2, 3, 2, 4}
	Register(Def{
		Kind:     Cluster{},
		Doc:      "a kernel with the nearest centroid for each weight",
		In:       []Port{{Name: "x", Diff: true}, {Name: "centroids", Diff: true}, {Name: "range", Diff: true}},
		Optional: true,
		Samples: []Sample{
			{Kind: Cluster{}, In: []Shape{x, {5}}, Kink: steps},
			{Kind: Cluster{PerChannel: true, Zero: true, Apart: true, Hold: true}, In: []Shape{conv, {4, 3}}, Kink: steps},
			{Kind: Cluster{Grid: true, Mean: true}, In: []Shape{x, {7}, {2}}, Kink: steps},
			{Kind: Cluster{Grid: true, Zero: true}, In: []Shape{conv, {7}, {2, 4}}, Kink: steps},
		},
	})
}

func (k Cluster) Shape(in []Shape) (Shape, error) {
	x, centroids := in[0], in[1]
	if x.Batched() || len(x) == 0 {
		return nil, fmt.Errorf("clusters are for kernels, not for values of shape %v", x)
	}
	want := Shape{centroids.Channels()}
	if k.PerChannel {
		want = Shape{x.Channels(), centroids.Channels()}
	}
	if !centroids.Equal(want) {
		return nil, fmt.Errorf("centroids %v do not fit kernel %v: want [n], or [channels,n] per channel", centroids, x)
	}
	if n := centroids.Channels(); n > maxCentroids {
		return nil, fmt.Errorf("%d centroids: at most %d", n, maxCentroids)
	}
	if k.Apart && !k.Zero || k.Hold && !k.Apart {
		return nil, fmt.Errorf("attribute Apart is for codebooks with Zero, Hold for those whose zeros are Apart")
	}
	if k.Grid != (len(in) > 2) {
		return nil, fmt.Errorf("the int8 grid, and only it, has a range as third input")
	}
	if k.Grid && !in[2].Equal(Shape{2}) && !in[2].Equal(Shape{2, x.Channels()}) {
		return nil, fmt.Errorf("range %v does not fit kernel %v: want [2] or %v", in[2], x, Shape{2, x.Channels()})
	}
	return x, nil
}

// Codes is the largest number of distinct values in a codebook with these centroids.
func (k Cluster) Codes(centroids Shape) int {
	if k.Zero {
		return centroids.Channels() + 1
	}
	return centroids.Channels()
}

// Promise says that no more codes than one codebook has are in the file; codebooks a channel promise nothing of the whole. Zeros stay with Zero only.
func (k Cluster) Promise(before Promise, in []*Value) (Promise, error) {
	p := Promise{Codes: before.Codes}
	if k.Zero {
		p = before
	}
	if n := k.Codes(in[1].Shape); !k.PerChannel && (p.Codes == 0 || n < p.Codes) {
		p.Codes = n
	}
	return p, nil
}

// GridCode is the code that a centroid of the int8 grid stands for. In a codebook with Zero it is not 0, which is there already.
func (k Cluster) GridCode(centroid float32) int32 {
	code := quant.Nudge(quant.Range{Min: -1, Max: 1}, gridLevels).Code(centroid)
	if code == 0 && k.Zero {
		code = 1
		if centroid < 0 {
			code = -1
		}
	}
	return code
}

// GridScale is the step of the int8 grid between two codes, for a range [-m, m] (quant.Nudge's, so that FakeQuant has the same).
func GridScale(lo, hi float32) float32 {
	return quant.Nudge(quant.Range{Min: lo, Max: hi}.Symmetric(), gridLevels).Scale
}

func (k Cluster) Kernel(c Context) (Kernel, error) {
	f := &clusterKernel{Cluster: k, n: c.In[1].Channels(), channels: 1, member: make([]uint16, c.Out.Volume())}
	if k.PerChannel || k.Grid && len(c.In[2]) == 2 {
		f.channels = c.In[0].Channels()
	}
	f.entries = f.n
	if k.Zero && !k.Apart {
		f.entries++
	}
	f.padded = 1
	for f.padded < f.entries {
		f.padded *= 2
	}
	f.books = c.In[1].Volume() / f.n
	f.sum, f.count = make([]float64, c.In[1].Volume()), make([]int, c.In[1].Volume())
	f.codes, f.order, f.scale = make([]float32, f.entries), make([]uint16, f.entries), make([]float32, f.channels)
	f.value, f.limit, f.source = make([]float32, f.channels*f.padded), make([]int32, f.channels*f.padded), make([]uint16, f.channels*f.padded)
	return f, nil
}

// clusterKernel looks centroids up in a table a channel: the centroids in order, and between two of them the largest weight that goes to the lower.
type clusterKernel struct {
	Cluster
	n        int // centroids of a codebook
	entries  int // of a table: with 0, unless it is apart
	padded   int // to a power of two
	books    int // codebooks
	channels int // tables
	value    []float32
	limit    []int32   // ordered; behind the last centroid: the largest
	source   []uint16  // the centroid's place in its codebook, or atZero
	scale    []float32 // of the int8 grid
	codes    []float32 // scratch: a codebook
	order    []uint16  // scratch: the order of its entries; the last is 0
	member   []uint16  // the centroid of each weight, or atZero
	sum      []float64 // scratch: the gradients of all centroids
	count    []int     // and their members
}

const atZero = math.MaxUint16

func (k *clusterKernel) Forward(y []float32, in [][]float32) {
	k.tables(in)
	x := in[0]
	compute.Parallel(len(x)/k.channels, max(1, grain/k.channels), func(lo, hi int) { k.look(y, x, lo*k.channels, hi*k.channels) })
}

// tables makes the tables of this pass.
func (k *clusterKernel) tables(in [][]float32) {
	for c := range k.channels {
		if c < k.books {
			k.book(in[1][c*k.n : (c+1)*k.n])
		}
		scale := float32(1)
		if k.Grid {
			n := len(in[2]) / 2
			scale = GridScale(in[2][c%n], in[2][n+c%n])
			k.scale[c] = scale
		}
		k.table(c, scale)
	}
}

// book reads a codebook: the values of its centroids, or codes on the grid, and their order.
func (k *clusterKernel) book(centroids []float32) {
	for i, v := range centroids {
		k.codes[i], k.order[i] = v+0, uint16(i) // +0: there is no -0 among the values
		if k.Grid && v == v {
			k.codes[i] = float32(k.GridCode(v))
		}
	}
	if k.entries > k.n {
		k.codes[k.n], k.order[k.n] = 0, uint16(k.n)
	}
	slices.SortStableFunc(k.order, func(a, b uint16) int {
		if k.codes[a] < k.codes[b] {
			return -1
		} else if k.codes[a] > k.codes[b] {
			return 1
		}
		return 0
	})
}

// table fills the table of a channel from the codebook. Of equal centroids the first gets all members.
func (k *clusterKernel) table(c int, scale float32) {
	value, limit, source := k.value[c*k.padded:][:k.padded], k.limit[c*k.padded:][:k.padded], k.source[c*k.padded:][:k.padded]
	m, last := 0, float32(0)
	for _, i := range k.order {
		code := k.codes[i]
		if m > 0 && code == last {
			continue
		}
		value[m], source[m] = code*scale, i
		if int(i) >= k.n {
			source[m] = atZero
		}
		if m > 0 {
			if k.Grid {
				limit[m-1] = ordered((last+code)/2*scale + 0)
			} else {
				limit[m-1] = ordered(between(last, code) + 0)
			}
		}
		last = code
		m++
	}
	for i := m - 1; i < len(limit); i++ {
		limit[i], value[i], source[i] = math.MaxInt32, value[m-1], source[m-1]
	}
}

// between is the largest number whose float32 distance from a is at most that from b, a < b: weights up to it go to a (TFMOT's argmin).
func between(a, b float32) float32 {
	lo, hi := int64(ordered(a)), int64(ordered(b))
	for lo+1 < hi {
		mid := lo + (hi-lo)/2
		if x := fromOrdered(int32(mid)); x-a <= b-x {
			lo = mid
		} else {
			hi = mid
		}
	}
	return fromOrdered(int32(lo))
}

// ordered maps floats to integers in the same order, -0 below 0; fromOrdered is the way back.
func ordered(x float32) int32 {
	b := int32(math.Float32bits(x))
	return b ^ b>>31&math.MaxInt32
}

func fromOrdered(i int32) float32 { return math.Float32frombits(uint32(i ^ i>>31&math.MaxInt32)) }

// look does elements lo to hi, whole rows of channels.
func (k *clusterKernel) look(y, x []float32, lo, hi int) {
	half, all := k.padded/2, k.padded
	for at := lo; at < hi; at += k.channels {
		for c := range k.channels {
			v := x[at+c]
			if v == 0 && k.Apart {
				y[at+c], k.member[at+c] = 0, atZero
				continue
			}
			i, key := c*all, int64(ordered(v+0))
			for step := half; step > 0; step /= 2 { // steps over limits below v, without a branch: a guess of it fails half of the time
				i += step & int((int64(k.limit[i+step-1])-key)>>63)
			}
			y[at+c], k.member[at+c] = k.value[i], k.source[i]
			if v != v {
				y[at+c] = v
			}
		}
	}
}

func (k *clusterKernel) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	if d := dx[0]; d != nil {
		copy(d, dy)
		if k.Hold {
			for i, m := range k.member {
				if m == atZero {
					d[i] = 0
				}
			}
		}
	}
	if dx[1] != nil {
		k.centroidGradient(dx[1], in[1], dy)
	}
	if len(dx) > 2 && dx[2] != nil {
		k.rangeGradient(dx[2], y, dy)
	}
}

// centroidGradient adds up the gradients of the members. A centroid at the end of the grid is not pushed further.
func (k *clusterKernel) centroidGradient(d, centroids, dy []float32) {
	sum, count := k.sum, k.count
	clear(sum)
	clear(count)
	for at := 0; at < len(dy); at += k.channels {
		for c := range k.channels {
			i := int(k.member[at+c])
			if i == atZero {
				continue
			}
			g := float64(dy[at+c])
			if k.Grid {
				g *= gridCodes * float64(k.scale[c])
			}
			if k.books > 1 {
				i += c * k.n
			}
			sum[i] += g
			count[i]++
		}
	}
	for i, s := range sum {
		if k.Mean && count[i] > 0 {
			s /= float64(count[i])
		}
		if v := centroids[i]; k.Grid && (v >= 1 && s < 0 || v <= -1 && s > 0) {
			s = 0
		}
		d[i] = float32(s)
	}
}

// rangeGradient is that of y = code*m/127 by m, shared by both ends of [-m, m] and scaled by 1/sqrt(N*127) as LSQ does (Esser et al., section 2.2).
func (k *clusterKernel) rangeGradient(d, y, dy []float32) {
	n := len(d) / 2
	for c := range n {
		sum := 0.0
		for i := c; i < len(y); i += n {
			sum += float64(y[i]) * float64(dy[i])
		}
		sum /= gridCodes * float64(k.scale[c]) * 2 * math.Sqrt(float64(len(y)/n)*gridCodes)
		d[c], d[n+c] = float32(-sum), float32(sum)
	}
}
