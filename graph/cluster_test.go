package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// clusterCase is a Cluster on a kernel of 4 channels with random contents.
type clusterCase struct {
	name string
	kind Cluster
	in   [][]float32
	at   []Shape
}

// clusterCases are all forms: both grids, codebooks a tensor and a channel, with and without zeros kept.
func clusterCases() []clusterCase {
	const c, rows, n = 4, 30, 6
	var all []clusterCase
	for i := range 64 {
		k := Cluster{Grid: i&1 != 0, PerChannel: i&2 != 0, Zero: i&4 != 0, Apart: i&4 != 0 && i&32 != 0, Mean: i&16 != 0}
		x := normal(rows*c, uint64(i))
		for j := range x {
			if j%3 == 0 {
				x[j] = 0
			}
		}
		at := []Shape{{rows, c}, {n}}
		if k.PerChannel {
			at[1] = Shape{c, n}
		}
		in := [][]float32{x, normal(at[1].Volume(), uint64(100+i))}
		if k.Grid {
			for j := range in[1] {
				in[1][j] /= 2 // some are beyond the grid's ends nevertheless
			}
			in[1][0] = 0.001 // rounds to 0
			at = append(at, Shape{2})
			if i&8 != 0 {
				at[2] = Shape{2, c}
			}
			r := normal(at[2].Volume(), uint64(200+i))
			for j := range r[:len(r)/2] {
				m := float32(1 + math.Abs(float64(r[j])))
				r[j], r[j+len(r)/2] = -m, m
			}
			in = append(in, r)
		}
		all = append(all, clusterCase{fmt.Sprintf("%+v range %v", k, at[2:]), k, in, at})
	}
	return all
}

func (c clusterCase) kernel(t *testing.T) Kernel {
	t.Helper()
	out, err := c.kind.Shape(c.at)
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.kind.Kernel(Context{Op: "op", In: c.at, Out: out, Train: true})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// values are what a weight of channel ch can become.
func (c clusterCase) values(ch int) []float32 {
	n := c.at[1].Channels()
	book := c.in[1]
	if c.kind.PerChannel {
		book = book[ch*n : (ch+1)*n]
	}
	v := slices.Clone(book)
	if c.kind.Grid {
		half := len(c.in[2]) / 2
		m := c.in[2][half+ch%half]
		for i, x := range v {
			v[i] = float32(c.kind.GridCode(x)) * GridScale(-m, m)
		}
	}
	if c.kind.Zero && !c.kind.Apart {
		v = append(v, 0)
	}
	return v
}

// TestCluster compares with the definition: the nearest value, zeros apart where they are kept; again applied, nothing changes.
func TestCluster(t *testing.T) {
	for _, c := range clusterCases() {
		x, y := c.in[0], make([]float32, len(c.in[0]))
		k := c.kernel(t)
		k.Forward(y, c.in)
		for i, v := range x {
			if c.kind.Zero && v == 0 && y[i] != 0 || c.kind.Apart && v != 0 && y[i] == 0 {
				t.Fatalf("%s: %g became %g", c.name, v, y[i])
			}
			if c.kind.Zero && v == 0 {
				continue
			}
			least := float32(math.Inf(1))
			for _, w := range c.values(i % 4) {
				least = min(least, float32(math.Abs(float64(v-w))))
			}
			if d := float32(math.Abs(float64(v - y[i]))); d > least*(1+1e-6) || !slices.Contains(c.values(i%4), y[i]) {
				t.Fatalf("%s: %g became %g; the values are %v", c.name, v, y[i], c.values(i%4))
			}
		}
		again := make([]float32, len(y))
		k.Forward(again, append([][]float32{y}, c.in[1:]...))
		if !slices.Equal(again, y) {
			t.Errorf("%s: applied twice it differs", c.name)
		}
	}
}

// TestClusterGridIsFakeQuants: a quantizer of 8 bits with the same range changes no bit of what the int8 grid makes, per tensor and per channel.
func TestClusterGridIsFakeQuants(t *testing.T) {
	for _, c := range clusterCases() {
		if !c.kind.Grid {
			continue
		}
		y := make([]float32, len(c.in[0]))
		c.kernel(t).Forward(y, c.in)
		q := FakeQuant{Bits: 8, Symmetric: true, Narrow: true, PerAxis: len(c.at[2]) == 2}
		k, err := q.Kernel(Context{In: []Shape{c.at[0], c.at[2]}, Out: c.at[0]})
		if err != nil {
			t.Fatal(err)
		}
		z := make([]float32, len(y))
		k.Forward(z, [][]float32{y, c.in[2]})
		codes := map[int32]bool{}
		n, err := q.Quantizers(nil, c.in[2])
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range z {
			if math.Float32bits(v) != math.Float32bits(y[i]) {
				t.Fatalf("%s: %g becomes %g", c.name, y[i], v)
			}
			codes[n[i%len(n)].Code(v)] = true
		}
		if p, _ := c.kind.Promise(Promise{}, []*Value{{}, {Shape: c.at[1]}}); p.Codes > 0 && len(codes) > p.Codes {
			t.Errorf("%s: %d codes, promised %d", c.name, len(codes), p.Codes)
		}
	}
}

// TestClusterGradients: the formulas, by plain loops.
func TestClusterGradients(t *testing.T) {
	for _, c := range clusterCases() {
		n := c.at[1].Channels()
		y := make([]float32, len(c.in[0]))
		dy := normal(len(y), 7)
		k := c.kernel(t)
		k.Forward(y, c.in)
		dx := make([][]float32, len(c.in))
		for i := range c.in {
			dx[i] = normal(len(c.in[i]), 8) // every element must be written
		}
		k.Backward(dx, c.in, y, dy)
		if !slices.Equal(dx[0], dy) {
			t.Fatalf("%s: the gradient of x is not straight through", c.name)
		}
		want, count := make([]float64, len(dx[1])), make([]float64, len(dx[1]))
		for i, v := range y {
			if c.kind.Zero && v == 0 {
				continue
			}
			at := slices.Index(c.values(i%4), v) // of equal ones the first
			slope := 1.0
			if c.kind.Grid {
				half := len(c.in[2]) / 2
				slope = float64(c.in[2][half+i%4%half])
			}
			if c.kind.PerChannel {
				at += i % 4 * n
			}
			want[at] += slope * float64(dy[i])
			count[at]++
		}
		for i, w := range want {
			if c.kind.Mean && count[i] > 0 {
				w /= count[i]
			}
			if v := c.in[1][i]; c.kind.Grid && (v >= 1 && w < 0 || v <= -1 && w > 0) {
				w = 0
			}
			if math.Abs(float64(dx[1][i])-w) > 1e-5*(1+math.Abs(w)) {
				t.Fatalf("%s: gradient of centroid %d is %g, want %g", c.name, i, dx[1][i], w)
			}
		}
		if !c.kind.Grid {
			continue
		}
		half := len(c.in[2]) / 2
		for s := range half {
			sum, members := 0.0, 0
			for i, v := range y {
				if i%half == s {
					sum += float64(v/c.in[2][half+s]) * float64(dy[i])
					members++
				}
			}
			sum /= 2 * math.Sqrt(float64(members)*127)
			if got := float64(dx[2][half+s]); math.Abs(got-sum) > 1e-5*(1+math.Abs(sum)) || dx[2][s] != -dx[2][half+s] {
				t.Fatalf("%s: gradient of range %d is [%g, %g], want %g", c.name, s, dx[2][s], dx[2][half+s], sum)
			}
		}
	}
}

// TestClusterHold: without a mask, zeros stay because nothing moves them.
func TestClusterHold(t *testing.T) {
	k := clusterCase{"hold", Cluster{Zero: true, Apart: true, Hold: true}, [][]float32{{0, 1, -2, 0}, {-1, 2}}, []Shape{{2, 2}, {2}}}
	y, dx := make([]float32, 4), [][]float32{make([]float32, 4), make([]float32, 2)}
	kernel := k.kernel(t)
	kernel.Forward(y, k.in)
	kernel.Backward(dx, k.in, y, []float32{1, 2, 3, 4})
	if !slices.Equal(y, []float32{0, 2, -1, 0}) || !slices.Equal(dx[0], []float32{0, 2, 3, 0}) || !slices.Equal(dx[1], []float32{3, 2}) {
		t.Errorf("y %v, gradients %v", y, dx)
	}
}

// TestClusterTies: the lower centroid gets a weight in the middle, and the limit is where TFMOT's float32 distances change sides.
func TestClusterTies(t *testing.T) {
	r := normal(2000, 3)
	for i := 0; i < len(r); i += 2 {
		a, b := min(r[i], r[i+1]), max(r[i], r[i+1])
		x := between(a, b)
		up := math.Nextafter32(x, float32(math.Inf(1)))
		if x-a > b-x || up-a <= b-up {
			t.Fatalf("between %g and %g: %g", a, b, x)
		}
	}
	if x := between(-1, 1); x < 0 {
		t.Errorf("0 goes to the upper of -1 and 1")
	}
}

// TestClusterNaN: a kernel that is NaN is seen to be.
func TestClusterNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, in := range [][][]float32{{{nan, 1}, {1, 2}, {-1, 1}}, {{1, 1}, {nan, nan}, {-1, 1}}, {{1, 1}, {1, 2}, {nan, nan}}} {
		for _, grid := range []bool{true, false} {
			c := clusterCase{"nan", Cluster{Grid: grid}, in, []Shape{{2}, {2}, {2}}}
			if !grid {
				c.in, c.at = in[:2], c.at[:2]
				if in[2][0] != in[2][0] {
					continue
				}
			}
			y := make([]float32, 2)
			c.kernel(t).Forward(y, c.in)
			if y[0] == y[0] {
				t.Errorf("grid %v: %v became %v", grid, c.in, y)
			}
		}
	}
}

func BenchmarkCluster(b *testing.B) {
	for _, grid := range []bool{false, true} {
		b.Run(fmt.Sprintf("grid=%v", grid), func(b *testing.B) {
			at := []Shape{{3, 3, 64, 64}, {16}, {2, 64}}
			in := [][]float32{normal(at[0].Volume(), 1), normal(16, 2), normal(128, 3)}
			if !grid {
				at, in = at[:2], in[:2]
			}
			k, err := Cluster{Grid: grid}.Kernel(Context{In: at, Out: at[0]})
			if err != nil {
				b.Fatal(err)
			}
			y, dy := make([]float32, len(in[0])), normal(len(in[0]), 4)
			var dx [][]float32
			for _, x := range in {
				dx = append(dx, make([]float32, len(x)))
			}
			b.SetBytes(int64(4 * len(y)))
			for b.Loop() {
				k.Forward(y, in)
				k.Backward(dx, in, y, dy)
			}
		})
	}
}
