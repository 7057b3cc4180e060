package graph

import (
	"github.com/temper-ml/temper/internal/compute"
)

// fusedKernel prepares the chain of a stage. Its inputs are those of the Ops in order, without the values inside the chain.
func fusedKernel(st stage, n int, train bool, keeps *keeper) (Kernel, error) {
	head := st[0]
	k, err := head.Kind.Kernel(Context{Op: head.Name, In: shapesWith(head.In, n), Out: head.Out.Shape.With(n), Train: train})
	if err != nil {
		return nil, err
	}
	f := &chainKernel{bias: -1}
	switch k := k.(type) {
	case *conv2DKernel:
		f.conv, f.s = k.Conv, k.Conv.Shape()
	case *depthwiseKernel:
		f.conv, f.s = k.DepthwiseConv, k.DepthwiseConv.Shape()
	}
	var norm *BatchNorm
	for _, o := range st[1:] {
		switch kind := o.Kind.(type) {
		case BiasAdd:
			f.bias = 2
		case BatchNorm:
			norm = &kind
		case ReLU:
			f.act = compute.ReLU
		case ReLU6:
			f.act = compute.ReLU6
		case MaxPool2D:
			f.pool = true
			if train {
				keep(keeps, &f.arg, n*f.s.Out()/4)
			}
		}
	}
	if norm != nil {
		return newNormChain(f, *norm, train, keeps), nil
	}
	return f, nil
}

func shapesWith(vs []*Value, n int) []Shape {
	var shapes []Shape
	for _, v := range vs {
		shapes = append(shapes, v.Shape.With(n))
	}
	return shapes
}

// chainKernel is a convolution with bias, activation and 2x2 pooling, each optional, image by image.
type chainKernel struct {
	conv compute.Images
	s    compute.ConvShape
	bias int // input of the bias, or -1
	act  compute.Act
	pool bool
	arg  []uint8 // in training: which of its 4 values each maximum is
}

// backwardReads: the input, the kernel, and where it tells what the activation passes, the output.
func (k *chainKernel) backwardReads(i int) bool {
	return i == 0 || i == 1 || i == output && (k.pool || k.act != compute.Linear)
}

// of is image i of an array of images of so many values.
func of(x []float32, i, size int) []float32 { return x[i*size : (i+1)*size] }

// span is images lo to hi of an array of images of so many values.
func span(x []float32, lo, hi, size int) []float32 { return x[lo*size : hi*size] }

// groups calls f for the groups of images of [lo, hi) that conv likes to see at once.
func groups(conv compute.Images, lo, hi int, f func(lo, hi int)) {
	for n, g := lo, conv.Group(); n < hi; n += g {
		f(n, min(n+g, hi))
	}
}

func (k *chainKernel) biasOf(in [][]float32) []float32 {
	if k.bias < 0 {
		return nil
	}
	return in[k.bias]
}

func (k *chainKernel) Forward(y []float32, in [][]float32) {
	k.conv.SetKernel(in[1])
	s, bias := k.s, k.biasOf(in)
	compute.Parallel(s.N, 1, func(lo, hi int) {
		m := compute.GetScratch()
		groups(k.conv, lo, hi, func(n, end int) {
			x := span(in[0], n, end, s.In())
			if !k.pool {
				out := span(y, n, end, s.Out())
				k.conv.Image(m, out, x)
				compute.BiasAct(out, out, bias, s.OC, k.act)
				return
			}
			z := m.Buffer(0, (end-n)*s.Out())
			k.conv.Image(m, z, x) // images below one another are one: their height is even
			compute.BiasActMaxPool2x2(span(y, n, end, s.Out()/4), k.args(n, end), z, bias, (end-n)*s.OH, s.OW, s.OC, k.act)
		})
		compute.PutScratch(m)
	})
}

func (k *chainKernel) args(n, end int) []uint8 {
	if k.arg == nil {
		return nil
	}
	size := k.s.Out() / 4
	return k.arg[n*size : end*size]
}

func (k *chainKernel) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	gradChain(k.conv, k.s, dx, in, k.bias, func(m *compute.Scratch, n, end int, db []float32) []float32 {
		s := k.s
		dz := m.Buffer(0, (end-n)*s.Out())
		if !k.pool {
			compute.ActGrad(dz, span(dy, n, end, s.Out()), span(y, n, end, s.Out()), db, s.OC, k.act)
			return dz
		}
		size := s.Out() / 4
		compute.BiasActMaxPool2x2Grad(dz, db, span(dy, n, end, size), span(y, n, end, size), k.args(n, end), (end-n)*s.OH, s.OW, s.OC, k.act)
		return dz
	})
}

// gradChain runs the backward pass of a convolution whose output's gradient grad makes, for images n to end at a time; grad adds the bias's
// gradient to db unless that is nil.
func gradChain(conv compute.Images, s compute.ConvShape, dx, in [][]float32, bias int,
	grad func(m *compute.Scratch, n, end int, db []float32) []float32) {
	if dx[0] != nil {
		conv.SetGradKernel(in[1])
	}
	size, channels := 0, 0
	if dx[1] != nil {
		size = conv.SumSize()
	}
	if bias >= 0 && dx[bias] != nil {
		channels = s.OC
	}
	call := compute.GetScratch()
	total := call.Buffer(1, size+channels)
	compute.Reduce(total, s.N, func(sum []float32, lo, hi int) {
		m := compute.GetScratch()
		var db []float32
		if channels > 0 {
			db = sum[size:]
			clear(db)
		}
		groups(conv, lo, hi, func(n, end int) {
			var gx, part []float32
			if dx[0] != nil {
				gx = span(dx[0], n, end, s.In())
			}
			if size > 0 {
				part = sum[:size]
			}
			conv.ImageGrad(m, gx, part, span(in[0], n, end, s.In()), grad(m, n, end, db), n == lo)
		})
		compute.PutScratch(m)
	})
	if size > 0 {
		conv.FinishSum(dx[1], total[:size])
	}
	if channels > 0 {
		copy(dx[bias], total[size:])
	}
	compute.PutScratch(call)
}
