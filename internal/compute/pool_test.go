package compute

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestBiasActMaxPool2x2 compares with the definition: of equals the first, and NaN is larger than anything.
func TestBiasActMaxPool2x2(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, c := range channelCounts {
			for a := range ReLU6 + 1 {
				h, w := 1+r.IntN(9), 1+r.IntN(9)
				what := fmt.Sprintf("activation %d of %dx%dx%d", a, h, w, c)
				x, bias := special(r, h*w*c), random(r, c)
				for i := range x {
					x[i] = float32(math.Round(float64(x[i]))) // many ties
				}
				n := h / 2 * (w / 2) * c
				y, arg, dy := make([]float32, n), make([]uint8, n), random(r, n)
				dx, sum, size := make([]float32, h*w*c), make([]float64, c), make([]float64, c)
				for o := range n {
					p, ch := o/c, o%c
					at := 0
					best := float32(math.Inf(-1))
					for tap := range 4 {
						i := ((2*(p/(w/2))+tap/2)*w+2*(p%(w/2))+tap%2)*c + ch
						v := x[i] + bias[ch]
						if tap == 0 || v > best || v != v && best == best {
							best, at, arg[o] = v, i, uint8(tap)
						}
					}
					y[o] = activate(a, best)
					d := derivative(a, y[o], dy[o])
					dx[at] = d
					sum[ch] += float64(d)
					size[ch] += math.Abs(float64(d))
				}
				gotY, gotArg := newFenced(random(r, n)), make([]uint8, n+1)
				gotArg[n] = 99
				BiasActMaxPool2x2(gotY.x, gotArg[:n], x, bias, h, w, c, a)
				gotY.check(t, what, y)
				if string(gotArg[:n]) != string(arg) || gotArg[n] != 99 {
					t.Fatalf("%s: maxima at %v, want %v", what, gotArg, arg)
				}
				if h%2+w%2 == 0 {
					all, got := newFenced(make([]float32, len(x))), Range{-1, 1}
					var want Range
					BiasActRange(&want, all.x, x, bias, c, a)
					want.Widen(Range{-1, 1})
					BiasActMaxPool2x2Range(&got, gotY.x, gotArg[:n], x, bias, h, w, c, a)
					sameRange(t, what, got, want)
					gotY.check(t, what+" with its range", y)
					if string(gotArg[:n]) != string(arg) {
						t.Fatalf("%s: with its range, maxima at %v, want %v", what, gotArg, arg)
					}
				}
				BiasActMaxPool2x2(gotY.x, nil, x, bias, h, w, c, a)
				gotY.check(t, what+" without positions", y)
				gotX, db := newFenced(random(r, h*w*c)), make([]float32, c)
				BiasActMaxPool2x2Grad(gotX.x, db, dy, y, arg, h, w, c, a.Gate())
				gotX.check(t, what+" gradient", dx)
				check(t, what+" sums", db, sum, size)
			}
		}
	})
}
