package compute

// Act is an activation.
type Act int

const (
	Linear Act = iota
	ReLU
	ReLU6
)

func (a Act) apply(v float32) float32 {
	if a != Linear && !(v > 0) && v == v {
		v = 0
	}
	if a == ReLU6 && v > 6 {
		v = 6
	}
	return v
}

func (a Act) passes(y float32) bool {
	return a == Linear || y > 0 && (a == ReLU || y < 6)
}

func BiasAct(y, x, bias []float32, c int, a Act) {
	for p := 0; p < len(x); p += c {
		for i := range c {
			v := x[p+i]
			if bias != nil {
				v += bias[i]
			}
			y[p+i] = a.apply(v)
		}
	}
}

func ActGrad(dz, dy, y []float32, db []float32, c int, a Act) {
	for p := 0; p < len(y); p += c {
		for i := range c {
			v := float32(0)
			if a.passes(y[p+i]) {
				v = dy[p+i]
			}
			dz[p+i] = v
			if db != nil {
				db[i] += v
			}
		}
	}
}

func BiasActMaxPool2x2(y []float32, arg []uint8, x, bias []float32, h, w, c int, a Act) {
	for oy := range h / 2 {
		for ox := range w / 2 {
			for i := range c {
				at := (2*oy*w+2*ox)*c + i
				best, k := x[at], 0
				for j, v := range [3]float32{x[at+c], x[at+w*c], x[at+w*c+c]} {
					if v > best {
						best, k = v, j+1
					}
				}
				if bias != nil {
					best += bias[i]
				}
				o := (oy*(w/2)+ox)*c + i
				y[o] = a.apply(best)
				if arg != nil {
					arg[o] = uint8(k)
				}
			}
		}
	}
}

func BiasActMaxPool2x2Grad(dz, db, dy, y []float32, arg []uint8, h, w, c int, a Act) {
	clear(dz)
	for oy := range h / 2 {
		for ox := range w / 2 {
			for i := range c {
				o := (oy*(w/2)+ox)*c + i
				if !a.passes(y[o]) {
					continue
				}
				k := int(arg[o])
				dz[((2*oy+k/2)*w+2*ox+k%2)*c+i] = dy[o]
				if db != nil {
					db[i] += dy[o]
				}
			}
		}
	}
}

// ScaleShiftAct computes y = act(x*scale + shift) over the last dimension, of c channels.
func ScaleShiftAct(y, x, scale, shift []float32, c int, a Act) {
	for p := 0; p < len(x); p += c {
		in, out := x[p:p+c], y[p:p+c]
		for i, v := range in {
			out[i] = a.apply(float32(v*scale[i]) + shift[i])
		}
	}
}

// Moments computes mean and sum of squared differences of each channel over the pixels of x.
func Moments(mean, m2 []float64, x []float32, c int) {
	n := float64(len(x) / c)
	clear(mean)
	for p := 0; p < len(x); p += c {
		for i, v := range x[p : p+c] {
			mean[i] += float64(v)
		}
	}
	for i := range mean {
		mean[i] /= n
	}
	clear(m2)
	for p := 0; p < len(x); p += c {
		for i, v := range x[p : p+c] {
			d := float64(v) - mean[i]
			m2[i] += d * d
		}
	}
}

// NormGradSums adds the channel sums of dz and of dz*(x-mean), dz being dy where the activation passes.
func NormGradSums(sum, dot []float64, dy, y, x, mean []float32, c int, a Act) {
	for p := 0; p < len(x); p += c {
		d, z := dy[p:p+c], y[p:p+c]
		for i, v := range x[p : p+c] {
			if a.passes(z[i]) {
				sum[i] += float64(d[i])
				dot[i] += float64(d[i] * (v - mean[i]))
			}
		}
	}
}

// NormGrad computes dx = scale*(dz - shift - (x-mean)*slope), dz being dy where the activation passes.
func NormGrad(dx, dy, y, x, scale, shift, slope, mean []float32, c int, a Act) {
	for p := 0; p < len(x); p += c {
		d, z, out := dy[p:p+c], y[p:p+c], dx[p:p+c]
		for i, v := range x[p : p+c] {
			g := float32(0)
			if a.passes(z[i]) {
				g = d[i]
			}
			out[i] = scale[i] * (g - shift[i] - float32((v-mean[i])*slope[i]))
		}
	}
}
